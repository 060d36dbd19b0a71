"""Vitals: the monitor's own health - what is measured, and when that counts as an ailment.

``examine`` inspects a store and its disks, and ``ailments`` decides what is wrong: each is an incident of the
monitor itself, with a kind, what it is about, and a sentence for the operator.  ``pipeline.status`` serves
both.  To add one, add a field to ``Vitals``, code to fill it in ``examine``, and a function in ``CHECKS``.

``Workings`` holds the results for the operator's pages.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from fanous.analysis.series.silence import MEMORY
from fanous.model.instant import DAY, HOUR, to_iso
from fanous.model.threshold import threshold
from fanous.model.vitals import Backlog, History, Need, Spell
from fanous.pipeline.call import Call
from fanous.store.coverage import Arrivals, Clocks, Soundness
from fanous.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system that the monitor writes to; bytes."""

    folder: str
    free: int
    size: int


@dataclass(frozen=True, slots=True)
class Vitals:
    """One check of a monitor, or of a collector; the latter has no store, so what only a store knows is ``None``.

    Attributes:
        at: unix seconds, by the store's clock, which dates what was received.
        machine_at: unix seconds by the machine's clock, which dates files.
        undetected: countries with measurements that no detection has seen -> since when that is known here.
        damaged: segments of the archive that cannot be read -> why.
        set_aside: parts of the facts that cannot be read.
        history: the ledger's, where it was compared with its chain.
    """

    at: float
    machine_at: float
    arrivals: tuple[Arrivals, ...] = ()
    soundness: tuple[Soundness, ...] = ()
    clocks: Clocks | None = None
    disks: tuple[Disk, ...] = ()
    backlogs: tuple[Backlog, ...] = ()
    undetected: dict[str, float] | None = None
    damaged: dict[str, str] | None = None
    set_aside: tuple[str, ...] = ()
    history: History | None = None


BASELINE_HOURS = threshold(
    "checks.baseline_hours",
    24,
    "Fewest hours with deliveries: with fewer, a source has no usual pattern to break.",
)

RARE = threshold(
    "checks.rare",
    2,
    "Silences of a source that may exceed the usual one: past failures must not become normal.",
)

SLACK = threshold(
    "checks.slack",
    1.5,
    "Times the longest usual silence, from which one is unusual, if it is also longer than "
    "`checks.least_silence`.",
)

LEAST_SILENCE = threshold(
    "checks.least_silence",
    3 * HOUR,
    "Bins are hours: a shorter silence, in seconds, cannot be told from a bin that was missed.",
)

LEAST_SENT = threshold(
    "checks.least_sent", 20, "Measurements of a version of software, or of all, before it is judged."
)

UNSOUND = threshold(
    "checks.unsound",
    0.5,
    "Share of a version's measurements that cannot be used; the version is at fault if others do better.",
)

CLOCK_SLACK = threshold(
    "checks.clock_slack",
    120.0,
    "Seconds by which a probe's clock may be ahead: a phone without network time drifts by less in a month.",
)

AHEAD = threshold("checks.ahead", 0.05, "Share of a day's measurements that may be dated in the future.")

LEAST_FREE = threshold(
    "checks.least_free",
    1 << 30,
    "Free bytes of a disk: what `fanous doctor` asks of a machine that has no store yet.",
)
LEAST_FREE_SHARE = threshold(
    "checks.least_free_share", 0.05, "Free share of a disk; the larger of the two counts."
)
MOST_FREE = threshold(
    "checks.most_free",
    20 << 30,
    "Free bytes that are always enough: a twentieth of a large disk is more than is needed.",
)

QUEUE_SECONDS = threshold(
    "checks.queue_seconds",
    600.0,
    "Age of a file in the inbox: it is sealed after seconds and taken within seconds.",
)

APART_SHARE = threshold(
    "checks.apart_share",
    0.75,
    "Share of the room for what is set aside: there is time to look before the oldest is removed.",
)

LAG_SECONDS = threshold(
    "checks.lag_seconds",
    900.0,
    "From storing measurements to detection: longer than it took in the slowest country.",
)


@dataclass(frozen=True, slots=True)
class Ailment:
    """Something that is wrong with the monitor now.

    Attributes:
        kind: ``source_silent``, ``source_unreached``, ``software_failing``, ``clocks_ahead``, ``disk_low``,
            ``inbox_full``, ``apart_full``, ``queue_old``, ``detection_late``, ``segment_damaged``, ``facts_damaged``,
            ``history_changed``, ``data_lost`` or ``configuration``.
        about: what it concerns; together with ``kind`` it identifies an ailment.
        says: what is wrong.
        mend: what to do.
    """

    kind: str
    about: str
    says: str
    mend: str


