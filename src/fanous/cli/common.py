"""What all commands share: common options, the store they name, lists of sources in help, and how a command prints.

Every command imports this module, so it loads nothing slow (rich, the store, tables of countries) before a
command needs it.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, TextIO, TypeVar, cast

import typer
from typer.core import TyperCommand

from fanous.errors import FanousError
from fanous.text import printable_lines

if TYPE_CHECKING:
    from rich.console import Console

    from fanous.monitor.control import Dispatch
    from fanous.monitor.request import ActionRequest, CommandRequest
    from fanous.pipeline.actions import Action
    from fanous.sources.connector import Source
    from fanous.store.location import StoreHeld
    from fanous.store.protocol import Store

Reply = TypeVar("Reply")

# --- options --------------------------------------------------------------------------------------

StoreOption = Annotated[
    Path | None,
    typer.Option("--store", envvar="FANOUS_STORE", help="Folder of the store.", show_default=False),
]
CONFIGURATION = Path("fanous.toml")
"""Read where no file is named, if it is in the current folder: what `fanous init` writes."""


def _configured(named: Path | None) -> Path | None:
    return named if named is not None or not CONFIGURATION.is_file() else CONFIGURATION


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="FANOUS_CONFIG",
        callback=_configured,
        help="TOML configuration file; its `store` table names the store.  By default fanous.toml in the current "
        "folder, if there is one.",
        show_default=False,
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


def moment(text: str | None, option: str) -> float | None:
    """Unix seconds, UTC, of a date or time that ``option`` gave."""
    from fanous.model.instant import from_iso

    if text is None:
        return None
    try:
        return from_iso(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a date or time such as 2023-12-17 or 2023-12-17T15:00Z", param_hint=option
        ) from None


def country_code(code: str) -> str:
    """The country code in capitals."""
    from fanous.refdata.countries import is_country

    upper = code.upper()
    if not is_country(upper):
        raise typer.BadParameter(f"{code!r} is not a country code (ISO 3166-1, such as PK)", param_hint="CC")
    return upper


def network_number(text: str) -> int:
    """The number of a network, given as ``AS17557`` or ``17557``."""
    from fanous.model.place import asn_of

    if asn := asn_of(text.upper()):
        return asn
    raise typer.BadParameter(f"{text!r} is not a network number, such as AS17557 or 17557")


def add_former(app: typer.Typer, name: str, former: str, present: str) -> None:
    """Make the former command ``name`` of ``app`` say that ``former`` is now ``present``, whatever follows
    it; exit 2.

    The message begins like typer's own about an unknown command, because scripts match on it.
    """
    anything = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

    @app.command(name, hidden=True, context_settings=anything)
    def moved() -> None:
        print(f"fanous: No such command `{former}`: it is now `{present}`", file=sys.stderr)
        raise typer.Exit(2)


# --- printing -------------------------------------------------------------------------------------


def say(text: object = "", *, file: TextIO | None = None, flush: bool = False) -> None:
    """Print one line for people.

    What a command says often holds words of others: names in measurements, claims, a server's answer.  They can
    neither act on the terminal nor add a line that looks like ours.
    """
    from fanous.text import one_line

    print(one_line(str(text)), file=file, flush=flush)


def print_document(document: Any) -> None:
    """What ``--json`` prints: the document as it is, but no character in it that could act on a terminal."""
    import msgspec

    from fanous.text import json_for_terminal

    formatted = msgspec.json.format(msgspec.json.encode(document), indent=2)
    sys.stdout.buffer.write(json_for_terminal(formatted) + b"\n")
    sys.stdout.buffer.flush()


def console() -> "Console":
    """The console for answers.

    If stdout is not a terminal, it writes no colour codes, and lines of 120 columns.  If a command runs on
    behalf of another process, width and colours are those of the terminal there.
    """
    from rich.console import Console

    from fanous.monitor.request import carried

    there = carried.get()
    if there is not None and there.width:
        return Console(width=there.width, color_system=_colours(there.colours), force_terminal=True)
    if not sys.stdout.isatty():
        return Console(width=120, no_color=True, highlight=False)
    return screen()


def _colours(name: str | None) -> Literal["standard", "256", "truecolor", "windows"] | None:
    """``name``, if rich knows it."""
    known = ("standard", "256", "truecolor", "windows")
    return cast(Literal["standard", "256", "truecolor", "windows"], name) if name in known else None


def screen(*, stderr: bool = False, highlight: bool = True) -> "Console":
    """The console of a terminal, as wide as the terminal: rich assumes 80 columns for a dumb one.

    Args:
        highlight: colour numbers and names in what is printed.
    """
    import shutil

    from rich.console import Console, ConsoleDimensions

    console = Console(stderr=stderr, highlight=highlight)
    if console.is_dumb_terminal:
        console.size = ConsoleDimensions(*shutil.get_terminal_size())
    return console


# --- the store ------------------------------------------------------------------------------------


@contextmanager
def open_named(store: Path | None, config: Path | None, *, read_only: bool = False) -> "Iterator[Store]":
    """The store that the options name, open for this command.

    If `fanous run` has it open, the whole command is carried out there, and ends here.
    """
    from fanous.monitor.request import carried
    from fanous.store.local import open_store
    from fanous.store.location import StoreHeld, store_place
    from fanous.store.notices import review

    here = carried.get()
    if here is not None:
        yield here.store
        return
    reviewed = review(config)
    try:
        opened = open_store(store_place(store, config), read_only=read_only)
    except StoreHeld as held:
        _leave_to_owner(held)
    with opened:
        if not read_only:
            reviewed.apply(opened.ledger)
        yield opened


def act(store: Path | None, config: Path | None, action: "Action") -> Any:
    """Carry out an action on the store that the options name; if `fanous run` has it open, there.

    Returns:
        What the action gives (``pipeline.actions.RESULTS``).
    """
    import msgspec

    from fanous.monitor.request import ActionReply, ActionRequest
    from fanous.pipeline.actions import RESULTS, perform_action
    from fanous.store.local import open_store
    from fanous.store.location import StoreHeld, store_place
    from fanous.store.notices import review

    reviewed = review(config)
    try:
        opened = open_store(store_place(store, config))
    except StoreHeld as held:
        reply = ask_owner(held.lock, ActionRequest(msgspec.Raw(msgspec.json.encode(action))), ActionReply)
        if reply is None:
            raise
    else:
        with opened:
            reviewed.apply(opened.ledger)
            return perform_action(opened, action)
    if reply.crash:
        sys.stderr.write(reply.crash)
        raise typer.Exit(70)
    if reply.error:
        raise FanousError(reply.error)
    return msgspec.json.decode(reply.result, type=RESULTS[type(action)])


def _leave_to_owner(held: "StoreHeld") -> NoReturn:
    """Have the process that has the store open carry out the command, and print its output.

    Raises:
        FanousError: it does not take commands (another `fanous ingest`, say), or the command's own error.
    """
    from fanous.monitor.request import CommandReply, CommandRequest

    terminal = console()
    looked_at = sys.stdout.isatty()
    request = CommandRequest(
        sys.argv[1:],
        str(Path.cwd()),
        terminal.width if looked_at else None,
        terminal.color_system if looked_at else None,
    )
    reply = ask_owner(held.lock, request, CommandReply)
    if reply is None:
        raise held
    for stream, printed in ((sys.stdout, reply.out), (sys.stderr, reply.err)):
        stream.buffer.write(printed)
        stream.buffer.flush()
    if reply.error and reply.code == 1:
        raise FanousError(reply.error)
    if reply.error:
        for line in printable_lines(reply.error).split("\n"):
            print(f"fanous: {line}".rstrip(), file=sys.stderr)
    raise typer.Exit(reply.code)


CONNECT_SECONDS = 5.0


def ask_owner(lock: Path, request: "CommandRequest | ActionRequest", answer: type[Reply]) -> Reply | None:
    """The answer of the process that has the store open; ``None`` = nothing listens at its socket.

    If that process is dead, its socket file refuses the connection or does not exist.

    Raises:
        FanousError: it accepted the connection, then closed it early.
    """
    import socket

    import msgspec

    from fanous.monitor.request import address_of

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking, address_of(lock) as address:
        asking.settimeout(CONNECT_SECONDS)
        try:
            asking.connect(address)
        except OSError:
            return None
        asking.settimeout(None)  # an ingest takes as long as it takes
        try:
            asking.sendall(msgspec.json.encode(request))
            asking.shutdown(socket.SHUT_WR)
            with asking.makefile("rb") as stream:
                return msgspec.json.decode(stream.read(), type=answer)
        except (OSError, msgspec.MsgspecError):
            raise FanousError(
                "the process that has the store open stopped while it worked on this command; see its log. "
                "What it acknowledged is kept: run the command again",
                permanent=False,
            ) from None


def dispatcher(root: Any) -> "Dispatch":
    """For ``fanous run``: carries out another process's command line on the store that is open here.

    Args:
        root: the whole command tree, as typer built it.
    """

    def dispatch(words: Sequence[str], folder: Path) -> tuple[int, str]:
        try:
            _invoke(root, words, folder)
        except typer.Exit as leaving:
            return leaving.exit_code, ""
        except SystemExit as leaving:
            return (leaving.code if isinstance(leaving.code, int) else 1), ""
        except typer.Abort:
            return 1, "cannot ask a question while another process has the store: answer it with an option"
        except typer.BadParameter as wrong:
            return 2, wrong.format_message()
        except FanousError as reason:
            return 1, str(reason)
        return 0, ""

    return dispatch


def _invoke(root: Any, words: Sequence[str], folder: Path) -> None:
    command, rest, name = root, list(words), "fanous"
    while rest and rest[0] in getattr(command, "commands", {}):
        name = rest.pop(0)
        command = command.commands[name]
    with command.make_context(name, rest) as context:
        for one in command.params:
            if one.type.name == "path":
                context.params[one.name] = _in_folder(context.params[one.name], folder)
        command.invoke(context)


def _in_folder(value: Any, folder: Path) -> Any:
    """Relative paths are relative to the folder of the process that asks."""
    if isinstance(value, list | tuple):
        return type(value)(_in_folder(one, folder) for one in value)
    return None if value is None else str(folder / value)


class SourceCommand(TyperCommand):
    """A command whose help contains lists of sources (``filled``).

    The lists are made only when that help is shown: the declarations need numpy, which `fanous --help`
    must not load.
    """

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.help = filled(self.help or "")
        super().format_help(ctx, formatter)


def filled(text: str) -> str:
    """The text with lists of sources in place of ``{measurements}``, ``{files}`` and ``{pulled}``."""
    from fanous.sources.measurements import MEASUREMENTS
    from fanous.sources.publishers import PUBLISHERS, SOURCES

    known = PUBLISHERS.values()
    pulled = (one for one in SOURCES.values() if one.live or one.is_stream or one.has_bucket)
    return (
        text.replace("{measurements}", _listed(MEASUREMENTS.values()))
        .replace("{files}", _listed(one for one in known if one.files or one.live))
        .replace("{pulled}", _listed(pulled))
    )


def _listed(sources: "Iterable[Source]") -> str:
    return "\n".join(f"- {source.name}: {source.help}" for source in sources)
