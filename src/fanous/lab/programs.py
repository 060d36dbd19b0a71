"""Programs: what runs inside a lab, recorded so that it never outlives it."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

from fanous.errors import FanousError
from fanous.lab.registry import Standing
from fanous.lab.space import entered, socket_in

PATIENCE = 15.0
"""Seconds until a program must be ready; they need a quarter of one."""

LOOK = 0.005


class Programs:
    """The programs of one lab."""

    def __init__(self, lab: Standing) -> None:
        self._lab = lab
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, namespace: str, argv: Sequence[str]) -> None:
        """Start one; what it says goes to ``NAME.log`` in the lab's folder.

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
                    start_new_session=True,  # Ctrl-C at the terminal is for us: we take them down in order
                    cwd="/",
                    env=os.environ | {"PYTHONUNBUFFERED": "1"},
                )
            except FileNotFoundError:
                raise FanousError(f"{argv[0]} is not installed: `fanous doctor` names its package") from None
        self._lab.record_child(child.pid)
        self._running[name] = child

    def wait(self) -> None:
        """Until all have ended: somebody told them to."""
        for child in self._running.values():
            child.wait()
        self._running.clear()

    def wait_for_socket(self, name: str, path: Path) -> None:
        """Until a program takes orders."""

        def try_it() -> None:
            with socket.socket(socket.AF_UNIX) as there:
                there.connect(str(path))

        self._wait(name, try_it)

    def wait_for_port(self, name: str, namespace: str, address: str, port: int) -> None:
        """Until a program takes connections."""

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