def find_ailments(vitals: Vitals) -> list[Ailment]:
    """Everything that is wrong, in the order of ``CHECKS``."""
    return [ailment for check in CHECKS for ailment in check(vitals)]


def _silent_sources(vitals: Vitals) -> Iterator[Ailment]:
    for one in vitals.arrivals:
        habit = _habit(one.bins)
        silent = vitals.at - one.last
        if habit is not None and silent > max(LEAST_SILENCE, SLACK * habit):
            says = f"nothing came through {one.source} for {silent / 3600:.0f} hours"
            said = f"{says}; its longest usual silence is {max(habit, 3600) / 3600:.0f}"
            yield Ailment("source_silent", one.source, said, "check whether its probes or files still arrive")


def _habit(bins: tuple[int, ...]) -> float | None:
    """Seconds of the longest usual silence of a source; ``None`` = not known yet."""
    if len(bins) < BASELINE_HOURS:
        return None
    silences = sorted(later - earlier - 3600 for earlier, later in pairwise(bins))
    return float(silences[-1 - RARE])


def _failing_software(vitals: Vitals) -> Iterator[Ailment]:
    for one in vitals.soundness:
        others = [other for other in vitals.soundness if other is not one]
        if one.measurements < LEAST_SENT or one.unsound < UNSOUND * one.measurements:
            continue
        if not _mostly_sound((other.measurements, other.unsound) for other in others):
            continue  # all fail equally, so it is the network, or us
        says = f"{one.unsound} of {one.measurements} measurements of {one.software} cannot be used"
        said = f"{says} ({one.probes} probes); other versions do better"
        yield Ailment(
            "software_failing",
            one.software,
            said,
            "look at one of its records, and tell its users to upgrade",
        )


def _mostly_sound(counts: Iterable[tuple[int, int]]) -> bool:
    all_of_them = list(counts)
    made = sum(one for one, _ in all_of_them)
    return made >= LEAST_SENT and sum(bad for _, bad in all_of_them) < UNSOUND * made


def _clocks_ahead(vitals: Vitals) -> Iterator[Ailment]:
    clocks = vitals.clocks
    if clocks is None:
        return
    if clocks.measurements >= LEAST_SENT and clocks.ahead > AHEAD * clocks.measurements:
        whose = (
            "this machine's clock is behind"
            if 2 * clocks.probes_ahead > clocks.probes
            else "the probes' clocks are ahead"
        )
        said = f"{clocks.ahead} of {clocks.measurements} measurements are dated ahead: perhaps {whose}"
        yield Ailment(
            "clocks_ahead", "probes", said, "set this machine's clock (timedatectl), then check the probes'"
        )


def _low_disks(vitals: Vitals) -> Iterator[Ailment]:
    for disk in vitals.disks:
        least = max(LEAST_FREE, min(MOST_FREE, LEAST_FREE_SHARE * disk.size))
        if disk.free < least:
            said = f"{disk.free / 1e9:.1f} GB of {disk.size / 1e9:.0f} are free under {disk.folder}"
            yield Ailment(
                "disk_low",
                disk.folder,
                said,
                "free some space: measurements that cannot be written are refused",
            )


def _old_queues(vitals: Vitals) -> Iterator[Ailment]:
    for queue in vitals.backlogs:
        if queue.since is not None and vitals.machine_at - queue.since > QUEUE_SECONDS:
            age = (vitals.machine_at - queue.since) / 60
            said = f"{queue.files} files wait in {queue.folder}, the oldest for {age:.0f} minutes"
            yield Ailment(
                "queue_old",
                queue.folder,
                said,
                "make sure that `fanous run` or `fanous drain` is taking them",
            )


def _full_queues(vitals: Vitals) -> Iterator[Ailment]:
    for queue in vitals.backlogs:
        if queue.most and queue.bytes >= queue.most:
            said = f"{queue.bytes / 1e9:.1f} GB wait in {queue.folder}, which is full: what probes send is refused"
            yield Ailment(
                "inbox_full",
                queue.folder,
                said,
                "make sure that `fanous run` or `fanous drain` takes them; probes keep the rest and send it again",
            )


