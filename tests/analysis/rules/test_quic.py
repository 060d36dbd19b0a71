"""QUIC: only another name that works makes a finding."""

from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State
from tests.analysis.rules.verdict_of import Said, said
from tests.builders import helper, observation
from tests.each import each

CUT = observation(Layer.QUIC, "generic_timeout_error")
INNOCUOUS = observation(Layer.QUIC, hostname="example.com", cert_valid=None)
"""At the target's own address, under a name whose certificate was not checked."""
OTHER = observation(Layer.QUIC, hostname="y.com", ip="1.2.3.4")
UP = helper(Layer.QUIC)


@each(
    ("observations", "first"),
    [
        ([observation(Layer.QUIC), UP], (State.OK, "quic.ok", "")),
        ([CUT, OTHER, UP], (State.BLOCKED, "quic.failure_control_ok", "quic.drop.target")),
        ([CUT, INNOCUOUS], (State.BLOCKED, "quic.innocuous_name_works", "quic.drop.target")),
        (
            [observation(Layer.QUIC, "ssl_failed_handshake"), INNOCUOUS],
            (State.INSUFFICIENT, "quic.not_offered", ""),
        ),
        ([CUT, UP], (State.INSUFFICIENT, "quic.no_control", "quic.drop")),
        ([observation(Layer.QUIC, "network_down"), OTHER, UP], (State.INSUFFICIENT, "quic.own_fault", "")),
        ([CUT, OTHER], (State.INSUFFICIENT, "quic.no_control", "quic.drop.target")),
        (
            [CUT, OTHER, helper(Layer.QUIC, "generic_timeout_error")],
            (State.INSUFFICIENT, "quic.not_offered", ""),
        ),
        (
            [observation(Layer.QUIC, "quic_incompatible_version"), OTHER, UP],
            (State.INSUFFICIENT, "quic.not_offered", ""),
        ),
        ([CUT, observation(Layer.QUIC, ip="5.6.7.8"), UP], (State.OK, "quic.other_attempt_works", "")),
        (
            [observation(Layer.QUIC, "generic_timeout_error", ip="2606:4700::1"), OTHER, UP],
            (State.INSUFFICIENT, "quic.no_ipv6", ""),
        ),
    ],
)
def test_a_quic_handshake_is_judged(observations: list[Observation], first: Said) -> None:
    assert said(Layer.QUIC, *observations)[0] == first


def test_a_handshake_with_a_forged_address_is_the_lookups_finding() -> None:
    forged = observation(Layer.DNS, answers=("10.10.34.36",), answer_asns=(0,))
    cut = observation(Layer.QUIC, "generic_timeout_error", ip="10.10.34.36")
    found = said(Layer.QUIC, forged, cut, OTHER, helper(Layer.DNS), UP)
    assert (State.INSUFFICIENT, "quic.after_wrong_answer", "") in found
