"""What a journalist could quote."""

import re
from typing import Any

import pytest

from fanous.model.incident import Estimate, Evidence, Interval, Kind, Scope, Status
from fanous.model.instant import from_iso
from fanous.model.place import Access
from fanous.wording.sentence import because, grounds, sentence
from tests.charts.events import END, NATION, ONGOING, START, SUSPECTED, incident, network, part

FIVE = ("AS45669", "AS59257", "AS24499", "AS56167", "AS9541")


def test_a_confirmed_and_ended_incident_is_one_sentence() -> None:
    assert sentence(incident()) == (
        "Confirmed; now ended: X (Twitter) was blocked on one network in Pakistan (Zong, AS59257) from about "
        "17 December 2023, 19:45 PKT (14:45 UTC) to about 22:55 PKT (17:55 UTC) the same day, seen as "
        "connections reset when the name is sent."
    )


@pytest.mark.parametrize(
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
        (
            {"status": Status.RETRACTED},
            "Retracted: the earlier claim that X (Twitter) was blocked on",
        ),
        (
            {"status": Status.RETRACTED, "confirmed_at": None},
            "Retracted: the earlier suspicion that X (Twitter) was blocked on",
        ),
    ],
)
def test_the_hedge_follows_the_status(given: dict[str, Any], opening: str) -> None:
    assert sentence(incident(**given)).startswith(opening)


def test_only_what_a_rule_confirmed_is_called_confirmed() -> None:
    for given in (SUSPECTED, {"confirmed_at": None}, {"confirmed_at": None, "status": Status.RETRACTED}):
        said = sentence(incident(**given))
        assert not said.startswith("Confirmed")
        assert "affecting" not in said


def test_a_retracted_claim_does_not_stand() -> None:
    assert sentence(incident(status=Status.RETRACTED)).endswith("does not stand.")


def test_nobody_saw_the_end_of_what_goes_on() -> None:
    said = sentence(incident(**ONGOING))
    assert "since about 17 December 2023, 19:45 PKT (14:45 UTC), with no end seen so far" in said
    assert " to about " not in said


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"onset_earliest": None},
            "from before 17 December 2023, 19:45 PKT (14:45 UTC), to about 17 December 2023, 22:55 PKT",
        ),
        (ONGOING | {"onset_earliest": None}, "since at least 17 December 2023, 19:45 PKT (14:45 UTC)"),
        (
            {"onset_earliest": START - 9000},
            "from some time between 17 December 2023, 17:15 PKT (12:15 UTC) and 20:00 PKT (15:00 UTC) the "
            "same day, to about",
        ),
    ],
)
def test_an_onset_that_nobody_saw_is_not_dated_to_the_minute(given: dict[str, Any], says: str) -> None:
    assert says in sentence(incident(**given))


def test_both_dates_are_given_where_they_differ() -> None:
    night = from_iso("2023-12-17T22:25Z")
    assert "to about 18 December 2023, 03:25 PKT (17 December, 22:25 UTC)" in sentence(incident(end=night))


@pytest.mark.parametrize(
    ("entities", "place"),
    [
        (("AS59257",), "on one network in Pakistan (Zong, AS59257) from"),
        (
            ("AS9541", "AS59257"),
            "on 2 networks in Pakistan (Cybernet (StormFiber), AS9541; Zong, AS59257) from",
        ),
        (
            ("AS45669", "AS58470", "AS59257"),
            "on 3 networks in Pakistan (Jazz, AS45669 and AS58470; Zong, AS59257)",
        ),
        (
            FIVE,
            "on 5 networks in Pakistan (Jazz, AS45669; Zong, AS59257; Telenor Pakistan, AS24499; and 2 more)",
        ),
        (("AS4200000001",), "on one network in Pakistan (AS4200000001) from"),
        ((), "X (Twitter) was blocked in Pakistan from"),
        (("PK-PB",), "X (Twitter) was blocked in Pakistan (PK-PB) from"),
    ],
)
def test_networks_are_named_by_operator_and_the_rest_is_counted(
    entities: tuple[str, ...], place: str
) -> None:
    scope = Scope.ISP if len(entities) < 2 else Scope.MULTI_ISP
    assert place in sentence(incident(entities=entities, scope=scope))


def test_the_network_with_most_evidence_comes_first() -> None:
    seen = (network("AS9541", measurements=5), network("AS59257", measurements=50))
    said = sentence(incident(entities=("AS9541", "AS59257"), networks=seen))
    assert said.index("Zong") < said.index("Cybernet")


def test_a_network_that_we_do_not_know_has_the_name_of_its_measurements() -> None:
    said = sentence(incident(entities=("AS4200000001",)), {4200000001: "Village\x1b[31m \n Net"})
    assert "(Village[31m Net, AS4200000001)" in said


