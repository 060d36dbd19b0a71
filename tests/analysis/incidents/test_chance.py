"""Networks that blip at the same time by chance are not one event, and a low table of a sliver raises no suspicion."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fanous.analysis.detectors.finding import Finding
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.chance import Chance
from fanous.analysis.incidents.hints import hints
from fanous.analysis.incidents.outage import Quantities
from fanous.model.incident import Incident, Interval, Kind
from fanous.model.instant import HOUR
from fanous.model.place import Access, NetworkWeight, Place, UserWeights
from fanous.model.series import Anomaly, Series
from fanous.pipeline.outages import found_in
from fanous.refdata import upstreams
from tests.analysis.detectors.quantity_series import cut, daily, key, replaced
from tests.analysis.incidents.levels import drop
from tests.each import each

SIX_HOURS = 21600
BGP = "bgp"


def routes(asn: int, blocks: int, *, step: int = SIX_HOURS, days: int = 40) -> Series:
    """Routes of a network; 0 = the country's own."""
    one = daily(days, swing=0.0, signal="bgp", step=step)
    whole = replaced(one, one.times, np.full(len(one.times), float(blocks)))
    return replace(whole, key=key("bgp", Place("XA", asn=asn)))


def found(series: Sequence[Series], weights: UserWeights | None = None) -> list[Incident]:
    return found_in(Quantities(series), Setting("XA", weights, "rules", "levels"))


def blips(step: int) -> list[Series]:
    """Twelve networks, each gone for two values, two days apart, after two weeks."""
    width = 2 * step / HOUR
    return [cut(routes(100 + n, 40, step=step), 400 + 48 * n, 400 + 48 * n + width, 0.0) for n in range(12)]


def test_networks_that_blip_all_month_and_meet_once_are_events_of_their_own() -> None:
    pair = [cut(routes(n, 40), 700, 724, 0.0) for n in (1, 2)]
    assert [one.entities for one in found(pair + blips(SIX_HOURS)) if len(one.entities) > 1] == []


@pytest.fixture
def forgetful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A data folder of its own, whose table of upstreams is forgotten afterwards."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    yield
    upstreams.installed.cache_clear()


@each(
    ("behind", "operators", "together"),
    [
        ({1: 9, 2: 9}, {}, True),
        ({1: 2}, {}, True),
        ({1: 8, 2: 7, 8: 9, 7: 9}, {}, True),  # one further out
        ({1: 9, 2: 8}, {}, False),
        ({1: 9, 3: 9}, {1: "One", 3: "One"}, False),
        ({1: 9}, {2: "Two", 9: "Two"}, True),  # behind a network of its operator
        ({1: 9, 2: 9}, {1: "One", 30: "One"}, False),  # the operator's other network stands behind no one
        ({1: 2, 2: 1}, {}, False),  # of a damaged table
    ],
)
def test_networks_behind_one_upstream_count_once(
    forgetful: None, behind: dict[int, int], operators: dict[int, str], *, together: bool
) -> None:
    upstreams.install(behind, "a test", 0.0)
    upstreams.installed.cache_clear()
    weights = None
    if operators:
        networks = tuple(NetworkWeight(asn, 0.2, Access.ANY, name) for asn, name in operators.items())
        weights = UserWeights("XA", networks, 0.1, "a test")
    pair = [cut(routes(n, 40), 700, 724, 0.0) for n in (1, 2)]
    several = [one.entities for one in found(pair + blips(SIX_HOURS), weights) if len(one.entities) > 1]
    assert several == ([("AS1", "AS2")] if together else [])


def test_many_networks_that_fall_together_are_one_event_however_many_blip() -> None:
    many = [cut(routes(n, 40), 700, 724, 0.0) for n in range(1, 7)]
    together = [one.entities for one in found(many + blips(SIX_HOURS)) if len(one.entities) > 1]
    assert [len(entities) for entities in together] == [6]


def test_two_networks_that_fall_within_minutes_are_one_event() -> None:
    pair = [cut(routes(n, 40, step=600), 700, 724, 0.0) for n in (1, 2)]
    together = [one for one in found(pair + blips(600)) if len(one.entities) > 1]
    assert [one.entities for one in together] == [("AS1", "AS2")]


@pytest.mark.parametrize(("country", "incidents"), [(10_000, 0), (4, 1)])
def test_one_low_table_matters_where_the_network_is_large_for_its_country(
    country: int, incidents: int
) -> None:
    network = cut(routes(1, 4), 700, 706, 0.0)
    assert len(found([network, routes(0, country)])) == incidents
    assert len(found([cut(routes(1, 4), 700, 712, 0.0), routes(0, country)])) == 1, "two are enough"


