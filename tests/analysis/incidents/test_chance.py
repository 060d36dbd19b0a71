"""Networks that blip at the same time by chance are not one event, and a low table of a sliver raises no suspicion."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.hints import hints
from fanous.analysis.incidents.outage import Quantities
from fanous.model.incident import Incident, Interval
from fanous.model.instant import HOUR
from fanous.model.place import Place
from fanous.model.series import Series
from fanous.pipeline.outages import found_in
from tests.analysis.detectors.quantity_series import cut, daily, key, replaced

SIX_HOURS = 21600


def routes(asn: int, blocks: int, *, step: int = SIX_HOURS, days: int = 40) -> Series:
    """Routes of a network; 0 = the country's own."""
    one = daily(days, swing=0.0, signal="bgp", step=step)
    whole = replaced(one, one.times, np.full(len(one.times), float(blocks)))
    return replace(whole, key=key("bgp", Place("XA", asn=asn)))


def found(series: Sequence[Series]) -> list[Incident]:
    return found_in(Quantities(series), Setting("XA", None, "rules", "levels"))


def blips(step: int) -> list[Series]:
    """Twelve networks, each gone for two values, two days apart, after two weeks."""
    width = 2 * step / HOUR
    return [cut(routes(100 + n, 40, step=step), 400 + 48 * n, 400 + 48 * n + width, 0.0) for n in range(12)]


def test_networks_that_blip_all_month_and_meet_once_are_events_of_their_own() -> None:
    pair = [cut(routes(n, 40), 700, 724, 0.0) for n in (1, 2)]
    assert [one.entities for one in found(pair + blips(SIX_HOURS)) if len(one.entities) > 1] == []


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
    assert "hint.same_hours" not in {hint.code for one in incidents for hint in one.hints}


@pytest.mark.parametrize(
    ("hours", "is_curfew"), [((0, 24, 48, 72), True), ((0, 31, 45, 77), False), ((0, 1, 2, 3), False)]
)
def test_sessions_are_said_to_be_at_the_same_hours_only_if_they_were(
    hours: tuple[int, ...], is_curfew: bool
) -> None:
    lasts = (3000.0, 1800.0, 2400.0, 3300.0)
    spans = [Interval(HOUR * at, HOUR * at + last) for at, last in zip(hours, lasts, strict=True)]
    codes = {hint.code for hint in hints((), spans, ())}
    assert ("hint.same_hours" in codes) is is_curfew


def test_the_time_of_all_series_is_what_rates_are_of() -> None:
    """In ten days without another fall, two that fall in one table are still no chance."""
    pair = [cut(routes(n, 40, days=10), 192, 216, 0.0) for n in (1, 2)]
    assert [one.entities for one in found(pair)] == [("AS1", "AS2")]
