"""Levels: public series of a country as lines of a chart, in shares of their baselines: the page and the card of an
incident draw the same."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from fanous.analysis.detectors.grid import ROLLED_UP, rolled_up
from fanous.analysis.series.baselines import Spans, baseline_level, look_back, outage_times, traffic_losses
from fanous.analysis.series.signals import SIGNALS, TABLE, Direction, target_of_series
from fanous.base.text import printable
from fanous.charts.connectivity import place_name
from fanous.charts.reachability import Lines, ShareLine
from fanous.model.incident import Estimate, FamilyView, Incident, Says
from fanous.model.place import Place
from fanous.model.series import BinnedSeries, Series, SeriesKey, Spread
from fanous.refdata.countries import country_name
from fanous.sources.publishers import SOURCES
from fanous.store.protocol import Store
from fanous.wording.language import Language
from fanous.wording.words import target_title

STEPS = (600, 1800, 3600, 10_800, 21_600, 86_400, 604_800)
MOST_POINTS = 96
MOST_LINES = 5


def series_of(
    store: Store,
    country: str,
    incidents: Sequence[Incident],
    since: float,
    until: float,
    targets: Sequence[str] = (),
) -> tuple[list[Series], Spans]:
    """The country's own series or, if it has none, those of its regions with their median; and the times that are no
    part of a baseline.

    Args:
        known: the country's incidents.
        since: start of a chart; unix seconds, half-open with ``until``.  Their baselines need what came before.
        targets: the traffic of these instead, without the times at which it was lost.
    """
    lost = [*outage_times(incidents, Place(country)), *traffic_losses(incidents, country, targets)]
    start = look_back(since, lost)
    levels = store.facts.levels(country, start, until, entities=[Place(country)], settled=True)
    if series := sound(levels, targets):
        return series, lost
    within = sound(store.facts.levels(country, start, until, settled=True), targets)
    return [*rolled_up(within), *(one for one in within if one.key.place.region)], lost


def sound(series: Sequence[Series], targets: Sequence[str] = ()) -> list[Series]:
    """The series about connectivity as a whole, or about the traffic of targets."""
    about = targets or ("",)
    return [
        one for one in series if target_of_series(one.key) in about and one.key.signal in SIGNALS and len(one)
    ]


def lines_of(
    series: Sequence[Series],
    since: float,
    until: float,
    outages: Spans = (),
    views: Sequence[FamilyView] = (),
) -> Lines:
    """Shares of the baseline for series in which less is worse: the country's, then the regions that fell lowest.

    Args:
        found: an incident's opinions: the series that show it come first.
    """
    step = next((s for s in STEPS if (until - since) / s <= MOST_POINTS), STEPS[-1])
    bins = max(1, int(-(-(until - since) // step)))
    start = int(since // step) * step
    falling = [one for one in series if SIGNALS[one.key.signal].bad is Direction.DOWN]
    levels = stated_levels(series, views)
    drawn = [
        _to_present(_line(line, start, step, bins, outages), line, levels.get(name_of(line)))
        for line in by_interest(falling, views)
    ]
    kept = [line for line in drawn if any(share is not None for share in line.shares)]
    regions = {name_of(one) for one in series if one.key.place.region}
    kept.sort(key=lambda line: min(s for s in line.shares if s is not None) if line.target in regions else -1)
    return Lines(start, step, tuple(kept[:MOST_LINES]), by_users=False)


def _line(series: Series, start: int, step: int, bins: int, outages: Spans) -> ShareLine:
    """The median share of the baseline in each step, and its range: an hour without a network shows in the range, and a
    single low value does not look like a fall of the whole step.
    """
    spreads, ordinary_at = dict[int, Spread](), baseline_level(series, outages)
    edges = (start + step * np.arange(bins + 1)).tolist()
    places = np.searchsorted(series.times, edges)
    for edge, (first, last) in zip(edges, pairwise(places), strict=False):
        usual = np.array([ordinary_at(int(at)) for at in series.times[first:last]])
        shares = series.values[first:last][usual > 0] / usual[usual > 0]
        shares = np.maximum(shares[~np.isnan(shares)], 0.0)  # an index may be a little below 0
        if len(shares):
            low, high = float(shares.min()), float(shares.max())
            spreads[edge] = Spread(float(np.median(shares)), low, high, len(shares))
    return ShareLine.of(name_of(series), BinnedSeries(series.key, series.step, spreads).over(edges))


def _to_present(line: ShareLine, series: Series, stated: Estimate | None) -> ShareLine:
    """The line, ending at the level that an incident states as the present one, which need not be the median of a step:
    under a headline that says *back to about 68 %* no line ends at 75 %."""
    if stated is None or stated.now is None or stated.now_at != series.times[-1] + series.step:
        return line
    measured = [n for n, share in enumerate(line.shares) if share is not None]
    if not measured:
        return line
    shares = [*line.shares]
    shares[measured[-1]] = stated.now
    return replace(line, shares=tuple(shares))


def stated_levels(series: Sequence[Series], views: Sequence[FamilyView]) -> dict[str, Estimate]:
    """Name of a series -> the level that an incident states of it alone, so that pages and pictures have one figure."""
    levels = dict[str, Estimate]()
    for opinion in views:
        named = [each for each in series if f"{each.key.source} {each.key.signal}" in opinion.sources]
        national = [each for each in named if not each.key.place.region]
        if opinion.left is not None and len(opinion.sources) == len(national) == 1:
            levels[name_of(national[0])] = opinion.left
    return levels


def by_interest(series: Sequence[Series], views: Sequence[FamilyView]) -> list[Series]:
    """Those that show an incident first, then one of each family in turn, those with the finest step first."""
    showing = {source for view in views if view.says is Says.DOWN for source in view.sources}
    turns = Counter[tuple[bool, str]]()
    ranked = []
    for one in sorted(series, key=lambda one: (one.step, name_of(one))):
        group = (f"{one.key.source} {one.key.signal}" not in showing, str(SIGNALS[one.key.signal].family))
        turns[group] += SIGNALS[one.key.signal].bad is Direction.DOWN
        ranked.append((group[0], turns[group], group[1], one))
    return [one for *_, one in sorted(ranked, key=lambda each: each[:3])]


def name_of(series: Series) -> str:
    key = series.key
    return " ".join(filter(None, (key.source, key.signal, key.subtype, key.place.region)))


def apart(key: SeriesKey) -> str:
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
    what = target_title(target) if target else printable(apart(key))
    named = language.apart(what) or language.say(SIGNALS[key.signal].title)
    return f"{named} · {language.known(source.title) if source else language.apart(key.source)}"