def test_tables_of_every_six_hours_show_no_curfew() -> None:
    nights = routes(1, 40)
    for night in range(4):
        nights = cut(nights, 700 + 24 * night, 712 + 24 * night, 0.0)
    incidents = found([nights])
    assert len(incidents) == 4
    assert {hint.code for one in incidents for hint in one.hints} == set()


@pytest.mark.parametrize(
    ("hours", "is_curfew"), [((0, 24, 48, 72), True), ((0, 31, 45, 77), False), ((0, 1, 2, 3), False)]
)
def test_sessions_are_said_to_be_at_the_same_hours_only_if_they_were(
    hours: tuple[int, ...], is_curfew: bool
) -> None:
    lasts = (3000.0, 1800.0, 2400.0, 3300.0)
    spans = [Interval(HOUR * at, HOUR * at + last) for at, last in zip(hours, lasts, strict=True)]
    codes = {hint.code for hint in hints((), spans, ())}
    assert (codes >= {"hint.same_start", "hint.same_end"}) is is_curfew
    assert is_curfew or not codes


@pytest.mark.parametrize(("days", "entities"), [(20, [("AS1", "AS2")]), (10, [("AS1",), ("AS2",)])])
def test_the_time_of_all_series_is_what_rates_are_of(days: int, entities: list[tuple[str, ...]]) -> None:
    """One fall in twenty days is rare enough for two in one table to be one event; one in ten days is not."""
    start = 24.0 * (days - 2)
    pair = [cut(routes(n, 40, days=days), start, start + 24, 0.0) for n in (1, 2)]
    assert [one.entities for one in found(pair)] == entities


def test_networks_of_one_operator_are_one_witness() -> None:
    """Three networks meet in one table: three of three operators are no chance, three of one are with the fourth."""
    falling = [cut(routes(n, 40), 700, 724, 0.0) for n in (1, 2, 3)]
    quiet = blips(SIX_HOURS)[:4]
    shared = [NetworkWeight(asn, 0.1, Access.ANY, "one") for asn in (1, 2, 3)]
    own = [NetworkWeight(asn, 0.1, Access.ANY, f"of {asn}") for asn in (1, 2, 3)]
    fourth = cut(routes(4, 40), 700, 724, 0.0)
    for networks, count in ((own, 4), (shared, 3)):
        weights = UserWeights("XA", tuple(networks), 0.3, "a test")
        sizes = sorted(len(one.networks) for one in found([*falling, fourth, *quiet], weights))
        assert sizes[-1] == count


def test_networks_whose_bins_only_touch_were_never_down_together() -> None:
    pair = [cut(routes(1, 40, step=600), 700, 701, 0.0), cut(routes(2, 40, step=600), 701, 702, 0.0)]
    assert [one.entities for one in found(pair)] == [("AS1",), ("AS2",)]
    overlap = [pair[0], cut(routes(2, 40, step=600), 700.5, 702, 0.0)]
    assert [set(one.entities) for one in found(overlap)] == [{"AS1", "AS2"}]


def flapping(*starts: float) -> Series:
    """Down for about an hour from each of these."""
    one = routes(1, 40, step=600)
    for n, start in enumerate(starts):
        one = cut(one, start, start + 1 + n % 3 / 3, 0.0)
    return one


@pytest.mark.parametrize(
    ("starts", "sessions"),
    [
        ((700, 724, 748), [3]),  # to the minute
        ((700, 724.5, 747.8, 772.2), [4]),  # an hour apart, but on four days
        ((700, 725.6), [1, 1]),  # two that happen to be near
    ],
)
def test_sessions_are_one_event_if_chance_does_not_bring_them_to_the_same_hours(
    starts: tuple[float, ...], sessions: list[int]
) -> None:
    incidents = found([flapping(*starts)])
    assert [len(one.intervals) for one in incidents] == sessions


def test_what_chance_makes_up_is_counted_in_the_networks_own_falls() -> None:
    """Each of thirty falls once, at any of 400 instants: 435 pairs meet once in 400 times."""
    falls = [Finding(_of_tables(drop(BGP, 6 * n, 6 * n + 12, asn=1 + n)), Kind.OUTAGE) for n in range(30)]
    chance = Chance(falls, 400 * SIX_HOURS)
    met = chance.groups(2, 0) * chance.seconds / (30 * 24 * HOUR)
    assert met == pytest.approx(435 / 400, rel=0.2)
    assert chance.groups(3, 0) < chance.groups(2, 0) < chance.groups(2, SIX_HOURS)
    assert chance.groups(20, 0) == 0 == Chance([], 400 * SIX_HOURS).groups(2, 0)


def _of_tables(anomaly: Anomaly) -> Anomaly:
    assert anomaly.departure is not None
    return replace(anomaly, departure=replace(anomaly.departure, step=SIX_HOURS))
