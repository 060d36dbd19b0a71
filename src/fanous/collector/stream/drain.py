"""Drain: what the owner of the store does with a stream - bring messages in, then say that they are done.

Killed in between, the same messages come again: the store knows each measurement by its identity.  A message
that cannot be used is set aside with the reason.  One with which writers die again and again is tried alone,
and then set aside too, so that it keeps nothing else waiting.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fanous.collector.stream.address import StreamPart
from fanous.collector.stream.pull import Waiting, Writer

BATCH = 1000
"""Messages at once: what a store takes in one go, and not more than rejects are named (``fanous.pipeline.tally``)."""

SUSPECT = 3
"""Deliveries after which a message is tried alone: something ended the writers that had it."""

MOST_DELIVERIES = 6
"""After which it is not tried any more.  A writer that is killed by chance that often loses nothing: what
was set aside can be brought in."""

LATER = 3600.0
"""Seconds until what was set aside, and is still of no use, is offered again."""

BringIn = Callable[[Sequence[Path]], Mapping[int, str]]
"""Files -> the lines that cannot be used, from 1 on, and why; the others are on the disk when it returns."""


def drain(writer: Writer, bring_in: BringIn, seconds: float) -> int:
    """Bring in what waits.

    Args:
        seconds: to wait where nothing does.

    Returns:
        How many messages there were.
    """
    waiting = writer.fetch(BATCH, seconds)
    sound = [one for one in waiting if one.line is not None]
    for one in waiting:
        if one.line is None:
            _refuse(writer, one, "it holds no measurement")
    _bring(writer, bring_in, [one for one in sound if one.deliveries <= SUSPECT])
    for one in _suspects(sound):
        if one.deliveries > MOST_DELIVERIES:
            _refuse(writer, one, f"{one.deliveries - 1} writers ended with it")
        else:
            _bring(writer, bring_in, [one])
    return len(waiting)


def _suspects(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Those that are tried alone: from one end, and the next time from the other, so that what stands on
    either side of the one that ends the writer has been done by then."""
    suspects = sorted((one for one in waiting if one.deliveries > SUSPECT), key=lambda one: one.uid)
    return suspects[::-1] if suspects and suspects[0].deliveries % 2 else suspects


def _bring(writer: Writer, bring_in: BringIn, waiting: Sequence[Waiting]) -> None:
    if not waiting:
        return
    with tempfile.TemporaryDirectory(prefix="fanous-drain-") as folder:
        file = Path(folder) / "stream.jsonl"
        file.write_bytes(b"".join((one.line or b"") + b"\n" for one in waiting))
        why = bring_in([file])
    for line, one in enumerate(waiting, 1):
        if line in why:
            _refuse(writer, one, why[line])
    writer.done(one for line, one in enumerate(waiting, 1) if line not in why)


def _refuse(writer: Writer, waiting: Waiting, why: str) -> None:
    if writer.part is StreamPart.REFUSED:
        writer.leave([waiting], LATER)
    else:
        writer.set_aside(waiting, why)
