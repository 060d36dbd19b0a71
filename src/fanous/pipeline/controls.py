"""Controls from abroad: what shows that a target worked elsewhere while it failed here.

Records of websites bring their control, since OONI's helper asked for the same page from outside; those of messengers
do not.  So where an incident lacks nothing else, a few hours of the same nettests are pulled from a few
countries: a monitor of one country can confirm.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path

from fanous.analysis.series.controls import CONTROL_WINDOW
from fanous.errors import FanousError
from fanous.model.incident import Incident, Status
from fanous.model.instant import HOUR
from fanous.pipeline.detect import detect_all
from fanous.pipeline.interference import votes_behind
from fanous.pipeline.pull_ooni import (
    SOURCE,
    PulledMeasurements,
    PullPlan,
    Wanted,
    fetched,
    keep,
    plan,
    remember,
    together,
)
from fanous.sources.ooni.bucket import Bucket
from fanous.sources.ooni.nettests import PLATFORMS
from fanous.store.protocol import Store

COUNTRIES = ("DE", "US", "IT", "BR", "JP", "CA", "FR", "KE")
"""Countries on five continents in which many people run OONI's nettests and messengers are hardly ever blocked, in the
order in which they are asked."""

ASKED = 3
"""Countries that are asked for controls: if the service has failed in one of them too, the others still tell."""

HOURS = 8
"""Hours, those in which it failed most, for which controls are pulled.  One is enough if many measured elsewhere at the
time; each is a few hundred kilobytes of a bucket that others pay for."""

LACKS = "lacks.control"
"""The reason of an incident that is confirmed once a control is there."""


def wanted_controls(store: Store, country: str, since: float, until: float) -> list[Wanted]:
    """What to pull for the incidents of a country that lack nothing but a control, each once."""
    incidents = store.ledger.incidents(since=since, until=None if until == inf else until, synthetic=False)
    wanted = [
        Wanted(abroad, hour - CONTROL_WINDOW, hour + HOUR + CONTROL_WINDOW, tests, late=HOUR)
        for incident in incidents
        if incident.country == country and _lacks_control(incident) and (tests := _nettests(incident))
        for hour in _worst_hours(store, incident)
        for abroad in _spared(incident, incidents)
    ]
    return list(dict.fromkeys(wanted))


def _lacks_control(incident: Incident) -> bool:
    return incident.status is Status.SUSPECTED and any(reason.code == LACKS for reason in incident.reasons)


def _nettests(incident: Incident) -> tuple[str, ...]:
    """The nettests without a helper that measure its targets."""
    return tuple(name for name, target in PLATFORMS.items() if target in incident.targets)


def _worst_hours(store: Store, incident: Incident) -> list[float]:
    """The hours with the most failures, the earliest of those with as many."""
    failures = Counter(
        float(at // HOUR * HOUR)
        for votes in votes_behind(store, incident, inf if incident.end is None else incident.end)
        for at in votes.times[votes.seen].tolist()
    )
    return sorted(failures, key=lambda hour: (-failures[hour], hour))[:HOURS]


def _spared(incident: Incident, incidents: Sequence[Incident]) -> list[str]:
    """The first countries of the list in which nothing is known to have happened to its targets."""
    troubled = {other.country for other in incidents if {*other.targets} & {*incident.targets}}
    return [country for country in COUNTRIES if country not in troubled][:ASKED]


def pull_controls(
    store: Store, bucket: Bucket, wanted: Sequence[Wanted], folder: Path, now: Callable[[], float]
) -> list[PulledMeasurements]:
    """Import them, and detect.

    What cannot be listed is a failure of the last one, and ends it: the bucket is out of reach.

    Args:
        folder: for what is fetched until it is stored.
    """
    pulled: list[PulledMeasurements] = []
    try:
        for asked in wanted:
            try:
                planned = plan(bucket, asked, store.facts.pulled(SOURCE, asked.country), now())
            except FanousError as error:
                unlisted = PullPlan((), 0, (), (("raw/", str(error)),))
                return [*pulled, PulledMeasurements.begun(asked, unlisted)]
            done = PulledMeasurements.begun(asked, planned)
            for group in together(fetched(bucket, planned.objects, folder)):
                keep(store, group, done, bucket, now())
            remember(store, done, now())
            pulled.append(done)
        return pulled
    finally:
        detect_all(store)
