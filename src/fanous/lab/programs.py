"""Programs: what runs inside a lab, recorded so that it never outlives the lab.

They take orders as one JSON line over a unix socket, and answer with one line.
"""

import asyncio
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from fanous.errors import FanousError
from fanous.lab.registry import Standing
from fanous.lab.space import entered, socket_in

PATIENCE = 15.0
"""Seconds within which a program must be ready; it takes a quarter of one."""

LOOK = 0.005


class Programs:
    """The programs of one lab."""

    def __init__(self, lab: Standing) -> None:
        self._lab = lab
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, namespace: str, argv: Sequence[str]) -> None:
        """Start one; its output goes to ``NAME.log`` in the lab's folder.

        Raises:
            FanousError: it is not installed.
        """
        with (
            entered(namespace) if namespace else nullcontext(),
            (self._lab.folder / f"{name}.log").open("wb") as log,
        ):
            try:
                child = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C must reach only us: we take them down in order
                    cwd="/",
                    env=os.environ | {"PYTHONUNBUFFERED": "1"},
                )
            except FileNotFoundError:
                raise FanousError(f"{argv[0]} is not installed: `fanous doctor` names its package") from None
        self._lab.record_child(child.pid)
        self._running[name] = child

    def wait(self) -> None:
        """Wait until all have ended on request."""
        for child in self._running.values():
            child.wait()
        self._running.clear()

    def wait_for_socket(self, name: str, path: Path) -> None:
        """Wait until a program takes orders."""

        def try_it() -> None:
            with socket.socket(socket.AF_UNIX) as there:
                there.connect(str(path))

        self._wait(name, try_it)

    def wait_for_port(self, name: str, namespace: str, address: str, port: int) -> None:
        """Wait until a program accepts connections."""

        def try_it() -> None:
            with socket_in(namespace, socket.AF_INET, socket.SOCK_STREAM) as there:
                there.connect((address, port))

        self._wait(name, try_it)

    def _wait(self, name: str, try_it: Callable[[], None]) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                try_it()
                return
            except OSError:
                time.sleep(LOOK)
            if self._running[name].poll() is not None:
                break
        said = (self._lab.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").strip()
        last = said.splitlines()[-1] if said else "it said nothing"
        raise FanousError(f"the lab's {name} did not start: {last}")


SECONDS = 20.0
"""Seconds to wait for an answer; one that takes longer will not come."""

DONE = "ok"

Obey = Callable[[dict[str, Any]], None]


def tell(path: Path, message: dict[str, Any]) -> None:
    """Send an order, and wait until it is done.

    Raises:
        FanousError: no one answers, or the order could not be carried out.
    """
    try:
        with socket.socket(socket.AF_UNIX) as there:
            there.settimeout(SECONDS)
            there.connect(str(path))
            there.sendall(json.dumps(message).encode() + b"\n")
            answer = there.makefile().readline().strip()
    except OSError as error:
        raise FanousError(
            f"the lab's program at {path} does not answer ({error}): is the lab running?"
        ) from None
    if answer != DONE:
        raise FanousError(f"the lab could not carry out an order ({path.stem}): {answer or 'it ended'}")


async def listen(path: Path, obey: Obey) -> asyncio.Server:
    """Take orders."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            obey(json.loads(await reader.readline()))
            said = DONE
        except (OSError, ValueError, KeyError) as error:
            said = f"{type(error).__name__}: {error}"
        with suppress(OSError):  # the asker did not wait
            writer.write(said.encode() + b"\n")
            await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(one, str(path), limit=1 << 24)
