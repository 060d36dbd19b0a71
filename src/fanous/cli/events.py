"""``fanous events``: register announced events before they begin, and report on them afterwards."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fanous.cli.common import act, ask, country_code, moment, say, tell
from fanous.cli.options import OneCountry, ReadOptions, argument, command, option
from fanous.errors import FanousError
from fanous.model.event import AnnouncedEvent

if TYPE_CHECKING:
    from fanous.sources.ics import CalendarEvent

events_app = typer.Typer(help="Announced events: elections, rallies, exams, trials.", no_args_is_help=True)


class EventsAddOptions(ReadOptions):
    """Options of ``fanous events add``."""

    country: str = option(..., "Country: its code or name, such as PK.")
    start: str | None = option(
        None, "Start of the event, in UTC unless it gives an offset.", "--start", "--since"
    )
    end: str | None = option(None, "End of the event, exclusive.", "--end", "--until")
    title: str = option("", "Title of the event.")
    targets: list[str] | None = option(
        None, "Targets expected to be restricted, such as x,youtube.", "--target", "--targets"
    )
    ics: Path | None = option(None, "Register all events in this iCalendar file instead.")


@events_app.command("add")
@command
def events_add(options: EventsAddOptions) -> None:
    """Register an event before it begins. An event registered later is marked late permanently."""
    from fanous.pipeline.actions import Announce
    from fanous.wording.events import event_document, event_line
    from fanous.wording.names import target_wanted

    code = country_code(options.country)
    named = tuple(
        target_wanted(name) for text in options.targets or () for name in text.split(",") if name.strip()
    )
    events: list[AnnouncedEvent] = []
    if options.ics is None:
        since, until = moment(options.start, "--start"), moment(options.end, "--end")
        if since is None or until is None or not options.title.strip():
            raise typer.BadParameter("give --start, --end and --title, or a calendar with --ics")
        if since >= until:
            raise typer.BadParameter("--start must be before --end")
        events = [AnnouncedEvent(code, since, until, options.title.strip(), named)]
    else:
        events = _from_calendar(options.ics, code, named)
    registered: list[AnnouncedEvent] = act(options, Announce(tuple(events)), begins=True)
    lines: list[str] = []
    for one in registered:
        advice = "" if one.is_late else ": publish it now, to prove that the event was not chosen afterwards"
        lines += [event_line(one), f"  SHA-256 {one.digest}{advice}"]
    tell(options.as_json, {"watches": [event_document(event) for event in registered]}, lines)


def calendar_events(path: Path, country: str) -> "list[CalendarEvent]":
    """The events of a file, read in a process that reaches nothing else; what is left out is said."""
    from msgspec import convert

    from fanous.base.confine import Grant
    from fanous.pipeline.child import in_child
    from fanous.sources.ics import CalendarEvent, read_calendar

    def read(_: object) -> tuple[list[CalendarEvent], list[bytes]]:
        left_out: list[bytes] = []
        events = read_calendar(path, country, lambda event: left_out.append(os.fsencode(str(event))))
        return events, left_out

    events, left_out = in_child(read, Grant(reads=(path,)))
    for line in left_out:
        say(os.fsdecode(line), file=sys.stderr)
    return convert(events, list[CalendarEvent])


def _from_calendar(path: Path, code: str, targets: tuple[str, ...]) -> list[AnnouncedEvent]:
    events = calendar_events(path, code)
    if not events:
        raise FanousError(f"{path} contains no usable event: all are cancelled or unreadable")
    return [AnnouncedEvent(code, event.start, event.end, event.title, targets) for event in events]


class EventsListOptions(ReadOptions):
    """Options of ``fanous events list``."""

    country: OneCountry = None


@events_app.command("list")
@command
def events_list(options: EventsListOptions) -> None:
    """List all registered events by start time."""
    from fanous.questions.listings import ListEvents
    from fanous.wording.events import event_document, event_line

    events = ask(options, ListEvents(country_code(options.country) if options.country else None))
    none = "no events; register an event with `fanous events add`"
    tell(
        options.as_json,
        {"watches": [event_document(event) for event in events]},
        map(event_line, events),
        none,
    )


class EventsReportOptions(ReadOptions):
    """Options of ``fanous events report``."""

    event_id: str = argument(..., "ID of the event, such as PK-watch-1.", metavar="ID")


@events_app.command("report")
@command
def events_report(options: EventsReportOptions) -> None:
    """Report incidents around an event: when each began relative to it, and how likely a coincidence is."""
    from fanous.questions.claims import ReportEvent
    from fanous.wording.events import report_document, report_lines

    report = ask(options, ReportEvent(options.event_id))
    tell(options.as_json, report_document(report), report_lines(report, time.time()))
