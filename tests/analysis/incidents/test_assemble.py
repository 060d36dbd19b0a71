"""A group of anomalies and its votes become one incident whose status the published rules give."""

from dataclasses import replace

import numpy as np
import pytest

from fanous.analysis.incidents.assemble import CERTAIN, UNCONFIRMED
from fanous.analysis.incidents.interference import SHOWN_ELSEWHERE, SHOWN_HELPED
from fanous.analysis.series.voices import LONE_HOURS, LONE_PROBES
from fanous.model.incident import Incident, Kind, Onset, Scope, Status
from fanous.model.place import Access, NetworkWeight, UserWeights
from tests.analysis.incidents.events import (
    HOUR,
    MONDAY,
    SETTING,
    Ballot,
    assembled,
    compared,
    finding,
    setting,
    votes,
)
from tests.each import each

NOBODY = votes()
TEN = [10 + n / 2 for n in range(10)]
"""Ten half hours, 10:00 to 14:30."""


def event(*ballots: Ballot, end: float | None = 15, last_seen: float = 15) -> Incident:
    """X fails on the networks of the failing ballots from 10:00."""
    networks = sorted({b.asn for b in ballots if b.seen})
    group = [finding(10, end, asn=asn, last_seen=last_seen) for asn in networks]
    return assembled(group, votes(*ballots), NOBODY, SETTING)


def codes(incident: Incident) -> list[str]:
    return [reason.code for reason in incident.reasons]


def test_two_networks_with_a_domestic_control_are_confirmed_and_over() -> None:
    incident = event(Ballot(TEN, True, 1), Ballot(TEN, True, 2), Ballot(TEN, False, 3))
    assert incident.status is Status.ENDED
    assert incident.rule == "C2"
    assert incident.entities == ("AS1", "AS2")
    assert incident.scope is Scope.MULTI_ISP
    assert incident.mechanisms == ("tls.reset.sni",)
    assert incident.evidence.measurements == incident.evidence.probes == 20
    assert incident.evidence.controls == 10
    assert incident.confirmed_at is not None
    assert 0.5 * HOUR <= incident.confirmed_at - incident.onset <= 1.5 * HOUR


def test_a_measurement_that_failed_on_two_layers_counts_once() -> None:
    layers = ("blocked_path", "blocked_dns")
    group = [finding(10, 15, asn=asn, signal=signal) for asn in (1, 2) for signal in layers]

    def told(hours: list[float], seen: bool, asn: int, controlled: bool = False) -> list[Ballot]:
        own = f"{asn} {seen}"
        return [Ballot(hours, seen, asn, signal=name, controlled=controlled, of=own) for name in layers]

    ballots = [*told(TEN, True, 1), *told(TEN, True, 2, controlled=True), *told(TEN, False, 3)]
    incident = assembled(group, votes(*ballots), NOBODY, SETTING)
    assert incident.evidence.measurements == incident.evidence.probes == 20
    assert [network.measurements for network in incident.networks] == [10, 10]
    assert incident.evidence.controls == 20
    alone = [*told(TEN, True, 1), *told(TEN, True, 2), *told(TEN[:2], False, 3)]
    assert codes(assembled(group, votes(*alone), NOBODY, SETTING)) == ["lacks.control"]


def test_who_asks_another_resolver_is_not_a_witness_against_the_providers_own() -> None:
    def told(seen: bool, asn: int, resolver: int) -> Ballot:
        return Ballot(TEN, seen, asn, signal="blocked_dns", mechanism="dns.nxdomain", resolver=resolver)

    ballots = [told(True, 1, 1), told(True, 2, 2), told(False, 1, 15169), told(False, 2, 15169)]
    group = [finding(10, 15, asn=asn, resolver=asn, signal="blocked_dns") for asn in (1, 2)]
    incident = assembled(group, votes(*ballots, told(False, 3, 3)), NOBODY, SETTING)
    assert (incident.rule, incident.entities) == ("C2", ("AS1", "AS2"))


