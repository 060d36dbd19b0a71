"""``fanous events``: register announced events before they begin, and report on them afterwards."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fanous.cli.common import (
    ConfigOption,
    JsonOption,
    OneCountry,
    StoreOption,
    act,
    ask,
    country_code,
    moment,
    say,
    tell,
)
from fanous.errors import FanousError
from fanous.model.event import AnnouncedEvent

if TYPE_CHECKING:
    from fanous.sources.ics import CalendarEvent

events_app = typer.Typer(help="Announced events: elections, rallies, exams, trials.", no_args_is_help=True)


@events_app.command("add")
def events_add(
    country: Annotated[str, typer.Option("--country", help="Country: its code or name, such as PK.")],
    start: Annotated[
        str | None,
        typer.Option("--start", "--since", help="Start of the event, in UTC unless it gives an offset."),
    ] = None,
    end: Annotated[str | None, typer.Option("--end", "--until", help="End of the event, exclusive.")] = None,
    title: Annotated[str, typer.Option("--title", help="Title of the event.")] = "",
    targets: Annotated[
        list[str] | None,
        typer.Option("--target", "--targets", help="Targets expected to be restricted, such as x,youtube."),
    ] = None,
    ics: Annotated[
        Path | None, typer.Option("--ics", help="Register all events in this iCalendar file instead.")
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register an event before it begins. An event registered later is marked late permanently."""
    from fanous.pipeline.actions import Announce
    from fanous.wording.events import event_document, event_line
    from fanous.wording.names import target_wanted

    code = country_code(country)
    named = tuple(target_wanted(one) for text in targets or () for one in text.split(",") if one.strip())
    events: list[AnnouncedEvent] = []
    if ics is None:
        since, until = moment(start, "--start"), moment(end, "--end")
        if since is None or until is None or not title.strip():
            raise typer.BadParameter("give --start, --end and --title, or a calendar with --ics")
        if since >= until:
            raise typer.BadParameter("--start must be before --end")
        events = [AnnouncedEvent(code, since, until, title.strip(), named)]
    else:
        events = _from_calendar(ics, code, named)
    registered: list[AnnouncedEvent] = act(store, config, Announce(tuple(events)), begins=True)
    lines: list[str] = []
    for one in registered:
        advice = "" if one.is_late else ": publish it now, to prove that the event was not chosen afterwards"
        lines += [event_line(one), f"  SHA-256 {one.digest}{advice}"]
    tell(as_json, {"watches": [event_document(one) for one in registered]}, lines)


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


@events_app.command("list")
def events_list(
    country: OneCountry = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List all registered events by start time."""
    from fanous.questions.listings import ListEvents
    from fanous.wording.events import event_document, event_line

    found = ask(store, config, ListEvents(country_code(country) if country else None))
    none = "no events; register an event with `fanous events add`"
    tell(as_json, {"watches": [event_document(one) for one in found]}, map(event_line, found), none)


@events_app.command("report")
def events_report(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="ID of the event, such as PK-watch-1.")],
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report incidents around an event: when each began relative to it, and how likely a coincidence is."""
    from fanous.questions.claims import ReportEvent
    from fanous.wording.events import report_document, report_lines

    report = ask(store, config, ReportEvent(event_id))
    tell(as_json, report_document(report), report_lines(report, time.time()))
