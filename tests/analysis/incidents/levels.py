"""Hand-made level anomalies and series; hours count from some Monday in 2023."""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from types import MappingProxyType

import numpy as np

from fanous.analysis.detectors.finding import Finding
from fanous.analysis.explanations.fall import OutageElsewhere
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.model.incident import Incident, Kind
from fanous.model.place import Place, UserWeights
from fanous.model.reason import Reason
from fanous.model.series import Anomaly, Departure, Series, SeriesKey
from tests.analysis.incidents.events import HOUR, MONDAY

STEP = 600


def key(signal: str, asn: int = 0, region: str = "") -> SeriesKey:
    return SeriesKey(Place("XA", asn, region), "", signal, source="test")


def drop(
    signal: str,
    start: float,
    end: float | None,
    *,
    left: float = 0.05,
    asn: int = 0,
    region: str = "",
    unlike: float = 1.0,
    raised: float = 0.5,
    last_seen: float | None = None,
    lasting: float | None = None,
    short: bool = False,
    step: int = STEP,
    sudden: float | None = None,
) -> Anomaly:
    """A stretch raised half an hour after it began; ``sudden``: the hour at which it fell at once."""
    seen = end if last_seen is None else last_seen
    assert seen is not None
    return Anomaly(
        key=key(signal, asn, region),
        start=MONDAY + start * HOUR,
        start_earliest=MONDAY + start * HOUR,
        start_latest=MONDAY + start * HOUR,
        end=None if end is None else MONDAY + end * HOUR,
        raised_at=MONDAY + (start + raised) * HOUR,
        last_seen=MONDAY + seen * HOUR,
        probability=0.999,
        bins=10,
        probes=0,
        controlled=0,
        departure=Departure(
            step,
            left,
            left / 2,
            min(1.0, left * 2),
            3.0,
            unlike,
            short,
            lasting is not None,
            sudden_from=None if sudden is None else MONDAY + sudden * HOUR,
            lasting_since=None if lasting is None else MONDAY + lasting * HOUR,
        ),
    )


def line(signal: str, *, asn: int = 0, region: str = "", first: float = -200, last: float = 100) -> Series:
    """A series that is measured every hour."""
    times = (MONDAY + HOUR * np.arange(first, last)).astype(np.int64)
    ones = np.ones(len(times), np.int64)
    return Series(key(signal, asn, region), 3600, times, ones.astype(float), ones, 0 * ones, 0 * ones)


def claim(
    *group: Anomaly,
    series: Sequence[Series] = (),
    weights: UserWeights | None = None,
    elsewhere: Sequence[OutageElsewhere] = (),
    kind: Kind = Kind.OUTAGE,
    season: Callable[[float], Reason | None] = lambda _: None,
    distance: Callable[[str, str], float] = lambda _, __: inf,
    mirrors: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Incident | None:
    findings = [Finding(anomaly, kind) for anomaly in sorted(group, key=lambda a: a.start)]
    setting = Setting("XA", weights, "rules", "levels")
    quantities = Quantities(series, elsewhere, season, distance=distance, mirrors=mirrors)
    return quantities.incident(findings, setting)
