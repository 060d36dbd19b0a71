"""Directory authorities and bridges."""

from typing import Any

from fanous.model.measurement import Layer
from tests.each import each
from tests.sources.records import connect, document, handshake, parsed, transaction

RELAY = "203.0.113.40"


def relay(protocol: str, **given: Any) -> dict[str, Any]:
    return {
        "target_protocol": protocol,
        "target_address": f"{RELAY}:9001",
        "failure": None,
        "tcp_connect": [connect(RELAY, 9001)],
    } | given


def observed(*targets: dict[str, Any], as_list: bool = False) -> list[Any]:
    of = list(targets) if as_list else {str(n): target for n, target in enumerate(targets)}
    bundle = parsed(document({"targets": of}, test_name="tor", input=None))
    assert bundle.measurement.target == "tor"
    return list(bundle.observations)


@each("as_list", [True, False])
@each(
    ("target", "layer", "failure"),
    [
        (relay("dir_port", requests=[transaction(f"http://{RELAY}:9001/tor")]), Layer.HTTP, None),
        (relay("or_port", tls_handshakes=[handshake("", f"{RELAY}:9001")]), Layer.TLS, None),
        (relay("or_port_dirauth", tls_handshakes=[handshake(failure="eof_error")]), Layer.TLS, "eof_error"),
        (relay("obfs4"), Layer.TCP, None),
        (relay("obfs4", failure="handshake: ntor AUTH mismatch"), Layer.TCP, None),  # the bridge's own matter
        (relay("obfs4", failure="generic_timeout_error"), Layer.TCP, "generic_timeout_error"),
        (relay("obfs4", failure="connection_reset"), Layer.TCP, "connection_reset"),
        (
            relay("or_port", tcp_connect=[connect(RELAY, 9001, failure="generic_timeout_error")]),
            Layer.TCP,
            "generic_timeout_error",
        ),
        (relay("or_port", tcp_connect=None, failure="connection_reset"), Layer.TLS, "connection_reset"),
        (relay("unheard_of"), Layer.TCP, None),
    ],
)
def test_each_target_is_one_observation_of_its_last_step(
    target: dict[str, Any], layer: Layer, failure: str | None, as_list: bool
) -> None:
    (seen,) = observed(target, as_list=as_list)
    assert (seen.layer, seen.failure, seen.target, seen.role) == (layer, failure, "tor", "api")
    assert seen.port in (9001, 443)


def test_targets_do_not_mix() -> None:
    failing = relay("or_port", tcp_connect=[connect(RELAY, 1, failure="connection_refused")])
    assert [o.failure for o in observed(relay("obfs4"), failing)] == [None, "connection_refused"]


@each("targets", [None, {}, [], "none", 7, {"a": None}, [None, 3]])
def test_no_targets_are_no_observations(targets: Any) -> None:
    assert parsed(document({"targets": targets}, test_name="tor")).observations == ()
