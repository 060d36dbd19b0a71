"""The ``fanous`` command: its table of commands, its help, and how errors end.

stdout carries the answer (with ``--json`` one document and nothing else), stderr everything else.  Exit
codes: 0 success, 1 an error the user can fix, 2 wrong usage, 3 ``confirm --fail-on`` found a disruption, 70 a
bug.

A command is imported only when it is run, so that none has to wait for the others: see ``COMMANDS``.  Other packages
add theirs by an entry point: see ``all_commands``.
"""

import errno
import faulthandler
import gc
import inspect
import io
import os
import re
import resource
import sys
import traceback
from collections import UserDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from importlib import import_module
from importlib.metadata import entry_points
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

from fanous import __version__
from fanous.base.files import NO_DESCRIPTOR, allow_descriptors
from fanous.base.text import printable_lines
from fanous.cli.common import SourceCommand, add_absent
from fanous.errors import EngineFault, FanousError


class CommandEntry(NamedTuple):
    """Where a command is, and what help shows before it is loaded.

    Attributes:
        group: heading under which help lists the command.
        name: as typed, and that of its function, or with ``_app`` of its group of commands.
        line: first sentence of the command's own help; a test compares them.
        module: where it is; empty = in ``fanous.cli``, under the same name.
        lists_sources: whether its help lists the sources it accepts.
    """

    group: str
    name: str
    line: str
    module: str = ""
    lists_sources: bool = False


_start = partial(CommandEntry, "Start")
_bring_in = partial(CommandEntry, "Bring in")
_ask = partial(CommandEntry, "Ask")
_publish = partial(CommandEntry, "Publish")
_operate = partial(CommandEntry, "Operate")

COMMANDS = (
    _start(
        "demo",
        "Try Fanous offline on a lab event modelled on Pakistan, 17 December 2023, in a separate store.",
    ),
    _start(
        "init",
        "Write the configuration of a new monitor: countries, sources and their terms, secrets, retention.",
    ),
    _start(
        "run",
        "Run the whole monitor: measure on a schedule, receive from probes, detect incidents, serve the pages.",
    ),
    _start("doctor", "Check that this machine has what the probe, the server parts and the lab need."),
    _bring_in(
        "ingest",
        "Import files into the store, judge the measurements and detect incidents.",
        lists_sources=True,
    ),
    _bring_in(
        "pull",
        "Fetch measurements or series from a public source into the store, and detect incidents.",
        lists_sources=True,
    ),
    _bring_in("probe", "Measure from this machine which sites work."),
    _bring_in(
        "scan", "Ping one address in each /24 block every 10 minutes, and report how many blocks are up."
    ),
    _ask(
        "confirm",
        "Show what is disrupted in a country: on which networks, how, from when to when, and how certain it is.",
    ),
    _ask("incidents", "List, show, report and approve incidents, and pack their evidence."),
    _ask(
        "signals",
        "Show each source's signals for a country: latest value in % of its baseline, with age and licence.",
        module="fanous.cli.confirm",
    ),
    _ask(
        "networks", "Show when each network was last heard from, and whether its silence is unusually long."
    ),
    _ask("judge", "Judge single measurements and explain the verdicts; no store is needed."),
    _ask(
        "verify", "Recompute an incident from its evidence bundle, offline; print MATCH or the differences."
    ),
    _ask(
        "cost",
        "Estimate what a disruption costs, by each published method: per hour, in total, and with every input.",
    ),
    _publish("events", "Announced events: elections, rallies, exams, trials."),
    _publish("claims", "Record what others say about disruptions, and check it against the evidence."),
    _publish("alerts", "Test, list, retry and send alerts."),
    _publish(
        "export",
        "Write open data: incidents, hourly results of your own probes, and series from open sources.",
    ),
    _operate(
        "collect", "Receive measurements from probes: OONI's collector protocol, check-in and test helper."
    ),
    _operate(
        "drain",
        "Move what collectors have received from an inbox or a stream into a store.",
        module="fanous.cli.collect",
    ),
    _operate(
        "queue",
        "Show what is waiting in the stream between collectors and store, and what was set aside and why.",
    ),
    _operate(
        "detect",
        "Find incidents in measurements that have not been examined yet; `fanous ingest` also does this.",
    ),
    _operate(
        "rejudge",
        "Recompute every conclusion from the raw records, with the rules of this version.",
        module="fanous.cli.detect",
    ),
    _operate(
        "retain",
        "Delete old observations and move old raw records to a bucket, as the `retention` settings say.",
    ),
    _operate(
        "forget",
        "Delete all measurements in these reports, raw records included, and recompute incidents without them.",
        module="fanous.cli.retain",
    ),
    _operate(
        "refdata",
        "Update reference data: block page fingerprints, numbers of users per network, lists of sites, upstreams.",
    ),
    _operate("orders", "Tell your organisation's own probes what to measure, or to stop."),
)
"""Fanous' own commands, in the order in which help lists them."""

