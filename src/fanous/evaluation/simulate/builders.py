"""Builders: nouns with defaults, so that a test states only what it is about.

The default is an ordinary success: a sound measurement of ``x`` on PTCL, everything working.
"""

from typing import Any

from fanous.evaluation.simulate.notation import DAY
from fanous.model.measurement import Measurement, ParsedMeasurement
from fanous.model.observation import Layer, Observation, Observer
from fanous.model.place import Access
from fanous.model.verdict import State, Verdict

ADDRESS = "104.244.42.1"
"""One of X's own addresses."""


def measurement(
    uid: str = "20231114000000.000000_PK_webconnectivity_0000000000000001", **given: Any
) -> Measurement:
    """A sound web_connectivity measurement of ``x`` on AS17557; ``given`` replaces fields."""
    fields: dict[str, Any] = {
        "uid": uid,
        "test_name": "web_connectivity",
        "test_version": "0.5.28",
        "country": "PK",
        "asn": 17557,
        "resolver_asn": 17557,
        "access": Access.ANY,
        "started_at": float(DAY),
        "probe": f"report of {uid}",
        "software": "ooniprobe-cli 3.20.0",
        "input": "https://x.com/",
        "target": "x",
        "network_name": "PTCL",
    }
    return Measurement(**(fields | given))


def observation(layer: Layer = Layer.TLS, failure: str | None = None, **given: Any) -> Observation:
    """What a probe saw at ``layer`` of ``x.com``; it worked unless ``failure`` says otherwise."""
    fields: dict[str, Any] = {"target": "x", "hostname": "x.com", "at": 0.1, "seconds": 0.08}
    fields |= _endpoint(layer)
    if failure is None:
        fields |= _success(layer)
    return Observation(**(fields | {"layer": layer, "failure": failure} | given))


def helper(layer: Layer = Layer.TLS, failure: str | None = None, **given: Any) -> Observation:
    """The same step as the outside helper saw it."""
    by_helper = {"vantage": Observer.HELPER} | ({"resolver": "helper"} if layer is Layer.DNS else {})
    return observation(layer, failure, **(by_helper | given))


def verdict(state: State = State.OK, layer: Layer = Layer.TLS, **given: Any) -> Verdict:
    """A controlled verdict on ``x`` by a rule of no importance."""
    fields: dict[str, Any] = {
        "target": "x",
        "rule_id": f"{layer.value}.test.{state.value}",
        "mechanism": "tls.reset.sni" if state is State.BLOCKED else "",
        "why": "because a test says so",
        "controlled": True,
    }
    return Verdict(**(fields | {"state": state, "layer": layer} | given))


def bundle(*observations: Observation, control_failure: str | None = None, **given: Any) -> ParsedMeasurement:
    """A measurement with its observations; ``given`` replaces fields of the measurement."""
    return ParsedMeasurement(measurement(**given), observations, control_failure)


def _endpoint(layer: Layer) -> dict[str, Any]:
    if layer is Layer.DNS:
        return {"resolver": "system", "query_type": "A"}
    if layer is Layer.HTTP:
        return {"ip": ADDRESS, "port": 443, "url": "https://x.com/"}
    return {"ip": ADDRESS, "port": 443}


def _success(layer: Layer) -> dict[str, Any]:
    if layer is Layer.DNS:
        return {"answers": (ADDRESS,), "answer_asns": (13414,), "ttls": (60,)}
    if layer in (Layer.TLS, Layer.QUIC):
        return {"cert_valid": True}
    if layer is Layer.HTTP:
        return {"status_code": 200, "body_length": 20_000, "title": "X. It's what's happening"}
    return {}
