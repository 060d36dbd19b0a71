"""A group of level anomalies becomes one incident, and says no more than its families do."""

from dataclasses import replace

import numpy as np
import pytest

from fanous.analysis.explanations.fall import OutageElsewhere
from fanous.analysis.incidents.outage import SURE
from fanous.model.explanation import Standing
from fanous.model.incident import Incident, Interval, Kind, Says, Scope, Status
from fanous.model.place import Access, NetworkWeight, UserWeights
from fanous.model.reason import Reason
from fanous.model.series import Anomaly, Series
from fanous.wording.reasons import reasons_text
from tests.analysis.incidents.events import HOUR, MONDAY
from tests.analysis.incidents.levels import claim, drop, key, line
from tests.each import each

AP, BGP, GTR, NT, V6 = "ping-slash24", "prefixes_v4", "gtr", "merit-nt", "prefixes_v6"


def made(*group: Anomaly, **given: object) -> Incident:
    incident = claim(*group, **given)  # type: ignore[arg-type]
    assert incident is not None
    assert all(reasons_text([hint]) for hint in incident.hints if hint.code != "hint.exams")  # all have words
    return incident


@each(
    ("group", "rule", "hour"),
    [
        ((drop(AP, 0, 5), drop(GTR, 0, 5, raised=1)), "C3", 1),
        ((drop(AP, 0, 5), drop(BGP, 1.5, 5)), "C3", 2),
        ((drop(AP, 0, 9, left=0.9), drop(BGP, 3, 9)), "", None),  # three hours apart
        ((drop(AP, 0, 9), drop(GTR, 6, 9)), "C3", 6.5),  # but both are deep
        ((drop(AP, 0, 2), drop(GTR, 2, 4)), "", None),  # one after the other
        ((drop(AP, 0, 5), drop(AP, 0, 5, region="XA-A"), drop(AP, 0, 5, region="XA-B")), "", None),
        ((drop(AP, 0, 5), drop("scan_up", 0, 5)), "", None),  # two lines of one family
        ((drop(GTR, 0, 5, left=0.7), drop(BGP, 0, 5, left=0.97)), "C3", 0.5),
        ((drop(GTR, 0, 5, left=0.7, unlike=0.2), drop(BGP, 0, 5, left=0.9)), "", None),  # a holiday
        ((drop(GTR, 0, 5, left=0.7, unlike=0.2, sudden=0), drop(BGP, 0, 5, left=0.9)), "C3", 0.5),
        ((drop(GTR, 0, 5, left=0.7, unlike=0.2), drop(AP, 0, 5, left=0.9)), "C3", 0.5),
        ((drop(GTR, 1, 5, left=0.7, unlike=0.2), drop(AP, 0, 5, left=0.9)), "", None),  # an hour apart
        ((drop(GTR, 1, 5, left=0.7, sudden=1, unlike=0.2), drop(AP, 0, 5, left=0.9)), "C3", 1.5),
        ((drop(GTR, 0, 5, left=0.7), drop(AP, 0, 5, left=0.95)), "C3", 0.5),
        ((drop(BGP, 0, None, left=0.89, last_seen=50), drop(AP, 0, None, left=0.88, last_seen=50)), "", None),
        (
            (drop(BGP, 0, 5, left=0.89), drop(AP, 0, 6, left=0.88)),
            "C3",
            6 + 1 / 6,
        ),  # no renumbering comes back
        ((drop(BGP, 0, 300, left=0.89, lasting=168), drop(AP, 0, 300, left=0.88)), "", None),  # but it grows
        (
            (drop(BGP, 0, None, left=0.79, last_seen=50), drop(AP, 0, None, left=0.88, last_seen=50)),
            "C3",
            0.5,
        ),
        (
            (drop("asns", 0, None, left=0.89, last_seen=50), drop(AP, 0, None, left=0.88, last_seen=50)),
            "",
            None,
        ),
        ((drop(GTR, 0, 5, left=0.4, unlike=0.2), drop(NT, 0, 5, left=0.4)), "", None),  # counts of a few
        ((drop(GTR, 0, 9, left=0.4, unlike=0.2), drop(BGP, 6, 9, left=0.4)), "C3", 6.5),
        ((drop(AP, 0, 5, region="XA-A", left=0.2), drop(GTR, 0, 5, left=0.7)), "C3", 0.5),
        ((drop(AP, 0, 5, region="XA-A"), drop(BGP, 0, 5, region="XA-B")), "", None),  # elsewhere
        ((drop(AP, 0, 4, left=0.15), drop(GTR, 0, 20, left=0.78)), "", None),  # a low day anyway
        ((drop(AP, 0, 4, left=0.15), drop(GTR, 0, 4, left=0.5)), "C3", 0.5),
        ((drop(AP, 0, 4, left=0.15), drop(GTR, 3.5, 9.5, left=0.36)), "", None),  # they only touch
    ],
)
def test_two_families_confirm_from_when_both_were_raised(
    group: tuple[Anomaly, ...], rule: str, hour: float | None
) -> None:
    incident = made(*group)
    assert incident.rule == rule
    assert incident.confirmed_at == (None if hour is None else MONDAY + hour * HOUR)


