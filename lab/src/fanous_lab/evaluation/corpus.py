"""Corpus: a folder with ``events.toml``, which labels events to compare the live code path with.

The format is public (docs/corpora.md).  A corpus names its measurements as files next to it, as files in a folder of
research data, which this project may not redistribute, or as a generator of made-up events.  Of a real event it says
how exactly each truth is known, and who published it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta
from msgspec.structs import asdict

from fanous.analysis.series.signals import SIGNALS
from fanous.config import (
    Asn,
    CountryCode,
    Hours,
    Instant,
    Section,
    Share,
    Some,
    Text,
    WrongKey,
    nearest,
    none_of,
    read,
)
from fanous.errors import FanousError
from fanous.model.incident import Interval, Kind, Scope
from fanous.model.instant import to_iso
from fanous.sources.connector import About, Gather, Stamp, TableColumns
from fanous.sources.publishers import SERIES_FILES, SOURCES
from fanous_lab.evaluation.simulate.pakistan import GENERATORS
from fanous_lab.evaluation.simulate.rows import TECHNIQUES

FILE = "events.toml"
SHARED = "FANOUS_SHARED_DATA"
"""Variable that names the folder of research data."""

WEEK = 7

LEAST_COUNTRIES = 6
"""One country that blocks, two that have always blocked, two with a liar each, and one where nothing is wrong."""

WARM_UP, AFTER = 8, 2
"""Days before anything happens (the week before shows whether the target worked), and days after its end."""

SPARE = WARM_UP + AFTER


class WorldEvent(StrEnum):
    """What happens at a random moment, as worded in the printed table."""

    FAILS = "it fails everywhere"
    BLOCKED = "one country blocks it"
    TWO = "two countries block it at once"
    AMID = "one blocks it; two always did, two have a liar"


class SimulatedWorld(Section, frozen=True):
    """The table ``[world]``: countries in which a platform fails, or is blocked, at the same time; each is a replay of
    the same quiet measurements.

    Attributes:
        countries: the first is the one that blocks.
        targets: the targets of the measurements, by Fanous's names.
        technique: how a measurement fails, whatever the cause.
        hours: how long.
        networks_quiet: networks that are quiet throughout the tables, not only in the corpus's window.
        density: how many quiet days are superimposed.
        days: length of one replay.
        times: replays of each happening and length.
    """

    countries: Some[Text]
    targets: Some[Text]
    technique: Text
    hours: Some[float]
    networks_quiet: tuple[Asn, ...] = ()
    density: Annotated[float, Meta(ge=0)] = 1.0
    days: int = 14
    times: Annotated[int, Meta(ge=1)] = 4

    def __post_init__(self) -> None:
        if len(set(self.countries)) < LEAST_COUNTRIES:
            raise WrongKey("countries", f"at least {LEAST_COUNTRIES} different ones are needed")
        if self.technique not in TECHNIQUES:
            raise WrongKey("technique", none_of(self.technique, tuple(TECHNIQUES)))
        if max(self.hours) > (self.days - SPARE) * 24:
            raise WrongKey("days", f"it must be at least {SPARE} days longer than the longest event")


class CorpusFile(Section, frozen=True):
    """Measurements or series to import.

    Attributes:
        source: name of the source that reads them.
        path: next to ``events.toml``; empty = not used.
        shared: below the folder of shared research data; empty = not used.
        made_up: these records were written by hand, and not measured.
        country: of series; the keys after it are the options of ``fanous ingest csv``, for a table of any
            shape.
    """

    source: Text
    path: str = ""
    shared: str = ""
    made_up: bool = False
    country: CountryCode = ""
    time: Text = ""
    value: Text = ""
    entity: str = ""
    signal: Text = ""
    zone: str = "UTC"
    step: int = 0
    gather: Gather = Gather.MEDIAN
    empty_is_zero: bool = False
    target: str = ""
    stamp: Stamp = Stamp.KNOWN

    def __post_init__(self) -> None:
        declared = SOURCES.get(self.source)
        needed = ("country",) if self.source in SERIES_FILES else ()
        for key in (*needed, "time", "value", "signal") if declared and declared.takes_columns else needed:
            if not getattr(self, key):
                raise WrongKey(key, "it is missing")
        if self.signal and self.signal not in SIGNALS:
            raise WrongKey("signal", none_of(self.signal, tuple(SIGNALS)))
        if bool(self.path) == bool(self.shared):
            raise WrongKey("path", 'give either path = "..." (next to events.toml) or shared = "..."')

    @property
    def about(self) -> About | None:
        """What a file of series does not state itself; ``None`` = the file has measurements."""
        if self.source not in SERIES_FILES:
            return None
        columns = TableColumns(
            *(self.time, self.value, self.signal, self.entity),
            *(self.zone, self.step, self.gather, self.empty_is_zero),
            target=self.target,
            stamp=self.stamp,
        )
        return About(self.country, columns if SOURCES[self.source].takes_columns else None)


class Injection(Section, frozen=True):
    """The table ``[injection]``: losses injected into quiet level series, to see which are found.

    Attributes:
        signals: each set loses at once, one set after the other.
        losses: shares of the level, 0..1.
        hours: how long.
        times: losses of each combination, at random moments.
        aligned: a loss begins at a multiple of this many seconds: the bin width, or 1 for any moment.
    """

    country: CountryCode
    signals: Some[Some[Text]]
    losses: Some[float]
    hours: Some[float]
    times: int = 10
    aligned: Annotated[int, Meta(ge=1)] = 1800

    def __post_init__(self) -> None:
        unknown = {name for signal in self.signals for name in signal} - set(SIGNALS)
        if unknown:
            raise WrongKey("signals", f"no such signals: {', '.join(sorted(unknown))}")


class PlantedFailures(Section, frozen=True):
    """The table ``[sensitivity]``: failures planted in quiet votes, to see whether events are found as often as stated.

    Attributes:
        since, until: when nothing happened to the target.
        times: events on each network, at random moments, of each depth and length.
    """

    country: CountryCode
    target: Text
    since: Instant
    until: Instant
    times: Annotated[int, Meta(ge=1)] = 100

    def __post_init__(self) -> None:
        _check_window(self.since, self.until)


class Planting(Section, frozen=True):
    """The table ``[planting]``: blocking planted into replays of quiet measurements, to see what is found and what is
    invented.

    Attributes:
        targets: the targets of the measurements, by Fanous's names.
        hours: how long; 0 = sessions on several days.
        networks: on how many.
        densities: how many quiet days are superimposed.
        networks_quiet: networks that are quiet throughout the tables, not only in the corpus's window.
        days: length of one replay.
        times: replays of each combination; quiet: replays without an event, for each density.
    """

    country: CountryCode
    targets: Some[Text]
    techniques: Some[Text]
    hours: Some[float]
    networks: tuple[int, ...]
    densities: Some[float]
    networks_quiet: tuple[Asn, ...] = ()
    days: int = 28
    times: int = 1
    quiet: int = 0

    def __post_init__(self) -> None:
        unknown = set(self.techniques) - set(TECHNIQUES)
        if unknown:
            raise WrongKey("techniques", f"{', '.join(sorted(unknown))}: none of {', '.join(TECHNIQUES)}")
        if self.days < 2 * WEEK or max(self.hours) > (self.days - 2 * WEEK) * 24:
            raise WrongKey("days", "it must be at least two weeks longer than the longest event")


class Supported(StrEnum):
    """The status that the measurements of an event support."""

    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"


class Sessions(Section, frozen=True):
    """The same hours on several days, in a country's local time; past midnight if the end is before the start."""

    days: tuple[date, ...]
    hours: Some[Hours]
    zone: ZoneInfo

    def intervals(self) -> list[Interval]:
        return [self._session(day, hours) for day in self.days for hours in self.hours]

    def _session(self, day: date, hours: Hours) -> Interval:
        last = day if hours.end > hours.start else day + timedelta(days=1)
        begins, ends = (
            datetime.combine(day, hours.start, self.zone),
            datetime.combine(last, hours.end, self.zone),
        )
        return Interval(begins.timestamp(), ends.timestamp())


