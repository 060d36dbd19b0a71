"""Corpus: labelled events to hold the live code path against - a folder with ``events.toml``.

The format is public and stands in ``docs/corpora.md``.  A corpus names its measurements as files beside
it, as files among the shared research data (``FANOUS_SHARED_DATA``), or as a generator of made-up events.

Worlds: what a corpus says of countries in which a platform fails, or is blocked, at the same time.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

from fanous.analysis.series.signals import SIGNALS
from fanous.config import Table
from fanous.errors import FanousError
from fanous.evaluation.simulate.pakistan import GENERATORS
from fanous.evaluation.simulate.rows import TECHNIQUES
from fanous.model.incident import Interval, Kind, Scope
from fanous.sources.connector import About, Gather, TableColumns
from fanous.sources.publishers import SERIES_FILES

LEAST_COUNTRIES = 6
"""The one that blocks, two that always did, two with a liar each, and one where nothing is the matter."""


WARM_UP, AFTER = 8, 2
"""Days before anything happens, since the week before tells whether the target worked, and after its end."""

SPARE = WARM_UP + AFTER


class WorldEvent(StrEnum):
    """What happens at a random moment, in the words of the table that is printed."""

    FAILS = "it fails everywhere"
    BLOCKED = "one country blocks it"
    TWO = "two countries block it at once"
    AMID = "one blocks it; two always did, two have a liar"


@dataclass(frozen=True, slots=True)
class SimulatedWorld:
    """Countries that are each a replay of the same quiet measurements.

    Attributes:
        countries: the first one is that which blocks.
        targets: as Fanous names what the measurements are of.
        networks_quiet: that are quiet for as long as the tables reach, not only in the corpus's window.
        technique: how a measurement fails, whoever is to blame.
        hours: how long.
        density: how many quiet days are laid over each other.
        days: of one replay.
        times: of each happening and length.
    """

    countries: tuple[str, ...]
    targets: tuple[str, ...]
    networks_quiet: tuple[int, ...]
    technique: str
    hours: tuple[float, ...]
    density: float
    days: int
    times: int


def world_of(table: Table) -> SimulatedWorld:
    """The table ``[world]`` of a corpus.

    Raises:
        FanousError: a key is unknown or wrong; names it.
    """
    table.allow(*(field.name for field in fields(SimulatedWorld)))
    countries = table.texts("countries")
    if len(set(countries)) < LEAST_COUNTRIES:
        raise table.wrong("countries", f"{LEAST_COUNTRIES} different ones are needed")
    world = SimulatedWorld(
        countries=countries,
        targets=table.texts("targets"),
        networks_quiet=table.integers("networks_quiet") if table.has("networks_quiet") else (),
        technique=table.one_of("technique", tuple(TECHNIQUES)),
        hours=table.numbers("hours"),
        density=table.number("density", default=1.0),
        days=table.integer("days", default=14),
        times=table.integer("times", default=4, least=1),
    )
    if max(world.hours) > (world.days - SPARE) * 24:
        raise table.wrong("days", f"{SPARE} days more than the longest event are needed")
    return world


FILE = "events.toml"
SHARED = "FANOUS_SHARED_DATA"
WEEK = 7


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """Measurements to bring in.

    Attributes:
        source: name of the source that reads them.
        path: beside ``events.toml``; empty = not so.
        shared: below the folder of shared research data; empty = not so.
        about: of ready-made series: what the file does not say of itself; ``None`` = measurements.
    """

    source: str
    path: str = ""
    shared: str = ""
    about: About | None = None


@dataclass(frozen=True, slots=True)
class Injection:
    """Losses put into quiet level series, to see which are found.

    Attributes:
        signals: of which each set loses at once, one set after the other.
        losses: shares of the level, 0..1.
        hours: how long.
        times: of each combination, at random moments.
    """

    country: str
    signals: tuple[tuple[str, ...], ...]
    losses: tuple[float, ...]
    hours: tuple[float, ...]
    times: int


@dataclass(frozen=True, slots=True)
class Planting:
    """Blocking put into replays of quiet measurements, to see what is found and what is invented.

    Attributes:
        targets: as Fanous names what the measurements are of.
        networks_quiet: that are quiet for as long as the tables reach, not only in the corpus's window.
        hours: how long; 0 = sessions on several days.
        networks: on how many.
        densities: how many quiet days are laid over each other.
        days: of one replay.
        times: of each combination; quiet: replays without an event, for each density.
    """

    country: str
    targets: tuple[str, ...]
    networks_quiet: tuple[int, ...]
    techniques: tuple[str, ...]
    hours: tuple[float, ...]
    networks: tuple[int, ...]
    densities: tuple[float, ...]
    days: int
    times: int
    quiet: int


@dataclass(frozen=True, slots=True)
class LabelledEvent:
    """One labelled event.

    Attributes:
        id: unique in the corpus.
        networks: when it was on, by ASN; intervals in order, half-open, unix seconds.
        line: when connectivity itself was lost; empty = the networks say it.
        scope: ``None`` = not labelled.
        source: who says so, and how the times were set.
        must: it counts as missed unless it is *confirmed* on these; the other networks need a suspicion.
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

    @property
    def start(self) -> float:
        """The first onset on any network, or of the line."""
        return min(intervals[0].start for intervals in [*self.networks.values(), self.line] if intervals)

    @property
    def end(self) -> float | None:
        """The last end on any network, or of the line; ``None`` = it goes on."""
        ends = [intervals[-1].end for intervals in [*self.networks.values(), self.line] if intervals]
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(ends) else None