@each(
    ("anomaly", "suspected"),
    [
        (drop(AP, 0, 1, left=0.9), True),
        (drop(AP, 0, 0.5), False),
        (drop(AP, 0, 9, left=0.94), False),
        (drop(BGP, 0, 9, left=0.96), False),
        (drop(BGP, 0, 9, left=0.94), True),
        (drop(AP, 0, 1, left=0.6, region="XA-A"), False),  # a thin line moves by itself
        (drop(AP, 0, 1, left=0.4, region="XA-A"), True),
        (drop(GTR, 0, 3, left=0.7), True),
        (drop(GTR, 0, 2, left=0.7), False),
        (drop(GTR, 0, 5, left=0.7, unlike=0.1), False),
        (drop(GTR, 0, 5, left=0.7, unlike=0.1, sudden=1), True),
        (drop(GTR, 0, 5, left=0.7, unlike=0.1, sudden=2.5), False),  # what fell lasted two hours and a half
        (drop(NT, 0, 5, left=0.1, unlike=0.1), False),
        (drop(BGP, 0, None, left=0.9, last_seen=2), True),
        (drop("tor_relay", 0, 72, step=86400), False),  # Tor may be blocked
        (drop("ndt_tests", 0, 9, left=0.2), False),  # fewer people may test their speed
    ],
)
def test_a_lone_drop_must_be_more_to_be_suspected(anomaly: Anomaly, suspected: bool) -> None:
    incident = claim(anomaly)
    assert (incident is not None) is suspected
    assert incident is None or incident.confirmed_at is None


def test_an_ordinary_morning_makes_no_claim_of_a_few_blocks_that_are_missing() -> None:
    assert claim(drop(GTR, 0, 5, left=0.7, unlike=0.2), drop(AP, 0, 5, left=0.95)) is None


def test_half_of_the_country_is_the_nation_and_less_is_of_unknown_extent() -> None:
    whole = made(drop(AP, 0, 5, left=0.1), drop(GTR, 0, 5, left=0.04))
    assert (whole.scope, whole.entities) == (Scope.NATION, ("XA",))
    assert whole.level is not None
    assert (whole.level.mean, whole.level.low, whole.level.high) == pytest.approx((0.07, 0.02, 0.2))
    assert whole.mechanisms == ("outage.national",) and whole.targets == ()
    part = made(drop(AP, 0, 5, left=0.7), drop(GTR, 0, 5, left=0.7))
    assert (part.scope, part.status) == (Scope.INSUFFICIENT, Status.ENDED)
    assert part.mechanisms == ("outage.partial",)
    assert Reason("place_unknown") in part.reasons


def test_routing_that_hardly_moves_does_not_hide_what_users_lost() -> None:
    incident = made(drop(BGP, 0, 5, left=0.96), drop(GTR, 0, 5, left=0.02))
    assert incident.scope is Scope.NATION
    assert incident.level is not None and incident.level.mean == 0.02


