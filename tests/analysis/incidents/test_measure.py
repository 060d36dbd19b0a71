"""What the series behind an outage say of it: onset and bracket, steps, depth, and which places come first."""

from dataclasses import replace

import numpy as np
import pytest

from fanous.analysis.detectors.drop import DROP
from fanous.analysis.detectors.shift import SHIFT
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.course import main_stretch
from fanous.analysis.incidents.families import worth_keeping
from fanous.analysis.incidents.outage import Quantities
from fanous.analysis.series.parts import Parts
from fanous.model.incident import Incident, Stage, Status
from fanous.model.place import Family, Place
from fanous.model.series import Floats, Series
from fanous.pipeline.outages import found_in
from tests.analysis.detectors.quantity_series import HOUR, cut, daily, key, without
from tests.builders import DAY
from tests.each import each

AP, GTR, BGP, NT = "ping-slash24", "gtr", "bgp", "merit-nt"


def at(hours: float) -> float:
    return DAY + hours * HOUR


def of(
    signal: str, *, days: int = 40, noise: float = 0.005, place: Place | None = None, seed: int = 1
) -> Series:
    swing = 0.4 if signal == GTR else 0.0
    series = daily(days, noise=noise, swing=swing, signal=signal, seed=seed)
    return replace(series, key=key(signal, place))


def found(*series: Series) -> list[Incident]:
    return found_in(Quantities(series), Setting("XA", None, "rules", "levels"))


def one(*series: Series) -> Incident:
    (incident,) = found(*series)
    return incident


def test_a_dip_of_a_thousandth_in_a_quiet_series_moves_no_onset() -> None:
    routes = cut(cut(of(BGP, noise=0.0002), 594, 700, 0.9992), 600, 700, 0.9)
    blackout = one(routes, cut(of(AP), 600, 700, 0.035), cut(of(GTR, noise=0.03), 600, 700, 0.01))
    assert blackout.onset == pytest.approx(at(600), abs=900)
    assert blackout.onset_earliest is not None and at(598) < blackout.onset_earliest < blackout.onset_latest
    assert blackout.confirmed_at == at(600.5), "both had lost more than half in the first bin"


def test_an_hour_that_takes_up_two_bins_in_part_is_as_long_as_its_most_exact_source_says() -> None:
    """Half is lost from 23:56 on; the first four minutes show in active probing alone."""

    def struck(series: Series) -> Series:
        inside = np.minimum(series.times + series.step, at(601)) - np.maximum(series.times, at(600) - 240)
        return replace(series, values=series.values * (1 - 0.5 * np.clip(inside / series.step, 0, 1)))

    outage = one(struck(of(AP, noise=0.002)), struck(of(GTR, noise=0.03)))
    assert outage.level is not None and outage.level.mean == pytest.approx(0.5, abs=0.05)


def test_a_lower_day_before_a_loss_of_hours_is_another_day() -> None:
    evening = cut(cut(of(GTR, noise=0.02), 570, 600, 0.9), 600, 610, 0.4)
    assert one(evening, of(AP)).onset_earliest == pytest.approx(at(600), abs=HOUR)


def test_a_long_blackout_is_as_deep_as_it_was_and_not_as_its_beginning() -> None:
    probing = cut(cut(of(AP), 590, 600, 0.9), 600, 2000, 0.035)
    blackout = one(probing, cut(of(GTR, noise=0.03), 600, 2000, 0.01), cut(of(NT), 600, 2000, 0.3))
    assert blackout.level is not None and blackout.level.now is not None
    assert blackout.level.mean == pytest.approx(0.02, abs=0.02), "stray traffic is not what users notice"
    assert blackout.level.now == pytest.approx(0.02, abs=0.02)
    (view,) = [opinion for opinion in blackout.opinions if opinion.family == "probing"]
    assert view.left is not None and view.left.mean == pytest.approx(0.035, abs=0.01)


def test_the_bracket_is_as_narrow_as_the_sources_of_one_place_make_it_together() -> None:
    hourly = wide(of(BGP, noise=0.002), 10800)
    routes = cut(hourly, 600, 640, 0.1)
    exact = one(cut(of(AP), 601, 640, 0.1), routes)
    assert exact.onset_earliest is not None
    assert at(600) <= exact.onset_earliest <= at(601) <= exact.onset_latest <= at(601.5)
    alone = one(routes)
    assert alone.onset_earliest is not None
    assert alone.onset_earliest == at(597) and alone.onset_latest == pytest.approx(at(600), abs=600)


