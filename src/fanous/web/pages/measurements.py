"""Measurements: the measurements that an incident rests on, each with its verdicts."""

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from fanous.errors import FanousError
from fanous.model.incident import Incident
from fanous.model.measurement import Observation, Record, shown_name, shown_url
from fanous.pipeline.interference import votes_behind
from fanous.publish.edition import oldest, stories
from fanous.publish.evidence.pack import source_terms
from fanous.publish.evidence.redact import redact_one
from fanous.store.archive import Reference
from fanous.store.facts import StoredMeasurement
from fanous.store.protocol import Store
from fanous.web.answers import JSON, Reply, Visit
from fanous.web.pages.incident import incident_asked
from fanous.web.routes import Facts, page, resource

A_PAGE = 100
"""Measurements per page."""

MOST_OBSERVATIONS = 80
OONI = "https://explorer.ooni.org/m/"
"""OONI's page of a measurement, followed by its uid."""


@dataclass(frozen=True, slots=True)
class MeasurementSeen:
    """One measurement that saw an incident.

    Attributes:
        targets: that failed in it; an empty one is the line itself.
        mechanism: of the most severe verdict; empty = unknown.
    """

    uid: str
    at: float
    asn: int
    targets: tuple[str, ...]
    mechanism: str


WHICH_PAGE = {"page": "[1-9][0-9]{0,4}"}


@page("/{country:country}/{id:incident}/measurements", "measurements.html", asks=WHICH_PAGE)
def measurements_facts(store: Store, visit: Visit) -> Facts | None:
    """A page of the list, oldest first."""
    incident = incident_asked(store, visit)
    return None if incident is None else listed_facts(store, incident, visit)


def listed_facts(store: Store, incident: Incident, visit: Visit) -> Facts | None:
    """A page of the list of an incident, which the desk also has for one that readers do not see."""
    (story,) = stories(store, [incident])
    every, until = those_that_saw(store, incident, visit.now)
    page = int(visit.asked.get("page", "1")) - 1
    if page and page * A_PAGE >= len(every):
        return None
    return {
        "story": story,
        "incident": incident,
        "names": story.names,
        "seen": every[page * A_PAGE : (page + 1) * A_PAGE],
        "total": len(every),
        "page": page,
        "pages": -(-len(every) // A_PAGE),
        "cut": until if incident.end is None or until < incident.end else None,
    }


def those_that_saw(store: Store, incident: Incident, now: float) -> tuple[list[MeasurementSeen], float]:
    """The measurements that the incident's figures count, oldest first, and the end of the time searched."""
    store = store.of(incident.provenance)
    end = now + 1 if incident.end is None else incident.end
    until = oldest(store.facts.volume(incident.country, incident.onset, end), incident.onset, end)
    seen: dict[str, MeasurementSeen] = {}
    for votes in votes_behind(store, incident, until):
        columns = (votes.uids, votes.times, votes.asns, votes.targets, votes.mechanisms)
        for uid, at, asn, target, mechanism in zip(*(column.tolist() for column in columns), strict=True):
            seen_by = seen.get(uid, MeasurementSeen(uid, at, asn, (), ""))
            targets = seen_by.targets if target in seen_by.targets else (*seen_by.targets, target)
            seen[uid] = replace(seen_by, targets=targets, mechanism=seen_by.mechanism or mechanism)
    return sorted(seen.values(), key=lambda seen_by: seen_by.at), until


def measured(store: Store, uid: str) -> StoredMeasurement | None:
    """The measurement of this uid; a real one takes precedence over a synthetic one."""
    real, synthetic = store.sides()
    return real.facts.measurement(uid) or synthetic.facts.measurement(uid)


def shown_place(seen: Observation, asked: str) -> str:
    """What was contacted; of a URL that was not asked for, no more than the host."""
    return shown_url(seen.url, asked) or shown_name(seen.hostname) or seen.ip


@page("/measurement/{uid:uid}", "measurement.html")
def measurement_facts(store: Store, visit: Visit) -> Facts | None:
    """One measurement: where and when, each verdict with its rule, and each observation."""
    stored = measured(store, visit.asked["uid"])
    if stored is None:
        return None
    store = store.of(stored.provenance)
    country = stored.measurement.country
    observations = store.facts.observations(stored.measurement.uid)
    return {
        "stored": stored,
        "staged": store.is_synthetic,
        "one": stored.measurement,
        "verdicts": store.facts.verdicts(stored.measurement.uid),
        "observations": [
            (shown_place(observation, stored.measurement.input), observation)
            for observation in observations[:MOST_OBSERVATIONS]
        ],
        "more": max(0, len(observations) - MOST_OBSERVATIONS),
        "names": store.facts.networks(country),
        "licence": source_terms(stored.source),
        "explorer": OONI + stored.measurement.uid if stored.source == "ooni" else "",
    }


@resource("/measurement/{uid:uid}.json")
def measurement_json(store: Store, visit: Visit) -> Reply | None:
    """The raw record in redacted form: cut to the minute, without addresses of people."""
    stored = measured(store, visit.asked["uid"])
    if stored is None:
        return None
    document: dict[str, Any] = {
        "provenance": str(stored.provenance),
        "licence": source_terms(stored.source),
        "measurement_uid": stored.measurement.uid,
    }
    try:
        raw = store.archive.read(stored.location)
        if isinstance(raw, Reference):
            there = {"object": raw.object, "line": raw.line, "sha256": raw.digest}
            return Reply.of(msgspec.json.encode(document | {"record": None, "reference": there}), JSON)
        record = redact_one(Record(stored.source, raw))
    except FanousError:
        return None
    if not record.is_json:
        return Reply.of(record.data, "text/plain; charset=utf-8")
    return Reply.of(msgspec.json.encode(document | {"record": msgspec.Raw(record.data)}), JSON)
