"""Claims of sources: what a source itself says about outages - stored next to our incidents, never as
evidence.

Whatever a publisher's own detector or staff call an outage goes into the ledger as a claim of theirs, which
``fanous claims check`` holds against what was measured.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fanous.errors import Rejected
from fanous.model.claim import Claim

HOUR = 3600.0
QUOTED = 400
"""Letters of a source's own words that are kept: what one of Radar's descriptions has at the most."""
LATEST = 7_258_118_400
"""The year 2200: no time of an event lies behind it."""

Told = tuple[tuple[Claim, ...], tuple[tuple[int, str], ...]]
"""Claims, and (number of the entry, reason) of what cannot be used."""


def told(entries: Sequence[Any], claim: Callable[[Any], Claim | None]) -> Told:
    """Each entry as a claim.

    Args:
        claim: raises ``Rejected``; ``None`` = it is about something that is no outage of a line.
    """
    claims: list[Claim] = []
    rejects: list[tuple[int, str]] = []
    for number, entry in enumerate(entries, 1):
        try:
            found = claim(entry)
        except Rejected as reason:
            rejects.append((number, str(reason)))
        else:
            claims += [found] if found is not None else []
    return tuple(claims), tuple(rejects)


def lasted(since: float, until: float | None) -> float | None:
    """Hours; ``None`` = it was not over when they said so, which is the claim of a moment."""
    return None if until is None else round((until - since) / HOUR, 2)


def same(one: Claim, other: Claim) -> bool:
    """Do they say the same?  What was not over yet and is now is said anew."""
    return _words(one) == _words(other)


def _words(claim: Claim) -> tuple[object, ...]:
    over = None if claim.hours is None else claim.until
    return claim.who, claim.said, claim.country, claim.since, over, claim.networks, claim.scope, claim.link
