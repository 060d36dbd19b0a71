"""Rules for lookups that failed: withheld here, gone everywhere, or a resolver in trouble?

Rules for resolvers over TLS and HTTPS themselves: are encrypted lookups blocked here?

A lookup of a site through one says nothing of that site where the resolver cannot be used; a probe's look at
its line says it of the resolvers.
"""

from fanous.analysis.rules import mechanisms
from fanous.analysis.rules.answers import PUBLIC
from fanous.analysis.rules.controls import RESOLVER, Controls
from fanous.analysis.rules.failures import Cause
from fanous.analysis.rules.rule import Rule
from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State


def _failure(o: Observation, c: Controls) -> str:
    path = "; also through a public resolver" if c.answer.came_through_public_resolver else ""
    return f"{o.hostname} by {o.resolver or 'unknown'}: {o.failure}{path}"


def _denied_by_one_resolver(o: Observation, c: Controls) -> bool:
    """The probe's own resolvers are a control too, where a certificate proves the other one right."""
    elsewhere = any(name == o.hostname for name, _ in c.evidence.valid_addresses)
    return (
        c.cause is Cause.NXDOMAIN and o.resolver not in PUBLIC and c.answer.has_answered_sibling and elsewhere
    )


def _unanswered(c: Controls) -> bool:
    """As a lost packet or a resolver in trouble leaves it: nobody's word on the name."""
    return c.cause in (Cause.TIMEOUT, Cause.SERVFAIL)


def _group(_o: Observation, c: Controls) -> str:
    return f"{c.group.failed} of {c.group.endpoints} names"


FAILED = (
    Rule(
        id="dns.own_fault",
        layer=Layer.DNS,
        state=State.INSUFFICIENT,
        why="The probe itself could not make the lookup.",
        holds=lambda _o, c: c.cause is Cause.LOCAL,
        figures=_failure,
    ),
    Rule(
        id="dns.no_ipv6_address",
        layer=Layer.DNS,
        state=State.OK,
        why="Only the IPv6 address is missing; the same resolver gave another.",
        holds=lambda o, c: o.query_type not in ("", "A", "ANY") and c.answer.has_answered_sibling,
    ),
    Rule(
        id="dns.no_answer_for_ipv6",
        layer=Layer.DNS,
        state=State.INSUFFICIENT,
        why="The name has no IPv6 address, which many have not.",
        holds=lambda o, c: o.query_type == "AAAA" and c.cause is Cause.NO_ANSWER,
    ),
    Rule(
        id="dns.down",
        layer=Layer.DNS,
        state=State.DOWN,
        why="The name cannot be looked up from outside either.",
        holds=lambda _o, c: c.reachable is False,
        mechanism=mechanisms.SERVER_DOWN,
        figures=_failure,
    ),
    Rule(
        id="dns.public_resolver",
        layer=Layer.DNS,
        state=State.INSUFFICIENT,
        why="A public resolver could not be used; that says nothing about this name.",
        holds=lambda o, c: o.resolver in PUBLIC and c.cause is not Cause.NXDOMAIN,
        figures=_failure,
    ),
    Rule(
        id="dns.resolver_trouble",
        layer=Layer.DNS,
        state=State.INSUFFICIENT,
        why="The resolver had trouble of its own, or of no known kind, and no other resolver of the probe "
        "shows that the name can be looked up.",
        holds=lambda _o, c: (
            c.cause is Cause.UNKNOWN or (c.cause is Cause.SERVFAIL and not c.answer.has_answered_sibling)
        ),
        mechanism=mechanisms.of_lookup,
        figures=_failure,
        symptom=True,
    ),
    Rule(
        id="dns.lossy_line",
        layer=Layer.DNS,
        state=State.INSUFFICIENT,
        why="The lookup timed out, and so did those over TLS and HTTPS, in which nobody on the path reads a "
        "name.",
        holds=lambda _o, c: c.cause is Cause.TIMEOUT and c.encrypted_lookups_time_out,
        figures=_failure,
    ),
    Rule(
        id="dns.other_attempt_works",
        layer=Layer.DNS,
        state=State.OK,
        why="The resolver gave no answer once, and answered when it was asked again.",
        holds=lambda _o, c: _unanswered(c) and c.answer.came_on_another_attempt,
        figures=_failure,
    ),
    Rule(
        id="dns.one_resolver_fails",
        layer=Layer.DNS,
        state=State.INSUFFICIENT,
        why="This resolver gave no answer, as when a packet is lost or it has trouble of its own, while "
        "another found the name.",
        holds=lambda _o, c: (
            _unanswered(c) and c.answer.has_answered_sibling and not c.answer.is_withheld_for_this_name
        ),
        mechanism=mechanisms.of_lookup,
        figures=_failure,
        symptom=True,
    ),
    Rule(
        id="dns.failure_control_ok",
        layer=Layer.DNS,
        state=State.BLOCKED,
        why="The lookup failed while the control found the name.",
        holds=lambda _o, c: c.reachable is True,
        mechanism=mechanisms.of_lookup,
        figures=_failure,
    ),
    Rule(
        id="dns.denied_by_one_resolver",
        layer=Layer.DNS,
        state=State.BLOCKED,
        why="This resolver denies the name, while another gave the probe an address where a certificate "
        "validates for it.",
        holds=_denied_by_one_resolver,
        mechanism=mechanisms.of_lookup,
        figures=_failure,
    ),
    Rule(
        id="dns.few_names",
        layer=Layer.DNS,
        state=State.OK,
        why="Most of the target's names can be looked up; a few failures are ordinary.",
        holds=lambda _o, c: not c.group.fails,
        figures=_group,
    ),
    Rule(
        id="dns.no_control",
        layer=Layer.DNS,
        state=State.INSUFFICIENT,
        why="The lookup failed, but nothing tells whether others could make it.",
        holds=lambda _o, _c: True,
        mechanism=mechanisms.of_lookup_group,
        figures=_failure,
        symptom=True,
    ),
)