Pair = Annotated[
    tuple[Instant, ...],
    Meta(
        min_length=1,
        max_length=2,
        extra={"needed": ("[start, end]", "intervals [start, end] ([start] = ongoing)")},
    ),
]


class Times(Section, frozen=True):
    """When an event was on: ``intervals = [[start, end], ...]``, ``sessions = [{days, hours, zone}]``, or both."""

    intervals: tuple[Pair, ...] = ()
    sessions: tuple[Sessions, ...] = ()

    def on_at(self) -> tuple[Interval, ...]:
        """In order.

        Raises:
            WrongKey: there are none, or two overlap.
        """
        intervals = [interval for session in self.sessions for interval in session.intervals()]
        for start, *ends in self.intervals:
            end = float(ends[0]) if ends else None
            if end is not None and end <= start:
                raise WrongKey("intervals", f"{to_iso(end)} is not after {to_iso(start)}")
            intervals.append(Interval(float(start), end))
        if not intervals:
            raise WrongKey("intervals", "give its times: intervals = [[start, end]] or [[...sessions]]")
        intervals.sort(key=lambda interval: interval.start)
        for before, after in pairwise(intervals):
            if before.end is None or before.end > after.start:
                raise WrongKey("intervals", "two of them overlap")
        return tuple(intervals)


