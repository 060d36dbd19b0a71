"""Home: what is disrupted, what is monitored and what cannot be seen; and the list of countries.

The first page says what is going on: open incidents, those that ended this week (or, if the data are old, the last on
record), the map, how fresh each source's data are, and what cannot be seen.  The newest incident that was ever
confirmed has its chart and its networks.  The map has three kinds of country: those without a measurement, those that
are watched, and those with an incident.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fanous.charts.grid import Drawing, by_network
from fanous.model.incident import Status
from fanous.model.instant import DAY
from fanous.model.reason import is_by_method
from fanous.publish.edition import LATELY, Story, lately_over, open_ones, stories
from fanous.publish.feeds import feed_of
from fanous.publish.pictures import incident_spans, lines_of, reach
from fanous.questions.claims import method_changes
from fanous.questions.country import known_until
from fanous.refdata.countries import HEIGHT, WIDTH, country_name, shapes
from fanous.refdata.users import user_weights
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.publishers import SOURCES
from fanous.store.coverage import Heard, whole_hours
from fanous.store.protocol import Store
from fanous.web.answers import Visit
from fanous.web.pages.connectivity import Connectivity, connectivity
from fanous.web.pages.incident import Chart, chart_of, main_of
from fanous.web.routes import Facts, page
from fanous.wording.reasons import method_said


@dataclass(frozen=True, slots=True)
class Lead:
    """The incident that leads the page, with its pictures.

    Attributes:
        chart: ``None`` = too little was measured to draw one; the same goes for ``grid``.
        connectivity: for an outage, the levels of its country.
    """

    story: Story
    chart: Chart | None
    grid: Drawing | None
    connectivity: Connectivity | None


def lead_of(store: Store, told: Sequence[Story], visit: Visit) -> Lead | None:
    """The first incident that was ever confirmed, since a suspicion must not lead the page."""
    story = next((one for one in told if one.incident.confirmed_at is not None), None)
    if story is None:
        return None
    incident = story.incident
    since, until = reach(store, incident, visit.now)
    store = store.of(incident.provenance)
    votes = store.facts.votes(
        incident.country, since, until, [target for target in incident.targets if target]
    )
    levels = None
    if not incident.targets:
        spans = incident_spans(incident, visit.now)
        end = min(until, visit.now)
        incidents = store.ledger.incidents(incident.country, synthetic=store.is_synthetic)
        published = store.facts.series_licences(incident.country)
        shown = (store, incident.country, incidents, since, end, visit, published, spans)
        levels = connectivity(*shown, during=main_of(incident, visit.now), found=incident.opinions)
    about = [] if incident.status is Status.RETRACTED else [incident]
    return Lead(
        story,
        chart_of(store, incident, lines_of(store, incident, visit.now), visit),
        by_network(votes, about, incident.country, visit.language),
        levels,
    )


@dataclass(frozen=True, slots=True)
class Marked:
    """A country highlighted on the map.

    Attributes:
        state: ``confirmed``, ``unsure`` (suspected) or ``ended``: a CSS class.
    """

    country: str
    path: str
    state: str


@dataclass(frozen=True, slots=True)
class WorldMap:
    """The map as SVG paths.

    Attributes:
        land: one path of all countries without a measurement.
        watched: one path of those with measurements and without an incident.
    """

    width: int
    height: int
    land: str
    watched: str
    marked: list[Marked]


def world_of(
    open_ones: Sequence[Story], lately: Sequence[Story], watched: Sequence[str], file: Path | None
) -> WorldMap:
    states: dict[str, str] = {
        story.incident.country: "ended" for story in lately if story.incident.confirmed_at
    }
    for one in sorted(open_ones, key=lambda story: story.incident.confirmed_at is not None):
        states[one.incident.country] = "unsure" if one.incident.confirmed_at is None else "confirmed"
    drawn = shapes(file)
    quiet = {code: path for code, path in drawn.items() if code not in states}
    return WorldMap(
        WIDTH,
        HEIGHT,
        "".join(path for code, path in quiet.items() if code not in watched),
        "".join(path for code, path in quiet.items() if code in watched),
        [Marked(code, drawn[code], state) for code, state in sorted(states.items()) if code in drawn],
    )


SEEN = 7 * DAY
"""Seconds; a country whose last measurement is older counts as not seen."""

COUNTRIES = 249
"""Codes of ISO 3166-1."""

QUIET = DAY
"""Seconds; a network heard within ``SEEN`` but not within this time has fallen silent."""

FAR = 60 * DAY
"""Seconds; how far back the page looks for the latest measurement of each source."""

CORRECTED = 30 * DAY
"""Seconds; how long a retraction stands on the first page."""

MOST_RETRACTED = 5

STALE = 2 * DAY
"""Seconds; the slowest public source has one value per day."""

AHEAD = 30 * DAY
"""How far ahead announced events are named."""

MOST_AHEAD, MOST_QUIET, MOST_COUNTRIES, MOST_ON_RECORD = 12, 12, 12, 5
"""Most items of each list; the rest is on the pages of the countries."""


@dataclass(frozen=True, slots=True)
class SilentNetwork:
    """A network that has fallen silent; ``share`` of the country's users, ``None`` = not known."""

    country: str
    asn: int
    at: float
    share: float | None