OTHERS = "fanous.commands"
"""Entry points of other packages; each is a sequence of ``CommandEntry``."""

IN_THE_LAB = (
    "it comes with the package fanous-lab, which is next to Fanous in its repository (`pip install ./lab`)"
)

ELSEWHERE = {
    "watch": "it is now `fanous events`",
    "heard": "it is now `fanous networks`",
    "lab": IN_THE_LAB,
    "evaluate": IN_THE_LAB,
}
"""Name that people type -> what they are told, unless an installed package has a command of this name."""


@cache
def all_commands() -> tuple[CommandEntry, ...]:
    """Our own commands, and those of other packages that are installed, in the order in which help lists them."""
    return COMMANDS + tuple(entry for point in entry_points(group=OTHERS) for entry in point.load())


class LazyCommands(UserDict[str, Any]):
    """Commands by name, each imported on first use.  Other packages are asked only for a name that is not ours: to look
    for them takes as long as a short command.

    Raises:
        ImportError: on look-up: its module does not exist, or needs a part that is not installed.
        AttributeError: its module has no such command.
    """

    def __init__(self) -> None:
        super().__init__({entry.name: entry for entry in COMMANDS})

    def __contains__(self, name: object) -> bool:
        if name not in self.data:
            self._ask_others()
        return name in self.data

    def __iter__(self) -> Iterator[str]:
        self._ask_others()
        return iter(self.data)

    def __getitem__(self, name: str) -> Any:
        command = self.data[name]
        if isinstance(command, CommandEntry | str):
            command = self.data[name] = built(name, command)
        return command

    def _ask_others(self) -> None:
        for name, command in [*((entry.name, entry) for entry in all_commands()), *ELSEWHERE.items()]:
            self.data.setdefault(name, command)


def built(name: str, what: CommandEntry | str) -> Any:
    """A command as typer builds it; for a name that is no command, one that only says what it is given."""
    app = typer.Typer(add_completion=False)
    if isinstance(what, str):
        add_absent(app, name, f"fanous {name}", what)
    else:
        module = import_module(what.module or f"fanous.cli.{name}")
        command = getattr(module, f"{name}_app", None) or getattr(module, name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name, cls=SourceCommand if what.lists_sources else None)(command)
    return reflowed(typer.main.get_group(app).commands[name])


NUMBERS = {"float range": "number", "int range": "whole number", "float": "number", "int": "whole number"}
"""Name of a type in help and complaints -> in words that are not a programmer's."""


def reflowed(command: Any) -> Any:
    """The same, with each paragraph of its help, and of its own commands', as one line: rich breaks lines to the width
    of the terminal, but keeps those of the docstring too.  Numbers are called numbers."""
    for param in command.params:
        param.type.name = NUMBERS.get(param.type.name, param.type.name)
    if command.help:
        command.help = re.sub(r"(?<=\S)\n(?!\s|{|- )", " ", inspect.cleandoc(command.help))
    for param in getattr(command, "commands", {}).values():
        reflowed(param)
    return command


class Root(TyperGroup):
    """``fanous`` itself: lists the commands from the table without loading any."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = LazyCommands()

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Writes plain text: rich, which draws the help of single commands, takes as long to load as everything else
        together.
        """
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        self.format_options(ctx, formatter)

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        for group in dict.fromkeys(entry.group for entry in all_commands()):
            with formatter.section(group):
                rows = [(entry.name, entry.line) for entry in all_commands() if entry.group == group]
                formatter.write_dl(rows)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        from typer._click.shell_completion import CompletionItem

        names = [
            CompletionItem(entry.name, help=entry.line)
            for entry in all_commands()
            if entry.name.startswith(incomplete)
        ]
        return names + super(TyperGroup, self).shell_complete(ctx, incomplete)


SERVER_PARTS = frozenset(
    {
        "apprise",
        "babel",
        "backports",
        "bottleneck",
        "chdb",
        "clickhouse_connect",
        "icalendar",
        "iptocc",
        "jinja2",
        "markupsafe",
        "nats",
        "numpy",
        "pybgpkit_parser",
        "resvg_py",
        "starlette",
        "typst",
        "uvicorn",
        "websockets",
    }
)
"""Modules of the extra ``server``; a light probe has none of them."""

GARBAGE = 50_000
"""New objects between two collections.  Loading the store makes Python's default of 2,000 collect 70 times and find
nothing, for 6 % of the time of `fanous confirm`."""

OTHERS_WRITE = 0o022
"""Permissions that no file of ours gets, whatever the umask of the process: some containers start with 0, and
anyone who can change the archive, or the compiled fingerprints that a library of C loads, decides what Fanous says."""

BUG = 70
"""EX_SOFTWARE of sysexits.h: the fault is ours."""

