"""Line: is one site slow, or everything on the line of those who measured it?

A control in another country shows that the *site* is well.  It says nothing about the line between the probe and its
provider, on which pages starve and lookups time out when it is crowded, loses packets, or a cable is cut.  So what a
bad line shows too is compared with what the same sender got from other sites in the same minutes.  If they came at
several times the rate, it is the site; if they fared no better, it is the line.  Where no record says who sent it,
other measurements on the same network are compared instead, but that does not count as a control.

This is the reference in plain Python, and what `fanous judge` uses; ``store.votes`` does the same where the
measurements are stored.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isnan, nan
from typing import Any, ClassVar, Protocol, TypeVar

from fanous.model.measurement import Layer
from fanous.model.threshold import threshold
from fanous.model.verdict import LEAST_RATIO, LINE, TIMED_OUT, State, is_starved

MINUTES = threshold(
    "series.line_seconds",
    450.0,
    "Time before and after a measurement in which others count as made in the same minutes: a quarter of an "
    "hour in all, in which a run of OONI's measures a list of sites.",
)

LEAST_BAD = threshold(
    "series.line_sites",
    2,
    "Other sites that must have met a bad line before a time-out is put down to it: one of them may be slowed "
    "down while another is cut.",
)


class Line(StrEnum):
    """What a sender's other measurements say about the line."""

    WELL = "well"
    """Other sites did several times as well."""
    BAD = "bad"
    """They fared no better."""
    UNKNOWN = "unknown"
    """There were none, or they disagree."""


class SomeVerdict(Protocol):
    """A verdict, as far as it is read here."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def target(self) -> str: ...
    @property
    def layer(self) -> Layer: ...
    @property
    def state(self) -> State: ...
    @property
    def mechanism(self) -> str: ...
    @property
    def symptom(self) -> bool: ...
    @property
    def controlled(self) -> bool: ...
    @property
    def kbps(self) -> float: ...


V = TypeVar("V", bound=SomeVerdict)


@dataclass(frozen=True, slots=True)
class OnLine:
    """What one measurement says about one target and about its line.

    Attributes:
        sender: whose line it is (``sender_of``).
        at: unix seconds, UTC.
        starves: its page did not come in time, though data began to arrive; no control of this line was made.
        timed_out: a step got no answer in time, while the control elsewhere did.
        came: kilobits a second at which a page or download came at least; NaN = none did, or it was too small to tell.
        at_most: the same of a page that starves; NaN = unknown.
        is_bad: it shows that the line loses packets or is slow.
    """

    uid: str
    target: str
    sender: str
    at: float
    starves: bool
    timed_out: bool
    came: float
    at_most: float
    is_bad: bool


def sender_of(uid: str, probe: str, country: str, asn: int) -> str:
    """Whose line a measurement was made on: a sender's on one network; if unknown, the network is all there is."""
    return f"{country} {asn} {probe if is_sender_known(uid, probe) else ''}"


def is_sender_known(uid: str, probe: str) -> bool:
    """Does the record say which others were sent from the same line?"""
    return probe != uid


def by_target(verdicts: Iterable[V]) -> dict[str, list[V]]:
    """The verdicts of one measurement."""
    found: defaultdict[str, list[V]] = defaultdict(list)
    for verdict in verdicts:
        found[verdict.target].append(verdict)
    return found


def account(uid: str, target: str, sender: str, at: float, verdicts: Sequence[SomeVerdict]) -> OnLine:
    """What the verdicts of one measurement on one target say."""
    starving = list(filter(starves, verdicts))
    return OnLine(
        uid,
        target,
        sender,
        at,
        starves=bool(starving),
        timed_out=any(map(times_out, verdicts)),
        came=max(_rates(verdict for verdict in verdicts if verdict.state is State.OK), default=nan),
        at_most=min(_rates(starving), default=nan),
        is_bad=bool(starving) or any(verdict.mechanism == LINE for verdict in verdicts),
    )


def _rates(verdicts: Iterable[SomeVerdict]) -> list[float]:
    """The known ones, in kilobits a second."""
    return [verdict.kbps for verdict in verdicts if not isnan(verdict.kbps)]


def starves(verdict: SomeVerdict) -> bool:
    """Does data begin to arrive and then come slowly or not at all, as on a bad line?"""
    return verdict.symptom and is_starved(verdict.mechanism)


def times_out(verdict: SomeVerdict) -> bool:
    """Is it a block that a bad line shows too?  Nothing came back, while the control elsewhere got an answer."""
    is_step = verdict.layer is not Layer.TRANSFER
    return is_step and verdict.state is State.BLOCKED and verdict.mechanism.endswith(TIMED_OUT)


def lines(accounts: Iterable[OnLine]) -> dict[tuple[str, str], Line]:
    """(uid, target) -> the line of each measurement that starves or times out."""
    by_sender: defaultdict[str, list[OnLine]] = defaultdict(list)
    for measured in accounts:
        by_sender[measured.sender].append(measured)
    found: dict[tuple[str, str], Line] = {}
    for sent in by_sender.values():
        sent.sort(key=lambda measured: measured.at)
        times = [measured.at for measured in sent]
        for asked in sent:
            if asked.starves or asked.timed_out:
                begin, end = (bisect_left(times, asked.at + apart) for apart in (-MINUTES, MINUTES))
                found[asked.uid, asked.target] = _line(asked, sent[begin:end])
    return found


def _line(asked: OnLine, company: Iterable[OnLine]) -> Line:
    """By the measurement of each other target that was made nearest in time."""
    nearest: dict[str, OnLine] = {}
    for other in company:
        known = nearest.get(other.target)
        if other.target != asked.target and (known is None or _near(other, asked) < _near(known, asked)):
            nearest[other.target] = other
    bad = sum(other.is_bad for other in nearest.values())
    good = sum(_is_better(other, asked) for other in nearest.values())
    if not asked.starves:
        return Line.BAD if bad >= LEAST_BAD and bad > good else Line.WELL
    if good > bad:
        return Line.WELL
    return Line.BAD if bad and not good else Line.UNKNOWN


def _near(other: OnLine, asked: OnLine) -> tuple[float, str]:
    return abs(other.at - asked.at), other.uid


def _is_better(other: OnLine, asked: OnLine) -> bool:
    """Did its page come, and at several times the rate, where that is known?"""
    is_no_faster = asked.at_most >= LEAST_RATIO * other.came
    return not other.is_bad and not isnan(other.came) and not is_no_faster


def in_view_of(line: Line, verdict: V, is_known: bool) -> V:
    """A verdict of a measurement that starves or times out, in view of its line.

    Args:
        is_known: is it known who sent it?
    """
    if starves(verdict):
        if line is Line.WELL:
            controlled = is_known and verdict.controlled
            return replace(verdict, state=State.THROTTLED, symptom=False, controlled=controlled)
        return replace(verdict, symptom=line is Line.UNKNOWN, controlled=False)
    if times_out(verdict) and line is Line.BAD:
        return replace(verdict, state=State.INSUFFICIENT, symptom=True, controlled=False)
    return verdict
