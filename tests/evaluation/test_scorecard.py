"""An evaluation as JSON and as a table."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from fanous.model.score import (
    Citation,
    Evaluation,
    EventScore,
    LossScore,
    NetworkScore,
    PlantScore,
    QuietIntervalScore,
    QuietScore,
    SensitivityScore,
    TrueEvent,
    TrueLevel,
    TrueTime,
    not_judged,
)
from fanous_lab.evaluation.scorecard import evaluation_document, evaluations_document, print_evaluation
from tests.commands import fanous

PRESS = Citation("A newspaper", "The evening", "https://news.example/evening", "2023-12-18", judged=False)
TRUTH = TrueEvent(
    cut="Four platforms.",
    status="confirmed",
    onset=TrueTime("2023-12-17T14:45:00Z", "2023-12-17T14:30:00Z", "2023-12-17T15:00:00Z", PRESS),
    end=TrueTime("2023-12-17T22:00:00Z", "2023-12-17T22:00:00Z", "2023-12-17T22:00:00Z", PRESS),
    level=None,
    may_say="Four platforms blocked.",
    must_not_say="By whom.",
)


def event(**given: Any) -> EventScore:
    fields: dict[str, Any] = {
        "id": "rally",
        "confirmed": True,
        "found": "confirmed",
        "intervals": 1,
        "level": None,
        "minutes_to_confirm": 35.0,
        "onset_error_minutes": -12.4,
        "end_error_minutes": 5.0,
        "incidents": 1,
        "scope_right": True,
        "extra_networks": (),
        "truth": TRUTH,
        "status_right": True,
        "onset_inside": True,
        "networks": (
            NetworkScore(17557, "confirmed", 0.957, -38.0),
            NetworkScore(9541, "missed", None, None),
        ),
    }
    return EventScore(**(fields | given))


def evaluation(*events: EventScore, **given: Any) -> Evaluation:
    fields: dict[str, Any] = {
        "title": "A rally",
        "measurements": 3151,
        "events": events,
        "country_months": 12.0,
        "series_months": 240.0,
        "right_confirmed": len(events),
        "false_confirmed": 0,
        "false_suspected": 6,
        "retracted": 2,
    }
    return Evaluation(**(fields | given))


def told(*evaluations: Evaluation, width: int = 200) -> str:
    console = Console(width=width, no_color=True, highlight=False)
    with console.capture() as capture:
        print_evaluation(console, list(evaluations))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def test_the_document_has_every_figure_and_the_rates() -> None:
    document = evaluation_document(evaluation(event()))
    assert document["events"][0]["networks"][0] == {
        "asn": 17557,
        "found": "confirmed",
        "overlap": 0.957,
        "onset_error_minutes": -38.0,
    }
    assert document["recall"] == document["precision"] == 1.0
    assert document["median_minutes_to_confirm"] == 35.0
    assert document["false_suspected_a_country_month"] == 0.5
    assert document["false_confirmed_a_world_year"] == 0.0
    assert document["false_confirmed_a_world_year_at_most"] == pytest.approx(195 * 3, rel=0.02)
    json.dumps(document, allow_nan=False)


def test_what_was_never_confirmed_is_left_out_of_the_median() -> None:
    delays = [event(minutes_to_confirm=m) for m in (0.0, None, 90.0, 20.0)]
    assert evaluation_document(evaluation(*delays))["median_minutes_to_confirm"] == 20.0


def test_without_events_there_is_no_recall() -> None:
    document = evaluation_document(evaluation())
    assert document["recall"] is document["precision"] is document["median_minutes_to_confirm"] is None
    assert "recall - (found at all: -), precision -; median to confirm -" in told(evaluation())


def rows(text: str) -> list[str]:
    """Lines of the table with single blanks."""
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_table_has_a_row_an_event_and_a_row_a_network() -> None:
    text = told(evaluation(event()))
    assert text.splitlines()[1] == "A rally  (3,151 measurements or rows)"
    assert (
        "rally confirmed as 1 incident, 1 interval confirmed +35 min -12 min, in its bracket +5 min -"
        in rows(text)
    )
    assert [row.split() for row in rows(text) if row.startswith("AS")] == [
        ["AS17557", "confirmed", "0.96", "-38", "min"],
        ["AS9541", "missed", "not", "measured", "-"],
    ]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"status_right": False, "found": "missed", "incidents": 0},
            "missed as 0 incidents, 1 interval CONFIRMED, WRONG",
        ),
        ({"onset_inside": False}, "-12 min, OUTSIDE ITS BRACKET"),
        ({"onset_inside": None}, "-12 min +5 min"),
        ({"end_error_minutes": None}, "bracket no end"),
        ({"scope_right": False, "subject_right": False}, "scope and targets wrong"),
        ({"extra_networks": (30844, 36866)}, "not labelled: AS30844, AS36866"),
        ({"minutes_to_confirm": None}, "confirmed - -12 min"),
        ({"level": 0.2, "level_error": 0.15, "level_inside": False}, "20% (+15 points), OUTSIDE ITS BRACKET"),
    ],
)
def test_what_went_wrong_is_in_the_row_of_the_event(given: dict[str, Any], says: str) -> None:
    assert any(says in row for row in rows(told(evaluation(event(**given)))))


def test_what_is_known_is_told_with_who_published_it() -> None:
    level = TrueLevel(0.05, 0.04, 0.25, Citation("IODA", "Figures", "", "", judged=True))
    text = " ".join(rows(told(evaluation(event(truth=replace(TRUTH, level=level))))))
    assert (
        "rally: Four platforms. Known: onset 2023-12-17T14:30:00Z to 2023-12-17T15:00:00Z (A newspaper, 2023-12-18); "
        "end 2023-12-17T22:00:00Z (A newspaper, 2023-12-18); level 4% to 25% (IODA, from the data that are judged). "
        "May be said: Four platforms blocked. Must not be said: By whom."
    ) in text
    (known,) = evaluation_document(evaluation(event()))["events"]
    assert known["truth"]["onset"]["source"]["url"] == "https://news.example/evening"


def quiet(**given: Any) -> QuietIntervalScore:
    fields: dict[str, Any] = {
        "country": "IN",
        "since": "2020-11-01T00:00:00Z",
        "until": "2020-12-01T00:00:00Z",
    }
    fields |= {"networks": (), "source": PRESS, "measured": True, "confirmed": 0, "suspected": 8}
    return QuietIntervalScore(**(fields | given))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "IN quiet, 2020-11-01 to 2020-12-01 0 confirmed, 8 suspected nothing confirmed"),
        ({"confirmed": 1}, "1 confirmed, 8 suspected NOTHING CONFIRMED, WRONG"),
        ({"source": None}, "nothing confirmed (no truth known)"),
        ({"measured": False}, "NOT JUDGED: nothing measured"),
        ({"networks": (30844,)}, "AS30844 quiet"),
    ],
)
def test_a_quiet_interval_is_a_row_of_its_own(given: dict[str, Any], says: str) -> None:
    assert any(says in row for row in rows(told(evaluation(quiet_intervals=(quiet(**given),), is_real=True))))


def test_totals_of_real_and_made_up_corpora_are_never_added_up() -> None:
    made_up = evaluation(event(), event(status_right=False, onset_inside=False), title="Made up")
    real = evaluation(event(), is_real=True, quiet_intervals=(quiet(), quiet(confirmed=1)))
    text = told(real, made_up, not_judged("Gone", True, ["ooni/gone.csv.gz"]))
    parts = text.partition("real cases\n")[2].partition("made-up cases\n")
    assert parts[0].startswith(
        "judged 1, 1 NOT JUDGED\nstatus right 1 of 1 event; onset in its bracket 1 of 1, end 0 of 0, level 0 of 0"
    )
    assert "quiet 1 of 2 intervals" in parts[0]
    assert parts[2].startswith("judged 1\nstatus right 1 of 2 events; onset in its bracket 1 of 2")
    totals = evaluations_document([real, made_up])["totals"]
    assert (totals["real"]["events"], totals["made_up"]["events"]) == (1, 2)


def test_a_corpus_without_its_data_says_what_is_missing_and_gives_no_figures() -> None:
    gone = not_judged("Gone", True, ["ooni/gone.csv.gz"])
    text = told(gone)
    assert "Gone  NOT JUDGED: ooni/gone.csv.gz missing" in text and "recall" not in text
    assert evaluation_document(gone) == {"title": "Gone", "is_real": True, "missing": ("ooni/gone.csv.gz",)}


def test_rates_are_next_to_their_exposure() -> None:
    found = told(evaluation(event(), false_confirmed=1))
    assert "false confirmed 1: 195.0 a world-year, at most" in found
    assert "on 12.00 country-months, 240.0 series-months" in found
    assert "false suspected 6: 0.50 a country-month; retracted 2" in found


def test_square_brackets_in_a_title_are_no_markup() -> None:
    assert "[draft] A rally" in told(evaluation(title="[draft] A rally"))
    assert "e[/b] confirmed" in " ".join(rows(told(evaluation(event(id="e[/b]")))))


def test_several_corpora_come_one_after_the_other() -> None:
    found = told(evaluation(title="First"), evaluation(title="Second"))
    assert found.index("First") < found.index("Second")


def test_an_outage_has_no_networks_and_says_what_was_left() -> None:
    one = event(networks=(), confirmed=False, found="suspected", intervals=72, level=0.043)
    text = told(evaluation(one))
    assert any("suspected as 1 incident, 72 intervals" in row and "4%" in row for row in rows(text))
    assert "interval overlap" not in text
    assert "found at all: 1.00" in text


def test_planted_blocking_is_told_by_what_was_varied() -> None:
    plants = (
        PlantScore("technique", "tls.reset", 12, 7.0, 0.5, 0.75, 0.6, 1, 1.25, 30.0, 45.0, 343.0),
        PlantScore("hours", "sessions", 3, 0, 0.0, 0.0, None, 0, None, None, None, None),
    )
    lines = [" ".join(line.split()) for line in told(evaluation(plants=plants)).splitlines()]
    assert "technique tls.reset 12 7 0.75 0.50 0.60 1 1.25 30 min 45 min 343 min" in lines
    assert "hours sessions 3 0 0.00 0.00 - 0 - - - -" in lines


def test_planted_failures_are_next_to_what_was_stated() -> None:
    scores = (SensitivityScore(33771, 1265, 0.5, 4131.0, 200, 0.905, 0.71, 0.68),)
    assert "AS33771 1,265 50% 68.8 h 200 0.91 0.71 0.68" in rows(told(evaluation(sensitivity=scores)))


def test_losses_are_next_to_the_peers_rule_and_quiet_series_below() -> None:
    losses = (
        LossScore(("ping-slash24",), 0.1, 3, 20, 1.0, 0.0, 60.0, 1.0, 0.0, 0.9, 0.02),
        LossScore(("gtr", "bgp"), 0.3, 12, 20, 0.5, None, None, 0.5, 0.25),
    )
    quiet = (QuietScore("gtr", 1.15, 4, None), QuietScore("bgp", 1.15, 0, 2))
    lines = [" ".join(line.split()) for line in told(evaluation(losses=losses, quiet=quiet)).splitlines()]
    assert "ping-slash24 10% 3 1.00 0.00 1.00 0.00 0.90 2% 60 min" in lines
    assert "gtr + bgp 30% 12 0.50 - 0.50 0.25 - - -" in lines
    assert "gtr 1.15 4 -" in lines and "bgp 1.15 0 2" in lines


def test_data_that_are_missing_are_named_and_the_exit_code_says_so(tmp_path: Path) -> None:
    """``--data`` wins over the environment; whatever could be judged is printed first."""
    corpus = Path(__file__).resolve().parents[2] / "corpora" / "kenya-2023"
    done = fanous("evaluate", corpus, "--data", tmp_path, "--json", code=1)
    (one,) = json.loads(done.stdout)["corpora"]
    assert one["missing"][0] == "ooni/2023-KE-telegram.csv.gz"
    assert "not everything was judged, for want of ooni/2023-KE-telegram.csv.gz" in done.stderr
    assert f"{tmp_path} lacks these: pass --data FOLDER, or set FANOUS_SHARED_DATA" in done.stderr