def test_a_source_that_fell_hours_earlier_shows_another_stage_and_widens_no_bracket() -> None:
    late = one(cut(of(AP), 601, 640, 0.1), cut(of(GTR, noise=0.03), 599, 640, 0.1))
    assert late.onset_earliest is not None
    assert at(599) < late.onset_earliest <= at(601) <= late.onset_latest


def test_a_cut_in_steps_is_told_step_by_step() -> None:
    steps = [(600, 640, 0.7), (640, 700, 0.2), (700, 760, 0.6)]
    series = [of(AP), of(GTR, noise=0.02)]
    for first, last, left in steps:
        series = [cut(each, first, last, left) for each in series]
    incident = one(*series)
    assert [round(level.left, 1) for level in incident.levels] == [0.7, 0.2, 0.6]
    starts = [interval.start for interval in incident.intervals]
    assert starts == pytest.approx([at(600), at(640), at(700)], abs=1800)
    assert incident.end == pytest.approx(at(760), abs=1800)


def partly(series: Series, first: float, last: float, left: float) -> Series:
    """The same with a loss between two hours since the beginning; bins that it takes up in part lose that part."""
    inside = np.minimum(series.times + series.step, at(last)) - np.maximum(series.times, at(first))
    share = np.clip(inside / series.step, 0, 1)
    return replace(series, values=series.values * (1 - (1 - left) * share))


