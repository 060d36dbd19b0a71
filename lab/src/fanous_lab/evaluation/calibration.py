"""Calibration: are the stated confidences right?  Compares them with the truth where it is known.

There are three kinds of evidence, never mixed: runs of the lab, made-up weeks and months, and labelled real files.  The
seeds of the reported weeks were never looked at while thresholds were set.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.model.incident import Incident, Status
from fanous.model.instant import DAY, HOUR
from fanous.model.score import Calibration, Stated, calibrate
from fanous.model.series import Anomaly
from fanous.pipeline.outages import found_in
from fanous_lab.evaluation.evaluate import evaluate_corpora
from fanous_lab.evaluation.rehearsal.cases import known
from fanous_lab.evaluation.replays import PlantedLoss, struck
from fanous_lab.evaluation.simulate.series import COUNTRIES, SeriesCountry, quiet_month
from fanous_lab.evaluation.simulate.votes import WEEK_START, Trouble, Week, measured, week_of
from fanous_lab.evaluation.votes import incidents_of, stretches_of

COUNTRY = "XA"

TUNING_SEEDS = range(1000)
"""Seeds to use when changing a threshold.  The first 500 gave the rule of lost controls and the confidences."""

SPENT_SEEDS = (*range(1_000_000, 1_000_100), *range(2_000_000, 2_000_200))
"""Reported before, and since used to set something: later changes must not be reported on them."""

REPORTING_SEEDS = range(3_000_000, 3_000_200)
"""Seeds to report: disjoint from those above, and never used to set anything."""

SLACK = 1800.0
"""How far outside the restriction an anomaly may be dated and still belong to it (the detectors back-date)."""


FAULTS = {"ordinary": 0.2, "bad": 0.6}
"""Probability of a further fault of a network's own path to the site, after each that it had in a week: one in
four networks has a fault, or each has one and a half.  Which of the two a country resembles is unknown."""


def of_weeks(faults: str, seeds: Sequence[int] = REPORTING_SEEDS) -> tuple[Calibration, ...]:
    """For confirmed incidents, suspicions, and single networks' anomalies, in made-up weeks."""
    confirmed: list[Stated] = []
    suspected: list[Stated] = []
    stretches: list[Stated] = []
    for seed in seeds:
        week = week_of(seed, FAULTS[faults])
        votes, elsewhere = measured(week, seed)
        stretches += [Stated(a.probability, _is_real(a, week)) for a in stretches_of(votes, COUNTRY)]
        incidents = incidents_of(votes, elsewhere, COUNTRY, None)
        for incident in incidents:
            if incident.status is not Status.RETRACTED:
                kind = suspected if incident.confirmed_at is None else confirmed
                kind.append(Stated(incident.confidence, _tells_of(incident, week)))
    remark = f"{len(seeds)} made-up weeks, seeds {min(seeds)} on; the same people imagined both sides"
    return (
        calibrate(f"generated, {faults} weeks: confirmed incidents", confirmed, remark),
        calibrate(f"generated, {faults} weeks: incidents never confirmed", suspected, remark),
        calibrate(
            f"generated, {faults} weeks: stretches of single networks, before any rule", stretches, remark
        ),
    )


SERIES_SEEDS = range(5000, 5012)
"""Months to report, never used to set anything: 3000 to 3017 gave the confidence of one family of series
(``outage.ONE_FAMILY``), and older detectors were reported on 4000 to 4011."""

LOSSES = (0.15, 0.9)
HOURS = (3, 6, 24, 72)
"""One month in two has a loss: of so much, in one family alone, for so long."""


def of_series() -> Calibration:
    """For outages that one family of series shows, in made-up months of eight sorts of countries."""
    claims = [claim for seed in SERIES_SEEDS for country in COUNTRIES for claim in _month(country, seed)]
    seeds = f"{len(SERIES_SEEDS)} seeds from {min(SERIES_SEEDS)}"
    remark = f"{seeds}, {len(COUNTRIES)} countries each; one month in two has a loss"
    return calibrate("generated months: outages shown by one family of series", claims, remark)