class Publication(Section, frozen=True):
    """A table ``[publication.NAME]``: where a truth comes from.

    Attributes:
        url: empty = no address is known.
        published: ``None`` = the date is not known.
        judged: it is what the event is judged from, or was read from that, so it confirms nothing by itself.
    """

    publisher: Text
    title: Text
    url: str = ""
    published: date | None = None
    judged: bool = False


class KnownTime(Section, frozen=True):
    """How exactly the onset or the end of an event is known; the time itself is in its intervals.

    Attributes:
        publication: name of a ``[publication.NAME]``.
        earliest, latest: the truth is not outside these.
    """

    publication: Text
    earliest: Instant
    latest: Instant

    def __post_init__(self) -> None:
        if self.earliest > self.latest:
            raise WrongKey("latest", "it must not be before earliest")

    def check(self, key: str, at: float | None) -> None:
        if at is None or not self.earliest <= at <= self.latest:
            where = "the event goes on" if at is None else f"the intervals say {to_iso(at)}"
            raise WrongKey(key, f"{where}, which is not between earliest and latest")


class KnownLevel(Section, frozen=True):
    """The share of the baseline that was typically left, and the bounds of what is known of it."""

    publication: Text
    share: Share
    low: Share
    high: Share

    def __post_init__(self) -> None:
        if not self.low <= self.share <= self.high:
            raise WrongKey("share", "it must be between low and high")


class CaseTruth(Section, frozen=True):
    """A table ``[event.truth]``: what is known of the event besides its times, and what its measurements support.

    Attributes:
        cut: what was taken from whom, in words.
        status: what its measurements support: to confirm what they cannot show would be wrong, too.
        onset, end, level: how exactly they are known, and from whom; None = not known, or not said.
        may_say, must_not_say: what these measurements support, and what they do not, in words.
    """

    cut: str = ""
    status: Supported = Supported.CONFIRMED
    onset: KnownTime | None = None
    end: KnownTime | None = None
    level: KnownLevel | None = None
    may_say: str = ""
    must_not_say: str = ""

    def known(self) -> list[tuple[str, KnownTime | KnownLevel]]:
        """What is known, by key."""
        every = ("onset", self.onset), ("end", self.end), ("level", self.level)
        return [(key, truth) for key, truth in every if truth is not None]


class OnNetworks(Times, frozen=True, kw_only=True):
    """A table ``[[event.on]]``: when the event was on, on these networks."""

    networks: tuple[Asn, ...]

    def __post_init__(self) -> None:
        self.on_at()


class LabelledTable(Times, frozen=True, kw_only=True):
    """A table ``[[event]]``; see ``LabelledEvent``."""

    id: Text
    country: CountryCode
    kind: Kind
    source: Text
    targets: Some[Text] = ()
    networks: tuple[Asn, ...] = ()
    on: tuple[OnNetworks, ...] = ()
    scope: Scope | None = None
    must: tuple[int, ...] | None = None
    truth: CaseTruth = CaseTruth()

    def __post_init__(self) -> None:
        self.event()  # refuses contradictory values

    def event(self) -> "LabelledEvent":
        networks = dict.fromkeys(self.networks, self.on_at()) if self.networks else {}
        for own in self.on:
            networks |= dict.fromkeys(own.networks, own.on_at())
        line = () if networks else self.on_at()
        if line and self.kind not in (Kind.OUTAGE, Kind.SLOWDOWN):
            raise WrongKey("networks", "name the networks on which it happened, here or in [[event.on]]")
        if networks and not self.targets and self.kind not in (Kind.OUTAGE, Kind.SLOWDOWN):
            raise WrongKey("targets", "it is missing")
        must = tuple(networks) if self.must is None else self.must
        if not set(must) <= set(networks):
            raise WrongKey("must", f"{sorted(set(must) - set(networks))} are not among its networks")
        event = LabelledEvent(
            *(self.id, self.country, self.kind, self.targets, networks, self.scope, self.source, must, line),
            truth=self.truth,
        )
        for key, known, at in (
            ("onset", self.truth.onset, event.start),
            ("end", self.truth.end, event.end),
        ):
            if known is not None:
                known.check(f"truth.{key}", at)
        return event