def wide(series: Series, step: int) -> Series:
    """The same in wider bins."""
    times = series.times.reshape(-1, step // series.step)[:, 0]
    ones = np.ones(len(times), np.int64)
    values = series.values.reshape(len(times), -1).mean(axis=1)
    return Series(series.key, step, times, values, ones, 0 * ones, 0 * ones)


def test_a_first_step_of_hours_is_the_onset_and_not_the_deepest_fall() -> None:
    series = [of(AP), of(GTR, noise=0.02)]
    for first, last, left in ((600.3, 606, 0.7), (606, 700, 0.04)):
        series = [partly(each, first, last, left) for each in series]
    incident = one(*series)
    assert incident.onset == pytest.approx(at(600.3), abs=600)
    assert incident.confirmed_at is not None and incident.confirmed_at > incident.onset
    assert [round(level.left, 1) for level in incident.levels] == [0.7, 0.0]


@pytest.mark.parametrize("step", [1800, 3600, 10800])
def test_an_end_is_known_to_a_part_of_a_bin_and_an_ordinary_dip_moves_it_not(step: int) -> None:
    lost = [partly(one, 600.5, 660.8, 0.04) for one in (of(AP), of(GTR, noise=0.02), of(NT, noise=0.05))]
    lost[1] = cut(lost[1], 661, 668, 0.75)
    incident = one(*[one if step == one.step else wide(one, step) for one in lost])
    assert incident.onset == pytest.approx(at(600.5), abs=step / 4)
    assert incident.end == pytest.approx(at(660.8), abs=step / 4)
    assert incident.intervals[-1].end == incident.end


def test_every_night_of_a_curfew_begins_and_ends_as_it_did() -> None:
    series = [of(AP), of(GTR, noise=0.02)]
    nights = [(600.3 + 24 * night, 608.3 + 24 * night) for night in range(4)]
    for first, last in nights:
        series = [partly(each, first, last, 0.05) for each in series]
    incident = one(*series)
    told = [hour for span in incident.intervals for hour in (span.start, span.end)]
    assert told == pytest.approx([at(hour) for night in nights for hour in night], abs=600)
    assert all(level.left < 0.1 for level in incident.levels)


@pytest.mark.parametrize("step", [600, 1800])
def test_one_deep_bin_of_two_publishers_is_found_and_of_one_is_not(step: int) -> None:
    first, last = 600, 600 + step / HOUR
    probing = cut(daily(40, noise=0.003, swing=0.0, signal=AP, step=step), first, last, 0.4)
    usage = cut(daily(40, noise=0.03, signal=GTR, step=step), first, last, 0.4)
    incident = one(probing, usage)
    assert incident.onset == at(first)
    assert incident.end == pytest.approx(at(last), abs=step / 10)
    assert incident.confirmed_at == at(last) and incident.level is not None
    assert incident.level.mean == pytest.approx(0.4, abs=0.05)
    routing = cut(daily(40, noise=0.0003, swing=0.0, signal=BGP, step=step), first, last, 0.4)
    assert not found(probing) and not found(probing, routing), "both are IODA's: a gap of one publisher"


def test_a_level_that_lasts_is_open_and_a_further_fall_of_it_no_new_incident() -> None:
    target = replace(of(GTR, days=90), key=replace(key(GTR), target="youtube"))
    lasting = cut(cut(target, 960, 10_000, 0.7), 1500, 10_000, 0.6)
    incident = one(lasting)
    assert (incident.end, incident.status) == (None, Status.SUSPECTED)
    assert incident.lasting_since is not None and incident.lasting_since < at(1500)
    assert incident.targets == ("youtube",)
    assert [round(level.left, 1) for level in incident.levels] == [0.7, 0.4]
    assert any(interval.start == pytest.approx(at(1500), abs=3600) for interval in incident.intervals)


def test_a_blackout_within_a_lasting_lower_level_is_a_separate_incident() -> None:
    probing = cut(cut(of(AP, days=80), 700, 10_000, 0.85), 1500, 1520, 0.1)
    usage = cut(of(GTR, days=80, noise=0.02), 1500, 1520, 0.1)
    incidents = found(probing, usage)
    assert [incident.lasting_since is None for incident in incidents] == [False, True]
    assert incidents[1].onset == pytest.approx(at(1500), abs=1800) and incidents[1].confirmed_at is not None


def test_one_bin_is_enough_for_two_families_of_two_publishers_alone() -> None:
    def struck(*signals: str) -> list[Series]:
        return [cut(of(name, noise=0.01), 600, 600.5, 0.3) for name in signals]

    assert [i.confirmed_at for i in found(*struck(AP, GTR))] == [at(600.5)]
    assert found(*struck(AP, BGP)) == [], "one publisher's gap shows in all that it measures"
    assert found(*struck(AP)) == []
    shallow = [cut(of(name, noise=0.01), 600, 600.5, 0.6) for name in (AP, GTR)]
    assert found(*shallow) == []


def test_places_are_named_the_hardest_hit_first_without_those_that_came_back() -> None:
    depths = {"XA-A": 0.4, "XA-B": 0.1, "XA-C": 0.25, "XA-D": 0.3}
    series = [
        cut(of(AP, place=Place("XA", region=name), seed=n), 600, 640 if name == "XA-D" else 10_000, left)
        for n, (name, left) in enumerate(depths.items())
    ]
    assert one(*series).entities == ("XA-B", "XA-C", "XA-A")
    (view,) = one(*series).opinions
    assert view.entities == ("XA-B", "XA-C", "XA-A", "XA-D"), "the last is back"
    ended = [cut(of(AP, place=Place("XA", region=n), seed=3), 600, 640, left) for n, left in depths.items()]
    assert one(*ended).entities == ("XA-B", "XA-C", "XA-D", "XA-A")


def test_of_many_places_the_first_tenth_says_when_it_began() -> None:
    places = [of(AP, place=Place("XA", region=f"XA-{n:02}"), seed=n) for n in range(30)]
    stray = cut(places[0], 596, 640, 0.3)
    struck = [stray, *(cut(each, 600, 640, 0.2) for each in places[1:])]
    incident = one(*struck)
    assert incident.onset == pytest.approx(at(600), abs=900)
    assert incident.onset_earliest is not None and incident.onset_earliest <= at(596)


def test_a_storm_shows_in_its_state_with_three_days_of_history() -> None:
    quiet = daily(7, noise=0.003, swing=0.0, signal="connectivity", step=3600)
    states = [
        replace(quiet, key=key("connectivity", Place("XA", region=name))) for name in ("XA-A", "XA-B", "XA-C")
    ]
    states[0] = cut(states[0], 78, 120, 0.8)
    incident = one(*states)
    assert incident.entities == ("XA-A",) and incident.onset == pytest.approx(at(78), abs=3600)
    assert "short_history" in [reason.code for reason in incident.reasons]
    coarse = [replace(each, values=np.round(each.values / 10)) for each in states]
    assert found(*coarse) == [], "one of ten steps may be nothing yet"


def test_usage_that_is_not_back_keeps_an_outage_open_after_everything_else_is() -> None:
    probing = cut(of(AP), 600, 650, 0.04)
    usage = cut(cut(of(GTR, noise=0.02), 600, 650, 0.01), 650, 10_000, 0.6)
    incident = one(probing, usage)
    assert (incident.end, incident.status) == (None, Status.CONFIRMED)
    assert [interval.start for interval in incident.intervals] == pytest.approx([at(600), at(650)], abs=900)
    assert [round(level.left, 1) for level in incident.levels] == [0.0, 0.6]
    assert incident.level is not None and incident.level.now is not None
    assert incident.level.mean == pytest.approx(0.025, abs=0.02), "a partial return is not how deep it was"
    assert incident.level.now == pytest.approx(0.8, abs=0.03), "probing is back, usage is not"
    back = one(probing, cut(cut(of(GTR, noise=0.02), 600, 650, 0.01), 650, 750, 0.6))
    assert back.end == pytest.approx(at(750), abs=1800) and len(back.intervals) == 2


@each(
    ("steps", "level"),
    [
        ([(24, 0.05)], 0.05),
        ([(6, 0.05), (18, 0.7)], 0.05),  # most was lost in six hours
        ([(11, 0.25), (8, 0.42), (3, 0.7), (7, 0.8)], 0.25),  # Venezuela, July 2019: back in stages
        ([(1, 0.0), (40, 0.5)], 0.5),  # an hour at nothing is its lowest point, not its level
        ([(10, 0.12), (10, 0.1), (10, 0.11)], 0.11),  # nights of a curfew
    ],
)
def test_the_level_is_that_of_the_main_stretch(steps: list[tuple[float, float]], level: float) -> None:
    begins = np.cumsum([0, *(hours for hours, _ in steps)]) * HOUR
    levels = [
        Stage(begins[n], None if n == len(steps) - 1 else begins[n + 1], left)
        for n, (_, left) in enumerate(steps)
    ]
    soft = Stage(-100 * HOUR, 0, 0.9)
    main = main_stretch([soft, *levels], 0.0, float(begins[-1]))
    assert main is not None and main.left == level


def test_headline_level_steps_and_family_have_one_figure_of_the_country_s_own_series() -> None:
    staged = cut(cut(of(AP), 600, 610, 0.1), 610, 640, 0.7)
    places = [replace(cut(of(AP), 600, 640, 0.9), key=key(AP, Place("XA", region=f"XA-{n}"))) for n in "ABC"]
    incident = one(staged, *places)
    assert incident.level is not None and incident.level.worst is not None
    (probing,) = (view for view in incident.opinions if view.family == "probing")
    assert probing.left is not None
    assert incident.level.mean == probing.left.mean == incident.levels[0].left == pytest.approx(0.1, abs=0.02)
    assert incident.level.worst <= incident.level.mean


def test_the_present_level_is_that_of_sources_that_still_speak() -> None:
    probing = without(cut(of(AP), 600, 10_000, 0.02), 660, 1e6)
    routing = cut(cut(of(BGP), 600, 690, 0.3), 690, 10_000, 0.6)
    level = one(probing, routing).level
    assert level is not None and level.now is not None and level.last is not None
    assert level.last == pytest.approx(0.02, abs=0.01) and level.last_at == at(660)
    assert level.now == pytest.approx(0.6, abs=0.02) and level.now_of == "routing"
    assert level.now_at is not None and level.now_at > at(900)
    alone = one(probing).level
    assert alone is not None and alone.now == pytest.approx(0.02, abs=0.01)
    assert alone.now_at == at(660)
    assert alone.last is None, "nothing has been heard since that would make it old"
    speaks = one(without(probing, 650, 1e6), without(routing, 653, 1e6)).level
    assert speaks is not None and (speaks.now_at, speaks.last) == (at(650), None), "no longer than usual"


def test_people_who_do_a_little_less_after_an_outage_do_not_keep_it_open() -> None:
    for hours, left in ((200, 0.8), (10, 0.5)):
        usage = cut(cut(of(GTR, noise=0.02), 600, 650, 0.01), 650, 650 + hours, left)
        assert one(cut(of(AP), 600, 650, 0.04), usage).end == pytest.approx(at(650), abs=900)


def test_a_stage_that_usage_alone_shows_is_told_and_makes_the_onset_no_less_known() -> None:
    probing = cut(of(AP), 620, 700, 0.04)
    staged = one(probing, cut(cut(of(GTR, noise=0.02), 600, 620, 0.5), 620, 700, 0.01))
    assert staged.onset == pytest.approx(at(620), abs=900)
    assert staged.onset_earliest == pytest.approx(at(620), abs=1800)
    assert staged.led_up_by is not None and staged.led_up_by.start == pytest.approx(at(600), abs=900)
    assert [round(level.left, 1) for level in staged.levels] == [0.5, 0.0]
    for first, left in ((600, 0.8), (618, 0.5)):
        dip = one(probing, cut(cut(of(GTR, noise=0.02), first, 620, left), 620, 700, 0.01))
        assert len(dip.levels) == 1, "a dip is no stage"


def test_routes_that_one_bin_shows_lost_are_not_as_usual() -> None:
    def until(series: Series) -> Series:
        kept = int((at(600.5) - series.times[0]) // series.step)
        columns = ("times", "values", "counts", "controlled", "measurements")
        return replace(series, **{name: getattr(series, name)[:kept] for name in columns})

    lost = [until(cut(of(name, noise=0.002), 600, 700, 0.04)) for name in (AP, GTR)]
    steady, gone = until(of(BGP, noise=0.002)), until(cut(of(BGP, noise=0.002), 600, 700, 0.5))
    assert one(*lost, steady).mechanisms == ("outage.national", "outage.stealth")
    assert one(*lost, gone).mechanisms == ("outage.national",)


def test_single_bins_that_nothing_supports_are_not_kept() -> None:
    alone = DROP.found([cut(of(AP), 600, 600.5, 0.3)])
    assert len(alone) == 1 and worth_keeping(alone, Parts(())) == []
    assert SHIFT.found([cut(of(GTR), 600, 600.5, 0.3)]) == []


def iran_2026(seconds: Floats) -> Floats:
    """Share left so many seconds after the fall began: a dip of 6 % a day before, then two hours and a quarter down."""
    falls = np.maximum(0.01, 0.94 * (1 - seconds / (2.25 * HOUR)))
    return np.where(seconds < -28 * HOUR, 1, np.where(seconds < 0, 0.94, falls))


@each("signals", [(AP, BGP), (AP, GTR), (AP, NT, GTR)])
def test_the_onset_is_that_of_what_the_headline_says_and_the_level_is_reached_later(
    signals: tuple[str, ...],
) -> None:
    def shaped(series: Series) -> Series:
        fine = (np.arange(20) + 0.5) / 20 * series.step
        left = np.mean([iran_2026(series.times - at(700) + part) for part in fine], axis=0)
        return replace(series, values=series.values * left)

    staged = one(*(shaped(of(name, noise=0.02 if name == GTR else 0.005)) for name in signals))
    assert staged.onset_earliest is not None
    assert staged.onset_earliest <= at(700) <= staged.onset_latest <= staged.onset_earliest + HOUR
    assert staged.reached_earliest is not None and staged.reached_latest is not None
    assert staged.reached_earliest <= at(702.25) + 600 and staged.reached_latest >= at(702)
    assert staged.onset_latest <= staged.reached_earliest < staged.reached_latest
    before = staged.led_up_by
    assert before is not None and before.start == pytest.approx(at(672), abs=HOUR), (
        "told as a stage of its own"
    )
    assert before.left == pytest.approx(0.94, abs=0.02)


def test_a_fall_at_one_stroke_reached_its_level_at_once() -> None:
    assert one(partly(of(AP), 600.3, 660, 0.04), cut(of(GTR, noise=0.02), 600, 660, 0.01)).reached is None


def test_ipv6_is_kept_apart_where_a_source_does() -> None:
    v4, v6 = (of(signal, noise=0.002) for signal in ("prefixes_v4", "prefixes_v6"))
    staged = one(cut(of(AP), 700, 750, 0.04), cut(v4, 700, 750, 0.9), cut(v6, 695, 750, 0.02))
    assert staged.onset == pytest.approx(at(700), abs=900)
    routing = next(view for view in staged.opinions if view.family == Family.ROUTING)
    assert routing.left is not None and routing.left.mean == pytest.approx(0.9, abs=0.01)
    (apart,) = [reason for reason in staged.reasons if reason.code == "ipv6_routes"]
    assert apart.params["at"] == pytest.approx(at(695), abs=900)
    assert apart.params["left"] == pytest.approx(0.02, abs=0.01)
