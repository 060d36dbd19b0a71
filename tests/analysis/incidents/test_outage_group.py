"""Which stretches of level series are one outage."""

from itertools import combinations

import numpy as np

from fanous.analysis.detectors.finding import Finding
from fanous.analysis.incidents.assemble import events, of_quantities, without_duplicates
from fanous.model.incident import Kind
from fanous.model.series import Anomaly
from tests.analysis.incidents.levels import drop
from tests.each import each

AP, GTR = "ping-slash24", "gtr"


def outages(anomalies: list[Anomaly]) -> list[list[Anomaly]]:
    found = events([Finding(one, Kind.OUTAGE) for one in anomalies], of_quantities)
    return [[one.anomaly for one in event] for event in found]


@each(
    ("anomalies", "sizes"),
    [
        ([drop(AP, 0, 2), drop(AP, 5, 7)], [2]),  # it never settled
        ([drop(AP, 0, 2), drop(AP, 12, 14)], [1, 1]),
        ([drop(AP, 24 * n + n % 2, 24 * n + 8) for n in range(5)], [5]),  # a curfew
        ([drop(AP, 1, 8), drop(AP, 28, 32)], [2]),  # it ends at the same hour
        ([drop(AP, 1, 8), drop(AP, 29, 40)], [1, 1]),
        ([drop(AP, 0, 8), drop(AP, 24 * 4.5, 24 * 5)], [1, 1]),
        ([drop(AP, 0, 5), drop(GTR, 2, 7)], [2]),
        ([drop(AP, 0, 5), drop(GTR, 24, 29)], [1, 1]),  # another source on the next day
        ([drop(AP, 0, 20), drop(AP, 15, 20, region="XA-A")], [2]),  # a part falls while the country is down
        ([drop(AP, 0, 20, region="XA-A"), drop(AP, 15, 20)], [1, 1]),  # it had fallen long before
        ([drop(AP, 0, 20, region="XA-A"), drop(AP, 4, 20)], [2]),
        ([drop(AP, 0, 20, region="XA-A"), drop(AP, 4, 20, region="XA-B")], [2]),
        ([drop(AP, 0, 20, region="XA-A"), drop(AP, 8, 20, region="XA-B")], [1, 1]),
        ([drop(AP, 0, None, last_seen=3), drop(GTR, 90, 95)], [2]),  # it goes on
    ],
)
def test_stretches_are_one_event_where_one_order_would_explain_them(
    anomalies: list[Anomaly], sizes: list[int]
) -> None:
    assert [len(group) for group in outages(anomalies)] == sizes


def by_all_pairs(anomalies: list[Anomaly]) -> list[list[Anomaly]]:
    """The same from every pair of two that are one event."""
    ordered = sorted(anomalies, key=lambda a: a.start)
    event = list(range(len(ordered)))
    for one, other in combinations(range(len(ordered)), 2):
        if of_quantities(ordered[one], ordered[other]):
            first, second = sorted((event[one], event[other]))
            event = [first if name == second else name for name in event]
    return [[a for a, own in zip(ordered, event, strict=True) if own == name] for name in sorted(set(event))]


@each("seed", range(20))
def test_events_are_those_of_all_pairs(seed: int) -> None:
    chance = np.random.default_rng(seed)
    several = 0
    for _ in range(30):
        group = []
        for _ in range(int(chance.integers(1, 14))):
            start, lasts = float(chance.integers(0, 150)), float(chance.integers(1, 20))
            open_ = chance.random() < 0.05
            group.append(
                drop(
                    str(chance.choice([AP, GTR])),
                    start,
                    None if open_ else start + lasts,
                    asn=int(chance.integers(0, 4)),
                    last_seen=start + lasts,
                )
            )
        found = outages(group)
        assert [list(map(id, one)) for one in found] == [list(map(id, one)) for one in by_all_pairs(group)]
        several += 1 < len(found) < len(group)
    assert several > 10


@each(
    ("network", "country", "events_told"),
    [
        ((0, 48), (8, 48), 1),  # an operator that went dark at noon, hours before its country
        ((0, 40), (20, 40), 2),  # half of its time it was alone
        ((0, 40), (50, 90), 2),
        ((0, 200), (20, 60), 2),  # it had been dark for days
    ],
)
def test_an_operator_that_was_down_at_the_hours_of_its_country_is_no_second_event(
    network: tuple[float, float], country: tuple[float, float], events_told: int
) -> None:
    one, whole = drop(AP, *network, asn=1), drop(AP, *country)
    found = without_duplicates([[Finding(one, Kind.OUTAGE)], [Finding(whole, Kind.OUTAGE)]])
    assert len(found) == events_told
    assert {f.anomaly.key for group in found for f in group} == {one.key, whole.key}


def test_networks_without_a_country_are_left_as_they_are() -> None:
    groups = [[Finding(drop(AP, 0, 40, asn=asn), Kind.OUTAGE)] for asn in (1, 2)]
    assert without_duplicates(groups) == groups