@dataclass(frozen=True, slots=True)
class LabelledEvent:
    """One labelled event.

    Attributes:
        id: unique in the corpus.
        networks: when it was on, by ASN; intervals in order, half-open, unix seconds.
        line: when connectivity itself, or the whole country's traffic to the targets, was lost; empty = given
            by the networks.
        scope: ``None`` = not labelled.
        source: who reported it, and how the times were set.
        must: it counts as missed unless it is *confirmed* on these; on the other networks a suspicion is
            enough.
    """

    id: str
    country: str
    kind: Kind
    targets: tuple[str, ...]
    networks: Mapping[int, tuple[Interval, ...]]
    scope: Scope | None
    source: str
    must: tuple[int, ...]
    line: tuple[Interval, ...] = ()
    truth: CaseTruth = field(default_factory=CaseTruth)

    @property
    def start(self) -> float:
        """The first onset on any network, or of the line."""
        return min(intervals[0].start for intervals in [*self.networks.values(), self.line] if intervals)

    @property
    def end(self) -> float | None:
        """The last end on any network, or of the line; ``None`` = ongoing."""
        ends = [intervals[-1].end for intervals in [*self.networks.values(), self.line] if intervals]
        over = [end for end in ends if end is not None]
        return max(over) if len(over) == len(ends) else None


class QuietInterval(Section, frozen=True):
    """A table ``[[quiet]]``: nothing happened there, so any finding is false.

    Attributes:
        networks: empty = all of the country.
        publication: who says that nothing happened; empty = no truth is known, and it is labelled for false alarms
            alone, since nothing was reported.
    """

    country: CountryCode
    since: Instant
    until: Instant
    source: Text
    networks: tuple[Asn, ...] = ()
    publication: str = ""

    def __post_init__(self) -> None:
        _check_window(self.since, self.until)


def _check_window(since: float, until: float) -> None:
    if since >= until:
        raise WrongKey("until", "it must be after since")


class CorpusTable(Section, frozen=True):
    """The table ``[corpus]``; see ``Corpus``."""

    title: Text
    since: Instant
    until: Instant
    files: tuple[CorpusFile, ...] = ()
    generated: str = ""
    seed: int = 7

    def __post_init__(self) -> None:
        _check_window(self.since, self.until)
        if self.generated and self.generated not in GENERATORS:
            raise WrongKey("generated", none_of(self.generated, tuple(GENERATORS)))
        if not self.files and not self.generated:
            raise WrongKey("files", "a corpus needs files = [...] or generated = ...")


class EventsFile(Section, frozen=True):
    """The whole of ``events.toml``."""

    corpus: CorpusTable
    event: tuple[LabelledTable, ...] = ()
    quiet: tuple[QuietInterval, ...] = ()
    injection: Injection | None = None
    planting: Planting | None = None
    world: SimulatedWorld | None = None
    sensitivity: PlantedFailures | None = None
    publication: dict[str, Publication] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        ids = [event.id for event in self.event]
        for number, event in enumerate((table.event() for table in self.event), 1):
            if ids.count(event.id) > 1:
                raise WrongKey(f"event[{number}].id", f"{event.id!r} occurs twice")
            if event.start < self.corpus.since or (event.end or event.start) > self.corpus.until:
                why = "it is outside the window of [corpus] since, until"
                raise WrongKey(f"event[{number}].intervals", why)
            for key, known in event.truth.known():
                self._check_publication(f"event[{number}].truth.{key}.publication", known.publication)
        for number, quiet in enumerate(self.quiet, 1):
            if quiet.publication:
                self._check_publication(f"quiet[{number}].publication", quiet.publication)

    def _check_publication(self, key: str, name: str) -> None:
        if name not in self.publication:
            raise WrongKey(key, f"there is no [publication.{name}]{nearest(name, list(self.publication))}")


