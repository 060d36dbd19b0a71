"""Rules for QUIC: many networks drop UDP altogether, so it is judged only if another name works."""

from fanous.analysis.rules.connection import certificate_rules, endpoint_failure
from fanous.analysis.rules.evidence import Controls
from fanous.analysis.rules.failures import CUT_CAUSES, Cause
from fanous.analysis.rules.rule import Rule
from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State


def _of_quic(_o: Observation, c: Controls) -> str:
    return "quic.drop.target" if c.another_name_works else "quic.drop"


QUIC_RULES = (
    Rule(
        id="quic.ok",
        state=State.OK,
        why="The handshake was completed.",
        holds=lambda o, _c: o.failure is None,
    ),
    Rule(
        id="quic.own_fault",
        state=State.INSUFFICIENT,
        why="The probe could not perform the handshake because of a fault of its own.",
        holds=lambda _o, c: c.cause is Cause.LOCAL,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.no_ipv6",
        state=State.INSUFFICIENT,
        why="The probe has no working IPv6.",
        holds=lambda _o, c: c.no_ipv6,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.after_wrong_answer",
        state=State.INSUFFICIENT,
        why="The address came from a wrong DNS answer; see the DNS layer.",
        holds=lambda _o, c: c.to_wrong_address,
        figures=endpoint_failure,
    ),
    *certificate_rules(Layer.QUIC),
    Rule(
        id="quic.other_attempt_works",
        state=State.OK,
        why="One attempt failed, but another address or attempt worked.",
        holds=lambda _o, c: c.works_elsewhere,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.not_offered",
        state=State.INSUFFICIENT,
        why="The site does not respond over QUIC from outside either, or the two sides have no version in "
        "common.",
        holds=lambda _o, c: (
            (c.same_step is not None and c.reachable is not True) or c.cause in (Cause.ALERT, Cause.UNKNOWN)
        ),
        figures=endpoint_failure,
    ),
    # The control says: the site is well; that QUIC works here with another name, that the line is.
    Rule(
        id="quic.failure_control_ok",
        state=State.BLOCKED,
        why="The handshake failed, while the control completed it and QUIC works here with another name.",
        holds=lambda _o, c: c.same_step is not None and c.reachable is True and c.another_name_works,
        mechanism=_of_quic,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.innocuous_name_works",
        state=State.BLOCKED,
        why="The handshake failed, while one with another name at the same address was completed.",
        holds=lambda _o, c: c.cause in CUT_CAUSES and c.innocuous_name_works,
        mechanism=_of_quic,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.no_control",
        state=State.INSUFFICIENT,
        why="The handshake failed, but this network may drop QUIC altogether.",
        holds=lambda _o, _c: True,
        mechanism=_of_quic,
        figures=endpoint_failure,
        symptom=True,
    ),
)
