"""Explore: measurements of any place, target, network and dates, counted along two axes for pages and programs, and the
series of public sources, as they are published or compared in bins.

The same functions answer the page, its pictures, its tables and the API, so that they give the same numbers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from math import ceil
from statistics import median

from fanous.analysis.series.signals import SIGNALS, Direction, target_of_series
from fanous.errors import FanousError
from fanous.model.coverage import Outcomes
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Place
from fanous.model.series import BinnedSeries, Series, SeriesKey, Spread
from fanous.refdata.countries import local, midnight
from fanous.refdata.platforms import target_of
from fanous.refdata.targets import target_list
from fanous.sources.publishers import SOURCES, Terms, terms
from fanous.store.protocol import Store
from fanous.store.series import KnownSignal
from fanous.store.votes import AxisValue, CountedMeasurement, CountScope

STEPS = (600, HOUR, 3 * HOUR, 6 * HOUR, DAY, 7 * DAY)
"""Widths of bins that a reader may choose, in seconds; weeks begin on Mondays."""

FITTING = 60
"""Bins that a chart on a phone can still show apart; the width is chosen accordingly unless the reader names one."""

MOST_BINS = 750
"""Most bins of one answer: a month of hours."""

EARLIEST, LATEST = 0.0, 4_102_444_800.0
"""There are no measurements before 1970 or after 2099."""

MOST_CELLS = 20_000
"""Most cells of one answer."""

MOST_READ = 3_000_000
"""Most verdicts that one question may read.  The engine counts about a million a second on two cores."""

USUAL_SPAN = 30 * DAY
"""Shown to readers who name no dates: the last days with data."""


class TooMuch(FanousError):
    """A question whose answer would be too large, or take too long; the message says how to narrow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedQuestion:
    """What a reader wants to see, of measurements or of series.  An empty tuple stands for all.

    Attributes:
        by: what the rows are.
        step: width of the bins in seconds, one of ``STEPS``; 0 = as fits.
        since, until: unix seconds, half-open; ``None`` = the last days with data.
    """

    countries: tuple[str, ...] = ()
    networks: tuple[int, ...] = ()
    targets: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    by: str = ""
    step: int = 0

    @property
    def dates(self) -> tuple[float, float]:
        """The dates of a question that has them (``with_dates``)."""
        if self.since is None or self.until is None:
            raise ValueError("the question has no dates")
        return self.since, self.until

    @property
    def country(self) -> str:
        """The country whose local time the bins follow if there is only one; empty = UTC."""
        return self.countries[0] if len(self.countries) == 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExploreQuestion(DatedQuestion):
    """What a reader wants to see of measurements; ``by`` is a name of ``store.votes.AXES``."""

    by: str = "network"


@dataclass(frozen=True, slots=True)
class ExploreRow:
    """One row of an answer: what became of its measurements, bin by bin.

    Attributes:
        name: the value on the axis of the rows.
        cells: for each bin; ``None`` = nothing was measured there.
    """

    name: AxisValue
    cells: tuple[Outcomes | None, ...]
    total: Outcomes


@dataclass(frozen=True, slots=True)
class Explored:
    """The answer.

    Attributes:
        question: with its dates and the width of its bins.
        edges: unix seconds at which bins begin, then the end of the last.
        rows: those hit most first, then those most measured.
        sources: names of the sources of the counted measurements.
        synthetic: the measurements were staged.
    """

    question: ExploreQuestion
    edges: tuple[float, ...]
    rows: tuple[ExploreRow, ...]
    sources: tuple[str, ...]
    synthetic: bool

    @property
    def total(self) -> Outcomes:
        return sum((row.total for row in self.rows), Outcomes())


@lru_cache(maxsize=1)
def control_targets() -> tuple[str, ...]:
    """Targets that are measured only for comparison, and are not part of *all targets*: sites that no one has a
    reason to block, and the names that are reserved for examples (RFC 2606)."""
    listed = (target_of(url.partition("://")[2].partition("/")[0]) for url in target_list("controls").urls)
    return tuple(dict.fromkeys([*listed, "example.com", "example.net", "example.org"]))


def shown(store: Store, countries: Sequence[str]) -> Store:
    """The store, showing synthetic data only if it has nothing else."""
    return store.about(countries[0] if len(countries) == 1 else None)


