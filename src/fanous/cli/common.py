"""What all commands share: common options, opening the store they name, and how they print."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, cast

import msgspec
import typer
from rich.console import Console

from fanous.cli.screen import screen
from fanous.errors import FanousError
from fanous.model.instant import from_iso
from fanous.refdata.countries import is_country

if TYPE_CHECKING:
    from fanous.store.lock import StoreHeld
    from fanous.store.protocol import Store

StoreOption = Annotated[
    Path | None,
    typer.Option("--store", envvar="FANOUS_STORE", help="Folder that holds the store.", show_default=False),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", help="TOML configuration file; its `store` table names the store.", show_default=False
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")
]
CountryArgument = Annotated[str, typer.Argument(metavar="CC", help="Country code, such as PK.")]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="Start: a date or time, in UTC unless it gives an offset.")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", help="End, exclusive: a date or time, as for --since.")
]


def print_document(document: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    sys.stdout.buffer.flush()


@contextmanager
def open_named(store: Path | None, config: Path | None, *, read_only: bool = False) -> "Iterator[Store]":
    """The store that the options name, open for this command.

    Where `fanous run` has it open, the whole command is carried out there, and ends here.
    """
    from fanous.monitor.request import carried
    from fanous.store.local import open_store
    from fanous.store.location import store_place
    from fanous.store.lock import StoreHeld
    from fanous.store.notices import review_national

    here = carried.get()
    if here is not None:
        yield here.store
        return
    hold = review_national(config)
    try:
        opened = open_store(store_place(store, config), read_only=read_only)
    except StoreHeld as held:
        _leave_to_owner(held)
    with opened:
        if hold is not None and not read_only:
            opened.hold_national(hold)
        yield opened


def _leave_to_owner(held: "StoreHeld") -> NoReturn:
    """Have the process that has the store carry the command out, and print what it printed.

    Raises:
        FanousError: it answers no commands (another `fanous ingest`, say), or what the command ended with.
    """
    from fanous.cli.remote import ask_owner
    from fanous.monitor.request import CommandRequest

    terminal = console()
    looked_at = sys.stdout.isatty()
    request = CommandRequest(
        sys.argv[1:],
        str(Path.cwd()),
        terminal.width if looked_at else None,
        terminal.color_system if looked_at else None,
    )
    reply = ask_owner(held.lock, request)
    if reply is None:
        raise held
    for stream, printed in ((sys.stdout, reply.out), (sys.stderr, reply.err)):
        stream.buffer.write(printed)
        stream.buffer.flush()
    if reply.error and reply.code == 1:
        raise FanousError(reply.error)
    if reply.error:
        print(f"fanous: {reply.error}", file=sys.stderr)
    raise typer.Exit(reply.code)


def moment(text: str | None, option: str) -> float | None:
    if text is None:
        return None
    try:
        return from_iso(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a date or time: 2023-12-17 or 2023-12-17T15:00Z", param_hint=option
        ) from None


def country_code(code: str) -> str:
    upper = code.upper()
    if not is_country(upper):
        raise typer.BadParameter(f"{code!r} is not a country code (ISO 3166-1, such as PK)", param_hint="CC")
    return upper


def console() -> Console:
    """Plain where nobody looks: no colour codes in a file, and lines as long as they need."""
    from fanous.monitor.request import carried

    there = carried.get()
    if there is not None and there.width:
        return Console(width=there.width, color_system=_colours(there.colours), force_terminal=True)
    if not sys.stdout.isatty():
        return Console(width=120, no_color=True, highlight=False)
    return screen()


def _colours(name: str | None) -> Literal["standard", "256", "truecolor", "windows"] | None:
    """A name that rich knows; any other is none."""
    known = ("standard", "256", "truecolor", "windows")
    return cast(Literal["standard", "256", "truecolor", "windows"], name) if name in known else None
