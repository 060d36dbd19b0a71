"""The line: it fails, or is slow, for everything, or for a moment, or something on it inspects every connection.

Where hardly anything else is measured, nothing shows that a target was singled out.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from fanous.analysis.detectors.finding import RAISED
from fanous.analysis.explanations.comparisons import is_intercepted
from fanous.analysis.explanations.event import (
    MOST,
    OTHER_NAMES,
    MeasuredEvent,
    NamedEvent,
    ases,
    of_targets,
    other_way,
)
from fanous.analysis.explanations.explanation import (
    Consequence,
    Subject,
    Weighing,
    excluded,
    holds,
    untested,
)
from fanous.analysis.series.aggregate import VOUCHED_STEP
from fanous.analysis.series.voices import PROBES, named_probes
from fanous.model.incident import LineRecord
from fanous.model.instant import DAY
from fanous.model.place import Family
from fanous.model.threshold import threshold
from fanous.model.verdict import SLOWNESS

LINE_TARGETS = threshold(
    "incidents.line_targets",
    5,
    "Targets that a probe must have measured at the time before it says anything about its line.",
)

LINE_SHARE = threshold(
    "incidents.line_target_share",
    0.6,
    "Share of a probe's other targets that must fail like a bad line: of lists that are tested for blocking the "
    "strictest censors cut less, and forge or reset most of that. Five or more that fail while nothing works "
    "may be the line, too.",
)

LINE_PROBES = threshold(
    "incidents.line_probe_share",
    0.5,
    "Share of the probes that saw it on a network that must have a bad line, so that a few liars who report "
    "everything as failing retract nothing.",
)


@Subject.LINE.row(
    "line.at_fault", Consequence.LEAVE_OUT, "The lines from which it was measured fail for nearly everything."
)
def _bad(event: MeasuredEvent) -> Weighing:
    """Could the probes that saw it on a network reach hardly anything else either?"""
    lines = event.known.lines
    if event.is_of_line:
        return excluded("no_target")
    bad = bad_lines(lines)
    if bad:
        return holds("line.at_fault", bad, networks=ases(bad))
    can_tell = any(line.targets >= LINE_TARGETS for line in lines)
    return excluded("others_worked") if can_tell else untested("few_others", needed=LINE_TARGETS)


def bad_lines(lines: Sequence[LineRecord]) -> frozenset[int]:
    """Networks on which the probes that saw it could reach hardly anything else either.

    If most of them measured too little to tell (each measurement may have its own probe name), everything
    measured on the network decides.
    """
    saw, tell, bad = Counter[int](), Counter[int](), Counter[int]()
    for line in lines:
        if not line.of_all:
            saw[line.asn] += 1
            tell[line.asn] += line.targets >= LINE_TARGETS
            bad[line.asn] += _is_bad(line)
    whole = {line.asn for line in lines if line.of_all and _is_bad(line)}
    few_tell = {asn for asn in saw if 2 * tell[asn] < saw[asn]}
    return frozenset(
        asn for asn in saw if (asn in whole if asn in few_tell else bad[asn] >= LINE_PROBES * saw[asn])
    )


def _is_bad(line: LineRecord) -> bool:
    return line.targets >= LINE_TARGETS and line.failing >= LINE_SHARE * line.others


@Subject.LINE.row("line.may_be_slow", Consequence.SUSPECT, "The line is slow for everything.")
@of_targets
def _slow(event: NamedEvent) -> Weighing:
    """Our own probes compare a slow download with another name's."""
    seen = event.seen
    slow = np.array([SLOWNESS in way for way in seen.mechanisms.tolist()], np.bool_)
    if float((slow & (seen.sources != str(Family.EDGE))).mean()) < MOST:
        return _other_way(event, is_seen=bool(slow.any()))
    others = set(event.known.reached).difference(seen.targets.tolist())
    if len(others) >= OTHER_NAMES:
        return excluded("others_reached", some=len(others))
    return holds("line.may_be_slow")


