"""Connectivity: how much of its usual level each public series of a country shows, now and over time.

The regions and networks of a country follow in a table, the lowest first.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf
from types import MappingProxyType

import numpy as np
from markupsafe import Markup

from fanous.analysis.detectors.grid import ROLLED_UP, rolled_up
from fanous.analysis.series.baselines import Spans, baseline_level, look_back, outage_times, traffic_losses
from fanous.analysis.series.signals import SIGNALS, Direction, target_of_series
from fanous.base.text import printable
from fanous.charts.connectivity import place_name
from fanous.charts.plot import NARROW, WIDE, Legend, PartBar, Shape, plot, ticks
from fanous.charts.reachability import Lines, ShareLine
from fanous.model.incident import FamilyView, Incident, Says
from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey
from fanous.pipeline.series import newest
from fanous.publish.credits import licence_words
from fanous.publish.pictures import clock_words
from fanous.refdata.countries import country_name
from fanous.sources.publishers import SOURCES, licences_by_source
from fanous.sources.signals.table import SOURCE as TABLE
from fanous.store.protocol import Store
from fanous.web.answers import Visit
from fanous.wording.language import Language
from fanous.wording.words import target_title

STEPS = (600, 1800, 3600, 10_800, 21_600, 86_400, 604_800)
MOST_POINTS = 96
MOST_LINES = 5
MOST_ROWS = 12
TOP = 1.25
"""Share of the baseline; higher values are drawn at the edge, since they are not disruptions."""

HEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Level:
    """One series.

    Attributes:
        name: stable, for a chart's legend: source, signal, subtype.
        region: what it is about, unless that is the whole country; of a median of regions the country.
        is_nation: it is about the whole country.
        title: what it measures.
        subtype: what else distinguishes it.
        share: share of the usual level in its newest bin, or the median in the main stretch of an incident; ``None`` =
            there is no history to compare with.
        falls: less is worse; for delays and loss, more is.
        age: seconds since its newest bin ended.
    """

    name: str
    region: str
    is_nation: bool
    title: str
    subtype: str
    source: str
    licence: str
    family: str
    share: float | None
    falls: bool
    age: float


@dataclass(frozen=True, slots=True)
class Connectivity:
    """How connected a place is by each source, with a chart.

    Attributes:
        levels: those that are shown, of ``all``.
        is_median: the levels are medians during an incident, not the newest.
        lines: what is drawn.
        wide, narrow: the chart; empty = there is no history to draw it from.
        names: of its lines, in order.
        has_bars: rows below its lines show when each place was low.
    """

    levels: list[Level]
    all: int
    is_median: bool
    lines: Lines
    wide: Markup
    narrow: Markup
    names: list[str]
    has_bars: bool

    @property
    def regions(self) -> tuple[int, int]:
        """How many regions are shown, and how many there are."""
        nations = sum(one.is_nation for one in self.levels)
        return len(self.levels) - nations, self.all - nations

    @property
    def kinds(self) -> list[tuple[str, str, str, str]]:
        """What is measured, and by whom, of all that is shown."""
        kinds = [(one.title, one.subtype, one.source, one.licence) for one in self.levels]
        return list(dict.fromkeys(kinds))

    @property
    def lowest(self) -> Level | None:
        """The level that is now furthest below its baseline; ``None`` = none can be compared."""
        known = [level for level in self.levels if level.falls and level.share is not None]
        return min(known, key=lambda level: level.share or 0.0, default=None)


Published = Mapping[tuple[SeriesKey, int], Sequence[str]]
"""Everything published about a country: each series, with the licences that the operator stated for it
(``facts.series_licences``)."""


def connectivity(
    store: Store,
    country: str,
    known: Sequence[Incident],
    since: float,
    until: float,
    visit: Visit,
    published: Published,
    spans: Sequence[tuple[float, float]],
    targets: Sequence[str] = (),
    *,
    during: Spans = (),
    brackets: Spans = (),
    found: Sequence[FamilyView] = (),
    bars: Sequence[PartBar] = (),
) -> Connectivity | None:
    """Connectivity of the country as a whole or, if no source covers that, of its regions; ``None`` = no source is
    read here.

    Args:
        known: the country's incidents; its outages are not part of the baseline.
        since: start of the chart; unix seconds, half-open with ``until``, up to which levels count; their ages are
            as of the visit.
        targets: the traffic of these instead, without the times at which it was lost.
        spans: periods to shade.
        during: the main stretch of an incident: the median levels in it are given, and not the newest, which after its
            end say nothing of it.
        brackets: the times within which it began and ended, shaded too.
        bars: rows below the lines: when each of its places was low.
        found: the incident's opinions: the level of one that rests on a single series is given for that series too.
    """
    lost = [*outage_times(known, Place(country)), *traffic_losses(known, country, targets)]
    start = look_back(since, lost)
    series = _sound(
        store.facts.levels(country, start, until, entities=[Place(country)], settled=True), targets
    )
    if not series:
        within = _sound(store.facts.levels(country, start, until, settled=True), targets)
        series = [*rolled_up(within), *(one for one in within if one.key.place.region)]
    if not series:
        return None
    licences, older = licences_by_source(series, published), visit.now - until
    levels = [level for one in series if (level := level_of(one, until, licences, lost, older)) is not None]
    if not levels:
        return None
    series = _by_interest(series, found)
    if during:
        medians = {_name(one): median_share(one, during, lost) for one in series} | _as_found(series, found)
        levels = [replace(level, share=medians[level.name]) for level in levels]
    levels.sort(
        key=lambda level: (
            not level.falls,
            not level.is_nation,
            not level.is_nation and _or_most(level.share),
            level.family,
            level.name,
        )
    )
    labels = {_name(one): label_of(one.key, visit.language) for one in series}
    lines = lines_of(series, since, until, lost)
    names = [labels[line.target] for line in lines.lines]
    told = _in_words(levels, lines, names, visit.language, during=bool(during))
    drawn = _drawn(lines, names, told, country, visit, spans, brackets, bars)
    return Connectivity(levels[:MOST_ROWS], len(levels), bool(during), lines, *drawn, names, bool(bars))


def _as_found(series: Sequence[Series], found: Sequence[FamilyView]) -> dict[str, float]:
    """Name of a series -> the level that an incident states of it alone, so that a page has one figure of it."""
    levels = dict[str, float]()
    for one in found:
        named = [each for each in series if f"{each.key.source} {each.key.signal}" in one.sources]
        own = [each for each in named if not each.key.place.region]
        if one.left is not None and len(one.sources) == len(own) == 1:
            levels[_name(own[0])] = one.left.mean
    return levels


def _sound(series: Sequence[Series], targets: Sequence[str] = ()) -> list[Series]:
    """The series about connectivity as a whole, or about the traffic of targets."""
    about = targets or ("",)
    return [
        one for one in series if target_of_series(one.key) in about and one.key.signal in SIGNALS and len(one)
    ]


def level_of(
    series: Series,
    now: float,
    licences: Mapping[str, str] = MappingProxyType({}),
    outages: Spans = (),
    older: float = 0.0,
) -> Level | None:
    """The level in its newest whole bin; ``None`` = there is none.

    Args:
        licences: licences of sources for which they vary.
        outages: known outages of the place, which are not part of the baseline.
        older: seconds by which the present is later than ``now``, if a window ended earlier.
    """
    known = newest(series, now, outages, licences)
    if known is None:
        return None
    signal, source = SIGNALS[series.key.signal], SOURCES.get(series.key.source)
    is_nation = series.key.place == Place(series.key.place.country)
    return Level(
        _name(series),
        "" if is_nation and series.key.subtype != ROLLED_UP else place_name(series.key),
        is_nation,
        signal.title,
        _apart(series.key),
        source.credit or source.title if source else series.key.source,
        licence_words(known.licence),
        str(signal.family),
        None if known.percent is None else known.percent / 100,
        signal.bad is Direction.DOWN,
        known.age(now) + older,
    )


def median_share(series: Series, during: Spans, outages: Spans = ()) -> float | None:
    """The median share of the usual level in the bins of these periods; ``None`` = it cannot be compared.

    The usual level of a time of day is that of the first such bin, so it is the one from before an incident.
    """
    ordinary_at, usual, shares = baseline_level(series, outages), dict[int, float](), list[float]()
    for start, end in during:
        first, last = np.searchsorted(series.times, (start, end))
        for at, value in zip(
            series.times[first:last].tolist(), series.values[first:last].tolist(), strict=True
        ):
            slot = at % DAY
            usual[slot] = usual[slot] if slot in usual else ordinary_at(at)
            if usual[slot] > 0 and value == value:
                shares.append(max(0.0, value / usual[slot]))
    return float(np.median(shares)) if shares else None


def lines_of(series: Sequence[Series], since: float, until: float, outages: Spans = ()) -> Lines:
    """Shares of the baseline for series in which less is worse: the country's, then the regions that fell lowest."""
    step = next((s for s in STEPS if (until - since) / s <= MOST_POINTS), STEPS[-1])
    bins = max(1, int(-(-(until - since) // step)))
    start = int(since // step) * step
    falling = [one for one in series if SIGNALS[one.key.signal].bad is Direction.DOWN]
    drawn = [_line(one, start, step, bins, outages) for one in falling]
    kept = [line for line in drawn if any(share is not None for share in line.shares)]
    regions = {_name(one) for one in series if one.key.place.region}
    kept.sort(key=lambda line: min(s for s in line.shares if s is not None) if line.target in regions else -1)
    return Lines(start, step, tuple(kept[:MOST_LINES]), by_users=False)


def _line(series: Series, start: int, step: int, bins: int, outages: Spans) -> ShareLine:
    """The median share of the baseline in each bin, and its range: an hour without a network shows in the range, and a
    single low value does not look like a fall of the whole bin.
    """
    middle: list[float | None] = [None] * bins
    ranges: list[tuple[float, float] | None] = [None] * bins
    ordinary_at, span = baseline_level(series, outages), max(1, series.step // step)
    edges = np.searchsorted(series.times, start + step * np.arange(bins + 1))
    for n, (first, last) in enumerate(pairwise(edges)):
        usual = np.array([ordinary_at(int(at)) for at in series.times[first:last]])
        shares = series.values[first:last][usual > 0] / usual[usual > 0]
        shares = np.maximum(shares[~np.isnan(shares)], 0.0)  # an index may be a little below 0
        if len(shares):
            until = min(bins, n + span)
            middle[n:until] = [float(np.median(shares))] * (until - n)
            ranges[n:until] = [(float(shares.min()), float(shares.max()))] * (until - n)
    return ShareLine(_name(series), tuple(middle), ranges=tuple(ranges))


def _drawn(
    lines: Lines,
    names: Sequence[str],
    told: str,
    country: str,
    visit: Visit,
    spans: Sequence[tuple[float, float]],
    brackets: Spans,
    bars: Sequence[PartBar],
) -> tuple[Markup, Markup]:
    """The chart for a wide and for a narrow page."""
    if not lines.lines:
        return Markup(), Markup()
    language = visit.language

    def one(shape: Shape, mark: str) -> Markup:
        legend = Legend(
            language.say("Value in % of the baseline"),
            told,
            ticks(lines.start, lines.end, country, language, shape.ticks),
            heights(language),
            (),
            language.say("Value in % of the baseline"),
            clock_words(lines.start, country, language),
            names,
            bars,
        )
        return Markup(plot(lines, spans, legend, shape, mark, brackets=brackets))

    return one(WIDE, "cw"), one(NARROW, "cn")


def _in_words(
    levels: Sequence[Level], lines: Lines, names: Sequence[str], language: Language, *, during: bool
) -> str:
    """What the chart shows, for screen readers: the levels of the table below it."""
    heading = (
        "Median share of the baseline in the main stretch of the incident"
        if during
        else "Share of the baseline"
    )
    share_of = {level.name: level.share for level in levels}
    told = [
        f"{name}{language.colon}{language.percent(share)}"
        for name, line in zip(names, lines.lines, strict=True)
        if (share := share_of.get(line.target)) is not None
    ]
    return language.say(heading) + language.colon + language.semicolon.join(told)


def heights(language: Language) -> list[tuple[float, str]]:
    """The value axis; its top line is the edge and has no label."""
    return [*((share, language.percent(share)) for share in HEIGHTS), (TOP, "")]


def _by_interest(series: Sequence[Series], found: Sequence[FamilyView]) -> list[Series]:
    """Those that show an incident first, then one of each family in turn, those with the finest step first."""
    showing = {source for one in found if one.says is Says.DOWN for source in one.sources}
    turns = Counter[tuple[bool, str]]()
    ranked = []
    for one in sorted(series, key=lambda one: (one.step, _name(one))):
        group = (f"{one.key.source} {one.key.signal}" not in showing, str(SIGNALS[one.key.signal].family))
        turns[group] += SIGNALS[one.key.signal].bad is Direction.DOWN
        ranked.append((group[0], turns[group], group[1], one))
    return [one for *_, one in sorted(ranked, key=lambda each: each[:3])]


def _name(series: Series) -> str:
    key = series.key
    return " ".join(filter(None, (key.source, key.signal, key.subtype, key.place.region)))


def _apart(key: SeriesKey) -> str:
    """What else distinguishes a series of its place, unless it is only the name of a column in an imported table."""
    return "" if key.source == TABLE or key.subtype == ROLLED_UP else key.subtype


def label_of(key: SeriesKey, language: Language) -> str:
    """The name of a series in a chart: its region, or what it is about or measures, and its source."""
    if key.subtype == ROLLED_UP:
        median = language.say("median of its regions")
        return f"{language.apart(country_name(key.place.country, language.code))} · {median}"
    if key.place.region:
        return language.apart(printable(place_name(key)))
    target, source = target_of_series(key), SOURCES.get(key.source)
    what = target_title(target) if target else printable(_apart(key))
    named = language.apart(what) or language.say(SIGNALS[key.signal].title)
    return f"{named} · {language.known(source.title) if source else language.apart(key.source)}"


def _or_most(share: float | None) -> float:
    return inf if share is None else share


LOOK_BACK = 8 * DAY
"""Time read for each place outside the country's outages: a day and the week before it, which is enough for a
baseline by hour."""

MOST_PLACES = 40


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One region or network.

    Attributes:
        asn: 0 = a region.
        level: that of the series furthest below its baseline.
    """

    name: str
    asn: int
    level: Level


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a country that have lost most.

    Attributes:
        all: number of places with known levels; ``lowest`` are shown.
    """

    lowest: list[PlaceRow]
    all: int

    @property
    def licences(self) -> list[tuple[str, str]]:
        """The sources shown, each with its licence."""
        return list(dict.fromkeys((place.level.source, place.level.licence) for place in self.lowest))


def places(
    store: Store, country: str, known: Sequence[Incident], until: float, visit: Visit, published: Published
) -> Places | None:
    """The places of a country, arguments as in ``connectivity``; ``None`` = no source distinguishes them."""
    since = look_back(until, outage_times(known, Place(country)), LOOK_BACK)
    levels = _sound(store.facts.levels(country, since, until, settled=True))
    series = [one for one in levels if one.key.place != Place(country)]
    if not series:
        return None
    found = standing(series, until, licences_by_source(series, published), known, visit.now - until)
    return Places(found[:MOST_PLACES], len(found)) if found else None


def standing(
    series: Sequence[Series],
    now: float,
    licences: Mapping[str, str] = MappingProxyType({}),
    incidents: Sequence[Incident] = (),
    older: float = 0.0,
) -> list[PlaceRow]:
    """Each place once, lowest first; places without history are left out.

    Args:
        licences, older: as for ``level_of``.
        incidents: the country's, which are not part of the baseline.
    """
    lowest: dict[Place, PlaceRow] = {}
    for one in series:
        level = level_of(one, now, licences, outage_times(incidents, one.key.place), older)
        if level is None or level.share is None or not level.falls:
            continue
        entity = one.key.place
        known = lowest.get(entity)
        if known is None or level.share < (known.level.share or 0.0):
            lowest[entity] = PlaceRow(place_name(one.key), entity.asn, level)
    return sorted(lowest.values(), key=lambda place: (place.level.share or 0.0, place.name))
