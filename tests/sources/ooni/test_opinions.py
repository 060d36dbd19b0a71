"""After which failed handshakes a browser's ClientHello was tried."""

from typing import Any

from fanous.model.measurement import Layer
from tests.each import each
from tests.sources.records import ADDRESS, HOST, connect, document, handshake, seen, web_keys

HERE = f"{ADDRESS}:443"


def opinion(answer: str = "server_hello", failure: str | None = None, **given: Any) -> dict[str, Any]:
    return {"address": HERE, "server_name": HOST, "answer": answer, "failure": failure} | given


def browser(*opinions: dict[str, Any], failure: str | None = "connection_reset") -> str:
    keys = web_keys(tcp_connect=[connect()], tls_handshakes=[handshake(failure=failure)])
    (observation,) = seen(document(keys | {"x_second_opinions": list(opinions)}), Layer.TLS)
    return observation.browser


@each(
    ("opinions", "said"),
    [
        ([opinion()], "answered"),
        ([opinion("alert")], "answered"),
        ([opinion("", "connection_reset")], "cut"),
        ([opinion(), opinion("", "generic_timeout_error")], "cut"),
        ([opinion("", "generic_timeout_error"), opinion()], "cut"),
        ([opinion("", None)], ""),
        ([opinion("no such answer")], ""),
        ([opinion(address="198.51.100.99:443")], ""),
        ([opinion(address=f"{ADDRESS}:8443")], ""),
        ([opinion(server_name="other.example")], ""),
        ([], ""),
    ],
)
def test_a_failed_handshake_has_the_opinion_of_its_own_name_and_place(
    opinions: list[dict[str, Any]], said: str
) -> None:
    assert browser(*opinions) == said


def test_a_handshake_that_works_needs_no_second_opinion() -> None:
    assert browser(opinion(), failure=None) == ""