@dataclass(frozen=True, slots=True)
class QuietInterval:
    """Nothing happened there: whatever is found is false.

    Attributes:
        networks: empty = all of the country.
    """

    country: str
    networks: tuple[int, ...]
    since: float
    until: float
    source: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """A labelled set of measurements.

    Attributes:
        generated: name of a generator, empty = none.
        seed: for the generator.
        since: of the window that is labelled, unix seconds.
        injection: ``None`` = nothing is put into the series.
        planting, world: ``None`` = nothing is put into the measurements.
        country: of all that is measured, where no event and no quiet stretch names it.
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
    country: str = ""

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
        FanousError: it is missing, or wrong; names file, table and key, and the nearest key there is.
    """
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        raise FanousError(
            f"{folder} is not a corpus: it has no {FILE} (the format: docs/corpora.md)"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FanousError(f"{path} is not TOML: {error}") from error
    top = Table(str(path), "", tables, text)
    top.allow("corpus", "event", "quiet", "injection", "planting", "world")
    head = top.table("corpus")
    head.allow("title", "since", "until", "files", "generated", "seed")
    since, until = head.window()
    planting = _planting(top.table("planting")) if top.has("planting") else None
    corpus = Corpus(
        folder=folder,
        title=head.text("title"),
        since=since,
        until=until,
        files=tuple(_file(table) for table in head.tables("files")),
        generated=head.one_of("generated", tuple(GENERATORS), default=""),
        seed=head.integer("seed", default=7),
        events=tuple(_event(table) for table in top.tables("event")),
        quiet=tuple(_quiet(table) for table in top.tables("quiet")),
        injection=_injection(top.table("injection")) if top.has("injection") else None,
        planting=planting,
        world=world_of(top.table("world")) if top.has("world") else None,
        country=planting.country if planting else "",
    )
    _check(corpus, head, top)
    return corpus


def corpus_files(corpus: Corpus, shared: Path | None, scratch: Path) -> list[tuple[CorpusFile, Path]]:
    """The files with their paths; what is generated is written to ``scratch`` first.

    Args:
        shared: the folder of shared research data; ``None`` = the user named none.

    Raises:
        FanousError: a file is not there; says what to do.
    """
    found = [(file, _path_of(corpus, file, shared)) for file in corpus.files]
    if corpus.generated:
        path = scratch / f"{corpus.generated}-{corpus.seed}.jsonl"
        GENERATORS[corpus.generated](path, corpus.seed)
        found.append((CorpusFile("ooni", path=path.name), path))
    return found


def _path_of(corpus: Corpus, file: CorpusFile, shared: Path | None) -> Path:
    if file.path:
        path, advice = corpus.folder / file.path, f"it should stand beside {FILE}"
    elif shared is None:
        raise FanousError(
            f"{corpus.folder} needs {file.shared}, which may not be redistributed: "
            f"set {SHARED} to the folder that has it"
        )
    else:
        path, advice = shared / file.shared, f"{SHARED} names {shared}"
    if not path.is_file():
        raise FanousError(f"{corpus.folder} needs {path}, which is not there ({advice})")
    return path


def _file(table: Table) -> CorpusFile:
    table.allow("source", "path", "shared", "country", *COLUMNS, "step", "gather", "empty_is_zero")
    source, path = table.text("source"), table.text("path", default="")
    file = CorpusFile(source, path, table.text("shared", default=""), _about(table, source))
    if bool(file.path) == bool(file.shared):
        raise table.wrong("path", 'say either path = "..." (beside events.toml) or shared = "..."')
    return file


COLUMNS = ("time", "value", "entity", "signal", "zone")
"""Keys of a table of any shape, named as the options of ``fanous ingest csv``."""


def _about(table: Table, source: str) -> About | None:
    if source not in SERIES_FILES:
        return None
    if source != "csv":
        return About(table.country())
    columns = TableColumns(
        time=table.text("time"),
        value=table.text("value"),
        place=table.text("entity", default=""),
        signal=table.one_of("signal", tuple(SIGNALS)),
        zone=table.text("zone", default="UTC"),
        step=table.integer("step", default=0),
        gather=Gather(table.one_of("gather", tuple(Gather), default="median")),
        empty_is_zero=table.flag("empty_is_zero", default=False),
    )
    return About(table.country(), columns)


def _injection(table: Table) -> Injection:
    table.allow("country", "signals", "losses", "hours", "times")
    sets = table.lists("signals")
    unknown = {name for each in sets for name in each} - set(SIGNALS)
    if unknown:
        raise table.wrong("signals", f"no such signals: {', '.join(sorted(unknown))}")
    return Injection(
        country=table.country(),
        signals=sets,
        losses=table.numbers("losses"),
        hours=table.numbers("hours"),
        times=table.integer("times", default=10),
    )


def _planting(table: Table) -> Planting:
    table.allow(*(field.name for field in fields(Planting)))
    techniques = table.texts("techniques")
    unknown = set(techniques) - set(TECHNIQUES)
    if unknown:
        known = ", ".join(TECHNIQUES)
        raise table.wrong("techniques", f"{', '.join(sorted(unknown))}: none of {known}")
    planting = Planting(
        country=table.country(),
        targets=table.texts("targets"),
        networks_quiet=table.integers("networks_quiet") if table.has("networks_quiet") else (),
        techniques=techniques,
        hours=table.numbers("hours"),
        networks=table.integers("networks"),
        densities=table.numbers("densities"),
        days=table.integer("days", default=28),
        times=table.integer("times", default=1),
        quiet=table.integer("quiet", default=0),
    )
    if planting.days < 2 * WEEK or max(planting.hours) > (planting.days - 2 * WEEK) * 24:
        raise table.wrong("days", "two weeks more than the longest event are needed")
    return planting


def _event(table: Table) -> LabelledEvent:
    table.allow("id", "country", "kind", "targets", "networks", "scope", "source", "must", "on", *Table.TIMES)
    networks: dict[int, tuple[Interval, ...]] = {}
    kind = Kind(table.one_of("kind", tuple(Kind)))
    line = () if table.has("networks") or table.has("on") else table.intervals()
    if table.has("networks"):
        networks |= dict.fromkeys(table.integers("networks"), table.intervals())
    for own in table.tables("on"):
        own.allow("networks", *Table.TIMES)
        networks |= dict.fromkeys(own.integers("networks"), own.intervals())
    if not networks and kind not in (Kind.OUTAGE, Kind.SLOWDOWN):
        raise table.wrong("networks", "name the networks on which it happened, here or in [[event.on]]")
    must = table.integers("must") if table.has("must") else tuple(networks)
    if not set(must) <= set(networks):
        raise table.wrong("must", f"{sorted(set(must) - set(networks))} are not among its networks")
    scope = table.one_of("scope", tuple(Scope), default="")
    return LabelledEvent(
        id=table.text("id"),
        country=table.country(),
        kind=kind,
        targets=() if line and not table.has("targets") else table.texts("targets"),
        networks=networks,
        scope=Scope(scope) if scope else None,
        source=table.text("source"),
        must=must,
        line=line,
    )


def _quiet(table: Table) -> QuietInterval:
    table.allow("country", "networks", "since", "until", "source")
    since, until = table.window()
    networks = table.integers("networks") if table.has("networks") else ()
    return QuietInterval(table.country(), networks, since, until, table.text("source"))


def _check(corpus: Corpus, head: Table, top: Table) -> None:
    """What no table can see alone."""
    if not corpus.files and not corpus.generated:
        raise head.wrong("files", "a corpus needs files = [...] or generated = ...")
    ids = [event.id for event in corpus.events]
    for table, event in zip(top.tables("event"), corpus.events, strict=True):
        if ids.count(event.id) > 1:
            raise table.wrong("id", f"{event.id!r} stands twice")
        if event.start < corpus.since or (event.end or event.start) > corpus.until:
            raise table.wrong("intervals", "it lies outside the window of [corpus] since, until")
