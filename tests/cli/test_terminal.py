"""The answer as a person reads it."""

from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console

from fanous.charts.grid import network_times
from fanous.cli.answer import SHOWN, incident_list, incident_text, print_answer
from fanous.model.coverage import Sensitivity
from fanous.model.incident import Incident, Interval, Status
from fanous.model.instant import DAY, HOUR, from_iso
from fanous.model.measurement import Provenance
from fanous.model.reason import Reason
from fanous.questions.country import CountryAnswer
from fanous.store.coverage import Within
from fanous.wording.narrative import sentence
from tests.analysis.incidents.events import Ballot, votes
from tests.charts.events import END, EXPLAINED, NATION, ONGOING, START, SUSPECTED, incident, network
from tests.each import each

OVER: dict[str, Any] = {}


def text(answer: CountryAnswer, width: int = 200) -> str:
    console = Console(width=width, no_color=True, highlight=False)
    with console.capture() as capture:
        print_answer(console, answer)
    return capture.get()


def answer(*incidents: Incident, **given: Any) -> CountryAnswer:
    fields: dict[str, Any] = {
        "country": "PK",
        "since": from_iso("2023-12-17"),
        "until": from_iso("2023-12-18"),
        "incidents": incidents,
        "insufficient": [],
        "grid": None,
        "names": {},
        "synthetic": False,
        "within": Within(1_200, 3, ("ioda",), 24),
        "known_until": {},
        "targets": (),
    }
    return CountryAnswer(**(fields | given))


def shown(one: Incident, names: Mapping[int, str] | None = None, *, why: bool = False) -> list[str]:
    console = Console(width=400, no_color=True, highlight=False)
    with console.capture() as capture:
        console.print(incident_text(one, names or {}, why=why))
    return [line.rstrip() for line in capture.get().splitlines()]


@each(
    ("given", "says"),
    [
        ([], "Pakistan: no disruption found in what was measured"),
        ([OVER], "Pakistan: 1 confirmed (ended), 0 suspected"),
        ([ONGOING], "Pakistan: 1 confirmed, 0 suspected"),
        ([ONGOING, OVER], "Pakistan: 2 confirmed (1 ended), 0 suspected"),
        ([SUSPECTED], "Pakistan: 0 confirmed, 1 suspected"),
        ([{"confirmed_at": None}], "Pakistan: 0 confirmed, 1 suspected"),  # ended, never confirmed
        (
            [{"status": Status.RETRACTED}],
            "Pakistan: 1 incident retracted; no other disruption found in what was measured",
        ),
        (
            [{"status": Status.RETRACTED}, ONGOING],
            "Pakistan: 1 incident retracted; 1 confirmed, 0 suspected",
        ),
    ],
)
def test_the_headline_counts_what_was_not_retracted(given: list[dict[str, Any]], says: str) -> None:
    assert text(answer(*(incident(**each) for each in given))).splitlines()[0] == says


def test_nothing_is_said_about_a_time_in_which_nothing_was_measured() -> None:
    nothing = Within(0, 0)
    said = text(answer(within=nothing))
    assert said.splitlines()[0] == "Pakistan: nothing was measured in this time, so nothing can be said"
    assert "Measured" not in said
    said = text(answer(within=nothing, targets=("x", "youtube")))
    assert said.startswith("Pakistan: X (Twitter) and YouTube were not measured in this time, so nothing")
    said = text(answer(incident(), within=nothing))
    assert said.startswith("Pakistan: 1 confirmed"), "it goes on"
    assert "No measurements in this time: what began before may have ended since." in said


def test_what_it_rests_on_is_counted() -> None:
    assert "Measured: 1,200 measurements on 3 networks; series from ioda." in text(answer())
    assert "Measured: series from ioda and radar." in text(answer(within=Within(0, 0, ("ioda", "radar"), 24)))
    one = text(answer(within=Within(1, 1, (), 1), targets=("x",)))
    assert "Measured: 1 measurement of X (Twitter) on 1 network, in 1 of 24 hours." in one


def test_what_would_have_been_found_is_a_row_a_network() -> None:
    found = [
        Sensitivity(17557, "x", 90, 1_265, 25.2 * HOUR, None),
        *(Sensitivity(64_500 + n, "x", 1, 1, None, None) for n in range(13)),
    ]
    rows = [" ".join(line.split()) for line in text(answer(sensitivity=found)).splitlines()]
    assert "Blocking on one network alone would have been found, 9 times in 10, if it had lasted:" in rows
    assert any(row.startswith("AS17557") and row.endswith("X (Twitter) 1,265 26 h over 12 h") for row in rows)
    assert "... and 2 more rows (--json has all)" in rows
    assert "Nothing was measured that could show blocking" in text(answer(sensitivity=[]))
    assert "times in 10" not in text(answer()), "only if it is asked for"


