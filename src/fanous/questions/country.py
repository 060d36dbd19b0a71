"""Query: what is known about disruptions in a country, read from the store alone.

A person waits for the answer, so this imports none of the stages that draw conclusions: loading them would
take as long as the query.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from fanous.charts.grid import Grid, columns_of, filled
from fanous.errors import FanousError
from fanous.model.coverage import Sensitivity
from fanous.model.incident import Incident, Kind
from fanous.model.instant import DAY, HOUR
from fanous.model.measurement import AHEAD
from fanous.model.place import MEASURING
from fanous.model.reason import Reason
from fanous.model.series import Votes
from fanous.pipeline.call import Call
from fanous.refdata.countries import country_name
from fanous.store.coverage import Within, end_of_data
from fanous.store.protocol import Store


@dataclass(frozen=True, slots=True)
class CountryAnswer:
    """What ``confirm`` found.  ``names``: ASN -> name as given by measurements.

    Attributes:
        insufficient: targets about which nothing can be said, and why.
        grid: ``None`` = nothing was measured.
        synthetic: everything known about the country was staged.
        within: what was measured about it in this time; if nothing was, finding nothing means nothing.
        known_until: id of an open incident whose data ended days ago -> when they ended, unix seconds.
        targets: to which the answer is restricted; empty = all.
        sensitivity: how long an event had to last to be found, by network and target; ``None`` = it was not asked for.
    """

    country: str
    since: float
    until: float
    incidents: Sequence[Incident]
    insufficient: Sequence[tuple[str, Reason]]
    grid: Grid | None
    names: Mapping[int, str]
    synthetic: bool
    within: Within
    known_until: Mapping[str, float]
    targets: Sequence[str]
    sensitivity: Sequence[Sensitivity] | None = None

    @property
    def hours(self) -> int:
        """Hours of the window, the last of which may be a part of one."""
        return max(1, ceil((self.until - self.since) / HOUR))

    def _repr_html_(self) -> str:
        """For notebooks: the incidents as a table, and what cannot be judged."""
        from fanous.questions.frame import IncidentList, html_table
        from fanous.wording.reasons import reasons_text

        lacking = [(target, reasons_text([reason])) for target, reason in self.insufficient]
        insufficient = f"<p>Not enough data:</p>{html_table(('target', 'why'), lacking)}" if lacking else ""
        nothing = "" if self.within else "<p>Nothing was measured in this time.</p>"
        return IncidentList(self.incidents)._repr_html_() + nothing + insufficient


def confirm(
    store: Store,
    country: str,
    targets: Sequence[str],
    since: float | None,
    until: float | None,
    *,
    sensitivity: bool = False,
) -> CountryAnswer:
    """What is known about disruptions in a country; reads only.  Staged events come last, and change nothing.

    Args:
        targets: restrict the answer to these; empty = all.
        since: ``None`` = from the first measurement; the same for ``until``.
        sensitivity: also say how long an event had to last to be found, of the targets shown, or else of all.

    Raises:
        FanousError: the store has no data about this country.
    """
    every, store = store, store.about(country)
    span = store.facts.span(country)
    if span is None:
        countries = every.countries()
        if country in countries:
            raise FanousError(
                f"no measurement of {country_name(country)} in this store can be used: all of them lack something, "
                f"such as their network. `fanous judge FILE...` says what is wrong with each"
            )
        if not countries and (unfinished := next(every.unfinished(), None)):
            raise FanousError(
                f"this store has no facts, though its archive has records ({unfinished.name} and perhaps more): run "
                f"`fanous rejudge`, which computes the facts from them"
            )
        available = ", ".join(countries) or "nothing yet"
        raise FanousError(
            f"no measurements of {country_name(country)} in this store (it has: {available}); import some with "
            f"`fanous ingest ooni FILE...`"
        )
    if since is None:
        since = span[0] if until is None else min(span[0], until)
    now = store.now()
    until = max(min(span[1], now + AHEAD), since) + 1 if until is None else until
    incidents = [
        incident
        for incident in store.ledger.incidents(country, since, until)
        if not targets or incident.is_of_line or set(targets) & set(incident.targets)
    ]
    decisive = [incident for incident in incidents if incident.provenance.is_synthetic is store.is_synthetic]
    shown = targets or sorted({target for incident in decisive for target in incident.targets})
    return CountryAnswer(
        country=country,
        since=since,
        until=until,
        incidents=sorted(incidents, key=lambda incident: incident.provenance.is_synthetic),
        insufficient=_insufficient(store, country, since, until, targets),
        grid=_grid(store, country, since, until, shown, decisive) if shown else None,
        names=store.facts.networks(country),
        synthetic=store.is_synthetic,
        within=store.facts.within(country, since, until, targets),
        known_until={i.id: at for i in incidents if (at := data_ended(store, i, now)) is not None},
        targets=targets,
        sensitivity=sensitivities_of(store, country, (since, until), shown) if sensitivity else None,
    )


MOST_TOLD = 6
"""Networks or targets of which a page says what would have been found; each takes some 0.1 s."""


def unnamed(store: Store, incident: Incident) -> list[Sensitivity]:
    """What would have been found at the time on networks that the incident does not name, those measured most.

    The time reaches to each side as far as the incident is long, so that events of its length fit in at many moments.
    """
    if not any(part.target and part.kind is Kind.BLOCKING for part in incident.parts):
        return []
    store = store.of(incident.provenance)
    last = incident.end or known_until(store, incident, store.now())
    length = max(last - incident.onset, HOUR)
    when = incident.onset - length, last + length
    named = {network.asn for network in incident.networks}
    return sensitivities_of(
        store,
        incident.country,
        when,
        incident.targets,
        length,
        asked=lambda asn: asn not in named,
        most=MOST_TOLD,
    )


def seen_on(
    store: Store, country: str, asn: int, when: tuple[float, float], votes: Votes
) -> list[Sensitivity]:
    """What would have been found on one network, for the targets that were measured most there.

    Args:
        votes: of the country in that time.
    """
    targets = Counter(votes.targets[(votes.asns == asn) & (votes.targets != "")].tolist()).most_common(
        MOST_TOLD
    )
    names = [target for target, _ in targets]
    if not names:
        return []
    return sensitivities_of(store, country, when, names, asked=lambda other: other == asn)


def sensitivities_of(
    store: Store,
    country: str,
    when: tuple[float, float],
    targets: Sequence[str] = (),
    length: float | None = None,
    *,
    asked: Callable[[int], bool] = lambda _: True,
    most: int | None = None,
) -> list[Sensitivity]:
    """What would have been found in a country; no targets = all.  The rest as for ``analysis.sensitivity``."""
    from fanous.analysis.detectors.interference import BLOCKING  # only this question needs the filter
    from fanous.analysis.sensitivity import sensitivities
    from fanous.analysis.series.aggregate import VOUCHED_STEP
    from fanous.pipeline.interference import TICK

    series = store.facts.series_of_targets(country, *when, TICK, list(targets) or None, VOUCHED_STEP)
    votes = [line for line in series if line.key.signal in BLOCKING.signals]
    return sensitivities(votes, BLOCKING.options, *when, length, asked, most)


class ConfirmCountry(Call[CountryAnswer], frozen=True, tag="confirm"):
    """What is disrupted in a country; times are unix seconds, ``None`` = all that was measured."""

    country: str
    targets: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    sensitivity: bool = False

    def perform(self, store: Store) -> CountryAnswer:
        targets = list(self.targets)
        return confirm(store, self.country, targets, self.since, self.until, sensitivity=self.sensitivity)


def known_until(store: Store, incident: Incident, now: float) -> float:
    """Up to when an incident without an end can be judged: the present, or the end of the data that it rests on.

    After that, no one knows whether it goes on; of a retracted one, the claim reached no further.
    """
    if incident.end is not None:
        return now
    from fanous.analysis.series.signals import SIGNALS  # only an incident without an end needs them

    facts, families = store.of(incident.provenance).facts, incident.evidence.families
    ends = [
        signal.last
        for signal in facts.known_signals()
        if signal.country == incident.country and SIGNALS[signal.signal].family in families
    ]
    measured = facts.measured(incident.country) if MEASURING & set(families) else None
    last = max([*ends, *([measured[1]] if measured else [])], default=now)
    return max(end_of_data(last, now), incident.onset)


def data_ended(store: Store, incident: Incident, now: float) -> float | None:
    """When the data about an open incident ended; ``None`` = they have not, or it is over."""
    end = known_until(store, incident, now) if incident.is_open else now
    return end if end < now else None


def known_since(store: Store, incidents: Iterable[Incident], since: float) -> list[Incident]:
    """Those that may have been on at an instant or after it: an open one is left out if its data had ended by then."""
    now = store.now()
    ends = ((incident, data_ended(store, incident, now)) for incident in incidents)
    return [incident for incident, end in ends if end is None or end >= since]


LATELY = 7 * DAY


def last_heard(store: Store, now: float) -> dict[str, float]:
    """Country -> time of its last sound measurement; without those that gave none within ``LATELY``."""
    heard: dict[str, float] = {}
    for hour in store.facts.heard(now - LATELY, now + 1):
        heard[hour.country] = max(hour.at, heard.get(hour.country, 0.0))
    return heard


def _grid(
    store: Store, country: str, since: float, until: float, targets: Sequence[str], incidents: list[Incident]
) -> Grid:
    """Networks x time, counted by the store: a year of a country does not fit into this process."""
    ends = store.facts.ends(country, since, until, targets)
    if ends is None:
        return Grid((), timedelta(days=1), ())
    columns = columns_of(country, *ends)
    edges = columns.edges()
    measured, failed = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    column_of = dict(edges)
    for outcomes in store.facts.outcomes(
        country, max(since, edges[0][0]), until, targets, [at for at, _ in edges]
    ):
        place = outcomes.asn, column_of[int(outcomes.start)]
        measured[place] += outcomes.made
        failed[place] += outcomes.failed
    return filled(columns, measured, failed, incidents)


def _insufficient(
    store: Store, country: str, since: float, until: float, targets: Sequence[str]
) -> list[tuple[str, Reason]]:
    """Targets about which nothing can be said, and why; including requested targets that were never
    measured.
    """
    lacking = store.facts.insufficient(country, since, until)
    listed = [(lack.target, lack.reason) for lack in lacking if not targets or lack.target in targets]
    if not targets:
        return listed + _of_connectivity(store, country, since, until)
    measured = {*store.facts.targets(country, since, until), *(target for target, _ in listed)}
    unknown = [target for target in targets if target not in measured]
    return listed + [
        (target, Reason("coverage.none"))
        for target in unknown
        if not store.facts.within(country, since, until, (target,)).sources
    ]


def _of_connectivity(store: Store, country: str, since: float, until: float) -> list[tuple[str, Reason]]:
    """The same for the country's connectivity; empty if none of its sources was read."""
    if not store.facts.series_fetched(country):
        return []
    from fanous.pipeline.outages import (
        connectivity_lacks,  # imported only if there is something for the detectors to do
    )

    return connectivity_lacks(store, country, since, until)
