"""Connectivity: how much of its usual level each public series of a country shows, now and over time.

The regions and networks of a country follow in a table, the lowest first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType

import numpy as np
from markupsafe import Markup

from fanous.analysis.detectors.grid import ROLLED_UP
from fanous.analysis.series.baselines import Spans, baseline_level, look_back, outage_times
from fanous.analysis.series.signals import SIGNALS, Direction
from fanous.charts.connectivity import place_name
from fanous.charts.plot import NARROW, WIDE, IncidentSpan, PartBar, Shape, plot
from fanous.charts.reachability import Lines
from fanous.model.incident import FamilyView, Incident
from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey
from fanous.publish.credits import licence_words
from fanous.publish.levels import apart, label_of, lines_of, name_of, series_of, sound, stated_levels
from fanous.publish.pictures import legend_of
from fanous.questions.series import newest
from fanous.sources.publishers import SOURCES, licences_by_source
from fanous.store.protocol import Store
from fanous.web.answers import Visit
from fanous.wording.language import Language

MOST_ROWS = 12


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
        nations = sum(level.is_nation for level in self.levels)
        return len(self.levels) - nations, self.all - nations

    @property
    def kinds(self) -> list[tuple[str, str, str, str]]:
        """What is measured, and by whom, of all that is shown."""
        kinds = [(level.title, level.subtype, level.source, level.licence) for level in self.levels]
        return list(dict.fromkeys(kinds))

    @property
    def lowest(self) -> Level | None:
        """The level that is now furthest below its baseline; ``None`` = none can be compared."""
        levels = [level for level in self.levels if level.falls and level.share is not None]
        return min(levels, key=lambda level: level.share or 0.0, default=None)


Published = Mapping[tuple[SeriesKey, int], Sequence[str]]
"""Everything published about a country: each series, with the licences that the operator stated for it
(``facts.series_licences``)."""


def connectivity(
    store: Store,
    country: str,
    incidents: Sequence[Incident],
    since: float,
    until: float,
    visit: Visit,
    published: Published,
    spans: Sequence[IncidentSpan],
    targets: Sequence[str] = (),
    *,
    during: Spans = (),
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
        spans: when incidents were on.
        during: the main stretch of an incident: the median levels in it are given, and not the newest, which after its
            end say nothing of it.
        bars: rows below the lines: when each of its places was low.
        found: the incident's opinions: the level of one that rests on a single series is given for that series too.
    """
    series, lost = series_of(store, country, incidents, since, until, targets)
    if not series:
        return None
    licences, older = licences_by_source(series, published), visit.now - until
    levels = [level for one in series if (level := level_of(one, until, licences, lost, older)) is not None]
    if not levels:
        return None
    if during:
        medians = {name_of(one): median_share(one, during, lost) for one in series}
        medians |= {name: stated.mean for name, stated in stated_levels(series, found).items()}
        levels = [replace(level, share=medians[level.name]) for level in levels]
    levels.sort(
        key=lambda level: (
            not level.falls,
            not level.is_nation,
            not level.is_nation and (inf if level.share is None else level.share),
            level.family,
            level.name,
        )
    )
    labels = {name_of(one): label_of(one.key, visit.language) for one in series}
    lines = lines_of(series, since, until, lost, found)
    names = [labels[line.target] for line in lines.lines]
    words = _in_words(levels, lines, names, visit.language, during=bool(during))
    drawn = _drawn(lines, names, words, country, visit, spans, bars)
    return Connectivity(levels[:MOST_ROWS], len(levels), bool(during), lines, *drawn, names, bool(bars))


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
    levels = newest(series, now, outages, licences)
    if levels is None:
        return None
    signal, source = SIGNALS[series.key.signal], SOURCES.get(series.key.source)
    is_nation = series.key.place == Place(series.key.place.country)
    return Level(
        name_of(series),
        "" if is_nation and series.key.subtype != ROLLED_UP else place_name(series.key),
        is_nation,
        signal.title,
        apart(series.key),
        source.credit or source.title if source else series.key.source,
        licence_words(levels.licence),
        str(signal.family),
        None if levels.percent is None else levels.percent / 100,
        signal.bad is Direction.DOWN,
        levels.age(now) + older,
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


def _drawn(
    lines: Lines,
    names: Sequence[str],
    title: str,
    country: str,
    visit: Visit,
    spans: Sequence[IncidentSpan],
    bars: Sequence[PartBar],
) -> tuple[Markup, Markup]:
    """The chart for a wide and for a narrow page."""
    if not lines.lines:
        return Markup(), Markup()
    language = visit.language

    def one(shape: Shape, mark: str) -> Markup:
        legend = legend_of(lines, names, title, country, language, shape, bars)
        return Markup(plot(lines, spans, legend, shape, mark))

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
    shares = [
        f"{name}{language.colon}{language.percent(share)}"
        for name, line in zip(names, lines.lines, strict=True)
        if (share := share_of.get(line.target)) is not None
    ]
    return language.say(heading) + language.colon + language.semicolon.join(shares)


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
    store: Store,
    country: str,
    incidents: Sequence[Incident],
    until: float,
    visit: Visit,
    published: Published,
) -> Places | None:
    """The places of a country, arguments as in ``connectivity``; ``None`` = no source distinguishes them."""
    since = look_back(until, outage_times(incidents, Place(country)), LOOK_BACK)
    levels = sound(store.facts.levels(country, since, until, settled=True))
    series = [level for level in levels if level.key.place != Place(country)]
    if not series:
        return None
    entities = standing(series, until, licences_by_source(series, published), incidents, visit.now - until)
    return Places(entities[:MOST_PLACES], len(entities)) if entities else None


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
