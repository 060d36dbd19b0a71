"""Announced events on the command line."""

import json
from pathlib import Path

from tests.commands import document, fanous
from tests.copies import copy_of


def test_an_event_is_registered_listed_and_reported(small_rally_folder: Path, tmp_path: Path) -> None:
    store = copy_of(small_rally_folder, tmp_path / "store")
    when = ("--start", "2023-12-17T21:00+05:00", "--end", "2023-12-18T00:00+05:00")
    add = ("events", "add", "--country", "PK", "--title", "Virtual rally", *when, "--store", store)
    (registered,) = document(*add, "--targets", "x,facebook", "--targets", "youtube")["watches"]
    assert registered["id"] == "PK-watch-1"
    assert registered["targets"] == ["x", "facebook", "youtube"]
    assert registered["late"] is True
    assert document("events", "list", "PK", "--store", store)["watches"] == [registered]
    report = document("events", "report", "pk-watch-1", "--store", store)
    assert report["outcome"] == "disrupted"
    (found,) = report["incidents"]
    assert (found["timing"], found["preemptive"]) == ("before", True)
    assert found["minutes_from_start"] < 0
    assert report["coincidence"]["chance"] is None
    shown = fanous("events", "report", "PK-watch-1", "--store", store).stdout
    assert "DISRUPTED" in shown
    assert "began before the event: it was under way by" in shown


def test_options_that_other_commands_have_are_spelled_as_there(tmp_path: Path) -> None:
    spelled = ("--since", "2023-12-17T16:00Z", "--until", "2023-12-17T19:00Z", "--target", "x")
    add = ("events", "add", "--country", "PK", "--title", "Rally", *spelled, "--store", tmp_path / "store")
    (registered,) = document(*add)["watches"]
    assert (registered["targets"], registered["start"]) == (["x"], "2023-12-17T16:00:00Z")
    whole, blocked = (document("cost", "PK", "--hours", "1", *given) for given in ((), ("--target", "x")))
    assert whole != blocked


def test_an_event_to_come_is_not_late_and_its_digest_can_be_published(tmp_path: Path) -> None:
    calendar = tmp_path / "c.ics"
    calendar.write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Election\nDTSTART;VALUE=DATE:20990208\nEND:VEVENT\n"
        "END:VCALENDAR\n",
        "utf-8",
    )
    said = fanous("events", "add", "--country", "PK", "--ics", calendar, "--store", tmp_path / "store").stdout
    assert "Election" in said
    assert "LATE" not in said
    assert "publish it now" in said
    report = fanous("events", "report", "PK-watch-1", "--store", tmp_path / "store").stdout
    assert "NOT BEGUN" in report
    assert "CANNOT TELL" not in report


def test_whole_days_of_a_calendar_are_days_of_the_country_and_what_is_left_out_does_not_refuse_it(
    tmp_path: Path,
) -> None:
    calendar = tmp_path / "c.ics"
    calendar.write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Rally\nDTSTART;TZID=Mars/Base:20990208T080000\nEND:VEVENT\n"
        "BEGIN:VEVENT\nSUMMARY:Election\nDTSTART;VALUE=DATE:20990208\nEND:VEVENT\nEND:VCALENDAR\n",
        "utf-8",
    )
    add = ("events", "add", "--country", "PK", "--ics", calendar, "--json", "--store", tmp_path / "store")
    done = fanous(*add)
    (found,) = json.loads(done.stdout)["watches"]
    assert (found["title"], found["start"], found["end"]) == (
        "Election",
        "2099-02-07T19:00:00Z",
        "2099-02-08T19:00:00Z",
    )
    assert done.stderr.count("“Rally” is left out: no time zone “Mars/Base”") == 1


def test_what_is_missing_is_reported(tmp_path: Path) -> None:
    store = tmp_path / "store"
    fanous("events", "add", "--country", "PK", "--title", "x", "--store", store, code=2)
    turned = ("--start", "2024-02-09", "--end", "2024-02-08", "--title", "x")
    fanous("events", "add", "--country", "PK", *turned, "--store", store, code=2)
    good = ("--start", "2024-02-08", "--end", "2024-02-09", "--title", "x")
    fanous("events", "add", "--country", "PK", *good, "--store", store)
    assert "no event PK-9" in fanous("events", "report", "PK-9", "--store", store, code=1).stderr
