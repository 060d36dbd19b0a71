"""RIPE Atlas' connections: how many probes of a country are connected, and what a failing controller does not say."""

import json
from typing import Any

import pytest

from fanous.analysis.incidents.confirm import OUTAGE_FAMILIES
from fanous.analysis.series.signals import SIGNALS
from fanous.errors import Rejected
from fanous.model.place import Family
from fanous.pipeline.pull import fetch
from fanous.sources.connector import Query
from fanous.sources.fetch import Polite
from fanous.sources.publishers import LIVE_SOURCES, SOURCES
from fanous.sources.remote.atlas import (
    BURST_LEAST,
    FAILED_NETWORKS,
    FAILED_PROBES,
    LEAST_NETWORKS,
    LEAST_PROBES,
    MASKED,
    STEP,
    Event,
    failed_controllers,
)
from tests.each import each
from tests.sources.remote.fake_atlas import (
    ABANDONED,
    CONNECTED,
    DISCONNECTED,
    PROBES,
    atlas,
    atlas_document,
    event,
    probe,
)

T0 = 1_700_006_400
HOURS = 6 * 3600
ATLAS = LIVE_SOURCES["atlas"]


def counted(*events: Any, probes: Any = PROBES, world: Any = (), lasts: int = HOURS) -> list[float]:
    """Connected probes at the end of each bin of ten minutes."""
    parsed = ATLAS.parse(atlas_document(T0, T0 + lasts, events, probes, world), "PK", "")
    (series,) = parsed.series
    assert series.times.tolist() == list(range(T0, T0 + lasts, STEP))
    values: list[float] = series.values.tolist()
    return values


def leave(at: int, probes: range = range(1, 10), **how: Any) -> list[Any]:
    return [event(number, at, "disconnect", **how) for number in probes]


GONE = [probe(n, 100 + n % 4, DISCONNECTED, T0 + 7200) if n < 10 else PROBES[n - 1] for n in range(1, 13)]
"""Nine of twelve left two hours on, and have not come back."""


def restart(at: int, probes: int = FAILED_PROBES, networks: int = FAILED_NETWORKS, **how: Any) -> list[Any]:
    """Probes elsewhere leave a controller."""
    return [
        event(1000 + n, at + n % STEP, "disconnect", asn=3000 + n % networks, **how) for n in range(probes)
    ]


def test_without_an_event_the_list_says_it_all() -> None:
    assert counted(lasts=1800) == [12.0] * 3


def test_a_cut_lasts_until_the_probes_are_back() -> None:
    back = [event(number, T0 + 10_800, "connect") for number in range(1, 10)]
    assert counted(*leave(T0 + 7200), *back) == [12.0] * 12 + [3.0] * 6 + [12.0] * 18


def test_a_cut_that_goes_on_is_seen_to_the_end_of_the_window() -> None:
    """No event comes from probes that are cut off."""
    assert counted(*leave(T0 + 7200), probes=GONE) == [12.0] * 12 + [3.0] * 24


def test_what_happened_after_the_window_changes_nothing_in_it() -> None:
    later = [probe(n, 100 + n % 4, DISCONNECTED, T0 + HOURS + 60) for n in range(1, 13)]
    assert counted(probes=later, lasts=1800 * 12) == [12.0] * 36


def test_a_probe_of_which_nothing_is_known_is_left_out() -> None:
    """It changed its state within the window, and the log has no event of it."""
    odd = probe(99, 100, CONNECTED, T0 + 3600)
    assert counted(probes=[*PROBES, odd], lasts=7200) == [12.0] * 12


@pytest.mark.parametrize("status", [ABANDONED, {"id": 0, "name": "Never Connected"}])
def test_probes_that_no_one_uses_do_not_count(status: Any) -> None:
    assert counted(probes=[*PROBES, probe(99, 100, status)], lasts=600) == [12.0]


def test_eight_probes_on_three_networks_make_a_series() -> None:
    assert (LEAST_PROBES, LEAST_NETWORKS) == (8, 3)
    for count, networks, made in ((8, 3, True), (7, 3, False), (8, 2, False)):
        probes = [probe(number, 100 + number % networks) for number in range(1, count + 1)]
        parsed = ATLAS.parse(atlas_document(T0, T0 + 3600, (), probes), "PK", "")
        assert bool(parsed.series) is made
        assert bool(parsed.rejects) is not made
    assert parsed.rejects[0][1].startswith("8 probes on 2 networks")


def test_probes_that_were_away_for_a_month_are_not_among_them() -> None:
    away = [probe(number, 100 + number % 3, DISCONNECTED) for number in range(1, 13)]
    assert not ATLAS.parse(atlas_document(T0, T0 + 3600, (), away), "PK", "").series


def test_a_cut_does_not_end_the_series_that_shows_it() -> None:
    """The window begins long after it: none of the probes is heard of in it."""
    gone = [probe(n, 100 + n % 4, DISCONNECTED, T0 - 7 * 86_400) for n in range(1, 13)]
    assert counted(probes=gone, lasts=1200) == [0.0, 0.0]


# --- controllers ----------------------------------------------------------------------------------------


def test_a_failing_controller_does_not_disconnect_any_line() -> None:
    back = [event(number, T0 + 7200 + 1500, "connect", controller="ctr-nue16") for number in range(1, 10)]
    gone = leave(T0 + 7200)
    assert counted(*gone, *back, world=restart(T0 + 7200)) == [12.0] * 36
    assert min(counted(*gone, *back)) == 3.0
    assert min(counted(*gone, *back, world=restart(T0 + 7200, controller="ctr-sin02"))) == 3.0
    assert min(counted(*gone, *back, world=restart(T0 + 7200 + 3600))) == 3.0