CUT = frozenset({Cause.TIMEOUT, Cause.RESET, Cause.REFUSED, Cause.CLOSED, Cause.UNREACHABLE})
"""How a connection to a resolver ends that somebody cuts; a wrong answer is the resolver's own word."""


def _is_resolver(o: Observation) -> bool:
    return o.role == RESOLVER


def _all_are_cut(o: Observation, c: Controls) -> bool:
    """Two operators at once, by their encrypted door alone: neither is down, nor is the line."""
    others = [s for s in c.evidence.of(Layer.DNS) if s.role == RESOLVER and s.hostname != o.hostname]
    return c.cause in CUT and bool(others) and all(s.failure is not None for s in others)


def _figures(o: Observation, _c: Controls) -> str:
    return f"{o.hostname}: {o.failure}"


ENCRYPTED = (
    Rule(
        id="dns.encrypted_ok",
        layer=Layer.DNS,
        state=State.OK,
        why="The encrypted resolver answered.",
        holds=lambda o, _c: _is_resolver(o) and o.failure is None,
    ),
    Rule(
        id="dns.encrypted_cut",
        layer=Layer.DNS,
        state=State.BLOCKED,
        why="Encrypted resolvers of two operators cannot be used, while a public resolver answers over plain "
        "UDP and pages come over TLS.",
        holds=lambda o, c: _is_resolver(o) and c.plain_lookups_work and _all_are_cut(o, c),
        mechanism=mechanisms.of_resolver,
        figures=_figures,
    ),
    Rule(
        id="dns.encrypted_fails",
        layer=Layer.DNS,
        state=State.INSUFFICIENT,
        why="The encrypted resolver gave no answer, and nothing tells whether it does elsewhere.",
        holds=lambda o, _c: _is_resolver(o),
        figures=_figures,
    ),
)