def test_an_incident_whose_data_ended_is_not_said_to_go_on() -> None:
    unheard = {"PK-2023-0002": END + DAY}
    said = text(answer(incident(**ONGOING, id="PK-2023-0002"), known_until=unheard))
    assert ": what has happened since is unknown." in said
    assert "The data end on 18 December 2023, " in said


@pytest.mark.parametrize(
    ("country", "says"),
    [
        (
            "PK",
            "17 December 2023, 05:00 PKT (00:00 UTC) to 18 December 2023, 05:00 PKT (00:00 UTC); "
            "PKT = Asia/Karachi",
        ),
        ("BR", "UTC-03 = America/Sao_Paulo (the capital's clock)"),
    ],
)
def test_the_window_is_on_both_clocks(country: str, says: str) -> None:
    assert says in text(answer(country=country)).splitlines()[1]


def test_what_is_confirmed_comes_before_what_is_suspected() -> None:
    suspected = incident(id="PK-2023-0001", **SUSPECTED | {"onset": START - 9000})
    late = incident(id="PK-2023-0003", onset=START + 60)
    found = text(answer(suspected, late, incident(id="PK-2023-0002")))
    places = [found.index(label) for label in ("PK-2023-0002", "PK-2023-0003", "PK-2023-0001")]
    assert places == sorted(places)


def test_a_staged_event_next_to_a_real_one_is_not_counted_with_it() -> None:
    told = text(answer(incident(**ONGOING), incident(**ONGOING, provenance=Provenance.SYNTHETIC)))
    assert told.startswith("Pakistan: 1 confirmed, 0 suspected; 1 staged event (synthetic)")


def test_what_was_retracted_comes_first_and_why() -> None:
    gone = incident(status=Status.RETRACTED, id="PK-2023-0007", reasons=(Reason("not_supported"),))
    told = " ".join(text(answer(gone, incident(id="PK-2023-0002"))).split())
    assert told.startswith("Pakistan: 1 incident retracted; 1 confirmed")
    taken_back, why, stands = (
        told.index(words)
        for words in (
            "PK-2023-0007 Retracted: Fanous no longer claims that X (Twitter)",
            "Why it was retracted: It is no longer supported by the measurements.",
            "PK-2023-0002",
        )
    )
    assert taken_back < why < stands