@Subject.LINE.row(
    "line.may_be_inspected",
    Consequence.SUSPECT,
    "An antivirus program or an employer inspects all encrypted connections.",
)
@of_targets
def _inspected(event: NamedEvent) -> Weighing:
    """Then hardly any other target was reached by those who met one.  Our own probes compare with another name's."""
    seen = event.seen
    shown = np.array([is_intercepted(way) for way in seen.mechanisms.tolist()], np.bool_)
    if float((shown & (seen.sources != str(Family.EDGE))).mean()) < MOST:
        return _other_way(event, is_seen=bool(shown.any()))
    probes = [line for line in event.known.inspected if not line.of_all]
    if not any(line.others for line in probes):  # each measurement has its own probe name
        probes = [line for line in event.known.inspected if line.of_all]
    free = [line for line in probes if line.others - line.failing >= OTHER_NAMES]
    if probes and 2 * len(free) >= len(probes):
        return excluded("others_reached_too", some=len(free), all=len(probes))
    return holds("line.may_be_inspected")


def _other_way(event: NamedEvent, *, is_seen: bool) -> Weighing:
    """Most failures are of another kind, or are our own probes', which also look at other names."""
    if is_seen and str(Family.EDGE) in event.seen.sources:
        return excluded("own_probes_compare")
    return other_way(event.seen)


ROUNDS = threshold(
    "incidents.rounds",
    3,
    "Rounds in which probes that an operator answers for must fail: one round may be a moment's fault upstream of all "
    "of them, and two may be its beginning and its end.",
)

WITHOUT_ROUNDS = threshold(
    "incidents.rounds_seconds",
    1200,
    "Time between the first and the last failure from which rounds are not counted: strangers, who have none, are "
    "believed after three bins of `series.tick_seconds`.",
)


@Subject.LINE.row(
    "line.fault_passed", Consequence.RETRACT_ONCE_OVER, "The line, or the way from it, failed for a moment."
)
def _passes(event: NamedEvent) -> Weighing:
    """A fault upstream of all who saw it may pass before they look for the third time."""
    seen = event.seen.where(event.seen.vouched)
    if not len(seen) or named_probes(event.seen) < PROBES:
        return untested("nothing_usable")
    ticks = (seen.times // VOUCHED_STEP).tolist()
    rounds = Counter(probe for probe, _ in set(zip(seen.probes.tolist(), ticks, strict=True)))
    persistent = sum(failed >= ROUNDS for failed in rounds.values())
    if persistent >= PROBES or float(np.ptp(event.seen.times)) >= WITHOUT_ROUNDS:
        return excluded("lasts")
    return holds("lacks.rounds", needed=ROUNDS)


@Subject.LINE.row(
    "line.chance", Consequence.RETRACT_ONCE_OVER, "A few ordinary failures came close together by chance."
)
def _comes_together(event: NamedEvent) -> Weighing:
    """On any line something fails now and then, and at times several failures come close together."""
    surest = max(finding.anomaly.probability for finding in event.sessions)
    return holds("line.chance") if surest < RAISED else excluded("beyond_chance")


WEEK = threshold(
    "incidents.known_seconds",
    7 * DAY,
    "Time before an event for which its networks must have been measured: only then is each day of a week known.",
)


@Subject.LINE.row(
    "line.often_fails", Consequence.SAY, "It often fails there, and on the same days of every week."
)
def _often_fails(event: NamedEvent) -> Weighing:
    """What fails on the same day of every week is known after a week."""
    votes = event.whole.votes
    onset = min(finding.anomaly.start for finding in event.sessions)
    known = votes.times[np.isin(votes.asns, [finding.asn for finding in event.sessions])]
    is_known = len(known) and onset - float(known.min()) >= WEEK
    return excluded("known_for_a_week") if is_known else untested("short_history")


OF_EVENT = (_bad,)

LINE = (_passes, _comes_together, _often_fails, _slow, _inspected)