def test_in_a_long_event_a_network_is_named_that_fails_beyond_its_habit_all_the_while() -> None:
    """Three failures close together are a stretch in the alert of another network's ninety hours."""
    long, close = [10 + n for n in range(90)], [50, 51, 52]
    sure = [Ballot(long, True, 1), Ballot(long, True, 2), Ballot(long, False, 4)]
    group = [finding(10, 100, asn=asn) for asn in (1, 2)] + [finding(50, 53, asn=3)]
    ordinary = Ballot([n for n in range(200) if n not in close], False, 3)

    def named(*ballots: Ballot) -> tuple[str, ...]:
        return assembled(group, votes(*sure, *ballots), NOBODY, SETTING).entities

    own = Ballot(close, True, 3)
    assert named(own, ordinary, Ballot([1.5, 120.5, 150.5], True, 3)) == ("AS1", "AS2")
    assert named(own, ordinary) == ("AS1", "AS2", "AS3")  # elsewhen it never fails
    helped = Ballot(close, True, 3, controlled=True)
    assert named(helped, ordinary, Ballot([1.5, 120.5, 150.5], True, 3)) == ("AS1", "AS2", "AS3")


def test_ordinary_failures_of_the_day_before_do_not_move_the_onset() -> None:
    strays = Ballot([1, 1.5, 2], True, 1, mechanism="tcp.timeout")
    group = [finding(1, 3, asn=1), *(finding(10, 15, asn=asn) for asn in (1, 2))]
    sure = votes(strays, Ballot(TEN, True, 1), Ballot(TEN, True, 2), Ballot(TEN, False, 3))
    incident = assembled(group, sure, NOBODY, SETTING)
    assert (incident.onset, len(incident.intervals)) == (MONDAY + 10 * HOUR, 1)


def test_without_a_control_it_stays_suspected() -> None:
    incident = event(Ballot(TEN, True, 1), Ballot(TEN, True, 2), end=None)
    assert incident.status is Status.SUSPECTED
    assert incident.confirmed_at is None
    assert codes(incident) == ["lacks.control"]


@each("mechanism", ["http.blockpage.unknown", "http.error"])
def test_a_page_that_the_site_may_choose_by_country_needs_a_control_at_home(mechanism: str) -> None:
    seen = [Ballot(TEN, True, asn, mechanism=mechanism) for asn in (1, 2)]
    group = [finding(10, 15, asn=asn) for asn in (1, 2)]
    abroad, at_home = votes(Ballot(TEN, False, 9)), Ballot(TEN, False, 3)
    assert codes(assembled(group, votes(*seen), abroad, SETTING)) == ["lacks.control_here"]
    assert assembled(group, votes(*seen, at_home), abroad, SETTING).rule == "C2"
    cut = [Ballot(TEN, True, asn) for asn in (1, 2)]
    assert assembled(group, votes(*cut), abroad, SETTING).rule == "C2"


def test_a_control_of_another_hour_is_not_a_control() -> None:
    incident = event(
        Ballot(TEN, True, 1), Ballot(TEN, True, 2), Ballot([1, 2, 3, 20, 21], False, 3), end=None
    )
    assert incident.confirmed_at is None


@pytest.mark.parametrize(("failing", "confirmed"), [(TEN, False), (TEN[:2], True)])
def test_a_network_that_fails_too_is_not_a_control_by_its_good_measurements_before_and_after(
    failing: list[float], confirmed: bool
) -> None:
    """A site that is down for everyone: the third network is too thin to be named, and fails as well."""
    named = Ballot(TEN, True, 1), Ballot(TEN, True, 2)
    others = Ballot(failing, True, 3, probe="p"), Ballot([9.2, 9.4, 9.6, 15, 15.2, 15.4], False, 3)
    group = [finding(10, 15, asn=asn) for asn in (1, 2)]
    incident = assembled(group, votes(*named, *others), NOBODY, SETTING)
    assert (incident.confirmed_at is not None) is confirmed


def test_a_name_that_is_looked_up_where_no_connection_is_made_is_not_a_control() -> None:
    """A site that is down for everyone: thin networks look it up, and fail as the named ones do."""
    named = Ballot(TEN, True, 1), Ballot(TEN, True, 2)
    third = Ballot(TEN[:4], True, 3), Ballot(TEN[:4], False, 3, signal="blocked_dns")
    every = votes(*named, *third)
    uids = np.array([uid.replace("3.", "2.") for uid in every.uids], object)  # both say of one measurement
    group = [finding(10, 15, asn=asn) for asn in (1, 2)]
    assert assembled(group, replace(every, uids=uids), NOBODY, SETTING).confirmed_at is None


