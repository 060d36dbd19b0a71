"""What all commands share: what their options mean, the store they name, lists of sources in help, and how a command
prints.

Every command imports this module, so it loads nothing slow (rich, the store, tables of countries) before a
command needs it.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import typer
from typer.core import TyperCommand

from fanous.cli.options import StoreOptions
from fanous.errors import FanousError

if TYPE_CHECKING:
    from rich.console import Console

    from fanous.pipeline.call import Call
    from fanous.sources.connector import Source
    from fanous.store.location import StoreHeld
    from fanous.store.protocol import Store
    from fanous.wording.language import Language

R = TypeVar("R")


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


def country_code(named: str) -> str:
    """The code of a country, given as such or by a name that people use."""
    from fanous.refdata.countries import is_country

    if is_country(named.upper()):
        return named.upper()
    from fanous.wording.names import country_named, not_a_country

    if code := country_named(named):
        return code
    raise typer.BadParameter(not_a_country(named), param_hint="CC")


def language_given(code: str) -> "Language":
    """The language of a code given with ``--lang``."""
    from fanous.wording.language import LANGUAGES

    if code not in LANGUAGES:
        raise typer.BadParameter(f"{code!r} is not one of {', '.join(LANGUAGES)}", param_hint="--lang")
    return LANGUAGES[code]


def network_number(text: str) -> int:
    """The number of a network, given as ``AS17557`` or ``17557``."""
    from fanous.model.place import asn_of

    if asn := asn_of(text.upper()):
        return asn
    raise typer.BadParameter(f"{text!r} is not a network number, such as AS17557 or 17557")


def add_absent(app: typer.Typer, name: str, typed: str, says: str) -> None:
    """Make ``name``, which people type but which is no command of ``app``, say where to find it, whatever follows it;
    exit 2.

    The message begins like typer's own about an unknown command, because scripts match on it.
    """
    anything = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

    @app.command(name, hidden=True, context_settings=anything)
    def absent() -> None:
        print(f"fanous: No such command `{typed}`: {says}", file=sys.stderr)
        raise typer.Exit(2)


REJECTS_SHOWN = 20
"""Most rejected lines listed on a terminal."""

# --- printing -------------------------------------------------------------------------------------


def say(text: object = "", *, file: TextIO | None = None, flush: bool = False) -> None:
    """Print one line for people.

    A command's output often contains other people's words: names in measurements, claims, a server's answer.  They can
    neither act on the terminal nor add a line that looks like ours.
    """
    from fanous.base.text import one_line

    print(one_line(str(text)), file=file, flush=flush)


def print_document(document: Any) -> None:
    """Print the document for ``--json``, without characters that could act on a terminal."""
    import json

    import msgspec

    from fanous.base.text import json_for_terminal

    try:
        encoded = msgspec.json.encode(document)
    except UnicodeEncodeError:  # the name of a file may be any bytes; question marks are printed for those
        encoded = json.dumps(msgspec.to_builtins(document), ensure_ascii=False).encode(errors="replace")
    formatted = msgspec.json.format(encoded, indent=2)
    sys.stdout.buffer.write(json_for_terminal(formatted) + b"\n")
    sys.stdout.buffer.flush()


def tell(as_json: bool, document: object, lines: Iterable[str], none: str = "") -> None:
    """Print the document for ``--json``; without it the lines for people, or ``none`` if there are none."""
    if as_json:
        print_document(document)
        return
    printed = list(lines)
    for line in printed or ([none] if none else []):
        say(line)


def console() -> "Console":
    """The console for answers.

    If stdout is not a terminal, it writes no colour codes, and lines of 120 columns.
    """
    from rich.console import Console

    if not sys.stdout.isatty():
        return Console(width=120, no_color=True, highlight=False)
    return screen()


def screen(*, stderr: bool = False, highlight: bool = True) -> "Console":
    """A console as wide as the terminal: rich assumes 80 columns for a dumb one.

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


