"""Signer: the process that holds the signing key while a monitor runs, which the monitor only asks."""

import asyncio
from contextlib import suppress
from logging import getLogger
from pathlib import Path

from fanous.base.forkserver import NotStarted
from fanous.errors import FanousError
from fanous.log import logline
from fanous.monitor.receiver import has_ended
from fanous.pipeline.workers import READERS
from fanous.publish.signer import is_answered, run_signer, socket_beside

log = getLogger("fanous.monitor")


async def signer_apart(key: Path, stop: asyncio.Event) -> None:
    """Run a signer until ``stop`` is set; where one answers already, such as that of a unit of its own, it is used.

    Raises:
        FanousError: it cannot be started, or ended by itself.
    """
    if key.is_socket() or is_answered(socket_beside(key)):
        log.info(logline("signer", at=key, by="another process"))
        await stop.wait()
        return
    try:
        child = await asyncio.to_thread(READERS.start, run_signer, key)
    except NotStarted as why:
        raise FanousError(f"the signer could not be started: {why}", permanent=False) from why
    try:
        if await has_ended(child.sentinel, stop):
            # What it said last; empty = nothing, or only that it listens.
            words = ""
            with suppress(EOFError, OSError):
                while child.connection.poll():
                    words = child.connection.recv_bytes().decode("utf-8", "replace")
            raise FanousError(words or f"the signer ended with exit code {child.wait()}")
    finally:
        child.end()