def _much_set_aside(vitals: Vitals) -> Iterator[Ailment]:
    for queue in vitals.backlogs:
        if queue.apart_most and queue.apart_bytes >= APART_SHARE * queue.apart_most:
            used = f"{queue.apart_bytes / 1e6:.0f} of {queue.apart_most / 1e6:.0f} MB"
            said = f"measurements set aside in {queue.folder} take {used}; beyond that the oldest are removed"
            yield Ailment(
                "apart_full",
                queue.folder,
                said,
                "look at some of them, then move them into the store with `fanous drain`, or delete them",
            )


UNREADY = ("disk_low", "inbox_full")
"""Kinds of ailments with which a collector refuses measurements."""


def why_unready(ailments: Iterable[Ailment]) -> str:
    """Why measurements are refused; empty = they are not."""
    return next((one.says for one in ailments if one.kind in UNREADY), "")


def _late_detection(vitals: Vitals) -> Iterator[Ailment]:
    for country, since in sorted((vitals.undetected or {}).items()):
        if vitals.machine_at - since > LAG_SECONDS:
            minutes = (vitals.machine_at - since) / 60
            said = f"measurements of {country} have waited for detection for {minutes:.0f} minutes"
            yield Ailment(
                "detection_late",
                country,
                said,
                "see the log for what fails; `fanous rejudge CC` detects again",
            )


def _damaged_segments(vitals: Vitals) -> Iterator[Ailment]:
    for name, why in sorted((vitals.damaged or {}).items()):
        yield Ailment(
            "segment_damaged", name, why, "restore the file from a backup, then run `fanous rejudge`"
        )


def _damaged_facts(vitals: Vitals) -> Iterator[Ailment]:
    if vitals.set_aside:
        count, tables = len(vitals.set_aside), sorted({name.partition("/")[0] for name in vitals.set_aside})
        said = f"{count} parts of the facts cannot be read and are left out, in {', '.join(tables)}"
        mend = "restore the facts from a backup, or delete their folder and run `fanous rejudge`"
        yield Ailment("facts_damaged", "facts", said, mend)


def _changed_history(vitals: Vitals) -> Iterator[Ailment]:
    if vitals.history is not None and vitals.history.defects:
        first, *others = vitals.history.defects
        said = f"the ledger does not agree with its chain: {first}{f', and {len(others)} more' if others else ''}"
        mend = "compare it with a backup: what was published may have been changed afterwards"
        yield Ailment("history_changed", "ledger", said, mend)


CHECKS: tuple[Callable[[Vitals], Iterator[Ailment]], ...] = (
    _low_disks,
    _damaged_segments,
    _damaged_facts,
    _changed_history,
    _full_queues,
    _much_set_aside,
    _old_queues,
    _late_detection,
    _silent_sources,
    _clocks_ahead,
    _failing_software,
)


_RECENT = DAY
"""Seconds of receipts by which software and clocks are judged, so that yesterday's fixes count."""


def examine(
    store: Store,
    folders: Iterable[Path],
    backlogs: Sequence[Backlog],
    machine_at: float,
    known: Mapping[str, float],
) -> Vitals:
    """The vitals of a monitor.

    Args:
        folders: one on each disk that it writes to.
        backlogs: those of all inboxes.
        machine_at: unix seconds, by the machine's clock.
        known: ``Vitals.undetected`` of the previous check; a new country waits from now.
    """
    now, store = store.now(), store.about()
    return Vitals(
        at=now,
        machine_at=machine_at,
        arrivals=tuple(store.facts.arrivals(now - MEMORY)),
        soundness=tuple(store.facts.soundness(now - _RECENT)),
        clocks=store.facts.clocks(now - _RECENT, CLOCK_SLACK),
        disks=disks(folders),
        backlogs=tuple(backlogs),
        undetected={country: known.get(country, machine_at) for country in store.ledger.undetected()},
        damaged={segment.name: why for segment, why in store.facts.damaged()},
        set_aside=tuple(store.facts.engine.set_aside()),
    )


def disks(folders: Iterable[Path]) -> tuple[Disk, ...]:
    """One per file system."""
    found: dict[int, Disk] = {}
    for folder in folders:
        if folder.is_dir():
            usage = shutil.disk_usage(folder)
            found.setdefault(folder.stat().st_dev, Disk(str(folder), usage.free, usage.total))
    return tuple(found.values())