def test_the_outside_helper_is_a_control() -> None:
    incident = event(Ballot(TEN, True, 1, controlled=True), Ballot(TEN, True, 2, controlled=True), end=None)
    assert incident.status is Status.CONFIRMED
    assert incident.reasons[0].params["control"] == "helper"


def test_the_target_working_abroad_is_a_control() -> None:
    group = [finding(10, 15, asn=asn) for asn in (1, 2)]
    here = votes(Ballot(TEN, True, 1), Ballot(TEN, True, 2))
    abroad = votes(Ballot(TEN, False, 99))
    assert assembled(group, here, abroad, SETTING).rule == "C2"
    other_target = votes(Ballot(TEN, False, 99, target="youtube"))
    assert assembled(group, here, other_target, SETTING).rule == ""


def test_a_platform_that_falls_elsewhere_too_is_not_an_incident_of_this_country() -> None:
    group = [finding(10, 15, asn=asn) for asn in (1, 2)]
    here = votes(Ballot(TEN, True, 1), Ballot(TEN, True, 2), Ballot(TEN, False, 3))
    down = compared(onsets=tuple(Onset(country, 3, 9, 9, 0, 50) for country in ("BD", "IN", "LK")))
    incident = assembled(group, here, NOBODY, SETTING, down)
    assert incident.status is Status.RETRACTED
    assert (incident.confirmed_at, incident.rule) == (None, "")
    assert codes(incident) == ["platform.down"]


def test_failures_elsewhere_explain_nothing_while_the_helper_reaches_the_target() -> None:
    group = [finding(10, 15, asn=asn) for asn in (1, 2)]
    here = votes(*(Ballot(TEN, True, asn, controlled=True) for asn in (1, 2)), Ballot(TEN, False, 3))
    down = compared(onsets=tuple(Onset(country, 3, 9, 9, 0, 50) for country in ("BD", "IN", "LK")))
    assert assembled(group, here, NOBODY, SETTING, down).confirmed_at is not None


def test_what_fails_in_nearly_all_countries_is_suspected_though_the_helper_reaches_it() -> None:
    group = [finding(10, 15, asn=asn) for asn in (1, 2)]
    here = votes(*(Ballot(TEN, True, asn, controlled=True) for asn in (1, 2)), Ballot(TEN, False, 3))
    places = ("BD", "BR", "EG", "IN", "LK")
    failing = compared(onsets=tuple(Onset(country, 3, 9, 9, 0, 50) for country in places))
    incident = assembled(group, here, NOBODY, SETTING, failing)
    assert incident.stands and incident.confirmed_at is None
    assert codes(incident)[0] == "platform.but_helper"


def test_one_probe_that_fails_all_day_confirms_nothing() -> None:
    incident = event(Ballot(TEN, True, 1, probe="p"), Ballot(TEN, True, 2, probe="q"), Ballot(TEN, False, 3))
    assert incident.confirmed_at is None


@pytest.mark.parametrize(
    ("hours", "confirmed"),
    [
        ([10, 10.2, 10.4, 10.6, 10.8, 10.9, 11.0, 11.2], False),  # many probes in two hours: a burst
        ([10, 11, 12, 13, 14], False),  # too few hours
        ([10, 11, 12, 13, 14, 15, 16, 17], True),
    ],
)
def test_a_lone_thin_network_stays_suspected(hours: list[float], confirmed: bool) -> None:
    assert (LONE_PROBES, LONE_HOURS) == (6, 8)
    group = [finding(10, 18, asn=1)]
    seen = votes(Ballot(hours, True, 1), Ballot(TEN, False, 3))
    incident = assembled(group, seen, NOBODY, SETTING)
    assert (incident.confirmed_at is not None) is confirmed
    assert incident.scope is Scope.ISP


def test_two_networks_that_fail_a_day_apart_are_not_witnesses_to_each_other() -> None:
    group = [finding(10, 15, asn=1), finding(34, 39, asn=2)]
    seen = votes(Ballot(TEN[:6], True, 1), Ballot([34, 35, 36], True, 2), Ballot([*TEN, 34, 35], False, 3))
    incident = assembled(group, seen, NOBODY, SETTING)
    assert incident.confirmed_at is None
    assert codes(incident) == ["lacks.duration"]


