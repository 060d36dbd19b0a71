"""Claims: what others publish about outages, and what its readers have in common.

What a publisher's own detector or staff call an outage goes into the ledger as their claim, never as
evidence; ``fanous claims check`` compares it with what was measured.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fanous.errors import Rejected
from fanous.model.claim import Claim, defect
from fanous.model.instant import HOUR
from fanous.sources.answer import Rejects, read_each

QUOTED = 400
"""Characters kept of a source's own words: the length of Radar's longest descriptions."""

Claims = tuple[tuple[Claim, ...], Rejects]
"""Claims, and (number of the entry, reason) of what cannot be used."""


def claims_of(entries: Sequence[Any], claim: Callable[[Any], Claim | None]) -> Claims:
    """Each entry as a claim.

    Args:
        claim: raises ``Rejected``; ``None`` = the entry is not about an outage of a network.
    """

    def checked(entry: Any) -> Claim | None:
        published = claim(entry)
        if published is not None and (wrong := defect(published)):
            raise Rejected(wrong)
        return published

    return read_each(entries, checked)


def lasted(since: float, until: float | None) -> float | None:
    """Hours; ``None`` = it was ongoing when reported, so the claim is only about a moment."""
    return None if until is None else round((until - since) / HOUR, 2)


def same(one: Claim, other: Claim) -> bool:
    """Do they say the same?  An outage that was ongoing and is now over is a new claim."""
    return _words(one) == _words(other)


def _words(claim: Claim) -> tuple[object, ...]:
    over = None if claim.hours is None else claim.until
    return claim.who, claim.said, claim.country, claim.since, over, claim.networks, claim.scope, claim.link