def test_routes_alone_do_not_make_it_the_nation_where_users_are_still_there() -> None:
    incident = made(drop(BGP, 0, 5, left=0.1), drop(GTR, 0, 5, left=0.8))
    assert incident.scope is Scope.INSUFFICIENT
    assert made(drop(BGP, 0, 5, left=0.1)).scope is Scope.NATION, "but if no one watches them"


def test_networks_that_fell_are_weighed_by_users() -> None:
    shares = {1: (0.5, Access.MOBILE), 2: (0.1, Access.MOBILE), 3: (0.4, Access.FIXED)}
    weights = UserWeights(
        "XA", tuple(NetworkWeight(asn, s, a, f"op {asn}") for asn, (s, a) in shares.items()), 0.2, "a test"
    )
    lines = [line(AP, asn=asn) for asn in shares]
    cut = [drop(AP, 0, 5, asn=asn) for asn in (1, 2)] + [drop(GTR, 0, 5, asn=1)]
    mobile = made(*cut, series=lines, weights=weights)
    assert (mobile.scope, mobile.access, mobile.mechanisms) == (
        Scope.MULTI_ISP,
        Access.MOBILE,
        ("outage.mobile",),
    )
    assert mobile.entities == ("AS1", "AS2")
    assert mobile.users is not None and mobile.users.mean > 0.9
    one = made(drop(AP, 0, 5, asn=3), series=lines, weights=weights)
    assert (one.scope, one.mechanisms) == (Scope.ISP, ("outage.isp",))


def test_each_familys_opinion_is_kept() -> None:
    series = [line(AP), line(GTR), line(BGP), line(NT, last=-1), line("tor_relay", asn=9)]
    opinions = made(drop(AP, 0, 5), drop(GTR, 0, 5), series=series).opinions
    assert {o.family: o.says for o in opinions} == {
        "routing": Says.ORDINARY,
        "probing": Says.DOWN,
        "usage": Says.DOWN,
        "darknet": Says.SILENT,
    }
    young = made(drop(AP, 0, 5), series=[line(BGP, first=-10)]).opinions
    assert {o.family: o.says for o in young} == {"probing": Says.DOWN, "routing": Says.UNKNOWN}
    assert young[1].left is not None and young[1].left.mean == 0.05


def test_a_family_that_stood_lower_without_falling_says_by_how_much() -> None:
    lower = line(GTR)
    lower = replace(lower, values=np.where(lower.times >= MONDAY, 0.9, 1.0))
    said = {o.family: o for o in made(drop(AP, 0, 5), series=[line(AP), lower, line(BGP)]).opinions}
    usage = said["usage"]
    assert usage.says is Says.ORDINARY and usage.left is not None and usage.left.mean == pytest.approx(0.9)
    assert said["routing"].left is None


def test_routes_that_stay_up_make_it_a_stealth_outage() -> None:
    gone = (drop(AP, 0, 5, left=0.1), drop(GTR, 0, 5, left=0.1))
    assert made(*gone, series=[line(BGP)]).mechanisms == ("outage.national", "outage.stealth")
    assert made(*gone).mechanisms == ("outage.national",), "no one watched the routes"
    routes = drop(BGP, 0, 5, left=0.3)
    assert made(*gone, routes, series=[line(BGP)]).mechanisms == ("outage.national",)


def test_ipv6_withdrawn_alone_is_its_own_class() -> None:
    assert made(drop(V6, 0, 5, left=0.02)).mechanisms == ("outage.ipv6",)
    both = made(drop(V6, 0, 5, left=0.02), drop(BGP, 0, 5, left=0.96), drop(GTR, 0, 5, left=0.0))
    assert both.mechanisms == ("outage.national", "outage.ipv6")
    all_routes = made(drop(V6, 0, 5, left=0.02), drop(BGP, 0, 5, left=0.1))
    assert all_routes.mechanisms == ("outage.national",)