@pytest.mark.parametrize("controlled", [True, False])
def test_two_faults_of_a_network_on_which_others_bring_controls_are_not_one_long_failure(
    controlled: bool,
) -> None:
    """Its failures lost the controls that its other measurements carry, so the line was bad, twice."""
    group = [finding(10, 15, asn=1), finding(40, 45, asn=1)]
    fails = Ballot([*range(10, 15), *range(40, 45)], True, 1)
    works = Ballot([5, 6, 20, 30], False, 1, controlled=controlled)
    incident = assembled(group, votes(fails, works, Ballot([10, 11, 40, 41], False, 3)), NOBODY, SETTING)
    assert (incident.confirmed_at is None) is controlled


def test_a_line_that_fails_a_little_is_not_named_in_the_wake_of_others() -> None:
    flaky = Ballot(TEN[::2], True, 4), Ballot(TEN[1::2], False, 4)
    seen = Ballot(TEN, True, 1), Ballot(TEN, True, 2), Ballot(TEN, False, 3), *flaky
    assert event(*seen).entities == ("AS1", "AS2")


def test_a_network_that_only_a_burst_raised_is_not_named() -> None:
    burst = Ballot([11.0, 11.1, 11.2], True, 4)
    incident = event(Ballot(TEN, True, 1), Ballot(TEN, True, 2), burst, Ballot(TEN, False, 3))
    assert incident.entities == ("AS1", "AS2")


def test_silence_ends_nothing() -> None:
    ballots = Ballot(TEN, True, 1), Ballot(TEN, True, 2), Ballot(TEN, False, 3)
    incident = event(*ballots, end=None)
    assert incident.status is Status.CONFIRMED
    assert incident.end is None


def test_a_network_that_fell_silent_does_not_hold_open_what_others_saw_ending() -> None:
    group = [finding(10, 30, asn=1, last_seen=29), finding(10, None, asn=2, last_seen=12)]
    seen = votes(Ballot(TEN, True, 1), Ballot(TEN, True, 2), Ballot(TEN, False, 3))
    assert assembled(group, seen, NOBODY, SETTING).status is Status.ENDED
    still = [finding(10, 12, asn=1), finding(10, None, asn=2, last_seen=29)]
    seen = votes(Ballot(TEN[:4], True, 1), Ballot(TEN, True, 2), Ballot(TEN, False, 3))
    assert assembled(still, seen, NOBODY, SETTING).status is Status.CONFIRMED


def test_a_weak_suspicion_that_faded_is_retracted() -> None:
    group = [finding(10, 12, probability=0.95)]
    incident = assembled(group, votes(Ballot([10, 11], True, 1)), NOBODY, SETTING)
    assert incident.status is Status.RETRACTED
    assert incident.scope is Scope.INSUFFICIENT


def test_two_families_that_saw_it_confirm_by_c1() -> None:
    incident = event(Ballot([10, 11], True, 1), Ballot([10, 11], True, 1, source="edge"), end=None)
    assert incident.rule == "C1"
    assert incident.evidence.families == ("edge", "ooni")


def test_daily_sessions_are_intervals_of_one_incident() -> None:
    group = [finding(10 + 24 * day, 14 + 24 * day, asn=asn) for day in range(5) for asn in (1, 2)]
    hours = [10 + 24 * day + n for day in range(5) for n in range(4)]
    seen = votes(Ballot(hours, True, 1), Ballot(hours, True, 2), Ballot(hours, False, 3))
    incident = assembled(group, seen, NOBODY, SETTING)
    assert len(incident.intervals) == 5
    assert incident.onset == MONDAY + 10 * HOUR
    assert incident.end == MONDAY + (14 + 96) * HOUR
    assert [len(network.intervals) for network in incident.networks] == [5, 5]


def test_an_open_onset_has_no_earliest() -> None:
    group = [finding(0, 15, asn=asn, open_onset=True) for asn in (1, 2)]
    seen = votes(Ballot(TEN, True, 1), Ballot(TEN, True, 2), Ballot(TEN, False, 3))
    assert assembled(group, seen, NOBODY, SETTING).onset_earliest is None


