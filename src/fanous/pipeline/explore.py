"""Explore: measurements of any place, target, network and dates, counted along two axes for pages and programs.

The same function answers the page, its pictures, its tables and the API, so that they give the same numbers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from fanous.errors import FanousError
from fanous.model.coverage import Outcomes
from fanous.model.instant import DAY, HOUR
from fanous.refdata.countries import local, main_zone
from fanous.refdata.platforms import target_of
from fanous.refdata.targets import target_list
from fanous.store.counts import AxisValue, CountScope
from fanous.store.protocol import Store

STEPS = (600, HOUR, 3 * HOUR, 6 * HOUR, DAY, 7 * DAY)
"""Widths of bins that a reader may choose, in seconds; weeks begin on Mondays."""

FITTING = 60
"""Bins that a chart on a phone still shows apart: as many as are chosen for a reader who names no width."""

MOST_BINS = 750
"""Bins of one answer: a month of hours."""

MOST_CELLS = 20_000
"""Rows of one answer."""

MOST_READ = 3_000_000
"""Verdicts that one question may read.  The engine counts about a million a second on two cores."""

USUAL_SPAN = 30 * DAY
"""Shown to readers who name no dates: the last days with data."""


class TooMuch(FanousError):
    """A question whose answer would be too large, or take too long; the message says how to narrow it."""


@dataclass(frozen=True, slots=True)
class ExploreQuestion:
    """What a reader wants to see.

    Attributes:
        by: the axis of the rows, a name of ``store.vote_sql.AXES``.
        step: width of the bins in seconds, one of ``STEPS``; 0 = as fits.
        since, until: unix seconds, half-open; ``None`` = the last days with data.
    """

    countries: tuple[str, ...] = ()
    networks: tuple[int, ...] = ()
    targets: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    by: str = "network"
    step: int = 0

    @property
    def country(self) -> str:
        """Whose clock the bins follow: of the only country, else UTC (empty)."""
        return self.countries[0] if len(self.countries) == 1 else ""


@dataclass(frozen=True, slots=True)
class ExploreRow:
    """Attributes:
    name: on the axis of the rows.
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
        sources: names of the sources of what was counted.
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
    """Targets that are measured only for comparison, and are no part of *all targets*: sites that nobody has a
    reason to block, and the names that are reserved for examples (RFC 2606)."""
    listed = (target_of(url.partition("://")[2].partition("/")[0]) for url in target_list("controls").urls)
    return tuple(dict.fromkeys([*listed, "example.com", "example.net", "example.org"]))


def shown(store: Store, countries: Sequence[str]) -> Store:
    """The store, showing what is synthetic only where it has nothing else."""
    return store.about(countries[0] if len(countries) == 1 else None)


def explore(store: Store, question: ExploreQuestion) -> Explored:
    """Counts of measurements by rows and bins.

    Raises:
        TooMuch: it would read or return too much.
    """
    store = shown(store, question.countries)
    question = with_dates(store, question)
    assert question.since is not None
    assert question.until is not None
    edges = bins(question.country, question.since, question.until, question.step)
    scope = _checked(store, scope_of(question))
    found = store.facts.tally(scope, (question.by, "time"), edges[:-1], MOST_CELLS + 1)
    if len(found) > MOST_CELLS:
        raise TooMuch(
            f"the answer would have more than {MOST_CELLS:,} rows: choose wider bins or fewer networks or targets"
        )
    sources = store.facts.tally(scope, ("source",), edges[:1], MOST_CELLS)
    return Explored(
        replace(question, step=question.step or _fitting(question.since, question.until)),
        edges,
        _rows(found, edges),
        tuple(str(source) for (source,), _ in sources),
        store.is_synthetic,
    )


