"""Verdict: what a rule concludes from an observation and its controls.

*Insufficient* is an answer: it says that nothing may be concluded, and why.
"""

from enum import StrEnum
from math import nan

from fanous.model.measurement import Layer, ParsedMeasurement, Record, noun
from fanous.model.threshold import threshold


class State(StrEnum):
    """The answer of a rule, from the most to the least severe."""

    BLOCKED = "blocked"
    THROTTLED = "throttled"
    DOWN = "down"
    INSUFFICIENT = "insufficient"
    OK = "ok"


SEVERITY = {state: place for place, state in enumerate(State)}
"""From 0, the most severe."""

SLOWNESS = ".throttle"
"""Part of the names of mechanisms that slow data down."""

# Mechanisms that more than one stage names, in OONI's taxonomy (ooni/data ontology section 12) with our additions.

SERVER_DOWN = "server.down"
GEO_BLOCK = "server.geo_block"
BOGON = "dns.injection.bogon"
BLOCK_ADDRESS = "dns.injection.blockpage"
FORGED = "dns.injection.other"
FROZEN, FROZEN_BY_NAME = "tls.freeze", "tls.freeze.sni"
"""Our additions: the data stop for good after the first kilobytes."""
STARVED = (SLOWNESS, FROZEN)
"""Parts of the names of mechanisms with which data still begin to arrive: a symptom of those says nothing about
blocking."""
TIMED_OUT = ".timeout"
"""The end of the names of mechanisms of a step that got no answer in time."""
LEAST_RATIO = threshold(
    "rules.transfer_ratio",
    0.2,
    "Share of the rate that another name in the same measurement has: with a spread of 0.5 in the log ratio of "
    "one pair, a factor of 5 is over three standard deviations.",
)
LINE = "line"
"""Our addition: the line itself loses packets or is slow, whatever was asked for."""
OTHER_PAGE = "http.blockpage.unknown"
"""Our addition: a page other than the control's, which matches no known notice."""
ERROR_PAGE = "http.error"


def is_starved(mechanism: str) -> bool:
    """Is it one with which data still begin to arrive?"""
    return any(part in mechanism for part in STARVED)


@noun
class Verdict:
    """One conclusion about one target at one layer of one measurement.

    Attributes:
        target: as in the observation.
        layer: where it was seen.
        state: the answer.
        rule_id: permanent id of the rule; its text is in ``fanous.analysis.rules``.
        mechanism: OONI's taxonomy (``tls.reset.sni``) or empty.
        why: the rule's sentence, with the figures of this case, for a reader.
        symptom: it failed as if blocked, but no control says whether others could reach it.  Only with
            ``insufficient``: the detector may still count it, with the caution due to uncontrolled evidence.
        controlled: a normal control travelled with the measurement (the outside helper, a control domain or the same
            address with another name), or it met the country's own notice of a block.
        observations: number of observations behind it.
        kbps: rate seen, in kilobits a second: at least that if the page or download came whole, at most that if it did
            not; NaN = not measured.
        role: a name of ``Role``: which part of the target it is about; else as in the observation.
    """

    target: str
    layer: Layer
    state: State
    rule_id: str
    mechanism: str = ""
    why: str = ""
    symptom: bool = False
    controlled: bool = False
    observations: int = 1
    kbps: float = nan
    role: str = "web"


@noun
class Judged:
    """One raw record and everything read from it.

    Attributes:
        record: goes to the archive.  One that comes from there keeps its ``line``, which says where in its segment it
            is.
        came: the record before anything was dropped from it, for a store that may know it by its former name
            (``store.protocol.Store.holds_older``); else empty.
    """

    record: Record
    parsed: ParsedMeasurement
    verdicts: tuple[Verdict, ...]
    came: bytes = b""