@dataclass(frozen=True, slots=True)
class Corpus:
    """A labelled set of measurements.

    Attributes:
        generated: name of a generator; empty = none.
        seed: for the generator.
        since: start of the labelled window, unix seconds.
        injection: ``None`` = nothing is injected into the series.
        planting, world, sensitivity: ``None`` = nothing is planted in the measurements.
        country: of all the measurements, unless an event or a quiet stretch names it.
        publications: where truths come from, by name.
    """

    folder: Path
    title: str
    since: float
    until: float
    files: tuple[CorpusFile, ...]
    generated: str
    seed: int
    events: tuple[LabelledEvent, ...]
    quiet: tuple[QuietInterval, ...]
    injection: Injection | None = None
    planting: Planting | None = None
    world: SimulatedWorld | None = None
    sensitivity: PlantedFailures | None = None
    country: str = ""
    publications: Mapping[str, Publication] = field(default_factory=dict)

    @property
    def is_real(self) -> bool:
        """Is what its labels speak of real: measured, and not generated, planted, replayed or made up?"""
        invented = self.generated or self.planting or self.world or any(file.made_up for file in self.files)
        return bool(self.events or self.quiet) and not invented

    @property
    def countries(self) -> tuple[str, ...]:
        named = (
            ([self.country] if self.country else [])
            + list(self.world.countries if self.world else ())
            + [event.country for event in self.events]
            + [quiet.country for quiet in self.quiet]
        )
        return tuple(dict.fromkeys(named))


def load_corpus(folder: Path) -> Corpus:
    """Read and check ``folder/events.toml``.

    Raises:
        FanousError: it is missing, or wrong; the error names file, table and key, and the nearest valid key.
    """
    path = folder / FILE
    if not path.exists():
        raise FanousError(f"{folder} is not a corpus: it has no {FILE} (the format: docs/corpora.md)")
    tables = read(path, EventsFile)
    given = asdict(tables.corpus) | {key: float(getattr(tables.corpus, key)) for key in ("since", "until")}
    return Corpus(
        folder=folder,
        events=tuple(table.event() for table in tables.event),
        quiet=tables.quiet,
        injection=tables.injection,
        planting=tables.planting,
        world=tables.world,
        sensitivity=tables.sensitivity,
        country=over.country if (over := tables.planting or tables.injection or tables.sensitivity) else "",
        publications=tables.publication,
        **given,
    )


def missing_files(corpus: Corpus, shared: Path | None) -> tuple[str, ...]:
    """Names of the research data that the corpus needs and ``shared`` lacks; ``None`` = the user named no folder."""
    names = (file.shared for file in corpus.files if file.shared)
    return tuple(name for name in names if shared is None or not (shared / name).is_file())


def corpus_files(corpus: Corpus, shared: Path | None, scratch: Path) -> list[tuple[CorpusFile, Path]]:
    """The files with their paths; what is generated is written to ``scratch`` first.

    Args:
        shared: the folder of research data; ``None`` = the user named none.

    Raises:
        FanousError: a file is missing; the error says what to do.
    """
    if missing := missing_files(corpus, shared):
        raise FanousError(f"{corpus.folder} needs {', '.join(missing)}; {how_to_give(shared)}")
    files = [(file, _path_of(corpus, file, shared)) for file in corpus.files]
    if corpus.generated:
        path = scratch / f"{corpus.generated}-{corpus.seed}.jsonl"
        GENERATORS[corpus.generated](path, corpus.seed)
        files.append((CorpusFile("ooni", path=path.name), path))
    return files


def how_to_give(shared: Path | None) -> str:
    """What to do about missing research data."""
    named = f"{shared} lacks these" if shared else "no folder of them was named"
    return f"research data may not be redistributed, and {named}: pass --data FOLDER, or set {SHARED}"


def _path_of(corpus: Corpus, file: CorpusFile, shared: Path | None) -> Path:
    if shared is not None and file.shared:
        return shared / file.shared
    path = corpus.folder / file.path
    if not path.is_file():
        raise FanousError(f"{corpus.folder} needs {path}, which does not exist (it should be next to {FILE})")
    return path
