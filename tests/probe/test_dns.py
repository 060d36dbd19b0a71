"""One name through four resolvers."""

import asyncio
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import pytest

from fanous.probe import dns as steps
from fanous.probe.trace import Trace
from tests.builders import FakeNetwork
from tests.each import each
from tests.probe.net import servers
from tests.probe.scene import DOH_IP, DOT_IP, RESOLVER_IP, SETTINGS, scene


def by_udp(answer: servers.Answerer, query_type: str = "A") -> list[dict[str, Any]]:
    """The queries that a trace holds after asking a resolver that answers so."""
    trace = Trace(FakeNetwork(udp={(RESOLVER_IP, 53): answer}))
    asyncio.run(steps.by_udp(trace, SETTINGS, "site.example", query_type))
    return trace.queries


def addresses(query: dict[str, Any]) -> list[tuple[str, int]]:
    return [(one["ipv4"], one["ttl"]) for one in query["answers"]]


def test_all_answers_of_the_window_are_kept_with_their_ttl_the_first_in_front() -> None:
    forged, true = "203.0.113.7", "198.51.45.1"
    queries = by_udp(lambda q: [servers.dns_answer(q, forged, ttl=60), servers.dns_answer(q, true, ttl=300)])
    assert [addresses(query) for query in queries] == [[(forged, 60)], [(true, 300)]]
    assert [query["x_further_answer"] for query in queries] == [False, True]
    assert {query["engine"] for query in queries} == {"udp"}


def test_the_same_answer_twice_is_one_answer() -> None:
    (query,) = by_udp(lambda q: [servers.dns_answer(q, "198.51.45.1")] * 2)
    assert addresses(query) == [("198.51.45.1", 300)]


def test_a_resolver_cannot_fill_a_record_with_answers() -> None:
    records = b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\xc6\x33" + n.to_bytes(2) for n in range(4_000))

    def flood(question: bytes) -> list[bytes]:
        head = question[:2] + b"\x81\x80" + question[4:6] + (4_000).to_bytes(2) + bytes(4) + question[12:]
        return [head + records[16 * n :] + records[: 16 * n] for n in range(40)]

    queries = by_udp(flood)
    assert len(queries) == steps.MOST_DIFFERENT
    assert {len(query["answers"]) for query in queries} == {steps.MOST_RECORDS}


def test_a_lost_question_is_asked_once_more() -> None:
    asked: list[bytes] = []

    def second_time(question: bytes) -> list[bytes]:
        asked.append(question)
        return [servers.dns_answer(question, "198.51.45.1")] if len(asked) == 2 else []

    (query,) = by_udp(second_time)
    assert query["failure"] is None
    assert len(asked) == 2


@each(
    ("answer", "failure"),
    [
        (lambda q: [servers.dns_answer(q, rcode=dns.rcode.NXDOMAIN)], "dns_nxdomain_error"),
        (lambda q: [servers.dns_answer(q, rcode=dns.rcode.REFUSED)], "dns_refused_error"),
        (lambda q: [servers.dns_answer(q, rcode=dns.rcode.SERVFAIL)], "dns_servfail_error"),
        (lambda q: [servers.dns_answer(q)], "dns_no_answer"),
        (lambda _: [b"garbage"], "dns_server_misbehaving"),
        (lambda q: [b"\0\0" + servers.dns_answer(q, "198.51.45.1")[2:]], "dns_reply_with_wrong_query_id"),
        (lambda q: [q], "dns_server_misbehaving"),
        (lambda _: [], "generic_timeout_error"),
    ],
)
def test_an_answer_without_an_address_is_a_named_failure(answer: servers.Answerer, failure: str) -> None:
    (query,) = by_udp(answer)
    assert query["failure"] == failure


@pytest.mark.parametrize(
    ("found", "failure"),
    [
        (["198.51.45.1"], None),
        ([], "dns_no_answer"),
        (TimeoutError(), "generic_timeout_error"),
        (UnicodeError("label too long"), "dns_nxdomain_error"),
    ],
)
def test_the_systems_resolver_is_taken_by_its_word(
    found: list[str] | BaseException, failure: str | None
) -> None:
    trace = Trace(FakeNetwork(names={"site.example": found}))
    given = asyncio.run(steps.by_system(trace, SETTINGS, "site.example"))
    assert trace.queries[0]["failure"] == failure
    assert given == (found if isinstance(found, list) else [])


@pytest.mark.parametrize("name", ["a" * 70 + ".example", "..", "x" * 300])
def test_a_name_that_dns_cannot_carry_is_a_failure_not_a_crash(name: str) -> None:
    trace = Trace(FakeNetwork())
    for look_up in (steps.by_doh, steps.by_dot):
        assert asyncio.run(look_up(trace, SETTINGS, name)) == []
    assert asyncio.run(steps.by_udp(trace, SETTINGS, name, "A")) == []
    assert [query["failure"] is None for query in trace.queries] == [False] * 3


def test_encrypted_resolvers_answer_over_validated_tls(tmp_path: Path) -> None:
    async def play() -> list[dict[str, Any]]:
        from tests.probe.net.routes import RoutedNetwork

        async with scene(tmp_path) as place:
            await place.resolvers("198.51.45.1")
            trace = Trace(RoutedNetwork(place.routes))
            await steps.by_doh(trace, place.settings(), "site.example")
            await steps.by_dot(trace, place.settings(), "site.example")
            return trace.queries

    queries = asyncio.run(play())
    assert [query["engine"] for query in queries] == ["doh", "dot"]
    assert [addresses(query) for query in queries] == [[("198.51.45.1", 300)]] * 2


@pytest.mark.parametrize(("ip", "port", "engine"), [(DOH_IP, 443, "doh"), (DOT_IP, 853, "dot")])
def test_a_forged_resolver_is_told_by_its_certificate(
    ip: str, port: int, engine: str, tmp_path: Path
) -> None:
    async def play() -> list[dict[str, Any]]:
        from tests.probe.net.routes import RoutedNetwork

        async with scene(tmp_path) as place:
            await place.serve("forger.example", ip, port, servers.resolver_over_tls("203.0.113.7"))
            trace = Trace(RoutedNetwork(place.routes))
            await {"doh": steps.by_doh, "dot": steps.by_dot}[engine](trace, place.settings(), "site.example")
            return trace.queries

    (query,) = asyncio.run(play())
    assert query["failure"] == "ssl_invalid_hostname"
    assert query["answers"] == []


def test_the_question_on_the_wire_is_for_the_name() -> None:
    from fanous.probe.dns import question

    wire, query_id = question("site.example", "AAAA")
    message = dns.message.from_wire(wire)
    assert (str(message.question[0].name), message.id) == ("site.example.", query_id)