def explore(store: Store, question: ExploreQuestion) -> Explored:
    """Counts of measurements by rows and bins.

    Raises:
        TooMuch: it would read or return too much.
    """
    store = shown(store, question.countries)
    question = with_dates(store, question)
    since, until = question.dates
    edges = bins(question.country, since, until, question.step)
    scope = _checked(store, scope_of(question))
    counts = store.facts.tally(scope, (question.by, "time"), edges[:-1], MOST_CELLS + 1)
    if len(counts) > MOST_CELLS:
        raise TooMuch(
            f"the answer would have more than {MOST_CELLS:,} rows: choose wider bins or fewer networks or targets"
        )
    return Explored(
        replace(question, step=width_of(since, until, question.step)),
        edges,
        _rows(counts, edges),
        sources_counted(store, question),
        store.is_synthetic,
    )


def aggregate(
    store: Store, question: ExploreQuestion, axes: Sequence[str]
) -> tuple[ExploreQuestion, tuple[float, ...], list[tuple[tuple[AxisValue, ...], Outcomes]]]:
    """The question with its dates and bins, the bins, and what was counted along any one or two axes.

    Raises:
        TooMuch: as in ``explore``.
    """
    store = shown(store, question.countries)
    question = with_dates(store, question)
    since, until = question.dates
    edges: tuple[float, ...] = (since, until)
    if "time" in axes:
        question = replace(question, step=width_of(since, until, question.step))
        edges = bins(question.country, since, until, question.step)
    counts = store.facts.tally(_checked(store, scope_of(question)), axes, edges[:-1], MOST_CELLS + 1)
    if len(counts) > MOST_CELLS:
        raise TooMuch(
            f"the answer would have more than {MOST_CELLS:,} rows: choose other axes or narrow the question"
        )
    return question, edges, counts


def sources_counted(store: Store, question: ExploreQuestion) -> tuple[str, ...]:
    """Names of the sources behind a question with dates."""
    counts = shown(store, question.countries).facts.tally(scope_of(question), ("source",), [0.0], MOST_CELLS)
    return tuple(str(source) for (source,), _ in counts)


def counted_ones(
    store: Store, question: ExploreQuestion, most: int, after: tuple[int, str, str] | None = None
) -> tuple[Store, list[CountedMeasurement]]:
    """The single measurements that a question counts, the newest first, and the store that shows them.

    Args:
        after: as for ``Facts.counted_ones``.

    Raises:
        TooMuch: as in ``explore``.
    """
    store = shown(store, question.countries)
    question = with_dates(store, question)
    return store, store.facts.counted_ones(_checked(store, scope_of(question)), most, after)


def scope_of(question: ExploreQuestion) -> CountScope:
    since, until = question.dates
    return CountScope(
        since,
        until,
        question.countries,
        question.networks,
        question.targets,
        question.layers,
        but=control_targets(),
    )


def _checked(store: Store, scope: CountScope) -> CountScope:
    size = store.facts.verdicts_within(scope)
    if size > MOST_READ:
        raise TooMuch(
            f"this would read {size:,} verdicts, more than {MOST_READ:,}: choose shorter dates, or name a country, "
            "a network or a target"
        )
    return scope


def with_dates(store: Store, question: ExploreQuestion) -> ExploreQuestion:
    """The question with dates: those that it names, else the last days with data."""
    since, until = question.since, question.until
    first, last = measured_between(store, question)
    if until is None:
        until = next_midnight(last, question.country)
    until = min(max(until, EARLIEST + HOUR), LATEST)
    if since is None:
        since = next_midnight(until - USUAL_SPAN - 1, question.country)
        begins = midnight(local(first, question.country).date(), question.country)
        since = max(since, min(begins, until - DAY))
    since = min(max(since, EARLIEST), LATEST - HOUR)
    return replace(question, since=since, until=max(until, since + HOUR))


def measured_between(store: Store, question: ExploreQuestion) -> tuple[float, float]:
    """When the first and the last measurement that the question could be about were made; the store's *now* if there
    is none."""
    now = store.now()
    countries = question.countries or tuple(store.facts.countries())
    if question.targets:
        spans = [store.facts.ends(country, 0, now + DAY, question.targets) for country in countries]
    else:
        spans = [store.facts.measured(country) for country in countries]
    ends = [span for span in spans if span]
    if not ends:
        return now, now
    return min(min(first for first, _ in ends), now), min(max(last for _, last in ends), now)


def next_midnight(instant: float, country: str) -> float:
    day = local(instant, country).date() + timedelta(days=1)
    return midnight(day, country)


