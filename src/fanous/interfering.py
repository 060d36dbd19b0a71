"""Interfering: what measurements in the store say -> incidents of blocking, throttling and silence."""

from collections.abc import Sequence

from fanous.detectors import DETECTOR_VERSION, DETECTORS
from fanous.incidents.correlate import Finding, correlate
from fanous.incidents.lifecycle import Setting, incident_of
from fanous.judging import rules_version
from fanous.model.alternatives import NONE_KNOWN, Alternatives
from fanous.model.entity import Family
from fanous.model.incident import Incident, Interval
from fanous.model.weights import UserWeights
from fanous.silence import Window, silence_series, silence_votes
from fanous.store import Store

DAY = 86400.0

FAMILY_OF: dict[str, Family] = {"edge": Family.EDGE, "ooni": Family.OONI, "ooni-csv": Family.OONI}
"""Which family each connector's measurements belong to."""

TICK = 600
"""Bin width in seconds: coarse ticks lose short sessions (an hour is the most that may be used)."""

ONSET_SPREAD = 3600.0
ONSET_BASELINE = 7 * DAY
"""Around an onset here: what began to fail elsewhere within the hour began at the same time, if it had
worked there in the week before."""


def find_interference(
    store: Store, country: str, since: float, until: float, shares: UserWeights | None
) -> list[Incident]:
    """The incidents that the measurements of a window amount to, probes' silence among them."""
    beats = store.looks(since, until)
    series = store.series(country, since, until, TICK)
    series += silence_series(beats, country, Window(since, until, TICK))
    findings = [
        Finding(anomaly, detector.kind)
        for detector in DETECTORS.values()
        for anomaly in detector.find(
            [s for s in series if s.key.signal in detector.signals], detector.options
        )
        if anomaly.probability >= detector.options.suspect_at
    ]
    if not findings:
        return []
    targets = sorted({finding.anomaly.key.target for finding in findings})
    votes = store.votes(country, since, until, targets)
    elsewhere = store.working_elsewhere(country, since, until, targets)
    setting = Setting(country, FAMILY_OF, shares, rules_version(), DETECTOR_VERSION)
    here, there = votes.by_target(), elsewhere.by_target()
    silent = silence_votes(beats, country, TICK)
    incidents = []
    for group in correlate(findings):
        own = {finding.anomaly.key.target for finding in group}
        is_silence = own == {""}
        known = NONE_KNOWN if is_silence else alternatives(store, country, group)
        ours = silent if is_silence else votes.of(own, here)
        incidents.append(incident_of(group, ours, elsewhere.of(own, there), setting, known))
    return incidents


def alternatives(store: Store, country: str, group: Sequence[Finding]) -> Alternatives:
    """What the store knows for other explanations of a group of findings."""
    targets = sorted({finding.anomaly.key.target for finding in group})
    asns = sorted({finding.anomaly.key.entity.asn for finding in group})
    stretches = [Interval(f.anomaly.start_latest, f.anomaly.last_seen) for f in group]
    onset = min(finding.anomaly.start for finding in group)
    return Alternatives(
        tuple(store.onsets_elsewhere(country, targets, onset, ONSET_SPREAD, ONSET_BASELINE)),
        tuple(store.software(country, targets, asns, stretches)),
    )