@dataclass(slots=True)
class PullState:
    """How requests to one source for one country have gone since the monitor started.  Times are unix seconds, UTC.

    Attributes:
        tried_at: time of the last attempt; None = none yet.
        succeeded_at: time of the last attempt that reached the source; None = none did.
        why: what failed last; empty = the last attempt succeeded.
        failing_since: time of the first attempt of the current run of failures; None = the last attempt succeeded.
    """

    source: str
    country: str
    tried_at: float | None = None
    succeeded_at: float | None = None
    why: str = ""
    failing_since: float | None = None

    @property
    def is_failing(self) -> bool:
        """Has it failed twice in a row?"""
        return self.failing_since is not None and self.tried_at != self.failing_since


class PullStates:
    """The states of the errands of one task, in their order."""

    def __init__(self, errands: Sequence[tuple[str, str]]) -> None:
        self._states = {errand: PullState(*errand) for errand in errands}

    def note(self, source: str, country: str, at: float, why: str = "") -> None:
        """An attempt ended; ``why`` as in ``PullState``."""
        one = self._states.setdefault((source, country), PullState(source, country))
        one.tried_at, one.why = at, why
        if why:
            one.failing_since = at if one.failing_since is None else one.failing_since
        else:
            one.succeeded_at, one.failing_since = at, None

    def all(self) -> list[PullState]:
        return list(self._states.values())


DATA_LOST = "data_lost"
"""Kind of the ailment of a monitor whose ledger or facts were removed or replaced while it ran."""

PUT_BACK = "put the ledger back from a backup; facts are made again from the archive"

UNREACHED = "source_unreached"
"""Kind of the ailment that only the pulling process can know about; others read it in the feed."""


ASK_THEM = "`fanous doctor --sources` asks each source now, and says what is wrong"


def is_offline(pulls: Sequence[PullState]) -> bool:
    """Has every source that was asked failed, and has none of several ever answered?"""
    tried = [one for one in pulls if one.tried_at is not None]
    return len({one.source for one in tried}) > 1 and all(
        one.why and one.succeeded_at is None for one in tried
    )


def unreached(pulls: Sequence[PullState]) -> list[Ailment]:
    """An ailment for each source that has failed twice in a row; only one if none answers at all."""
    failing = [one for one in pulls if one.is_failing]
    if failing and len({one.source for one in pulls}) > 1 and all(one.why for one in pulls if one.tried_at):
        since = min(one.failing_since for one in failing if one.failing_since is not None)
        says = f"no source has been reached since {to_iso(since)}"
        return [Ailment(UNREACHED, "", says, ASK_THEM)]
    return [
        Ailment(
            UNREACHED,
            f"{one.source} {one.country}",
            f"{one.source} has failed for {one.country} since {to_iso(one.failing_since or 0.0)}: {one.why}",
            ASK_THEM,
        )
        for one in failing
    ]


@dataclass(frozen=True, slots=True)
class HeardNetwork:
    """When a network was last heard; unix seconds.

    Attributes:
        silent: it has been silent for longer than usual.
    """

    country: str
    asn: int
    last: float
    silent: bool


@dataclass(frozen=True, slots=True)
class Workings:
    """How the operator's pages ask for the monitor's own state; each function returns the newest.

    Attributes:
        vitals, ailments, feed: as of the last self-check; ``vitals`` gives None before the first.
        pulls: sources and their last error.
        heard: networks whose probes were heard recently.
        needs: what this machine lacks, as in ``fanous doctor``; examined on request.
        collector: address to which probes deliver; empty = this monitor has no collector.
    """

    vitals: Callable[[], Vitals | None] = field(default=lambda: None)
    ailments: Callable[[], list[Ailment]] = field(default=list)
    feed: Callable[[], list[Spell]] = field(default=list)
    pulls: Callable[[], list[PullState]] = field(default=list)
    heard: Callable[[], list[HeardNetwork]] = field(default=list)
    needs: Callable[[], list[Need]] = field(default=list)
    collector: str = ""


class ExamineStore(Call[tuple[Vitals, list[Spell]]], frozen=True, tag="examine"):
    """The health of a monitor, and its recent problems; reads every file of the archive.

    Attributes:
        folders: one on each disk that it writes to.
        backlogs: those of its inboxes.
        at: unix seconds, by the machine's clock.
    """

    folders: tuple[Path, ...]
    backlogs: tuple[Backlog, ...]
    at: float

    def perform(self, store: Store) -> tuple[Vitals, list[Spell]]:
        feed = list(store.ledger.ailments(self.at))
        seen = examine(store, self.folders, self.backlogs, self.at, {})
        damaged = {segment.name: why for segment, why in store.archive.damaged()}
        return replace(seen, damaged=damaged | (seen.damaged or {}), history=store.ledger.history()), feed
