"""Rules for QUIC: many networks drop UDP altogether, so only another name that works makes a finding."""

from fanous.analysis.rules import mechanisms
from fanous.analysis.rules.certificates import certificate_rules
from fanous.analysis.rules.failures import CUT_CAUSES, Cause
from fanous.analysis.rules.rule import Rule
from fanous.analysis.rules.tcp import endpoint_failure
from fanous.model.observation import Layer
from fanous.model.verdict import State

QUIC_RULES = (
    Rule(
        id="quic.ok",
        layer=Layer.QUIC,
        state=State.OK,
        why="The handshake was completed.",
        holds=lambda o, _c: o.failure is None,
    ),
    Rule(
        id="quic.own_fault",
        layer=Layer.QUIC,
        state=State.INSUFFICIENT,
        why="The probe itself could not make the handshake.",
        holds=lambda _o, c: c.cause is Cause.LOCAL,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.no_ipv6",
        layer=Layer.QUIC,
        state=State.INSUFFICIENT,
        why="The probe has no working IPv6.",
        holds=lambda _o, c: c.no_ipv6,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.after_wrong_answer",
        layer=Layer.QUIC,
        state=State.INSUFFICIENT,
        why="The address came from a wrong DNS answer: see the DNS layer.",
        holds=lambda _o, c: c.to_wrong_address,
        figures=endpoint_failure,
    ),
    *certificate_rules(Layer.QUIC),
    Rule(
        id="quic.other_attempt_works",
        layer=Layer.QUIC,
        state=State.OK,
        why="One attempt failed while another address or attempt worked.",
        holds=lambda _o, c: c.works_elsewhere,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.not_offered",
        layer=Layer.QUIC,
        state=State.INSUFFICIENT,
        why="The site does not answer over QUIC from outside either, or the two sides share no version.",
        holds=lambda _o, c: (
            (c.same_step is not None and c.reachable is not True) or c.cause in (Cause.ALERT, Cause.UNKNOWN)
        ),
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.failure_control_ok",
        layer=Layer.QUIC,
        state=State.BLOCKED,
        why="The handshake failed while the control completed it, and QUIC works here with another name.",
        holds=lambda _o, c: c.same_step is not None and c.reachable is True and c.another_name_works,
        mechanism=mechanisms.of_quic,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.innocuous_name_works",
        layer=Layer.QUIC,
        state=State.BLOCKED,
        why="The handshake failed, while one with another name at the same address was completed.",
        holds=lambda _o, c: c.cause in CUT_CAUSES and c.innocuous_name_works,
        mechanism=mechanisms.of_quic,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.no_control",
        layer=Layer.QUIC,
        state=State.INSUFFICIENT,
        why="The handshake failed, but QUIC may be dropped here altogether.",
        holds=lambda _o, _c: True,
        mechanism=mechanisms.of_quic,
        figures=endpoint_failure,
        symptom=True,
    ),
)