@each(
    ("group", "end", "status"),
    [
        ((drop(AP, 0, 5), drop(GTR, 0, 7)), 7, Status.ENDED),
        ((drop(AP, 0, None, last_seen=9), drop(GTR, 0, 7)), None, Status.CONFIRMED),
        ((drop(AP, 0, None, last_seen=2), drop(GTR, 0, 7)), 7, Status.ENDED),  # that line fell silent
        ((drop(AP, 0, None, last_seen=2), drop(GTR, 0, None, last_seen=2)), None, Status.CONFIRMED),
        ((drop(AP, 0, None, last_seen=2),), None, Status.SUSPECTED),
        ((drop(AP, 0, 5),), 5, Status.ENDED),
    ],
)
def test_it_ends_when_lines_that_still_report_have_come_back(
    group: tuple[Anomaly, ...], end: float | None, status: Status
) -> None:
    incident = made(*group)
    assert incident.end == (None if end is None else MONDAY + end * HOUR)
    assert incident.status is status


def test_a_line_that_came_back_ends_nothing_where_most_fell_silent() -> None:
    incident = made(drop(AP, 0, 5), drop(GTR, 0, None, last_seen=2), drop(BGP, 0, None, last_seen=2))
    assert (incident.status, incident.end) == (Status.CONFIRMED, None)
    assert incident.intervals == (Interval(MONDAY, None),)


@each("seed", range(20))
def test_an_outage_is_open_exactly_where_its_last_interval_is(seed: int) -> None:
    chance = np.random.default_rng(seed)
    seen = 0
    for _ in range(40):
        group = [_some(chance) for _ in range(int(chance.integers(1, 6)))]
        incident = claim(*group)
        if incident is not None:
            seen += 1
            assert (incident.end is None) == (incident.intervals[-1].end is None), group
            assert (incident.status is Status.ENDED) == (incident.end is not None)
            assert all(i.end is not None for i in incident.intervals[:-1])
            assert all(i.end is None or i.start < i.end for i in incident.intervals)
    assert seen > 20


def _some(chance: np.random.Generator) -> Anomaly:
    start, lasts = float(chance.integers(0, 4)), float(chance.integers(1, 5))
    open_ = chance.random() < 0.4
    return drop(
        str(chance.choice([AP, BGP, GTR])),
        start,
        None if open_ else start + lasts,
        left=float(chance.choice([0.1, 0.6])),
        asn=int(chance.integers(0, 3)),
        last_seen=start + lasts,
    )


def test_a_level_that_lasts_is_not_a_return_and_a_short_history_is_reported() -> None:
    lasts = made(drop(AP, 0, None, last_seen=300, lasting=200, short=True))
    assert lasts.reasons[-2:] == (Reason("short_history"), Reason("lasting"))
    assert (lasts.lasting_since, lasts.end, lasts.status) == (MONDAY + 200 * HOUR, None, Status.SUSPECTED)
    back = made(drop(AP, 0, 300, lasting=200))
    assert (back.lasting_since, back.status) == (None, Status.ENDED)


def test_with_less_than_a_week_of_history_no_outage_is_certain() -> None:
    long, short = (
        made(drop(AP, 0, 5, short=yes), drop(BGP, 0, 5, asn=0), drop(GTR, 0, 5)) for yes in (False, True)
    )
    assert long.confirmed_at is not None and short.confirmed_at is not None
    assert SURE < 0.99 < long.confidence
    assert short.confidence == SURE
    standing = {one.code: one.standing for one in short.explanations}
    assert standing["usage.weekly"] is Standing.UNTESTED
    assert {one.code: one.standing for one in long.explanations}["usage.weekly"] is Standing.EXCLUDED


def test_nights_are_one_incident_with_intervals_and_a_hint() -> None:
    nights = [drop(AP, 24 * n, 24 * n + 8) for n in range(4)]
    incident = made(*nights)
    assert len(incident.intervals) == 4
    assert Reason("hint.same_start", {"some": 4, "all": 4}) in incident.hints
    assert Reason("hint.same_end", {"some": 4, "all": 4}) in incident.hints