@dataclass(frozen=True, slots=True)
class Watched:
    """One country that is measured.

    Attributes:
        networks: heard within ``SEEN``.
        silent: those of them not heard within ``QUIET``.
        at: time of the latest measurement.
        measurements: within ``SEEN``.
    """

    country: str
    networks: int
    silent: int
    at: float
    measurements: int


@page("/", "now.html", title="Now", place=1, feed=feed_of)
def now_facts(store: Store, visit: Visit) -> Facts:
    store = store.about()
    incidents = store.ledger.incidents(
        None, visit.now - LATELY, visit.now + DAY, synthetic=store.is_synthetic
    )
    still_open = open_ones(incidents)
    unheard = [one for one in still_open if known_until(store, one, visit.now) < visit.now]
    going = stories(store, [one for one in still_open if one not in unheard])
    over = stories(store, lately_over(incidents, visit.now))
    withdrawn = store.ledger.incidents(retracted=visit.now - CORRECTED, synthetic=store.is_synthetic)
    withdrawn = [one for one in withdrawn if not is_by_method(one.reasons)][-MOST_RETRACTED:]
    heard = lately_heard(store, visit.now)
    seen = watched(heard, visit)
    with_series = {
        signal.country for signal in store.facts.known_signals() if signal.last >= visit.now - SEEN
    }
    record = stories(store, unheard)[:MOST_ON_RECORD]
    if not going and not over:
        last = latest_on_record(store)
        record = [*record, *(one for one in last if one.incident not in unheard)]
        record = sorted(record, key=lambda one: one.incident.confirmed_at is None)[:MOST_ON_RECORD]
    return {
        "staged": store.is_synthetic,
        "hides_held": store.ledger.leaves_out_held,
        "open": going,
        "lately": over,
        "watched": seen,
        "recent": sum(one.at >= visit.now - QUIET for one in seen),
        "known": bool(store.facts.countries()),
        "in_series": bool(with_series),
        "world": world_of(going, over, [one.country for one in seen], visit.site.world),
        "lead": lead_of(store, [*going, *over, *record], visit),
        "unseen": COUNTRIES - len(with_series.union(one.country for one in seen)),
        "silent": silent(heard, visit),
        "stale": stale(store, seen, visit.now),
        "fresh": fresh(store, seen, visit.now),
        "record": record,
        "known_until": {one.incident.id: known_until(store, one.incident, visit.now) for one in record},
        "ahead": store.ledger.events(None, visit.now, visit.now + AHEAD)[:MOST_AHEAD],
        "retracted": stories(store, withdrawn),
        "methods": [
            method_said(change, visit.language) for change in method_changes(store, visit.now - CORRECTED)
        ],
        "revisions": {one.id: store.ledger.revisions(one.id)[-1] for one in withdrawn},
        "incoming": visit.site.incoming(),
        "offline": visit.site.offline(),
    }


@dataclass(frozen=True, slots=True)
class FreshSource:
    """How recent the data of one source are.

    Attributes:
        title: the source's own name.
        family: a key of ``words.FAMILIES``; empty = a series' source.
        at: time of the latest measurement or value, whenever it arrived.
        countries: number with data from it.
        old: longer ago than this kind of source ever pauses.
    """

    title: str
    family: str
    at: float
    countries: int
    old: bool