app = typer.Typer(
    name="fanous",
    cls=Root,
    help="An independent, open monitor of internet disruptions.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


LEAST_DESCRIPTORS = 32
"""Files that a process must be able to open: with 16 a command or a door barely begins, and with fewer some library
fails in a way that mentions no limit."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def main() -> None:
    """Entry point: turns an error the user can fix into one sentence."""
    gc.set_threshold(GARBAGE)
    os.umask(os.umask(0o077) | OTHERS_WRITE)
    _open_standard_streams()
    os.environ["TZ"] = "UTC"  # the machine's zone is shown nowhere, and libraries fail where it is not one
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # further threads of numpy would only wait, and busily
    with suppress(RuntimeError, OSError):  # standard error is closed, or no file
        if not faulthandler.is_enabled():
            faulthandler.enable()  # where a library of C crashes, the log says in what
    try:
        _refuse_logins(sys.argv[1:])
        allow_descriptors(LEAST_DESCRIPTORS, "fanous")
        app()
    except FanousError as error:
        _complain(str(error))
        sys.exit(1)
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code != INTERRUPTED:  # as typer passes Ctrl-C on
            raise
        _complain("interrupted; what was acknowledged is kept. Run the command again to complete it")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _drop_output()
    except EngineFault as fault:
        _complain(
            f"{fault}. This is a bug in fanous {__version__} or in its engine; please report this sentence"
        )
        sys.exit(BUG)
    except Exception as error:
        if not (
            cause := _outside_cause(error)
        ):  # last resort: say that it is our fault, and how to report it
            traceback.print_exc()
            _complain(f"this is a bug in fanous {__version__}; please report it with the lines above")
            sys.exit(BUG)
        _complain(cause)
        sys.exit(1)


_LOGIN = re.compile(r"[a-z]://[^/?#\s@]*+@", re.IGNORECASE)
"""The beginning of an address with a user, a password or a token in it."""


def _refuse_logins(words: Sequence[str]) -> None:
    """Refuse addresses with a login, which every user of the machine sees in the list of processes.

    Raises:
        FanousError: one has one; the message does not repeat it.
    """
    if any(_LOGIN.search(word) for word in words):
        raise FanousError(
            "an address on the command line has a login, which every user of this machine can read (`ps`): change "
            "that password or token, and give the address in the environment instead (FANOUS_QUEUE for a queue, "
            "FANOUS_PROXY for a proxy), or in the configuration file"
        )


def _outside_cause(error: Exception) -> str:
    """What the machine lacks, as a sentence; empty = the error is a bug."""
    if _is_out_of_memory(error):
        return (
            "out of memory; what was stored is kept. Ask for a shorter time range or fewer files, or raise the "
            "limit (`ulimit -v`, MemoryMax= of a unit)"
        )
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in SERVER_PARTS:
        return f"this command needs the server parts ({error.name}): pip install 'fanous[server]'"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):  # Python says it in no other way
        return "no more threads can be started: raise the limit (`ulimit -u`, TasksMax= of a unit)"
    if not isinstance(error, OSError):
        return ""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return NO_DESCRIPTOR
    if error.errno == errno.EFBIG:
        return "a file may not grow that large here: raise the limit (`ulimit -f`), and run the command again"
    if isinstance(error, FileNotFoundError) and error.filename is None:  # two calls name none
        if "temporary directory" in str(error):
            return (
                "no folder for temporary files can be written to: set TMPDIR to one that can, with room, and check "
                "the limit of the size of files (`ulimit -f`)"
            )
        return "the current folder no longer exists: change to another one"
    if error.errno in (errno.ENOSPC, errno.EDQUOT) and error.filename is None:
        _drop_output()
        return "the disk is full, so what this command prints or writes is incomplete: free some space and run it again"
    return ""


def _drop_output() -> None:
    """Standard output goes nowhere from here on: flushing it at the end of the process would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


LITTLE = 1 << 30
"""Bytes of address space within which loading a library or compiling may fail in ways that do not mention memory."""


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    is_odd = isinstance(error, SystemError | ImportError) and not isinstance(error, ModuleNotFoundError)
    return is_odd and limit != resource.RLIM_INFINITY and limit < LITTLE


def _open_standard_streams() -> None:
    """Open those that were closed at the start: another file would take their number, and receive what libraries
    print; and whatever asks Python's own stream whether it is a terminal, or flushes it, would fail.

    In a locale of few letters, or where a file's name has other bytes, question marks are printed: a grid with them
    is better than none.  Documents (``--json``) are UTF-8 in any locale."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        continue
    os.close(number)
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _complain(text: str) -> None:
    """Print an error.  It may quote a file, a server's answer or what was typed, so each line says that it is ours."""
    for line in printable_lines(text).split("\n"):
        print(f"fanous: {line}".rstrip(), file=sys.stderr)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"fanous {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
