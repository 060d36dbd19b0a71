"""Rules for resolvers over TLS and HTTPS themselves: are encrypted lookups blocked here?

A lookup of a site through one says nothing of that site where the resolver cannot be used; a probe's look at
its line says it of the resolvers.
"""

from fanous.analysis.rules import mechanisms
from fanous.analysis.rules.controls import RESOLVER, Controls
from fanous.analysis.rules.failures import Cause
from fanous.analysis.rules.rule import Rule
from fanous.model.observation import Layer, Observation
from fanous.model.verdict import State

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
