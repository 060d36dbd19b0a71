"""Figures of lookups, for the sentences of their rules."""

from fanous.analysis.rules.controls import Controls
from fanous.model.observation import Observation


def answered(o: Observation, _c: Controls) -> str:
    """Who answered what."""
    return f"{o.hostname} by {o.resolver or 'unknown'}: {', '.join(o.answers[:4])}"


def forged(o: Observation, c: Controls) -> str:
    """The same, and where it was forged as far as that can be told."""
    public = c.answer.came_through_public_resolver
    path = "; also through a public resolver, so forged on the path" if public else ""
    return answered(o, c) + path
