"""Claims: what others publish about outages, and what its readers have in common.

What a publisher's own detector or staff call an outage goes into the ledger as their claim, never as
evidence; ``fanous claims check`` compares it with what was measured.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fanous.errors import Rejected
from fanous.model.claim import Claim, defect
from fanous.model.instant import HOUR

QUOTED = 400
"""Characters kept of a source's own words: the length of Radar's longest descriptions."""

Told = tuple[tuple[Claim, ...], tuple[tuple[int, str], ...]]
"""Claims, and (number of the entry, reason) of what cannot be used."""


def told(entries: Sequence[Any], claim: Callable[[Any], Claim | None]) -> Told:
    """Each entry as a claim.

    Args:
        claim: raises ``Rejected``; ``None`` = the entry is not about an outage of a network.
    """
    claims: list[Claim] = []
    rejects: list[tuple[int, str]] = []
    for number, entry in enumerate(entries, 1):
        try:
            found = claim(entry)
        except Rejected as reason:
            rejects.append((number, str(reason)))
        else:
            wrong = "" if found is None else defect(found)
            rejects += [(number, wrong)] if wrong else []
            claims += [found] if found is not None and not wrong else []
    return tuple(claims), tuple(rejects)


def lasted(since: float, until: float | None) -> float | None:
    """Hours; ``None`` = it was ongoing when reported, so the claim is only about a moment."""
    return None if until is None else round((until - since) / HOUR, 2)


def same(one: Claim, other: Claim) -> bool:
    """Do they say the same?  An outage that was ongoing and is now over is a new claim."""
    return _words(one) == _words(other)


def _words(claim: Claim) -> tuple[object, ...]:
    over = None if claim.hours is None else claim.until
    return claim.who, claim.said, claim.country, claim.since, over, claim.networks, claim.scope, claim.link
