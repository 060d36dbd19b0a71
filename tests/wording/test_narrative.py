"""An incident in whole sentences: what a journalist could quote, in every language."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as some

from fanous.model.incident import (
    BACKFILL,
    Estimate,
    EvidenceCounts,
    FamilyView,
    Incident,
    Interval,
    Kind,
    Part,
    RolePart,
    Says,
    Scope,
    Stage,
    Status,
)
from fanous.model.instant import HOUR, from_iso
from fanous.model.measurement import Provenance, Role
from fanous.model.place import Access
from fanous.model.reason import Reason
from fanous.refdata.users import user_weights
from fanous.wording import ENGLISH, LANGUAGES, Language
from fanous.wording.headline import UNVOUCHED, headline, provenance_mark
from fanous.wording.narrative import (
    NETWORKS,
    WORDS,
    because,
    details,
    grounds,
    lede,
    sentence,
    sentences,
    speeds,
    summary,
    words_of,
)
from fanous.wording.period import exactly_when, roughly_when
from tests.charts.events import END, NATION, ONGOING, START, SUSPECTED, incident, network, part
from tests.each import each

DAY = 86_400.0


def led(**given: Any) -> str:
    return lede(incident(**given), ENGLISH).text


def told(*, names: Any = None, **given: Any) -> str:
    return " ".join(one.text for one in details(incident(**given), names or {}, ENGLISH))


# --- the lede -------------------------------------------------------------------------------------------


def test_what_may_vanish_as_the_past_comes_in_says_so_first() -> None:
    given = {"status": Status.ENDED, "confirmed_at": None, "held_by": BACKFILL}
    assert led(**given).startswith("Provisional; now ended: X (Twitter) may have been blocked")
    assert led(**ONGOING | SUSPECTED, held_by=BACKFILL).startswith("Provisional: X (Twitter) may have been")


def test_a_confirmed_and_ended_incident_is_one_sentence() -> None:
    assert led() == (
        "Confirmed; now ended: X (Twitter) was blocked on Zong in Pakistan from about 19:45 to about 22:55 "
        "on 17 December 2023, local time."
    )


@each(
    ("given", "opening"),
    [
        ({}, "Confirmed; now ended: X (Twitter) was blocked on"),
        (ONGOING, "Confirmed: X (Twitter) has been blocked on"),
        (ONGOING | {"targets": ("x", "youtube")}, "Confirmed: X (Twitter) and YouTube have been blocked on"),
        (SUSPECTED, "Suspected, not confirmed: X (Twitter) may have been blocked on"),
        (
            {"confirmed_at": None},
            "Suspected, never confirmed; now ended: X (Twitter) may have been blocked on",
        ),
        ({"status": Status.RETRACTED}, "Retracted: Fanous no longer claims that X (Twitter) was blocked on"),
        (
            {"status": Status.RETRACTED, "confirmed_at": None},
            "Retracted: Fanous no longer suspects that X (Twitter) was blocked on",
        ),
    ],
)
def test_the_hedge_follows_the_status(given: dict[str, Any], opening: str) -> None:
    assert led(**given).startswith(opening)


def ended_within(earliest: float, latest: float) -> dict[str, Any]:
    """An end and its bounds, in seconds after ``END``: the end is in their middle."""
    return {
        "end": END + (earliest + latest) / 2,
        "end_earliest": END + earliest,
        "end_latest": END + latest,
    }


@each(
    ("given", "says"),
    [
        ({}, "from about 19:45 to about 22:55 on 17 December 2023, local time."),
        (
            {"end": from_iso("2023-12-17T22:25Z")},
            "from about 19:45 on 17 December to about 03:25 on 18 December",
        ),
        ({"onset_earliest": None}, "from before 19:45 to about 22:55 on 17 December 2023, local time."),
        (
            {"onset_earliest": START - 9000},
            "from some time between 17:15 and 20:00 to about 22:55 on 17 December 2023, local time.",
        ),
        (
            {"onset_earliest": START - HOUR},
            "from some time between 18:45 and 20:00 to about 22:55 on 17 December 2023, local time.",
        ),
        ({"end": START + 9 * DAY}, "from 17 to 26 December 2023."),
        ({"end": START + 30 * DAY}, "from 17 December 2023 to 16 January 2024."),
        ({"end": START + 9 * DAY, "onset_earliest": None}, "from 17 December 2023 or earlier to 26 December"),
        (ended_within(-600, 600), "from about 19:45 to about 22:55 on 17 December 2023, local time."),
        (
            ended_within(-HOUR, HOUR),
            "from about 19:45 to some time between 21:55 and 23:55 on 17 December 2023, local time.",
        ),
        (
            ended_within(-HOUR, 5 * HOUR),
            "from about 19:45 to some time between 21:55 on 17 December and 03:55 on 18 December 2023",
        ),
        (
            ended_within(-HOUR, HOUR) | {"onset_earliest": START - 9000},
            "from some time between 17:15 and 20:00 to some time between 21:55 and 23:55 on 17 December 2023",
        ),
        (
            ended_within(-HOUR, HOUR) | {"onset_earliest": None},
            "from before 19:45 to some time between 21:55 and 23:55 on 17 December 2023",
        ),
        (ended_within(8 * DAY, 9 * DAY), "from 17 December 2023 to 26 December 2023 at the latest."),
        (
            ended_within(8 * DAY, 9 * DAY) | {"onset_earliest": None},
            "from 17 December 2023 or earlier to 26 December 2023 at the latest.",
        ),
        (ONGOING, "since about 19:45 on 17 December 2023, local time."),
        (ONGOING | {"onset_earliest": None}, "since before 19:45 on 17 December 2023, local time."),
        (
            ONGOING | {"onset_earliest": START - 9000},
            "since some time between 17:15 and 20:00 on 17 December 2023, local time.",
        ),
    ],
)
def test_it_says_when_as_exactly_as_is_known(given: dict[str, Any], says: str) -> None:
    assert says in led(**given)


@each(
    ("given", "says"),
    [
        ({}, "From about 17 December 2023, 19:45 PKT (14:45 UTC) to about 17 December 2023, 22:55"),
        (
            {"onset_earliest": START - HOUR},
            "From 17 December 2023, 20:00 PKT (15:00 UTC) at the latest to about",
        ),
        (
            ONGOING | {"onset_earliest": START - HOUR},
            "Since 17 December 2023, 20:00 PKT (15:00 UTC) at the latest",
        ),
        (
            ended_within(-HOUR, HOUR) | {"onset_earliest": START - HOUR},
            "Under way by 17 December 2023, 20:00 PKT (15:00 UTC); over by 17 December 2023, 23:55 PKT (18:55 UTC).",
        ),
        (ONGOING | {"onset_earliest": None}, "Already under way at 17 December 2023, 19:45 PKT (14:45 UTC)"),
    ],
)
def test_the_foot_of_a_picture_gives_no_middle_of_a_gap_as_the_onset(
    given: dict[str, Any], says: str
) -> None:
    assert roughly_when(incident(**given), ENGLISH).text.startswith(says)


@each(
    ("given", "says"),
    [
        (
            {},
            "It began about 17 December 2023, 19:45 PKT (14:45 UTC), and ended between 17 December 2023, 21:55",
        ),
        (
            {"onset_earliest": None},
            "it ended between 17 December 2023, 21:55 PKT (16:55 UTC) and 17 December",
        ),
        ({"onset_earliest": START - HOUR}, "(15:00 UTC), and ended between 17 December 2023, 21:55 PKT"),
    ],
)
def test_an_end_is_never_about_a_time_that_its_bounds_leave_open(given: dict[str, Any], says: str) -> None:
    assert says in exactly_when(incident(**given, **ended_within(-HOUR, HOUR)), ENGLISH).text
    assert (
        "between 17 December 2023, 21:55"
        not in exactly_when(incident(**given, **ended_within(-600, 600)), ENGLISH).text
    )


@each(
    ("given", "place"),
    [
        ({}, "on Zong in Pakistan"),
        ({"entities": ("AS4200000001",)}, "on AS4200000001 in Pakistan"),
        ({"entities": ("AS45669", "AS59257")}, "on 2 networks in Pakistan"),
        ({"entities": ()}, "was blocked in Pakistan"),
        ({"entities": ("PK-PB",)}, "in parts of Pakistan"),
        (NATION, "across Pakistan"),
        (NATION | {"access": Access.MOBILE}, "on mobile networks across Pakistan"),
        (NATION | {"access": Access.FIXED}, "on fixed lines across Pakistan"),
    ],
)
def test_it_names_the_country_only_where_it_is_the_nation(given: dict[str, Any], place: str) -> None:
    assert f" {place} " in led(**given) or f" {place} from" in led(**given)


def test_each_kind_has_its_own_verb() -> None:
    both = (part("x"), part("facebook"), part("youtube", Kind.THROTTLING))
    assert "X (Twitter) and Facebook were blocked and YouTube slowed on Zong" in led(parts=both)
    assert "YouTube was slowed on Zong" in led(parts=both[2:], kind=Kind.THROTTLING)


def test_a_long_list_of_targets_is_cut_and_counted() -> None:
    assert "site0.org, site1.org, site2.org and 6 more were" in led(
        targets=tuple(f"site{n}.org" for n in range(9))
    )


def outage(**given: Any) -> Incident:
    """Nation-wide, confirmed by active probing and usage, now over."""
    scope, entities = given.get("scope", Scope.NATION), given.get("entities", ("PK",))
    fields: dict[str, Any] = {
        "kind": Kind.OUTAGE,
        "scope": scope,
        "parts": (part("", Kind.OUTAGE, mechanisms=("outage.national",), entities=entities),),
        "entities": entities,
        "networks": (network("PK", targets=()),),
        "level": Estimate(0.05, 0.02, 0.2),
        "users": None,
        "onset_earliest": START,
        "onset_latest": START,
        "opinions": (ROUTING, PROBING, USAGE),
        "rule": "C3",
        "reasons": (Reason("rule.c3", {"families": ("probing", "usage")}),),
    }
    return incident(**(fields | given))


PROBING = FamilyView("probing", Says.DOWN, ("ioda ping-slash24",), ("PK",), Estimate(0.05, 0.02, 0.1), START)
ROUTING = FamilyView("routing", Says.ORDINARY, ("ioda bgp",), ("PK",))
USAGE = FamilyView("usage", Says.DOWN, ("ioda gtr",), ("PK",), Estimate(0.004, 0.0, 0.01), START)


@each(
    ("given", "words"),
    [
        ({}, "Confirmed; now ended: connectivity fell to about 5% of its usual level across Pakistan from"),
        (
            {"end": None, "status": Status.CONFIRMED, "intervals": (Interval(START, None),)},
            "Confirmed: connectivity has fallen to about 5% of its usual level across Pakistan since",
        ),
        ({"confirmed_at": None}, "never confirmed; now ended: connectivity may have fallen to about 5%"),
        ({"level": Estimate(0.003, 0.0, 0.01)}, "internet access was cut across Pakistan from"),
        ({"level": None}, "internet access was cut across Pakistan from"),
        ({"scope": Scope.INSUFFICIENT}, "of its usual level in Pakistan from"),
        ({"scope": Scope.REGION, "entities": ("PK-PB", "PK-SD")}, "in parts of Pakistan from"),
        ({"kind": Kind.SLOWDOWN}, "connection speeds fell to about 5% of their usual level"),
        ({"status": Status.RETRACTED}, "Retracted: Fanous no longer claims that connectivity fell to"),
    ],
)
def test_an_outage_is_told_as_far_as_it_is_known(given: dict[str, Any], words: str) -> None:
    assert words in lede(outage(**given), ENGLISH).text


@each(
    ("given", "words", "title"),
    [
        (
            {},
            "Confirmed: connectivity was low across Pakistan from about 19:45 to at least 23:15 on 17 December 2023, "
            "local time: typically 5% of its usual level, and 80% when last measured.",
            "Internet back to about 80% of normal across Pakistan",
        ),
        (
            {"confirmed_at": None},
            "connectivity may have been low across Pakistan from about 19:45 to at least 23:15 on",
            "may be back to about 80% of normal",
        ),
        (
            {"kind": Kind.SLOWDOWN, "parts": ()},
            "connection speeds were low across Pakistan from about 19:45 to at least 23:15 on",
            "slowed",
        ),
        (
            {"level": Estimate(0.004, 0, 0.1, now=0.2, now_at=END + 1200)},
            "typically less than 1% of its usual level, and 20% when last measured.",
            "cut off",
        ),
        (
            {"level": Estimate(0.5, 0.4, 0.6, now=0.3, now_at=END + 1200)},
            "typically 50% of its usual level, and 30% when last measured.",
            "down to about 50%",
        ),
        (
            {"level": Estimate(0.5, 0.4, 0.6, now=0.55, now_at=END + 1200)},
            "connectivity fell to about 50% of its usual level across Pakistan from about 19:45 to at least 23:15",
            "down to about 50%",
        ),
        (
            {
                "level": Estimate(0.4, 0.3, 0.5, now=0.99, now_at=END + 1200),
                "scope": Scope.ISP,
                "entities": ("AS17557",),
            },
            "typically 40% of its usual level, and 99% when last measured.",
            "Internet back to about 99% of normal on PTCL in Pakistan",
        ),
        (
            {"level": Estimate(0.6, 0.5, 0.7, now=0.99, now_at=END + 1200)},
            "typically 60% of its usual level, and 99% when last measured.",
            "Internet back to about 99% of normal across Pakistan",
        ),
        (
            {
                "level": Estimate(0.6, 0.5, 0.7, now=1.04, now_at=END + 1200)
            },  # days differ by as much by themselves
            "typically 60% of its usual level, and 100% when last measured.",
            "Internet back to about 100% of normal across Pakistan",
        ),
        ({"end": END, "status": Status.ENDED}, "connectivity fell to about 5% of its usual level", "cut off"),
        (
            {"status": Status.RETRACTED},
            "Retracted: Fanous no longer claims that connectivity fell to about 5%",
            "cut off",
        ),
    ],
)
def test_an_outage_that_goes_on_at_another_level_says_so(
    given: dict[str, Any], words: str, title: str
) -> None:
    goes_on = {"end": None, "status": Status.CONFIRMED, "intervals": (Interval(START, None),)}
    one = outage(**(goes_on | {"level": Estimate(0.05, 0.02, 0.2, now=0.8, now_at=END + 1200)} | given))
    assert words in lede(one, ENGLISH).text
    assert title in headline(one, {}, ENGLISH).text


def test_what_led_up_to_an_outage_is_told_by_itself_and_makes_its_onset_no_less_known() -> None:
    levels = (Stage(START - DAY, START - 600, 0.59), Stage(START, END, 0.05))
    staged = outage(levels=levels)
    assert "Pakistan from about 19:45 to" in lede(staged, ENGLISH).text
    said = " ".join(one.text for one in details(staged, {}, ENGLISH))
    assert (
        "A smaller fall, to about 59% of the usual level, came first, from about 16 December 2023, 19:45"
        in said
    )
    plain = outage(levels=levels[1:], onset_earliest=START - DAY)
    assert "from some time between" in lede(plain, ENGLISH).text
    assert "came first" not in " ".join(one.text for one in details(plain, {}, ENGLISH))


def test_regions_of_an_outage_are_named_in_the_order_of_their_loss() -> None:
    cells = tuple(network(name, targets=(), measurements=n) for n, name in ((9, "PK-SD"), (99, "PK-PB")))
    hit = outage(scope=Scope.REGION, entities=("PK-SD", "PK-PB"), networks=cells)
    (regions,) = [one.text for one in details(hit, {}, ENGLISH) if one.text.startswith("Regions")]
    assert regions.index("Sindh") < regions.index("Panjāb")


NAMES = ("x", "facebook", "instagram", "youtube", "whatsapp", "telegram")


@drawn(
    country=some.sampled_from(["PK", "CD", "GB", "KE", "VC", "BA"]),
    targets=some.lists(some.sampled_from(NAMES), min_size=1, unique=True),
    slowed=some.integers(0, 6),
    scope=some.sampled_from(Scope),
    access=some.sampled_from(Access),
    earlier=some.sampled_from([None, 0.0, 900.0, 9000.0, 90_000.0]),
    lasts=some.sampled_from([None, 600.0, 9 * 3600.0, 30 * 3600.0, 20 * DAY]),
    status=some.sampled_from(Status),
    sure=some.booleans(),
)
def test_a_lede_is_one_sentence_of_at_most_35_words(
    country: str,
    targets: list[str],
    slowed: int,
    scope: Scope,
    access: Access,
    earlier: float | None,
    lasts: float | None,
    status: Status,
    sure: bool,
) -> None:
    kinds = [Kind.THROTTLING if n < slowed else Kind.BLOCKING for n in range(len(targets))]
    one = incident(
        country=country,
        parts=tuple(part(target, kind) for target, kind in zip(targets, kinds, strict=True)),
        kind=kinds[-1],
        scope=scope,
        access=access,
        entities=("AS59257", "AS45669") if scope is not Scope.REGION else (f"{country}-PB",),
        onset_earliest=None if earlier is None else START - earlier,
        end=None if lasts is None else START + lasts,
        status=status,
        confirmed_at=START if sure else None,
    )
    text = lede(one, ENGLISH).text
    assert words_of(text) <= WORDS
    assert text.endswith(".") and ". " not in text.replace("St. ", "")
    assert sure or status is Status.RETRACTED or "may have been" in text


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("target", ["", "youtube"])
@pytest.mark.parametrize("kind", [Kind.OUTAGE, Kind.SLOWDOWN])
def test_so_is_the_lede_where_the_connection_or_traffic_fell(kind: Kind, target: str, scope: Scope) -> None:
    for country, status, level in product(
        ("PK", "CD", "GS", "VC"), Status, (None, Estimate(0.05, 0.02, 0.1))
    ):
        one = incident(
            country=country,
            kind=kind,
            parts=(part(target, kind),),
            scope=scope,
            entities=("AS59257", "AS45669") if scope is not Scope.REGION else (f"{country}-PB",),
            status=status,
            level=level,
            confirmed_at=None if status is Status.SUSPECTED else START,
        )
        text = lede(one, ENGLISH).text
        assert words_of(text) <= WORDS
        assert text.endswith(".") and ". " not in text.replace("St. ", "")


# --- sessions -------------------------------------------------------------------------------------------


def in_sessions(**given: Any) -> Incident:
    """Two sessions each weekday from Monday 13 to Friday 24 November 2023, 8 to 10 and 14 to 16 in Nairobi."""
    days = [from_iso("2023-11-13T00:00Z") + DAY * n for n in range(12) if n % 7 < 5]
    spans = tuple(Interval(day + hour * 3600, day + (hour + 2) * 3600) for day in days for hour in (5, 11))
    fields: dict[str, Any] = {
        "country": "KE",
        "entities": ("AS33771",),
        "networks": (network("AS33771", intervals=spans),),
        "intervals": spans,
        "onset": spans[0].start,
        "onset_earliest": spans[0].start - 600,
        "onset_latest": spans[0].start,
        "end": spans[-1].end,
    }
    return incident(**(fields | given))


def test_sessions_are_told_as_such_with_their_hours() -> None:
    one = in_sessions()
    assert lede(one, ENGLISH).text.endswith(
        "in Kenya in two sessions a day on weekdays from 13 to 24 November 2023."
    )
    hours = [said.text for said in details(one, {}, ENGLISH) if "Hours" in said.text]
    assert hours == ["Hours, as measured: about 08:00–10:00 and 14:00–16:00, local time."]
    still = in_sessions(end=None, status=Status.CONFIRMED)
    assert lede(still, ENGLISH).text.endswith("in two sessions a day on weekdays since 13 November 2023.")


def test_what_did_not_pause_on_every_network_is_said_to_come_in_sessions_mostly() -> None:
    whole = network("AS36926", intervals=(Interval(START, START + 3 * DAY),), measurements=5)
    one = in_sessions()
    one = replace(one, networks=(*one.networks, whole))
    assert " mostly in two sessions a day on weekdays" in lede(one, ENGLISH).text
    said = " ".join(sentence.text for sentence in details(one, {}, ENGLISH))
    assert "For more than 12 hours at a stretch, as far as measured, on: Airtel Kenya (AS36926)." in said


def test_one_of_several_targets_that_was_back_earlier_is_said_to_have_failed_for_part_of_the_time() -> None:
    early = (Interval(START, START + 4 * 3600),)
    both = (part("facebook", intervals=early), part("x", intervals=(Interval(START, START + DAY),)))
    one = incident(parts=both, end=START + DAY, intervals=(Interval(START, START + DAY),))
    assert "Facebook (part of the time) and X (Twitter) were blocked" in lede(one, ENGLISH).text
    said = [sentence.text for sentence in details(one, {}, ENGLISH)]
    assert (
        "Not all of these failed all the time (local time): Facebook from 17 Dec, 19:45 to 17 Dec, 23:45."
        in said
    )
    alone = replace(one, parts=both[:1])
    assert "part of the time" not in lede(alone, ENGLISH).text


def test_a_part_that_is_known_to_have_failed_on_some_networks_only_is_told_of_services_with_several() -> None:
    when = (Interval(START, START + DAY),)
    web = RolePart(Role.WEB, ("AS17557",), (), when)
    told = "One part of X (Twitter) (website) is known to have failed only on"
    for roles, is_told in (((web,), False), ((web, RolePart(Role.API, (), (), when)), True)):
        one = incident(parts=(part("x", entities=("AS17557", "AS45669"), roles=roles),))
        assert any(told in sentence.text for sentence in details(one, {}, ENGLISH)) is is_told


def test_periods_that_are_not_at_the_same_hours_are_counted() -> None:
    nights = tuple(Interval(START + DAY * n, START + DAY * n + 28_800) for n in range(3))
    assert "It came in 3 separate periods." in told(intervals=nights, end=END + 2 * DAY)
    steps = (Interval(START, START + DAY), Interval(START + DAY, None))
    said = told(intervals=steps, end=None)
    assert (
        "The level changed along the way but never returned to normal in between." in said
        and "periods" not in said
    )


def test_returns_in_part_are_counted_and_the_best_is_given() -> None:
    edges = [START + n * HOUR for n in range(6)]
    shares = (0.05, 0.7, 0.05, 0.9, 0.05)
    levels = tuple(Stage(edges[n], edges[n + 1], left) for n, left in enumerate(shares))
    spans = tuple(Interval(one.start, one.end) for one in levels)
    said = told(levels=levels, intervals=spans, end=edges[-1])
    assert "It was partly back 2 times in between, at up to about 90% of the usual level." in said
    ending = told(levels=levels[:4], intervals=spans[:4], end=edges[4])
    assert "It was partly back once in between, at about 70% of the usual level." in ending, (
        "the last led to its end"
    )
    assert "period" not in told()


def test_headline_and_lede_have_one_figure_and_the_lowest_level_is_called_that() -> None:
    edges = [START + n * HOUR for n in range(4)]
    levels = tuple(Stage(edges[n], edges[n + 1], left) for n, left in enumerate((0.5, 0.25, 0.5)))
    spans = tuple(Interval(one.start, one.end) for one in levels)
    one = incident(
        kind=Kind.OUTAGE,
        parts=(),
        level=Estimate(0.42, 0.1, 0.5, worst=0.25),
        levels=levels,
        intervals=spans,
        end=edges[-1],
    )
    assert "42%" in headline(one, {}, ENGLISH).text and "42%" in lede(one, ENGLISH).text
    said = [sentence.text for sentence in details(one, {}, ENGLISH)]
    assert "At its lowest, 25% of the usual level was left." in said
    level = replace(one, level=Estimate(0.42, 0.4, 0.5, worst=0.4))
    assert not any("lowest" in sentence.text for sentence in details(level, {}, ENGLISH))


# --- details --------------------------------------------------------------------------------------------


def test_how_is_said_by_target() -> None:
    slow = ("tls.throttle.sni",)
    parts = (
        part("x", mechanisms=("tls.reset.sni",)),
        part("facebook", Kind.THROTTLING, mechanisms=slow),
        part("youtube", Kind.THROTTLING, mechanisms=slow),
    )
    said = told(parts=parts, kbps=Estimate(126.4, 120, 131))
    assert "Transfers from Facebook and YouTube were slowed to about 126 kbit/s." in said
    assert "Connections to X (Twitter) were reset when they named the site." in said
    assert "kbit" not in told(parts=parts)


@pytest.mark.parametrize(
    ("kbps", "meaning"),
    [
        (30.0, "At such a speed, even text is slow to arrive, and calls do not work."),
        (154.0, "At such a speed, text gets through, but a video call does not work."),
        (512.0, "At such a speed, text and voice calls work, but video stutters."),
        (2000.0, ""),
    ],
)
def test_what_a_speed_means_follows_it(kbps: float, meaning: str) -> None:
    slowed = part("youtube", Kind.THROTTLING, mechanisms=("tls.throttle.sni",))
    cut = part("x", mechanisms=("tls.reset.sni",))
    one = incident(parts=(cut, slowed), kbps=Estimate(kbps, kbps, kbps))
    for account in (details(one, {}, ENGLISH), summary(one, ENGLISH)):
        said = " ".join(sentence.text for sentence in account)
        after = said.partition("kbit/s. ")[2]
        assert after.startswith(meaning) and ("At such a speed" in said) == bool(meaning)
    caption = " ".join(sentence.text for sentence in speeds(one, ENGLISH))
    assert caption.startswith("Transfers from YouTube were slowed to about") and caption.endswith(
        meaning or "kbit/s."
    )
    unknown = replace(one, kbps=None)
    assert "At such a speed" not in " ".join(sentence.text for sentence in details(unknown, {}, ENGLISH))
    assert not speeds(unknown, ENGLISH) and not speeds(replace(one, parts=(cut,)), ENGLISH)


def test_targets_that_met_the_same_in_many_ways_are_listed_once() -> None:
    ways = ("tls.reset.sni", "tls.timeout", "tls.throttle.sni", "dns.injection.bogon")
    parts = (
        part("x", mechanisms=ways),
        part("facebook", mechanisms=ways),
        part("telegram", mechanisms=ways[:1]),
    )
    said = told(parts=parts[:2], kbps=Estimate(131.0, 120, 140))
    assert "X (Twitter) and Facebook: connections reset when the name is sent" in said
    assert "slowed encrypted connections (about 131 kbit/s) and forged DNS answers." in said
    assert "Connections to" not in said
    assert "Connections to X (Twitter), Facebook and Telegram were reset when they named the site." in told(
        parts=parts
    )


def test_two_mechanisms_with_the_same_words_are_said_once() -> None:
    said = told(mechanisms=("dns.injection.bogon", "dns.injection.other", "tcp.timeout", "tls.timeout"))
    assert said.count("forged answers") == said.count("got no answer") == 1


def test_a_mechanism_without_a_sentence_is_named() -> None:
    assert "X (Twitter): the service's own failure." in told(mechanisms=("server.down",))


def test_networks_are_named_by_operator_those_with_most_evidence_first() -> None:
    seen = (network("AS9541", measurements=5), network("AS59257", measurements=50))
    said = told(entities=("AS9541", "AS59257"), networks=seen)
    assert "Networks: Zong (AS59257) and Cybernet (StormFiber) (AS9541)." in said
    five = ("AS45669", "AS59257", "AS24499", "AS56167", "AS9541")
    assert "and 2 more." in told(entities=five, networks=())
    assert "Jazz (AS45669, AS58470)" in told(entities=("AS45669", "AS58470"), networks=())


def test_a_network_that_we_do_not_know_has_the_printable_name_of_its_measurements() -> None:
    said = told(names={4200000001: "Village\x1b[31m \n Net"}, entities=("AS4200000001",))
    assert "Village 31m Net (AS4200000001)" in said


def test_shares_are_of_users_only_where_user_figures_are_known() -> None:
    assert user_weights("PK") is not None and user_weights("KP") is None
    assert "83% of users were affected" in told(**NATION)
    assert "of networks were affected" in told(**NATION, country="KP")
    assert "users were" not in told(**NATION, country="KP")
    assert "83% of users of mobile networks" in told(**NATION, access=Access.MOBILE)
    assert "% of users" not in told(), "below the nation it is left out"
    for language in LANGUAGES.values():
        known = [one.text for one in details(incident(**NATION), {}, language)]
        other = [one.text for one in details(incident(**NATION, country="KP"), {}, language)]
        (networks,) = set(other) - set(known) - {other[-1]} - {one for one in other if "KST" in one}
        assert networks == language.say(
            NETWORKS, mean=language.percent(0.834), low=language.percent(0.71), high=language.percent(0.9)
        )


@pytest.mark.parametrize(
    ("evidence", "says"),
    [
        (
            EvidenceCounts(1412, 23, 7, 398, ("edge",)),
            "1,412 measurements by 23 independent probes on 7 networks saw it. "
            "398 measurements elsewhere or from outside worked at the time.",
        ),
        (
            EvidenceCounts(1, 1, 1, 1, ("edge",)),
            "1 measurement by 1 independent probe on 1 network saw it. "
            "1 measurement elsewhere or from outside worked at the time.",
        ),
        (EvidenceCounts(50, 23, 7, 0, ("ooni",)), "50 measurements in 23 test runs on 7 networks saw it."),
        (EvidenceCounts(247, 247, 4, 0, ("ooni",)), "247 test runs on 4 networks saw it."),
        (
            EvidenceCounts(50, 23, 7, 0, ("edge", "ooni")),
            "50 measurements in 23 test runs on 7 networks saw it.",
        ),
    ],
)
def test_the_evidence_is_counted_in_its_true_units(evidence: EvidenceCounts, says: str) -> None:
    assert " ".join(one.text for one in grounds(incident(evidence=evidence), ENGLISH)) == says


def test_each_family_has_its_say() -> None:
    lower = FamilyView("usage", Says.ORDINARY, ("ioda gtr",), ("PK",), Estimate(0.9, 0.86, 0.95))
    silent = FamilyView("darknet", Says.SILENT, ("ioda merit-nt",), ("PK",))
    said = [one.text for one in grounds(outage(opinions=(ROUTING, PROBING, USAGE, lower, silent)), ENGLISH)]
    assert said == [
        "Routing: as usual (Visible /24 blocks in routing, IODA).",
        "Active probing: 5% of the usual level, between 2% and 10% (/24 blocks that answer pings, IODA).",
        "Traffic and users: less than 1% of the usual level, between <1% and 1% (Requests to a Google product, IODA).",
        "Traffic and users: 90% of the usual level, within its usual range (Requests to a Google product, IODA).",
        "Stray traffic: no data at the time (Sources of stray traffic seen by a network telescope, IODA).",
    ]


def test_a_family_says_where_it_fell_if_that_is_less_than_the_country() -> None:
    there = ("PK-PB", "AS17557")
    known = FamilyView("routing", Says.DOWN, ("ioda bgp",), there, Estimate(0.05, 0.02, 0.1))
    unknown = FamilyView("usage", Says.DOWN, ("ioda gtr",), there)
    told = [one.text for one in grounds(outage(opinions=(known, unknown)), ENGLISH)]
    assert told == [
        "Routing: 5% of the usual level in Panjāb and AS17557, between 2% and 10% "
        "(Visible /24 blocks in routing, IODA).",
        "Traffic and users: down in Panjāb and AS17557 (Requests to a Google product, IODA).",
    ]


def test_what_is_left_of_a_country_is_not_said_of_its_networks() -> None:
    """Myanmar's "22% of the usual level in AS132167" was the country's: of the network less than 1% was left."""
    whole = FamilyView(
        "probing", Says.DOWN, ("ioda ping-slash24",), ("PK", "AS17557"), Estimate(0.22, 0.22, 0.23)
    )
    (told,) = [one.text for one in grounds(outage(opinions=(whole,)), ENGLISH)]
    assert (
        told
        == "Active probing: 22% of the usual level, between 22% and 23% (/24 blocks that answer pings, IODA)."
    )


def test_an_end_that_no_one_saw_is_not_given() -> None:
    assert "no end has been seen" in told(**ONGOING)
    assert "no end" not in told()


def test_a_retraction_leads_and_says_why_and_repeats_no_figures() -> None:
    gone = incident(
        status=Status.RETRACTED, reasons=(Reason("platform.down", {"countries": ("EG", "IR", "TR")}),)
    )
    said = " ".join(one.text for one in sentences(gone, {}, ENGLISH))
    assert said.startswith("Retracted: Fanous no longer claims")
    assert said.endswith("it began to fail in Egypt, Iran and Türkiye at the same time.")
    assert "saw it" not in said
    assert [one.text for one in summary(gone, ENGLISH)] == [one.text for one in sentences(gone, {}, ENGLISH)]


def test_what_is_staged_says_so_before_all_else() -> None:
    staged = replace(incident(), provenance=Provenance.SYNTHETIC)
    for text in (sentence(staged), sentences(staged, {}, ENGLISH)[0].text, summary(staged, ENGLISH)[0].text):
        assert text.startswith("Synthetic: a staged event. It says nothing about Pakistan.")


# --- every language -------------------------------------------------------------------------------------

OF_A_REGION: dict[str, Any] = SUSPECTED | {
    "kind": Kind.OUTAGE,
    "parts": (Part("", Kind.OUTAGE, ("outage",), ("PK-BA",)),),
    "entities": ("PK-BA",),
}


def measured(seconds: float) -> Estimate:
    """A level that was measured so long after the onset."""
    return Estimate(0.05, 0.02, 0.2, now=0.05, now_at=START + seconds)


@each(
    ("given", "period"),
    [
        ({}, "from about 19:45 to at least 23:15 on 17 December 2023, local time."),
        (
            {"onset_earliest": START - 9000, "onset_latest": START + 900},
            "from some time between 17:15 and 20:00 to at least 23:15 on 17 December 2023, local time.",
        ),
        ({"onset_earliest": None}, "from before 19:45 to at least 23:15 on 17 December 2023, local time."),
        ({"level": measured(9 * DAY)}, "from 17 December 2023 to at least 26 December 2023."),
        (
            {"level": measured(9 * DAY), "onset_earliest": None},
            "from 17 December 2023 or earlier to at least 26 December 2023.",
        ),
        ({"level": Estimate(0.05, 0.02, 0.2)}, "since about 19:45 on 17 December 2023, local time."),
    ],
)
def test_nothing_is_said_of_the_time_after_the_newest_value(given: dict[str, Any], period: str) -> None:
    goes_on = {"end": None, "status": Status.CONFIRMED, "intervals": (Interval(START, None),)}
    one = outage(**(goes_on | {"level": measured(12_600)} | given))
    assert lede(one, ENGLISH).text.endswith(period)
    if one.seen_until is not None:
        said = " ".join(sentence.text for sentence in sentences(one, {}, ENGLISH))
        assert "since" not in said and "has been cut" not in said
        assert "no end has been seen" in said


def test_who_was_cut_first_keeps_its_time() -> None:
    """IranCell, 16 November 2019: 165 minutes before the country."""
    early, late, near = (
        network(name, targets=(), intervals=(Interval(START + after, END),))
        for name, after in (("AS17557", -9900), ("AS59257", 3600), ("AS45669", -1800))
    )
    one = outage(networks=(network("PK", targets=()), early, late, near))
    said = [sentence.text for sentence in details(one, {}, ENGLISH)]
    assert "Low before the rest (local time): PTCL (AS17557) from 17 Dec, 17:00." in said
    of_operators = replace(one, entities=("AS17557", "AS59257"), scope=Scope.MULTI_ISP)
    assert not any("before the rest" in sentence.text for sentence in details(of_operators, {}, ENGLISH))


def test_a_source_that_fell_silent_is_dated_and_another_gives_the_present_level() -> None:
    level = Estimate(
        0.01, 0.0, 0.05, now=0.94, now_at=START + 9 * DAY, now_of="routing", last=0.0, last_at=START + 3 * DAY
    )
    one = outage(end=None, status=Status.CONFIRMED, intervals=(Interval(START, None),), level=level)
    said = " ".join(sentence.text for sentence in sentences(one, {}, ENGLISH))
    assert "connectivity fell to about 1% of its usual level across Pakistan from 17 December 2023" in said
    assert "to at least 20 December 2023." in said
    assert "It was last measured on 20 December 2023, 19:45 PKT (14:45 UTC): less than 1%" in said
    assert (
        "Routing, measured until 26 December 2023, 19:45 PKT (14:45 UTC), is at 94% of the usual level."
        in said
    )
    assert headline(one, {}, ENGLISH).text == "Internet back to about 94% of normal across Pakistan"


@each("code", LANGUAGES)
@each(
    "given",
    [
        {},
        ONGOING,
        SUSPECTED,
        OF_A_REGION,
        NATION,
        {"onset_earliest": None},
        ONGOING | {"onset_earliest": None},
        {"onset_earliest": START - 90_000, "onset_latest": START},
        ONGOING | {"onset_earliest": START - 90_000},
        {"status": Status.RETRACTED},
    ],
)
def test_every_sentence_comes_out_in_the_language(code: str, given: dict[str, Any]) -> None:
    language = LANGUAGES[code]
    one = incident(**given)
    said = [*sentences(one, {}, language), *because(one, language)]
    assert len(said) >= 3
    assert {each.language.code for each in said} == {code}
    assert not any("{" in each.text for each in said)


@each("code", LANGUAGES)
def test_blocked_is_told_from_slowed_in_every_language(code: str) -> None:
    language = LANGUAGES[code]
    both = incident(parts=(part("x"), part("youtube", Kind.THROTTLING)))
    blocked, slowed = (
        incident(targets=("x", "youtube")),
        incident(parts=(part("x", Kind.THROTTLING), part("youtube", Kind.THROTTLING)), kind=Kind.THROTTLING),
    )
    assert len({lede(one, language).text for one in (both, blocked, slowed)}) == 3


@each("code", LANGUAGES)
def test_a_suspicion_is_never_a_fact_in_any_language(code: str) -> None:
    language = LANGUAGES[code]
    for made in (incident, outage):
        sure, unsure = made(**ONGOING), made(**ONGOING | {"confirmed_at": None, "status": Status.SUSPECTED})
        claims = [lede(one, language).text.partition(":")[2] for one in (sure, unsure)]
        assert claims[0] != claims[1], "not only the word before it differs"


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
def test_what_strangers_sent_is_said_after_every_account_and_what_files_gave_is_not(
    language: Language,
) -> None:
    note = language.say(UNVOUCHED)
    assert language.code == "en" or note != UNVOUCHED
    for provenance, is_said in (
        (Provenance.UNVOUCHED, True),
        (Provenance.IMPORTED, False),
        (Provenance.REAL, False),
    ):
        one = incident(provenance=provenance)
        accounts = sentences(one, {}, language), summary(one, language)
        assert [account[-1].text == note for account in accounts] == [is_said, is_said]
        assert sentence(one, language).endswith(f" {note}") is is_said
        assert (provenance_mark(one, language) == language.say("Unvouched")) is is_said
