"""Quiet: months of made-up countries in which nothing was cut, and what is nevertheless claimed about them.

    python -m benchmarks.quiet [--first SEED] [--months N]

Prints false claims a country-month, and how often 30 % lost for 3 hours at a random moment of each month is
reported. The countries (``fanous_lab.evaluation.simulate.series``) share no module and no figure with the detector.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fanous.analysis.detectors.drop import DROP
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.model.incident import Incident
from fanous.model.series import Series
from fanous.pipeline.outages import outages_of
from fanous_lab.evaluation.simulate.series import COUNTRIES, DAY_SECONDS, FIRST, SeriesCountry, quiet_month

MONTH = 30.44
DAYS = 35
LOST, HOURS = 0.3, 3
STRUCK = ("ping-slash24", "gtr")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--first", type=int, default=100)
    options.add_argument("--months", type=int, default=30)
    chosen = options.parse_args()
    seeds = range(chosen.first, chosen.first + chosen.months)
    print(f"{'country':32}{'confirmed':>10}{'suspected':>10}{'worst':>6}   told: {', '.join(STRUCK)}")
    for country in COUNTRIES:
        _report(country, seeds)


def _report(country: SeriesCountry, seeds: range) -> None:
    months = {seed: quiet_month(country, seed, DAYS) for seed in seeds}
    found = {seed: _claims(series) for seed, series in months.items()}
    confirmed = [sum(i.confirmed_at is not None for i in claims) for claims in found.values()]
    suspected = [len(claims) - sure for claims, sure in zip(found.values(), confirmed, strict=True)]
    exposure = len(seeds) * DAYS / MONTH
    told = [np.mean([_told(series, name, seed) for seed, series in months.items()]) for name in STRUCK]
    rates = f"{sum(confirmed) / exposure:10.2f}{sum(suspected) / exposure:10.2f}{max(suspected):6}"
    print(f"{country.name:32}{rates}   " + "  ".join(f"{share:.2f}" for share in told))


def _claims(series: Sequence[Series]) -> list[Incident]:
    return outages_of(DROP.found(series), Quantities(series), Setting("XA", None, "", ""))


def _told(series: Sequence[Series], signal: str, seed: int) -> bool:
    chance = np.random.default_rng(seed)
    start = FIRST + int(chance.uniform(14, DAYS - 2) * DAY_SECONDS) // 1800 * 1800
    end = start + HOURS * 3600
    struck = [
        replace(s, values=np.where((s.times >= start) & (s.times < end), s.values * (1 - LOST), s.values))
        if s.key.signal == signal
        else s
        for s in series
    ]
    return any(i.onset < end and (i.end is None or i.end > start) for i in _claims(struck))


if __name__ == "__main__":
    main()
