"""Vantage points: on which networks measurements would settle a suspicion, and how someone there can make them.

If coverage is what is missing, that is worth saying: an incident that stays suspected because too few measured it
lists the country's largest networks with too few measurements.  Nothing is pushed to volunteers.

An OONI Run link opens the app OONI Probe with these URLs.  Its form is that of ooni/probe-cli at 7cb22410,
internal/oonirun/v1.go (``v1Measure``).
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from fanous.analysis.incidents.confirm import PROBES
from fanous.model.incident import Incident, Status
from fanous.model.instant import DAY
from fanous.refdata.networks import network_name
from fanous.refdata.platforms import target_of
from fanous.refdata.targets import target_list
from fanous.refdata.users import user_weights
from fanous.store.protocol import Store

WANTED = ("lacks.network", "lacks.probes", "lacks.distinct", "lacks.duration")
"""Reasons that more vantage points would settle."""

LEAST_SHARE = 0.005
"""Share of a country's users below which a network says too little about the country."""

MOST_NAMED = 5
MOST_URLS = 4

BEFORE = DAY
"""Seconds before the onset from which measurements count: without them, nothing is known to have changed."""


@dataclass(frozen=True, slots=True)
class LackingNetwork:
    """A network on which too few measured.

    Attributes:
        share: share of the country's users; ``None`` = no user figures are known.
        measurements: number of measurements of the incident's targets, from a day before it began.
    """

    asn: int
    name: str
    share: float | None
    measurements: int


@dataclass(frozen=True, slots=True)
class Lacking:
    """What would settle a suspicion.

    Attributes:
        networks: largest first; empty = nothing is lacking, or nothing is known about the country's networks.
        urls: URLs to measure.
        run_link: opens OONI Probe with them.
        command: measures them with the light probe, on the largest of the networks.
    """

    networks: tuple[LackingNetwork, ...] = ()
    urls: tuple[str, ...] = ()
    run_link: str = ""
    command: str = ""


def lacking(store: Store, incident: Incident) -> Lacking:
    """What is lacking; nothing unless the incident is suspected and more vantage points would settle it."""
    codes = {reason.code for reason in incident.reasons}
    if incident.is_provisional:  # the missing measurements may be on their way
        return Lacking()
    if incident.status is not Status.SUSPECTED or not codes & set(WANTED) or not incident.targets:
        return Lacking()
    facts, since = store.of(incident.provenance).facts, incident.onset - BEFORE
    end = incident.intervals[-1].end if incident.intervals else None
    until = store.now() if end is None else end
    made: Counter[int] = Counter()
    for one in facts.outcomes(incident.country, since, until, incident.targets, [since]):
        made[one.asn] += one.made
    weights = user_weights(incident.country)
    shares: dict[int, float | None] = (
        {one.asn: one.share for one in weights.networks if one.share >= LEAST_SHARE}
        if weights is not None
        else dict.fromkeys(facts.networks(incident.country))
    )
    few = [
        LackingNetwork(asn, network_name(asn), share, made[asn])
        for asn, share in shares.items()
        if made[asn] < PROBES
    ]
    few.sort(key=lambda one: (-(one.share or 0.0), one.asn))
    urls = urls_of(incident.targets)
    if not few:
        return Lacking()
    asked = " ".join(f"-i {url}" for url in urls)
    command = f"fanous probe run {asked} --country {incident.country} --asn {few[0].asn} --collector URL"
    return Lacking(tuple(few[:MOST_NAMED]), urls, run_link(urls), command)


def urls_of(targets: Sequence[str]) -> tuple[str, ...]:
    """One URL per target: from the list of platforms, or the site itself."""
    listed = {target_of(urlsplit(url).hostname or ""): url for url in reversed(target_list("social").urls)}
    return tuple(listed.get(target, f"https://{target}/") for target in targets)[:MOST_URLS]


def run_link(urls: Sequence[str]) -> str:
    """An OONI Run link."""
    arguments = json.dumps({"urls": list(urls)}, separators=(",", ":"))
    query = urlencode({"mv": "1.2.0", "tn": "web_connectivity", "ta": arguments})
    return f"https://run.ooni.io/nettest?{query}"