def test_each_target_is_a_part_and_the_kind_is_the_most_severe() -> None:
    group = [
        finding(10, 15, asn=1),
        finding(10, 15, asn=2),
        finding(10, 15, asn=1, target="youtube", kind=Kind.THROTTLING, signal="throttled"),
    ]
    seen = votes(
        Ballot(TEN, True, 1),
        Ballot(TEN, True, 2),
        Ballot(
            TEN,
            True,
            1,
            "youtube",
            kbps=137,
            mechanism="tls.throttle.sni",
            signal="throttled",
            controlled=True,
        ),
        Ballot(TEN, False, 3),
    )
    incident = assembled(group, seen, NOBODY, SETTING)
    assert incident.kind is Kind.BLOCKING
    assert [(p.target, p.kind, p.mechanisms) for p in incident.parts] == [
        ("x", Kind.BLOCKING, ("tls.reset.sni",)),
        ("youtube", Kind.THROTTLING, ("tls.throttle.sni",)),
    ]
    assert incident.kbps is not None
    assert incident.kbps.mean == pytest.approx(137)


def test_more_networks_make_it_surer_but_never_certain() -> None:
    one = event(Ballot(TEN, True, 1), Ballot(TEN, False, 9)).confidence
    five = event(*(Ballot(TEN, True, asn) for asn in range(1, 6)), Ballot(TEN, False, 9)).confidence
    assert one <= five <= 0.999


def test_a_nation_wide_mobile_cut_is_named_as_such() -> None:
    m, f = Access.MOBILE, Access.FIXED
    weights = UserWeights(
        "XA",
        tuple(
            NetworkWeight(asn, share, access, f"operator {asn}")
            for asn, share, access in [(1, 0.3, m), (2, 0.25, m), (3, 0.15, m), (4, 0.2, f), (5, 0.1, f)]
        ),
        0.2,
        "a test",
    )
    group = [finding(10, 15, asn=asn) for asn in (1, 2, 3)]
    seen = votes(*(Ballot(TEN, asn < 4, asn) for asn in range(1, 6)))
    incident = assembled(group, seen, NOBODY, setting(weights))
    assert (incident.scope, incident.access) == (Scope.NATION, Access.MOBILE)
    assert incident.entities == ("XA", "AS1", "AS2", "AS3")
    assert incident.users is not None
    assert incident.users.low > 0.5


@pytest.mark.parametrize(("partly", "through", "told"), [(4, 10, True), (1, 5, False)])
def test_where_many_get_through_it_says_so_and_counts_fewer_users(
    partly: int, through: int, *, told: bool
) -> None:
    """Two networks are cut, and half of the lines of some others."""
    asns = range(1, partly + 3)
    shares = tuple(NetworkWeight(asn, 0.9 / len(asns), Access.FIXED, f"operator {asn}") for asn in asns)
    weights = UserWeights("XA", shares, 0.1, "a test")
    group = [finding(10, 15, asn=asn) for asn in asns]
    cut = [Ballot(TEN, True, asn, controlled=True) for asn in asns]
    spared = [Ballot(TEN[:through], False, asn) for asn in asns[2:]]
    incident = assembled(group, votes(*cut, *spared), NOBODY, setting(weights))
    assert (incident.rule, incident.scope, len(incident.networks)) == ("C2", Scope.NATION, len(asns))
    assert ("got_through" in codes(incident)) is told
    assert incident.users is not None
    assert (incident.users.high < 0.8) is told
    if told:
        (reason,) = (one for one in incident.reasons if one.code == "got_through")
        assert reason.params == {"some": 40, "all": 100}
        assert incident.users.low < incident.users.mean == pytest.approx(0.57, abs=0.05)


def test_the_moment_of_confirmation_knows_nothing_of_later_data() -> None:
    ballots = Ballot(TEN, True, 1), Ballot(TEN, True, 2), Ballot(TEN, False, 3)
    whole = event(*ballots)
    assert whole.confirmed_at is not None
    known = votes(*ballots)
    cut = known.where(known.times <= whole.confirmed_at)
    group = [
        replace(f, anomaly=replace(f.anomaly, end=None, last_seen=whole.confirmed_at + 1))
        for f in (finding(10, 15, asn=1), finding(10, 15, asn=2))
    ]
    assert assembled(group, cut, NOBODY, SETTING).confirmed_at == whole.confirmed_at
    before = known.where(known.times < whole.confirmed_at - 1)
    assert assembled(group, before, NOBODY, SETTING).confirmed_at != whole.confirmed_at


