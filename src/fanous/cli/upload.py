"""Sends measurements to a collector through a spool on the probe's own disk, so that none is lost.

What no collector can be reached for waits there - above all what was seen while there was no network - and is
sent with the next run that names a collector.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fanous.probe.run import Write
    from fanous.probe.spool.upload import Sent

Collectors = Annotated[
    list[str] | None,
    typer.Option("--collector", metavar="URL", help="Send to this collector; repeat to name its mirrors."),
]
Proxy = Annotated[
    str | None,
    typer.Option("--proxy", metavar="URL", help="Send through this proxy, such as http://host:port."),
]


def spooled(folder: Path, write: "Write") -> "Write":
    """``write``, and into the spool too.

    Raises:
        FanousError: the spool is full, or cannot be written.
    """
    from fanous.probe.spool import Spool

    spool = Spool(folder)

    def both(record: bytes) -> None:
        write(record)
        spool.put(record)

    return both


def send(folder: Path, collectors: Sequence[str], proxy: str | None) -> "Sent":
    """Send all that waits, as far as a collector can be reached now.

    It counts against the day's data cap and is never held back by it: what was measured should arrive.

    Raises:
        FanousError: another process is sending.
    """
    from fanous.probe.allowance import day_meter
    from fanous.probe.spool import Spool, Uploader

    async def once() -> "Sent":
        with day_meter(folder.parent, None, time.time()) as meter:
            async with Uploader(Spool(folder), collectors, proxy=proxy, on_bytes=meter.spend) as uploader:
                return await uploader.send()

    return asyncio.run(once())


def sent_line(sent: "Sent") -> str:
    """For people."""
    refused = f", {sent.refused} refused" if sent.refused else ""
    waiting = f", {sent.waiting} wait for the next run: no collector can be reached" if sent.waiting else ""
    return f"{sent.acknowledged} measurements were acknowledged{refused}{waiting}."


def withdrawn(folder: Path) -> list[str]:
    """Take consent back and delete what no collector has; in words, with what only its operator can delete.

    Args:
        folder: of the probe.
    """
    from fanous.probe import consent
    from fanous.probe.spool import Spool
    from fanous.probe.spool.reports import Reports

    existed = consent.withdraw(folder)
    lines = ["consent withdrawn" if existed else "there was no consent to withdraw"]
    if not (folder / "spool").is_dir():
        return lines
    spool = Spool(folder / "spool")
    deleted = spool.delete_all()
    if deleted:
        lines.append(f"{deleted} measurements that were not sent yet are deleted")
    sent = Reports(spool.folder).ids()
    if sent:
        lines.append(
            "what a collector has, its operator deletes on request (fanous cannot: it does not know who you "
            "are). Name these reports:"
        )
        lines += [f"  {one}" for one in sent]
    return lines