@pytest.mark.parametrize(("start", "step", "said"), [(3, 600, True), (3.2, 600, False), (3, 3600, False)])
def test_the_full_hour_is_a_hint_where_bins_can_tell(start: float, step: int, said: bool) -> None:
    hints = made(drop(AP, start, 9, step=step)).hints
    assert (Reason("hint.on_time", {"off": 60, "window": 60}) in hints) is said


@pytest.mark.parametrize(("minutes", "said"), [(0, True), (3, True), (12, False), (27, True)])
def test_it_is_the_onset_that_is_held_against_the_hour_not_the_first_low_bin(
    minutes: int, said: bool
) -> None:
    """Bins of ten minutes begin on the hour or half hour one time in three."""
    start = MONDAY + 3 * HOUR + 60 * minutes
    times = np.arange(MONDAY - 20 * 24 * HOUR, MONDAY + 12 * HOUR, 600).astype(np.int64)
    lost = np.clip((times + 600 - start) / 600, 0, 1)
    ones = np.ones(len(times), np.int64)
    measured = Series(key(AP), 600, times, 1000 * (1 - 0.9 * lost), ones, 0 * ones, 0 * ones)
    low = float(times[lost > 0][0] - MONDAY) / HOUR
    hints = made(drop(AP, low, None, last_seen=12, left=0.1), series=[measured]).hints
    assert ("hint.on_time" in {one.code for one in hints}) is said


def test_other_countries_are_a_hint_if_they_fell_within_the_hour() -> None:
    def when(hour: float) -> Interval:
        return Interval(MONDAY + hour * HOUR, None)

    hints = made(
        drop(AP, 0.2, 5),
        elsewhere=[OutageElsewhere(*one) for one in (("XB", when(0.5)), ("XC", when(4)), ("XA", when(0)))],
    ).hints
    assert hints == (Reason("hint.elsewhere", {"countries": ("XB",)}),)


def test_cells_count_their_bins_from_the_onset_on() -> None:
    before = drop(AP, -8, -4, region="XA-A", left=0.3)
    incident = made(before, drop(AP, 0, 5), drop(AP, 0, 5, region="XA-A"))
    assert [(n.entity, n.measurements) for n in incident.networks] == [("XA", 10), ("XA-A", 10)]
    assert incident.evidence.families == ("probing",)
    assert incident.confidence == 0.5, "one family alone"
    assert made(drop(AP, 0, 5), drop(GTR, 0, 5)).confidence > 0.95


def test_remarks_on_a_cause_count_for_nothing() -> None:
    """Season, other countries and delays; each is a hint and does not change the claim."""
    group = (drop(AP, 0, 5), drop(GTR, 0, 5))
    plain = made(*group)
    there = [OutageElsewhere("XB", Interval(MONDAY + 600, MONDAY + 5 * HOUR))]
    hinted = made(*group, elsewhere=there, season=lambda at: Reason("hint.exams", {"at": at}))
    assert hinted.hints == (
        *plain.hints,
        Reason("hint.exams", {"at": MONDAY}),
        Reason("hint.elsewhere", {"countries": ("XB",)}),
    )
    assert replace(hinted, hints=()) == replace(plain, hints=())


def test_delays_next_to_a_fall_of_speed_are_remarked_on() -> None:
    slow = made(drop("ndt_kbps", 0, 5, left=0.3), drop("transfer_rtt_ms", 0, 5, left=0.3), kind=Kind.SLOWDOWN)
    alone = made(drop("ndt_kbps", 0, 5, left=0.3), drop("transfer_kbps", 0, 5, left=0.3), kind=Kind.SLOWDOWN)
    losses = drop("ndt_loss", 0, 5, left=3)
    losses = replace(losses, key=replace(losses.key, source="ndt"))
    lossy = made(losses, drop("transfer_rtt_ms", 0, 5, left=3), kind=Kind.SLOWDOWN)
    remarked = [Reason("hint.delays") in one.hints for one in (slow, alone, lossy)]
    assert remarked == [True, False, False]