@pytest.mark.parametrize(
    ("times", "named"), [(2, ("tls.reset.sni",)), (3, ("tls.reset.sni", "http.blockpage"))]
)
def test_a_mechanism_is_named_from_a_tenth_of_the_failures_on(times: int, named: tuple[str, ...]) -> None:
    other = Ballot([12] * times, True, 1, mechanism="http.blockpage")
    assert event(Ballot(TEN, True, 1), Ballot(TEN, True, 2), other, Ballot(TEN, False, 3)).mechanisms == named


@pytest.mark.parametrize(
    ("coarser", "finer", "named"),
    [
        (9, 1, ("quic.drop",)),  # at the onset its control still worked: a tenth, and not what happens
        (5, 5, ("quic.drop.target",)),
        (1, 9, ("quic.drop.target",)),
    ],
)
def test_of_a_mechanism_and_its_finer_form_one_is_named(
    coarser: int, finer: int, named: tuple[str, ...]
) -> None:
    how = ["quic.drop"] * coarser + ["quic.drop.target"] * finer
    ballots = [
        Ballot([time], True, asn, mechanism=name)
        for asn in (1, 2)
        for time, name in zip(TEN, how, strict=True)
    ]
    assert event(*ballots, Ballot(TEN, False, 3)).mechanisms == named


@pytest.mark.parametrize(
    "stray",
    [
        [Ballot([14], True, 1)],  # one failure under the name of another family
        [Ballot(TEN, True, 1, probe="liar")],
        [Ballot([10, 11], True, 1), Ballot(TEN, False, 1)],  # most of the others reached it
    ],
)
def test_a_stray_failure_of_another_family_confirms_nothing(stray: list[Ballot]) -> None:
    incident = event(Ballot([10, 11, 12, 13], True, 1, source="edge"), *stray, end=None)
    assert (incident.rule, incident.confirmed_at) == ("", None)


@pytest.mark.parametrize(
    ("stretches", "end", "intervals"),
    [
        ([(1, 0, 5, 5), (2, 0, None, 2)], 5, [(0, 5)]),  # a silent network holds nothing open
        ([(1, 0, 5, 5), (2, 0, None, 2), (1, 60, 64, 64)], 64, [(0, 5), (60, 64)]),
        ([(1, 0, 5, 5), (1, 60, None, 70)], None, [(0, 5), (60, None)]),
        ([(1, 0, None, 3), (2, 40, None, 70), (3, 0, None, 9)], None, [(0, 9), (40, None)]),
    ],
)
def test_the_last_interval_is_open_exactly_where_no_end_was_seen(
    stretches: list[tuple[int, float, float | None, float]],
    end: float | None,
    intervals: list[tuple[float, float | None]],
) -> None:
    """What fell silent swallows no later session."""
    group = [finding(start, over, asn=asn, last_seen=seen) for asn, start, over, seen in stretches]
    failing = [Ballot([start + 0.1, start + 1], True, asn) for asn, start, _, _ in stretches]
    incident = assembled(group, votes(*failing), NOBODY, SETTING)

    def hour(at: float | None) -> float | None:
        return None if at is None else (at - MONDAY) / HOUR

    assert hour(incident.end) == end
    assert [(hour(one.start), hour(one.end)) for one in incident.intervals] == intervals


@pytest.mark.parametrize("controlled", [True, False])
def test_no_confirmed_incident_is_surer_than_was_ever_shown(controlled: bool) -> None:
    """Failing measurements with their own controls are worth more than with others that work."""
    seen = (Ballot(TEN, True, asn, controlled=controlled) for asn in (1, 2))
    incident = event(*seen, Ballot(TEN, False, 3))
    assert incident.confirmed_at is not None
    assert incident.confidence == (SHOWN_HELPED if controlled else SHOWN_ELSEWHERE)
    assert UNCONFIRMED < SHOWN_ELSEWHERE < SHOWN_HELPED < CERTAIN


def test_two_families_on_one_line_share_its_faults_and_are_no_surer() -> None:
    seen = (Ballot(TEN, True, 1, source=source) for source in ("edge", "ooni"))
    incident = event(*seen, Ballot(TEN, False, 3))
    assert (incident.rule, incident.confidence) == ("C1", SHOWN_ELSEWHERE)