def _month(country: SeriesCountry, seed: int) -> Iterator[Stated]:
    chance = np.random.default_rng((99, seed, country.blocks))
    series = quiet_month(country, seed)
    loss = None
    if chance.random() < 0.5:
        signal = str(chance.choice(["ping-slash24", "gtr"]))
        start = float(series[0].times[0]) + chance.uniform(15, 30) * DAY
        end = start + float(chance.choice(HOURS)) * HOUR
        loss = PlantedLoss((signal,), float(chance.uniform(*LOSSES)), start, end)
        series = [struck(whole, loss) if whole.key.signal == signal else whole for whole in series]
    setting = Setting(series[0].key.place.country, None, "", "")
    for incident in found_in(Quantities(series), setting):
        if incident.confirmed_at is None and len(incident.evidence.families) == 1:
            yield Stated(incident.confidence, loss is not None and incident.is_on(loss.start, loss.end))


SHORT_SEEDS = range(6000, 6040)
"""Weeks with a short history to report, never used to set anything."""

KNOWN_DAYS = (2, 6)
"""Days that are known before a loss; a level is compared with nothing before there are two."""


def of_short_histories(seeds: Sequence[int] = SHORT_SEEDS) -> Calibration:
    """For outages that two families confirm, where less than a week is known before."""
    claims = [claim for seed in seeds for country in COUNTRIES for claim in _few_days(country, seed)]
    remark = f"{len(seeds)} seeds from {min(seeds)}, {len(COUNTRIES)} countries each; one in two has a loss"
    return calibrate("generated days: confirmed outages with less than a week of history", claims, remark)


def _few_days(country: SeriesCountry, seed: int) -> Iterator[Stated]:
    chance = np.random.default_rng((98, seed, country.blocks))
    series = quiet_month(country, seed, days=12)
    start = float(series[0].times[0]) + chance.uniform(7, 9) * DAY
    since = start - chance.uniform(*KNOWN_DAYS) * DAY
    end = start + float(chance.choice(HOURS)) * HOUR
    loss = PlantedLoss(("ping-slash24", "gtr"), float(chance.uniform(*LOSSES)), start, end)
    is_lost = chance.random() < 0.5
    series = [(struck(s, loss) if is_lost and s.key.signal in loss.signals else s) for s in series]
    series = [s.where(s.times >= since) for s in series]
    setting = Setting(series[0].key.place.country, None, "", "")
    for incident in found_in(Quantities(series), setting):
        if incident.confirmed_at is not None:
            yield Stated(incident.confidence, is_lost and incident.is_on(start, end))


def of_lab(table: Path) -> Calibration:
    """For the incidents in the lab's truth table."""
    results = [result for result in known(table) if result.kept_up]
    claims = [Stated(*claim) for result in results for claim in result.claims or ()]
    without = sum(result.claims is None for result in results)
    remark = f"{without} of {len(results)} results predate the recording of confidences" if without else ""
    return calibrate("lab runs", claims, remark)


def of_corpora(folders: Sequence[Path], shared: Path | None) -> Iterator[Calibration]:
    """For what is found in each labelled corpus."""
    for evaluation in evaluate_corpora(folders, shared):
        remark = f"not judged: {', '.join(evaluation.missing)} missing" if evaluation.missing else ""
        yield calibrate(f"corpus: {evaluation.title}", evaluation.stated, remark)


def _is_real(anomaly: Anomaly, week: Week) -> bool:
    start, end = anomaly.start_latest, anomaly.last_seen
    return any(_overlaps(start, end, r, {anomaly.key.place.asn}) for r in week.restrictions)


def _tells_of(incident: Incident, week: Week) -> bool:
    """Is a network that it names really restricted at some time that it states?"""
    return any(
        _overlaps(interval.start, interval.until, restriction, {network.asn})
        for network in incident.networks
        for interval in network.intervals
        for restriction in week.restrictions
    )


def _overlaps(start: float, end: float, trouble: Trouble, asns: set[int]) -> bool:
    begun, over = WEEK_START + trouble.start * HOUR - SLACK, WEEK_START + trouble.end * HOUR + SLACK
    return bool(asns & trouble.networks) and start < over and end > begun
