"""Runs a command in the process that has the store open, with the same output as here.

``ask_owner`` asks.  ``fanous run``, which answers, carries the words out with a ``dispatcher``.
"""

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from fanous.errors import FanousError
from fanous.monitor.request import CommandReply, CommandRequest, address_of

if TYPE_CHECKING:
    from fanous.monitor.control import Dispatch

CONNECT_SECONDS = 5.0


def ask_owner(lock: Path, request: CommandRequest) -> CommandReply | None:
    """The answer of the process that has the store; ``None`` = nobody answers at its socket.

    A socket file that a dead process left refuses the connection, or is not there at all.

    Raises:
        FanousError: it was asked, and broke off.
    """
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
                return msgspec.json.decode(stream.read(), type=CommandReply)
        except (OSError, msgspec.MsgspecError):
            raise FanousError(
                "the process that has the store broke off while it worked on this; its log says why. What it "
                "acknowledged is kept: run the command again",
                permanent=False,
            ) from None


def dispatcher(root: Any) -> "Dispatch":
    """Carries out words on the store that is open here, as a process of their own would.

    Args:
        root: the whole command line, as Click has it.
    """

    def dispatch(words: Sequence[str], folder: Path) -> tuple[int, str]:
        try:
            _invoke(root, words, folder)
        except typer.Exit as leaving:
            return leaving.exit_code, ""
        except SystemExit as leaving:
            return (leaving.code if isinstance(leaving.code, int) else 1), ""
        except typer.Abort:
            return 1, "this asks a question: answer it with an option, since another process has the store"
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
    """Relative paths stand in the folder from which was asked, not in ours."""
    if isinstance(value, list | tuple):
        return type(value)(_in_folder(one, folder) for one in value)
    return None if value is None else str(folder / value)