def test_who_is_gone_an_hour_after_a_controller_failed_has_no_line() -> None:
    bins = counted(*leave(T0 + 7200), probes=GONE, world=restart(T0 + 7200))
    masked = MASKED // STEP
    assert bins == [12.0] * (12 + masked) + [3.0] * (24 - masked)


@pytest.mark.parametrize(
    ("probes", "networks", "failed"),
    [
        (FAILED_PROBES, FAILED_NETWORKS, True),
        (FAILED_PROBES - 1, FAILED_NETWORKS, False),
        (FAILED_PROBES, FAILED_NETWORKS - 1, False),
    ],
)
def test_a_controller_failed_where_probes_of_many_networks_left_it(
    probes: int, networks: int, failed: bool
) -> None:
    left = [
        Event(**{name: one[name] for name in Event.__struct_fields__})
        for one in restart(T0, probes, networks)
    ]
    assert bool(failed_controllers(left)) is failed


def test_the_countrys_own_probes_never_make_a_controller_fail() -> None:
    """A national cut would mask itself."""
    many = [probe(number, 100 + number % 20, DISCONNECTED, T0 + 7200) for number in range(1, 41)]
    gone = [event(number, T0 + 7200, "disconnect", asn=100 + number % 20) for number in range(1, 41)]
    kept = [probe(number, 200 + number) for number in range(50, 53)]
    assert min(counted(*gone, probes=[*many, *kept], world=gone)) == 3.0


# --- asking ---------------------------------------------------------------------------------------------


def pulled(events: Any, probes: Any = PROBES) -> tuple[list[str], list[float]]:
    """Paths that were asked for, and the values."""
    with atlas(events, probes) as (fake, _), Polite(SOURCES["atlas"], mirror=fake.address) as client:
        (found,) = fetch("atlas", Query("PK", T0, T0 + HOURS), client.get, lambda: T0 + HOURS, ())
    assert found.parsed is not None, found.why
    (series,) = found.parsed.series
    return fake.asked, series.values.tolist()


def test_an_ordinary_day_asks_for_the_countrys_probes_alone() -> None:
    asked, values = pulled([event(1, T0 + 600, "disconnect"), event(1, T0 + 1200, "connect")])
    assert values == [12.0, 11.0] + [12.0] * 34
    assert all("probe_ids=" in path for path in asked if "results" in path)
    assert sum("probes/?" in path for path in asked) == 2 * 3  # pages, listed and then stored


def test_where_many_leave_at_once_all_probes_of_those_minutes_are_looked_at() -> None:
    asked, values = pulled([*leave(T0 + 7200), *restart(T0 + 7200)], GONE)
    assert values == [12.0] * (12 + MASKED // STEP) + [3.0] * (24 - MASKED // STEP)
    (world,) = {path for path in asked if "results" in path and "probe_ids" not in path}
    assert f"start={T0 + 7200 - STEP}&stop={T0 + 7200 + 3 * STEP}" in world


def test_few_that_leave_are_not_looked_into() -> None:
    assert BURST_LEAST == 3
    asked, _ = pulled(leave(T0 + 7200, range(1, BURST_LEAST)))
    assert all("probe_ids=" in path for path in asked if "results" in path)


def test_a_country_without_probes_is_not_asked_for() -> None:
    with atlas((), ()) as (fake, _), Polite(SOURCES["atlas"], mirror=fake.address) as client:
        assert list(fetch("atlas", Query("PK", T0, T0 + HOURS), client.get, lambda: T0, ())) == []


def test_it_is_a_separate_family_and_one_of_c3() -> None:
    assert SIGNALS["atlas_connected"].family is Family.ATLAS
    assert Family.ATLAS in OUTAGE_FAMILIES
    assert Family.REMOTE not in OUTAGE_FAMILIES


# --- the contract ---------------------------------------------------------------------------------------

NAMED = [
    (1, 0, "prb_id"), (1, 0, "timestamp"), (1, 0, "event"), (1, 0, "controller"),
    (2, "results"), (2, "next"),
    (2, "results", 0, "id"), (2, "results", 0, "asn_v4"), (2, "results", 0, "asn_v6"), (2, "results", 0, "status"),
    (2, "results", 0, "status", "id"),
]  # fmt: skip


@each("path", NAMED)
def test_a_field_that_is_renamed_is_noticed(path: tuple[Any, ...]) -> None:
    document = json.loads(atlas_document(T0, T0 + HOURS, leave(T0 + 60)))
    ATLAS.parse(json.dumps(document).encode(), "PK", "")
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[f"{path[-1]}_new"] = inner.pop(path[-1])
    with pytest.raises(Rejected, match="known form"):
        ATLAS.parse(json.dumps(document).encode(), "PK", "")


@each(
    ("document", "why"),
    [
        ([[T0, T0 + 60], [event(1, T0, "reboot")], {"results": [], "next": None}], "known form.*'reboot'"),
        ([[T0, T0 + 60], []], "no list of probes"),
        ([[T0, T0 - 60], []], "impossible time window"),
        ([[0, 7_000_000_000], []], "impossible time window"),
        ([], "known form"),
        ({"error": {"status": 400}}, "known form"),
    ],
)
def test_an_invalid_answer_is_refused(document: Any, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        ATLAS.parse(json.dumps(document).encode(), "PK", "")
