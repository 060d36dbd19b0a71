"""Quantities: the series of public sources for pages and programs: as they are published, and compared in bins.

Both are of the same values, so that a page, its tables and the API give the same numbers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fanous.analysis.series.signals import SIGNALS, Direction, target_of_series
from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey
from fanous.pipeline.explore import (
    EARLIEST,
    LATEST,
    USUAL_SPAN,
    DatedQuestion,
    TooMuch,
    bins,
    midnight,
    next_midnight,
    shown,
    width_of,
)
from fanous.refdata.countries import local
from fanous.sources.publishers import SOURCES, Terms, terms
from fanous.store.protocol import Store
from fanous.store.series import BinnedSeries, KnownSignal

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
        known = store.facts.span(country)
        until = known[1] + 1 if known else store.now()
    if since is None:
        since = until - SERIES_SPAN
    since = min(max(since, EARLIEST), LATEST - 1)
    until = min(max(until, since + 1), LATEST)
    found = store.facts.levels(country, since, until, signals)
    if sum(map(len, found)) > MOST_VALUES:
        raise TooMuch(
            f"these series have more than {MOST_VALUES:,} values: choose shorter dates or one signal"
        )
    return (since, until), found


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
        cells: mean of each bin; ``None`` = its source has no value there.
        lowest, highest, mean: of all its values.
        values: number of values.
        terms: the terms of the values.
        last: the mean of the last bin that has one.
    """

    key: SeriesKey
    cells: tuple[float | None, ...]
    lowest: float
    highest: float
    mean: float
    values: int
    terms: Terms

    @property
    def last(self) -> float:
        return next((cell for cell in reversed(self.cells) if cell is not None), 0.0)

    @property
    def depth(self) -> float:
        """How far it departs from its mean in the bad direction, as a share of it."""
        if not self.mean:
            return 0.0
        is_bad_up = SIGNALS[self.key.signal].bad is Direction.UP
        return (self.highest - self.mean if is_bad_up else self.mean - self.lowest) / abs(self.mean)


@dataclass(frozen=True, slots=True)
class Compared:
    """The answer.

    Attributes:
        question: with its dates, its kind of place and the width of its bins.
        edges: unix seconds at which bins begin, then the end of the last.
        rows: the one that departs furthest from its mean first.
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
    known = [
        one
        for one in store.facts.known_signals()
        if one.signal == question.signal and (not question.countries or one.country in question.countries)
    ]
    question = _completed(store, question, known)
    since, until = question.dates
    edges = bins(question.country, since, until, question.step)
    countries = sorted({one.country for one in known if one.kind == question.by})
    found = [
        one
        for country in countries
        for one in store.facts.binned(country, question.signal, edges)
        if asks_for(question, one.key)
    ]
    stated: dict[tuple[SeriesKey, int], tuple[str, ...]] = {}
    for country in {one.key.place.country for one in found if SOURCES[one.key.source].takes_columns}:
        stated |= store.facts.series_licences(country)
    if len(found) > MOST_SERIES:
        raise TooMuch(f"these are {len(found):,} series: name fewer countries, regions or networks")
    rows = [
        _compared(one, edges, terms(one.key.source, stated.get((one.key, one.step), ()))) for one in found
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


def _completed(store: Store, question: SeriesQuestion, known: Sequence[KnownSignal]) -> SeriesQuestion:
    """The question with its dates and its kind of place."""
    kinds = {one.kind for one in known}
    by = question.by or next((kind for kind in KINDS if kind in kinds), KINDS[0])
    if question.networks or question.regions:
        by = "network" if question.networks else "region"
    own = [one for one in known if one.kind == by]
    until = question.until
    if until is None:
        last = min(max((one.last for one in own), default=store.now()), store.now())
        until = next_midnight(last, question.country)
    until = min(max(until, EARLIEST + DAY), LATEST)
    since = question.since
    if since is None:
        first = min((one.first for one in own), default=EARLIEST)
        since = max(
            next_midnight(until - USUAL_SPAN - 1, question.country), _midnight(first, question.country)
        )
    since = min(max(since, EARLIEST), until - 3600)
    return replace(question, by=by, since=since, until=until)


def _midnight(instant: float, country: str) -> float:
    return midnight(local(instant, country).date(), country)


def _compared(one: BinnedSeries, edges: Sequence[float], own: Terms) -> ComparedSeries:
    """A series in common bins; a value counts in every bin that its own bin covers."""
    cells: list[float | None] = [None] * (len(edges) - 1)
    at = {int(edge): n for n, edge in enumerate(edges[:-1])}
    for edge, (mean, *_) in one.bins.items():
        first = at[edge]
        for n in range(first, len(cells)):
            if n > first and edges[n] >= edge + one.step:
                break
            if n == first or cells[n] is None:
                cells[n] = mean
    values = sum(count for *_, count in one.bins.values())
    return ComparedSeries(
        one.key,
        tuple(cells),
        min(lowest for _, lowest, _, _ in one.bins.values()),
        max(highest for _, _, highest, _ in one.bins.values()),
        sum(mean * count for mean, _, _, count in one.bins.values()) / values,
        values,
        own,
    )


def published(store: Store, found: Compared) -> list[Series]:
    """The values behind an answer, in the bins of their sources.

    Raises:
        TooMuch: more than ``MOST_VALUES``.
    """
    if sum(row.values for row in found.rows) > MOST_VALUES:
        raise TooMuch(f"these are more than {MOST_VALUES:,} values: choose shorter dates or fewer places")
    question, side = found.question, shown(store, found.question.countries)
    wanted = {row.key for row in found.rows}
    return [
        one
        for country in sorted({key.place.country for key in wanted})
        for one in side.facts.levels(country, *question.dates, [question.signal], places_of(wanted, country))
        if one.key in wanted
    ]


def places_of(keys: Iterable[SeriesKey], country: str) -> list[Place]:
    return sorted({key.place for key in keys if key.place.country == country})