def fresh(store: Store, seen: Sequence[Watched], now: float) -> list[FreshSource]:
    """Every source with data, freshest first: a reader must see how old the newest data are."""
    sources = [
        FreshSource(
            one.source,
            str(MEASUREMENT_SOURCES[one.source].family) if one.source in MEASUREMENT_SOURCES else "",
            one.at,
            one.countries,
            one.at < now - QUIET,
        )
        for one in store.facts.freshness(*whole_hours(now - FAR, now + DAY))
    ]
    fetched: dict[str, list[float]] = defaultdict(list)
    latest: dict[str, float] = {}
    for country in [one.country for one in seen[:MOST_COUNTRIES]] or store.facts.countries()[:MOST_COUNTRIES]:
        for source, at in store.facts.series_fetched(country).items():
            fetched[source].append(at)
        for source, at in store.facts.series_latest(country).items():
            latest[source] = max(at, latest.get(source, at))
    sources += [
        FreshSource(
            SOURCES[name].title if name in SOURCES else name,
            "",
            latest[name],
            len(ats),
            max(ats) < now - STALE or latest[name] < now - FAR,
        )
        for name, ats in fetched.items()
        if name in latest
    ]
    return sorted(sources, key=lambda source: (-source.at, source.title))


def latest_on_record(store: Store) -> list[Story]:
    """The last incidents of a store whose data are old, confirmed ones before suspicions."""
    incidents = [
        incident
        for incident in store.ledger.incidents(synthetic=store.is_synthetic)
        if incident.status is Status.ENDED
    ]
    incidents.sort(key=lambda incident: (incident.confirmed_at is None, -incident.onset))
    return stories(store, incidents[:MOST_ON_RECORD])


def silent(heard: Sequence[Heard], visit: Visit) -> list[SilentNetwork]:
    """Networks heard within ``SEEN`` but not within ``QUIET``, those with most users first."""
    last = heard_last(heard, visit)
    shares = {
        code: {w.asn: w.share for w in weights.networks}
        for code, _ in last
        if (weights := user_weights(code))
    }
    networks = [
        SilentNetwork(code, asn, at, shares.get(code, {}).get(asn))
        for (code, asn), at in last.items()
        if at < visit.now - QUIET
    ]
    return sorted(networks, key=lambda network: (-(network.share or 0.0), network.country, network.asn))[
        :MOST_QUIET
    ]


def stale(store: Store, seen: Sequence[Watched], now: float) -> list[tuple[str, str, float]]:
    """(country, public source, time of its last data) of sources that have gone quiet."""
    silent = []
    for country in seen[:MOST_COUNTRIES]:
        for source, at in store.facts.series_fetched(country.country).items():
            if at < now - STALE:
                silent.append((country.country, source, at))
    return sorted(silent, key=lambda silence: silence[2])[:MOST_QUIET]


def lately_heard(store: Store, now: float) -> list[Heard]:
    """Networks that gave a sound measurement within ``SEEN``."""
    return list(store.facts.heard(*whole_hours(now - SEEN, now + DAY)))


def heard_last(heard: Sequence[Heard], visit: Visit) -> dict[tuple[str, int], float]:
    """(country, ASN) -> time of its last measurement or heartbeat."""
    last = {(one.country, one.asn): one.at for one in heard}
    for place, at in visit.site.heard().items():
        last[place] = max(at, last.get(place, at))
    return last


def watched(heard: Sequence[Heard], visit: Visit) -> list[Watched]:
    """Countries, by time of their last measurement."""
    made: Counter[str] = Counter()
    for one in heard:
        made[one.country] += one.measurements
    times: dict[str, list[float]] = defaultdict(list)
    for (country, _), at in heard_last(heard, visit).items():
        times[country].append(at)
    found = [
        Watched(country, len(own), sum(at < visit.now - QUIET for at in own), max(own), made[country])
        for country, own in times.items()
    ]
    return sorted(found, key=lambda one: (-one.at, one.country))


@page("/countries", "countries.html", title="Countries", place=2)
def countries_facts(store: Store, visit: Visit) -> Facts:
    store = store.about()
    incidents = store.ledger.incidents(synthetic=store.is_synthetic)
    every = {*store.facts.countries(), *(incident.country for incident in incidents)}
    lately = {one.country: one for one in watched(lately_heard(store, visit.now), visit)}
    last: dict[str, float] = {}
    for network in store.facts.known_networks():
        last[network.country] = max(network.last, last.get(network.country, network.last))
    last |= {code: one.at for code, one in lately.items()}
    lines = [
        (
            code,
            lately.get(code),
            last.get(code),
            sum(incident.is_open for incident in incidents if incident.country == code),
            sum(incident.country == code for incident in incidents),
        )
        for code in every
    ]
    lines.sort(key=lambda line: visit.language.order(country_name(line[0], visit.language.code)))
    return {"lines": lines, "staged": store.is_synthetic}
