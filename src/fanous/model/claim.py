"""Claim: what someone else says about a disruption, kept next to what Fanous found."""

from dataclasses import dataclass
from enum import StrEnum

from fanous.model.incident import Scope
from fanous.model.place import LARGEST_ASN


class Said(StrEnum):
    """What is said to have happened."""

    DISRUPTED = "disrupted"
    OUTAGE = "outage"
    BLOCKING = "blocking"
    THROTTLING = "throttling"
    SLOWDOWN = "slowdown"
    NORMAL = "normal"


class ClaimCheck(StrEnum):
    """How the evidence answers a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    CANNOT_TELL = "cannot_tell"


EARLIEST, LATEST = 631_152_000.0, 4_102_444_800.0
"""1990 and 2100, unix seconds: no claim can be about a public internet before or after."""

LONGEST_WORDS = 4000
"""Most characters of each text of a claim; the pages accept no more."""

MOST_NAMED = 1000
"""Most networks or targets of a claim: the largest country has a few hundred access networks."""

MOST_HOURS = 24 * 366 * 10
"""Ten years: longer than the longest known shutdown (Jammu and Kashmir, Tigray: one to two years)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim.  Times are unix seconds, UTC; what was not said is None or empty.

    Attributes:
        who: whose claim it is: ``NetBlocks``, ``the regulator``.
        said: what happened; ``disrupted`` = restricted in some way, ``throttling`` = slowed down, ``slowdown`` =
            everything is slow.
        country: ISO 3166-1 alpha-2.
        since: the time the claim is about, half-open with ``until``.
        networks: ASNs that the claim names; empty = none in particular.
        targets: targets that the claim names; empty = none in particular.
        scope: how far they say it reached.
        level: for outages: share of the baseline that remained, 0..1.
        began_before: the instant before which they say it began.
        hours: how long they say it lasted.
        link: where they said it.
        quote: in their own words.
        id: label, ``PK-claim-1``; empty until the ledger has given one.
        recorded_at: when it came into the ledger.
    """

    who: str
    said: Said
    country: str
    since: float
    until: float
    networks: tuple[int, ...] = ()
    targets: tuple[str, ...] = ()
    scope: Scope | None = None
    level: float | None = None
    began_before: float | None = None
    hours: float | None = None
    link: str = ""
    quote: str = ""
    id: str = ""
    recorded_at: float = 0.0


def defect(claim: Claim) -> str:
    """Why this cannot be a claim, in words; empty = it can.  A sum over claims, a chart or a page must be able to
    handle everything that was recorded.
    """
    times = [claim.since, claim.until, *([] if claim.began_before is None else [claim.began_before])]
    texts = [claim.who, claim.link, claim.quote, *claim.targets]
    checks = (
        ("a time is not between 1990 and 2100", all(EARLIEST <= time < LATEST for time in times)),
        ("it ends before it begins", claim.since < claim.until),
        (
            "a network is not a number from 1 to 4294967295",
            all(1 <= n <= LARGEST_ASN for n in claim.networks),
        ),
        (
            "its hours are below 0, or more than ten years",
            claim.hours is None or 0 <= claim.hours <= MOST_HOURS,
        ),
        ("its level is not between 0 and 1", claim.level is None or 0 <= claim.level <= 1),
        (
            f"a text is longer than {LONGEST_WORDS} characters",
            all(len(text) <= LONGEST_WORDS for text in texts),
        ),
        ("it names too many", max(len(claim.networks), len(claim.targets)) <= MOST_NAMED),
        ("its link is not a web address", not claim.link or _is_web_address(claim.link)),
    )
    return next((why for why, holds in checks if not holds), "")


def _is_web_address(link: str) -> bool:
    scheme, _, rest = link.partition("://")
    host = rest.partition("/")[0]
    is_whole = bool(host) and host.count("[") == host.count("]")
    return scheme in ("https", "http") and is_whole and link.isprintable() and " " not in link
