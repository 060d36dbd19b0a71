"""Command line of watches: announced events, registered before they begin, and the report afterwards."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from fanous.cli.common import (
    ConfigOption,
    JsonOption,
    StoreOption,
    country_code,
    moment,
    open_named,
    print_document,
)
from fanous.errors import FanousError
from fanous.model.event import Watch
from fanous.refdata.platforms import target_of

watch_app = typer.Typer(help="Announced events: elections, rallies, exams, trials.", no_args_is_help=True)


@watch_app.command("add")
def watch_add(
    country: Annotated[str, typer.Option("--country", help="Country code, such as PK.")],
    start: Annotated[str | None, typer.Option("--start", help="UTC unless it says otherwise.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="Likewise; not included.")] = None,
    title: Annotated[str, typer.Option("--title", help="What is announced.")] = "",
    targets: Annotated[
        list[str] | None, typer.Option("--targets", help="Expected to be restricted: x,youtube")
    ] = None,
    ics: Annotated[
        Path | None, typer.Option("--ics", help="All events of an iCalendar file instead.")
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register an event before it begins; one that has begun is marked late for ever."""
    from fanous.wording.events import watch_document, watch_line

    code = country_code(country)
    named = tuple(target_of(one.strip()) for text in targets or () for one in text.split(",") if one.strip())
    if ics is not None:
        watches = _from_calendar(ics, code, named)
    else:
        since, until = moment(start, "--start"), moment(end, "--end")
        if since is None or until is None or not title.strip():
            raise typer.BadParameter("give --start, --end and --title, or a calendar with --ics")
        if since >= until:
            raise typer.BadParameter("--start must lie before --end")
        watches = [Watch(code, since, until, title.strip(), named)]
    with open_named(store, config) as opened:
        registered = [opened.add_watch(one) for one in watches]
    if as_json:
        print_document({"watches": [watch_document(one) for one in registered]})
        return
    for one in registered:
        print(watch_line(one))
        advice = "" if one.is_late else ": publish it now, and nobody can say that it was chosen afterwards"
        print(f"  SHA-256 {one.digest}{advice}")


def _from_calendar(path: Path, code: str, targets: tuple[str, ...]) -> list[Watch]:
    from fanous.sources.ics import read_calendar

    events = read_calendar(path, lambda why: print(why, file=sys.stderr))
    if not events:
        raise FanousError(f"{path} holds no event that can be read and is not cancelled")
    return [Watch(code, one.start, one.end, one.title, targets) for one in events]


@watch_app.command("list")
def watch_list(
    country: Annotated[str | None, typer.Argument(metavar="[CC]", help="Only this country.")] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """All registered events, by start."""
    from fanous.wording.events import watch_document, watch_line

    with open_named(store, config, read_only=True) as opened:
        found = opened.watches(country_code(country) if country else None)
    if as_json:
        print_document({"watches": [watch_document(one) for one in found]})
        return
    for one in found:
        print(watch_line(one))
    if not found:
        print("no watches; register an event with `fanous watch add`")


@watch_app.command("report")
def watch_report(
    watch_id: Annotated[str, typer.Argument(metavar="ID", help="Such as PK-watch-1.")],
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """What was seen around an event, how the onset lies to it, and by what chance; or that nothing was."""
    from fanous.pipeline import claims
    from fanous.wording.events import report_document, report_lines

    with open_named(store, config, read_only=True) as opened:
        watch = next((w for w in opened.watches() if w.id.lower() == watch_id.lower()), None)
        if watch is None:
            raise FanousError(f"no watch {watch_id} in this store; `fanous watch list` names them")
        report = claims.watch_report(opened, watch)
    if as_json:
        print_document(report_document(report))
    else:
        print("\n".join(report_lines(report)))
