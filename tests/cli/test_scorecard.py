"""An evaluation as JSON and as a table."""

import json
from typing import Any

import pytest
from rich.console import Console

from fanous.cli.evaluate import evaluation_document, print_evaluation
from fanous.model.score import Evaluation, EventScore, LossScore, NetworkScore, PlantScore, QuietScore


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


def test_the_table_has_a_line_an_event_and_a_row_a_network() -> None:
    lines = told(evaluation(event())).splitlines()
    assert lines[1] == "A rally  (3,151 measurements or rows)"
    assert lines[2] == (
        "rally: confirmed as 1 incident; to confirm +35 min, onset -12 min, end +5 min off; scope right; "
        "networks not labelled: none"
    )
    assert [line.split() for line in lines if line.startswith("  AS")] == [
        ["AS17557", "confirmed", "0.96", "-38", "min"],
        ["AS9541", "missed", "not", "measured", "-"],
    ]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"confirmed": False, "incidents": 0}, "rally: NOT CONFIRMED as 0 incidents;"),
        ({"scope_right": None}, "scope not labelled;"),
        ({"scope_right": False}, "scope wrong;"),
        ({"extra_networks": (30844, 36866)}, "networks not labelled: AS30844, AS36866"),
        ({"minutes_to_confirm": None}, "to confirm -,"),
    ],
)
def test_what_went_wrong_is_in_the_line_of_the_event(given: dict[str, Any], says: str) -> None:
    assert says in told(evaluation(event(**given)))


def test_rates_are_next_to_their_exposure() -> None:
    found = told(evaluation(event(), false_confirmed=1))
    assert "false confirmed 1: 195.0 a world-year, at most" in found
    assert "on 12.00 country-months, 240.0 series-months" in found
    assert "false suspected 6: 0.50 a country-month; retracted 2" in found


def test_square_brackets_in_a_title_are_no_markup() -> None:
    assert "[draft] A rally" in told(evaluation(title="[draft] A rally"))
    assert "e[/b]: confirmed" in told(evaluation(event(id="e[/b]")))


def test_several_corpora_come_one_after_the_other() -> None:
    found = told(evaluation(title="First"), evaluation(title="Second"))
    assert found.index("First") < found.index("Second")


def test_an_outage_has_no_networks_and_says_what_was_left() -> None:
    one = event(networks=(), confirmed=False, found="suspected", intervals=72, level=0.043)
    text = told(evaluation(one))
    assert "NOT CONFIRMED, suspected as 1 incident in 72 intervals, 4% of the baseline left;" in text
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