def aggregate(
    store: Store, question: ExploreQuestion, axes: Sequence[str]
) -> tuple[ExploreQuestion, tuple[float, ...], list[tuple[tuple[AxisValue, ...], Outcomes]]]:
    """The question with its dates, its bins, and what was counted along any one or two axes.

    Raises:
        TooMuch: as in ``explore``.
    """
    store = shown(store, question.countries)
    question = with_dates(store, question)
    assert question.since is not None
    assert question.until is not None
    edges = bins(
        question.country, question.since, question.until, question.step if "time" in axes else 7 * DAY
    )
    found = store.facts.tally(_checked(store, scope_of(question)), axes, edges[:-1], MOST_CELLS + 1)
    if len(found) > MOST_CELLS:
        raise TooMuch(
            f"the answer would have more than {MOST_CELLS:,} rows: choose other axes or narrow the question"
        )
    return question, edges, found


def scope_of(question: ExploreQuestion) -> CountScope:
    assert question.since is not None
    assert question.until is not None
    return CountScope(
        question.since,
        question.until,
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
    if question.since is not None and question.until is not None:
        return question
    until = question.until
    if until is None:
        until = last_measured(store, question)
        until = _next_midnight(until, question.country)
    since = question.since
    if since is None:
        since = _next_midnight(until - USUAL_SPAN - 1, question.country)
    return replace(question, since=min(since, until - HOUR), until=until)


def last_measured(store: Store, question: ExploreQuestion) -> float:
    """When the last measurement was made that the question could be about; the store's *now* if there is none."""
    now = store.now()
    known = question.countries or tuple(store.facts.countries())
    if question.targets:
        ends = [store.facts.ends(country, 0, now + DAY, question.targets) for country in known]
    else:
        ends = [store.facts.measured(country) for country in known]
    return min(max((one[1] for one in ends if one), default=now), now)


def _next_midnight(instant: float, country: str) -> float:
    day = local(instant, country).date() + timedelta(days=1)
    return midnight(day, country)


def midnight(day: date, country: str) -> float:
    """When a day begins on a country's clock; unix seconds."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(main_zone(country))).timestamp()


def bins(country: str, since: float, until: float, step: int = 0) -> tuple[float, ...]:
    """The beginnings of bins that cover ``[since, until)``, and the end of the last; unix seconds.

    Days and weeks begin at midnight of the country's clock, shorter bins at multiples of their width after the
    midnight before the first.

    Args:
        country: empty = UTC.
        step: 0 = the finest of which at most ``FITTING`` are needed.

    Raises:
        TooMuch: more than ``MOST_BINS``.
    """
    step = step or _fitting(since, until)
    if (until - since) / step > MOST_BINS:
        raise TooMuch(f"the dates would need more than {MOST_BINS} bins: choose wider bins or shorter dates")
    day = local(since, country).date()
    if step < DAY:
        first = midnight(day, country)
        start = first + (since - first) // step * step
        count = max(1, int(-(-(until - start) // step)))
        return tuple(start + n * step for n in range(count + 1))
    days = step // DAY
    if days == 7:
        day -= timedelta(days=day.weekday())
    edges = [midnight(day, country)]
    while edges[-1] < until:
        day += timedelta(days=days)
        edges.append(midnight(day, country))
    return tuple(edges)


def _fitting(since: float, until: float) -> int:
    return next((step for step in STEPS if (until - since) / step <= FITTING), STEPS[-1])


def _rows(
    found: Iterable[tuple[tuple[AxisValue, ...], Outcomes]], edges: Sequence[float]
) -> tuple[ExploreRow, ...]:
    at = {int(edge): n for n, edge in enumerate(edges[:-1])}
    cells: dict[AxisValue, list[Outcomes | None]] = {}
    for (name, edge), outcomes in found:
        own = cells.setdefault(name, [None] * (len(edges) - 1))
        own[at[int(edge)]] = outcomes
    rows = [
        ExploreRow(name, tuple(own), sum((one for one in own if one), Outcomes()))
        for name, own in cells.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.total.hit, -row.total.measurements, str(row.name))))