def test_a_retracted_incident_says_why_before_what_it_once_said_and_gives_no_hints() -> None:
    gone = incident(
        status=Status.RETRACTED,
        reasons=(Reason("platform.down", {"countries": ("EG",)}),),
        hints=(Reason("hint.on_the_hour"),),
    )
    told = " ".join(" ".join(shown(gone)).split())
    marks = (
        "RETRACTED",
        "Retracted: Fanous no longer claims",
        "Why it was retracted: The platform itself was down",
        "As published before it was retracted:",
        "saw it.",
    )
    places = [told.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "Hint, not evidence" not in told
    standing = " ".join(shown(incident(hints=gone.hints)))
    assert "Hint, not evidence" in standing and "As published" not in standing


def test_of_many_that_were_retracted_the_rest_is_counted() -> None:
    found = text(answer(*[incident(status=Status.RETRACTED)] * (SHOWN + 2)))
    assert found.count("Why it was retracted") == SHOWN
    assert "... and 2 more; `fanous incidents list PK` lists them." in found


def test_what_cannot_be_judged_is_named_and_the_rest_counted() -> None:
    lacking = [(f"site{n}.org", Reason("coverage.none")) for n in range(SHOWN + 1)]
    found = text(answer(insufficient=lacking))
    assert "Not enough to judge site0.org: Nothing was measured in that time." in found
    assert "... and 1 more target (--json has all)." in found
    assert f"site{SHOWN}.org" not in found
    assert "more target" not in text(answer(insufficient=lacking[:-1]))


def test_an_answer_fits_into_80_characters() -> None:
    hours = [n / 2 for n in range(100)]
    ballots = votes(*(Ballot(hours, asn == 59257, asn) for asn in (59257, 45669, 9541)))
    one = incident(**NATION, targets=("x", "youtube", "facebook", "instagram"))
    found = text(answer(one, grid=network_times(ballots, [one], "PK")), width=80)
    assert all(len(line) <= 80 for line in found.splitlines())
    assert len([line for line in found.splitlines() if line.startswith("AS")]) == 3
    assert "one column = an hour, PKT" in found


@each(
    ("given", "head"),
    [
        ({}, "PK-2023-0042  CONFIRMED, ENDED  blocking, one operator, confidence 0.99"),
        ({"confirmed_at": None}, "PK-2023-0042  SUSPECTED, ENDED  blocking, one operator, confidence 0.99"),
        (ONGOING, "PK-2023-0042  CONFIRMED  blocking, one operator, confidence 0.99"),
        (SUSPECTED, "PK-2023-0042  SUSPECTED  blocking, one operator, confidence 0.99"),
        (NATION, "PK-2023-0042  CONFIRMED, ENDED  blocking, nation-wide, confidence 0.99"),
        ({"status": Status.RETRACTED}, "PK-2023-0042  RETRACTED  blocking, one operator, confidence 0.99"),
        ({"id": ""}, "(no id)  CONFIRMED, ENDED  blocking, one operator, confidence 0.99"),
    ],
)
def test_the_label_tells_whether_it_was_ever_confirmed(given: dict[str, Any], head: str) -> None:
    assert shown(incident(**given))[0] == head


def test_under_the_label_stand_the_sentence_its_evidence_and_the_networks() -> None:
    _, claim, evidence, rule, of_network = shown(incident())
    assert claim.startswith("  Confirmed; now ended: X (Twitter) was blocked")
    assert evidence.startswith("  Connections to X (Twitter) were reset when they named the site.")
    assert "1,412 measurements in 23 test runs on 7 networks saw it." in evidence
    assert rule.startswith("  Why it is confirmed: Rule C2 is met by 23 test runs on 7 networks.")
    assert of_network == (
        "  AS59257 Zong: 104 failing measurements in 28 test runs, 17 Dec 19:45 to 22:55 PKT"
    )


def test_what_else_it_could_be_is_counted_and_listed_if_asked() -> None:
    one = incident(**EXPLAINED)
    assert "  What else could it be: 1 possible, 1 not tested, 2 excluded; --why lists them" in shown(one)
    rarely = "  What could not be tested could be behind as many as one in 65 events like this."
    assert rarely in shown(one)
    assert rarely in shown(one, why=True)
    listed = shown(one, why=True)
    first = listed.index("  What else could it be?") + 1
    assert [line.split("  ")[1] for line in listed[first : first + 8 : 2]] == [
        "Possible",
        "Not tested",
        "Excluded",
        "Excluded",
    ]
    assert listed[first].endswith("The site itself showed this page to visitors from this country.")
    assert listed[first + 3].endswith("were seen to fail to tell (1; 3 are needed).")
    assert not any("What else" in line for line in shown(incident()))


@each(
    ("given", "line"),
    [
        (
            {"measurements": 1, "probes": 1},
            "AS59257 Zong: 1 failing measurement in 1 test run, 17 Dec 19:45 to 22:55 PKT",
        ),
        (
            {"intervals": (Interval(START, START + 60), Interval(END, END + 86400))},
            "AS59257 Zong: 104 failing measurements in 28 test runs, 17 Dec 19:45 to 18 Dec 22:55 PKT "
            "in 2 periods",
        ),
        (
            {"intervals": (Interval(START, START + 60), Interval(END, None))},
            "AS59257 Zong: 104 failing measurements in 28 test runs, since 17 Dec 19:45 PKT in 2 periods",
        ),
        ({"intervals": ()}, "AS59257 Zong: 104 failing measurements in 28 test runs, times unknown"),
        (
            {"entity": "AS4200000001"},
            "AS4200000001: 104 failing measurements in 28 test runs, 17 Dec 19:45 to 22:55 PKT",
        ),
        (
            {"targets": ("youtube",)},
            "AS59257 Zong (YouTube only): 104 failing measurements in 28 test runs, 17 Dec 19:45 to 22:55 PKT",
        ),
    ],
)
def test_each_network_has_its_counts_and_times(given: dict[str, Any], line: str) -> None:
    seen = network(**({"entity": "AS59257"} | given))
    assert shown(incident(networks=(seen,)))[-1] == f"  {line}"


def test_many_networks_are_in_order_of_evidence_and_the_rest_counted() -> None:
    seen = tuple(network(f"AS{4200000001 + n}", measurements=n) for n in range(SHOWN + 2))
    lines = shown(incident(networks=seen))
    assert lines[4].startswith(f"  AS{4200000001 + SHOWN + 1}: {SHOWN + 1} failing")
    assert lines[-1] == "  ... and 2 more networks (--json has all)"
    places = tuple(network(f"PK:{n}", measurements=n) for n in range(SHOWN + 1))
    assert shown(incident(networks=places))[-1] == "  ... and 1 more place (--json has all)"


def test_square_brackets_in_what_others_wrote_are_no_markup() -> None:
    places = (network("AS4200000001"),)
    assert "AS4200000001 Net bold: 104" in shown(incident(networks=places), {4200000001: "Net [bold]"})[-1]
    assert "x[bold].example" in "".join(shown(incident(targets=("x[bold].example",))))


def test_a_list_on_a_narrow_terminal_breaks_sentences_between_words() -> None:
    console = Console(width=60, no_color=True, highlight=False)
    with console.capture() as capture:
        console.print(incident_list([incident(id="PK-2023-0001"), incident(id="PK-2023-0002")]))
    lines = capture.get().splitlines()
    assert [line.split()[0] for line in lines if line[:1].strip()] == ["PK-2023-0001", "PK-2023-0002"]
    column = lines[0].index("Confirmed")
    words = " ".join(line[column:].strip() for line in lines).split()
    assert " ".join(words) == " ".join([sentence(incident())] * 2)