def bins(country: str, since: float, until: float, step: int = 0) -> tuple[float, ...]:
    """The beginnings of bins that cover ``[since, until)``, and the end of the last; unix seconds.

    Days and weeks begin at local midnight, shorter bins at multiples of their width after the
    midnight before the first.

    Args:
        country: empty = UTC.
        step: as ``width_of`` takes it.
    """
    since = min(max(since, EARLIEST), LATEST - HOUR)
    until = min(max(until, since + 1), LATEST)
    step = width_of(since, until, step)
    day = local(since, country).date()
    if step < DAY:
        first = midnight(day, country)
        start = first + (since - first) // step * step
        count = max(1, int(-(-(until - start) // step)))
        return tuple(start + n * step for n in range(count + 1))
    days = step // DAY
    if days % 7 == 0:
        day -= timedelta(days=day.weekday())
    edges = [midnight(day, country)]
    while edges[-1] < until:
        day += timedelta(days=days)
        edges.append(midnight(day, country))
    return tuple(edges)


def width_of(since: float, until: float, step: int = 0) -> int:
    """Width of the bins in seconds: as asked for, or wider if there would be more than ``MOST_BINS``.

    Args:
        step: 0 = the finest of ``STEPS`` of which at most ``FITTING`` are needed.
    """
    weeks = ceil((until - since) / (STEPS[-1] * MOST_BINS / 2))
    widest = STEPS[-1] * max(1, weeks)
    most = MOST_BINS if step else FITTING
    return next((width for width in STEPS if width >= step and (until - since) / width <= most), widest)


def _rows(
    counts: Iterable[tuple[tuple[AxisValue, ...], Outcomes]], edges: Sequence[float]
) -> tuple[ExploreRow, ...]:
    at = {int(edge): n for n, edge in enumerate(edges[:-1])}
    cells: dict[AxisValue, list[Outcomes | None]] = {}
    for (name, edge), outcomes in counts:
        bins = cells.setdefault(name, [None] * (len(edges) - 1))
        bins[at[int(edge)]] = outcomes
    rows = [
        ExploreRow(name, tuple(bins), sum(filter(None, bins), Outcomes())) for name, bins in cells.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.total.hit, -row.total.measurements, str(row.name))))


# --- series of public sources -----------------------------------------------------------------------------

MOST_VALUES = 50_000
"""Most values of series in one answer."""

SERIES_SPAN = 7 * DAY
"""Default span of series, which have many values."""


def quantities(
    store: Store, country: str, signals: Sequence[str] | None, since: float | None, until: float | None
) -> tuple[tuple[float, float], list[Series]]:
    """Series of public sources for a country and all places in it, and the dates that they cover.

    Raises:
        TooMuch: more than ``MOST_VALUES``.
    """
    if until is None:
        span = store.facts.span(country)
        until = span[1] + 1 if span else store.now()
    if since is None:
        since = until - SERIES_SPAN
    since = min(max(since, EARLIEST), LATEST - 1)
    until = min(max(until, since + 1), LATEST)
    series = store.facts.levels(country, since, until, signals)
    if sum(map(len, series)) > MOST_VALUES:
        raise TooMuch(
            f"these series have more than {MOST_VALUES:,} values: choose shorter dates or one signal"
        )
    return (since, until), series


KINDS = ("country", "region", "network")
"""Kinds of place that series are about."""

QUANTITIES = tuple(name for name, signal in SIGNALS.items() if signal.is_quantity)
"""Signals that public sources give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesQuestion(DatedQuestion):
    """What a reader wants to see of one signal; ``by`` is one of ``KINDS``, or empty = the widest that has series.

    Attributes:
        signal: one of ``QUANTITIES``.
        regions: ISO 3166-2, as places have them.
    """

    signal: str
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ComparedSeries:
    """One series.

    Attributes:
        cells: the values of each step; ``None`` = its source has none there.
        lowest, highest: of all its values.
        values: number of values.
        terms: the terms of the values.
    """

    key: SeriesKey
    cells: tuple[Spread | None, ...]
    lowest: float
    highest: float
    values: int
    terms: Terms

    @property
    def medians(self) -> list[float]:
        """The median of each step that has values."""
        return [cell.median for cell in self.cells if cell is not None]

    @property
    def median(self) -> float:
        """Of its steps, so that each hour counts as much."""
        return median(self.medians)

    @property
    def last(self) -> float:
        """The median of the last step that has values."""
        return self.medians[-1]

    @property
    def depth(self) -> float:
        """How far a step of it departs from its median in the bad direction, as a share of it: a single low value is no
        departure."""
        if not self.median:
            return 0.0
        is_bad_up = SIGNALS[self.key.signal].bad is Direction.UP
        worst = max(self.medians) if is_bad_up else min(self.medians)
        return abs(worst - self.median) / abs(self.median)


@dataclass(frozen=True, slots=True)
class Compared:
    """The answer.

    Attributes:
        question: with its dates, its kind of place and the width of its bins.
        edges: unix seconds at which bins begin, then the end of the last.
        rows: the one that departs furthest from its median first.
    """

    question: SeriesQuestion
    edges: tuple[float, ...]
    rows: tuple[ComparedSeries, ...]
    synthetic: bool

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.key.source for row in self.rows))


MOST_SERIES = 400
"""Most series in one answer."""


def compare(store: Store, question: SeriesQuestion) -> Compared:
    """The series of a signal in common bins.

    Raises:
        TooMuch: there are more than ``MOST_SERIES``.
    """
    store = shown(store, question.countries)
    signals = [
        known
        for known in store.facts.known_signals()
        if known.signal == question.signal and (not question.countries or known.country in question.countries)
    ]
    question = _completed(store, question, signals)
    since, until = question.dates
    edges = bins(question.country, since, until, question.step)
    countries = sorted({known.country for known in signals if known.kind == question.by})
    binned = [
        series
        for country in countries
        for series in store.facts.binned(country, question.signal, edges)
        if asks_for(question, series.key)
    ]
    stated: dict[tuple[SeriesKey, int], tuple[str, ...]] = {}
    for country in {s.key.place.country for s in binned if SOURCES[s.key.source].takes_columns}:
        stated |= store.facts.series_licences(country)
    if len(binned) > MOST_SERIES:
        raise TooMuch(f"these are {len(binned):,} series: name fewer countries, regions or networks")
    rows = [
        _compared(series, edges, terms(series.key.source, stated.get((series.key, series.step), ())))
        for series in binned
    ]
    rows.sort(key=lambda row: (-row.depth, str(row.key.place), row.key.source, row.key.subtype))
    question = replace(question, step=width_of(since, until, question.step))
    return Compared(question, edges, tuple(rows), store.is_synthetic)


def asks_for(question: SeriesQuestion, key: SeriesKey) -> bool:
    """Is the series one that the question is about?"""
    place = key.place
    if question.targets and target_of_series(key) not in question.targets:
        return False
    if question.regions or question.networks:
        return place.region in question.regions or place.asn in question.networks
    return kind_of(key) == question.by


def kind_of(key: SeriesKey) -> str:
    """One of ``KINDS``."""
    return "network" if key.place.asn else "region" if key.place.region else "country"


def _completed(store: Store, question: SeriesQuestion, signals: Sequence[KnownSignal]) -> SeriesQuestion:
    """The question with its dates and its kind of place."""
    kinds = {signal.kind for signal in signals}
    by = question.by or next((kind for kind in KINDS if kind in kinds), KINDS[0])
    if question.networks or question.regions:
        by = "network" if question.networks else "region"
    chosen = [signal for signal in signals if signal.kind == by]
    until = question.until
    if until is None:
        last = min(max((signal.last for signal in chosen), default=store.now()), store.now())
        until = next_midnight(last, question.country)
    until = min(max(until, EARLIEST + DAY), LATEST)
    since = question.since
    if since is None:
        first = min((signal.first for signal in chosen), default=EARLIEST)
        since = max(
            next_midnight(until - USUAL_SPAN - 1, question.country),
            midnight(local(first, question.country).date(), question.country),
        )
    since = min(max(since, EARLIEST), until - 3600)
    return replace(question, by=by, since=since, until=until)


def _compared(series: BinnedSeries, edges: Sequence[float], stated: Terms) -> ComparedSeries:
    spreads = series.bins.values()
    return ComparedSeries(
        series.key,
        series.over(edges),
        min(spread.lowest for spread in spreads),
        max(spread.highest for spread in spreads),
        sum(spread.values for spread in spreads),
        stated,
    )


def published(store: Store, compared: Compared) -> list[Series]:
    """The values behind an answer, in the bins of their sources.

    Raises:
        TooMuch: more than ``MOST_VALUES``.
    """
    if sum(row.values for row in compared.rows) > MOST_VALUES:
        raise TooMuch(f"these are more than {MOST_VALUES:,} values: choose shorter dates or fewer places")
    question, side = compared.question, shown(store, compared.question.countries)
    wanted = {row.key for row in compared.rows}
    return [
        series
        for country in sorted({key.place.country for key in wanted})
        for series in side.facts.levels(
            country, *question.dates, [question.signal], places_of(wanted, country)
        )
        if series.key in wanted
    ]


def places_of(keys: Iterable[SeriesKey], country: str) -> list[Place]:
    return sorted({key.place for key in keys if key.place.country == country})