class StoreAccess:
    """Performs calls on a store, here or in the process that has it.

    Attributes:
        store: open here; ``None`` = another process has it.
    """

    def __init__(self, store: "Store | None", held: "StoreHeld | None" = None) -> None:
        self.store, self._held = store, held

    def __call__(self, call: "Call[R]", **hooks: Any) -> R:
        """Perform a call and return its result.

        Args:
            hooks: further arguments of its ``perform``, for a progress bar; another process has none.
        """
        if self.store is not None:
            return call.perform(self.store, **hooks)
        assert self._held is not None
        return asked(self._held, call)


@contextmanager
def reaching(
    options: StoreOptions, *, read_only: bool = False, must_exist: bool = False
) -> Iterator[StoreAccess]:
    """The store that the options name.  If `fanous run` has it open, calls are performed there.

    Args:
        must_exist: a new store would only hide that a path was mistyped.
    """
    from fanous.store.local import open_store
    from fanous.store.location import StoreHeld, review, store_place

    reviewed = review(options.config)
    try:
        opened = open_store(
            store_place(options.store, options.config), read_only=read_only, must_exist=must_exist
        )
    except StoreHeld as held:
        elsewhere = StoreAccess(None, held)
    else:
        with opened:
            if not read_only:
                opened.ledger.remember(reviewed)
            yield StoreAccess(opened)
        return
    yield elsewhere


def ask(options: StoreOptions, call: "Call[R]") -> R:
    """The result of one call that only reads."""
    with reaching(options, read_only=True) as reach:
        return reach(call)


def act(options: StoreOptions, call: "Call[R]", *, begins: bool = False) -> R:
    """The result of one call that changes something.

    Args:
        begins: it may be the first thing in a new store.
    """
    with reaching(options, must_exist=not begins) as reach:
        return reach(call)


def asked(held: "StoreHeld", call: "Call[R]") -> R:
    """Have the process that has the store open perform a call.

    Raises:
        StoreHeld: it takes no calls (another `fanous ingest`, say).
        FanousError: the call's own, or that process stopped while it worked.
    """
    import msgspec

    from fanous.pipeline.call import ControlReply, decoded_result, encoded

    answer = exchanged(held.lock, encoded(call))
    if answer is None:
        raise held
    try:
        reply = msgspec.msgpack.decode(answer, type=ControlReply)
    except msgspec.MsgspecError:
        raise FanousError(
            "the process that has the store open stopped while it worked on this command, or does not know it "
            "(is it another version?); see its log. What it acknowledged is kept: run the command again",
            permanent=False,
        ) from None
    if reply.crash:
        sys.stderr.write(reply.crash)
        raise typer.Exit(70)
    if reply.error:
        raise FanousError(reply.error, permanent=reply.permanent)
    try:
        return decoded_result(reply.result, call)
    except msgspec.MsgspecError:
        raise FanousError(
            "the process that has the store open is of another version of Fanous and answers differently: "
            "start it again with this version"
        ) from None


CONNECT_SECONDS = 5.0


def exchanged(lock: Path, request: bytes) -> bytes | None:
    """The answer of the process that has the store open; ``None`` = nothing listens at its socket.

    If that process is dead, its socket file refuses the connection or does not exist.  The answer is empty if it
    hung up.
    """
    import socket

    from fanous.pipeline.call import address_of

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking, address_of(lock) as address:
        asking.settimeout(CONNECT_SECONDS)
        try:
            asking.connect(address)
        except OSError:
            return None
        asking.settimeout(None)  # an ingest takes as long as it takes
        try:
            asking.sendall(request)
            asking.shutdown(socket.SHUT_WR)
            with asking.makefile("rb") as stream:
                return stream.read()
        except OSError:
            return b""


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
    from fanous.sources.connector import Transport
    from fanous.sources.measurements import MEASUREMENT_SOURCES
    from fanous.sources.publishers import SERIES_FILES, SOURCES

    pulled = (source for source in SOURCES.values() if source.pulled not in (None, Transport.ORDERS))
    return (
        text.replace("{measurements}", _listed(MEASUREMENT_SOURCES.values()))
        .replace("{files}", _listed(SERIES_FILES.values()))
        .replace("{pulled}", _listed(pulled))
    )


def _listed(sources: "Iterable[Source]") -> str:
    return "\n".join(f"- {source.name}: {source.help}" for source in sources)