@pytest.mark.parametrize(
    ("access", "place", "users"),
    [
        (Access.ANY, "nation-wide in Pakistan from", "affecting an estimated 83% of users (71% to 90%)."),
        (
            Access.MOBILE,
            "nation-wide in Pakistan on mobile networks from",
            "83% of users on mobile networks (71%",
        ),
        (Access.FIXED, "nation-wide in Pakistan on fixed lines from", "83% of users on fixed lines (71%"),
    ],
)
def test_a_nation_wide_incident_says_for_which_lines_and_how_many_users(
    access: Access, place: str, users: str
) -> None:
    said = sentence(incident(**NATION, access=access))
    assert place in said
    assert users in said


def test_below_the_nation_the_share_of_users_is_left_out() -> None:
    assert "% of" not in sentence(incident())


def test_each_kind_has_its_own_verb() -> None:
    both = (part("x"), part("facebook"), part("youtube", Kind.THROTTLING))
    assert "X (Twitter) and Facebook were blocked and YouTube was slowed down on" in sentence(
        incident(parts=both)
    )


@pytest.mark.parametrize(
    ("kind", "done"), [(Kind.OUTAGE, "cut off"), (Kind.SLOWDOWN, "slowed down"), (Kind.BLOCKING, "blocked")]
)
def test_an_incident_without_targets_is_about_the_internet(kind: Kind, done: str) -> None:
    said = sentence(incident(kind=kind, parts=(), entities=("PK",), scope=Scope.NATION, users=None))
    assert said.startswith(f"Confirmed; now ended: Internet access was {done} nation-wide in Pakistan")


def test_a_long_list_of_targets_is_cut_and_counted() -> None:
    said = sentence(incident(targets=tuple(f"site{n}.org" for n in range(9))))
    assert "site0.org, site1.org, site2.org and 6 more were blocked" in said


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"intervals": (Interval(START, START + 60), Interval(END - 60, END))},
            ", in 2 separate periods, seen",
        ),
        (
            {"networks": (network(intervals=(Interval(START, START + 60), Interval(END - 60, END))),)},
            ", with pauses on some networks (up to 2 separate periods), seen",
        ),
    ],
)
def test_sessions_are_counted(given: dict[str, Any], says: str) -> None:
    assert says in sentence(incident(**given))


def test_one_period_is_not_worth_a_word() -> None:
    assert "period" not in sentence(incident())


def test_the_speed_stands_beside_what_was_slowed() -> None:
    said = sentence(incident(mechanisms=("tls.timeout", "tls.throttle.sni"), kbps=Estimate(137.4, 128, 146)))
    assert "no answer and slowed encrypted connections (to about 137 kbit/s)." in said
    assert "kbit" not in sentence(incident(mechanisms=("tls.throttle.sni",)))


def test_two_mechanisms_with_the_same_words_are_said_once() -> None:
    said = sentence(incident(mechanisms=("dns.injection.bogon", "dns.injection.other")))
    assert said.count("forged DNS answers") == 1


def test_an_unknown_mechanism_is_left_out() -> None:
    assert "seen as" not in sentence(incident(mechanisms=()))


def test_it_is_one_sentence_without_a_line_break() -> None:
    for given in ({}, ONGOING, SUSPECTED, NATION):
        said = sentence(incident(**given))
        assert said.endswith(".")
        assert not re.search(r"\.\s|\n|  ", said)


@pytest.mark.parametrize(
    ("evidence", "says"),
    [
        (
            Evidence(1412, 23, 7, 398, ()),
            "1,412 measurements by 23 probes on 7 networks saw it; 398 checks elsewhere or from outside "
            "worked at the time.",
        ),
        (
            Evidence(1, 1, 1, 1, ()),
            "1 measurement by 1 probe on 1 network saw it; 1 check elsewhere or from outside worked at the "
            "time.",
        ),
        (
            Evidence(2, 1, 1, 0, ()),
            "2 measurements by 1 probe on 1 network saw it; 0 checks elsewhere or from outside worked at the "
            "time.",
        ),
    ],
)
def test_the_evidence_is_counted_in_plain_english(evidence: Evidence, says: str) -> None:
    assert grounds(incident(evidence=evidence)) == says


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "Confirmed by C2: 23 independent probes on 7 networks saw it"),
        (SUSPECTED, "Why not confirmed: 2 independent probes saw it; 3 are needed."),
        (
            {
                "confirmed_at": None,
                "reason": "ended without being confirmed: no network reached the threshold",
            },
            "Why not confirmed: no network reached the threshold.",
        ),
        (
            {"status": Status.RETRACTED, "reason": "the suspicion faded: one network"},
            "Why retracted: one network.",
        ),
    ],
)
def test_the_reason_is_told_without_repeating_the_status(given: dict[str, Any], says: str) -> None:
    assert because(incident(**given)).startswith(says)
