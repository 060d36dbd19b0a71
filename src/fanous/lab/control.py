"""Control: how a lab's programs are told what to do - one JSON line over a unix socket, one line back."""

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from fanous.errors import FanousError

SECONDS = 20.0
"""An answer that takes longer will not come."""

DONE = "ok"

Obey = Callable[[dict[str, Any]], None]


def tell(path: Path, message: dict[str, Any]) -> None:
    """Say it, and wait until it is done.

    Raises:
        FanousError: nobody is there, or it could not be done.
    """
    try:
        with socket.socket(socket.AF_UNIX) as there:
            there.settimeout(SECONDS)
            there.connect(str(path))
            there.sendall(json.dumps(message).encode() + b"\n")
            answer = there.makefile().readline().strip()
    except OSError as error:
        raise FanousError(
            f"the lab's program behind {path} does not answer ({error}): is the lab up?"
        ) from None
    if answer != DONE:
        raise FanousError(f"the lab could not do what it was told ({path.stem}): {answer or 'it ended'}")


async def listen(path: Path, obey: Obey) -> asyncio.Server:
    """Take orders."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            obey(json.loads(await reader.readline()))
            said = DONE
        except (OSError, ValueError, KeyError) as error:
            said = f"{type(error).__name__}: {error}"
        with suppress(OSError):  # who asked did not wait
            writer.write(said.encode() + b"\n")
            await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(one, str(path), limit=1 << 24)
