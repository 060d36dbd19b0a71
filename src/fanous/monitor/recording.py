"""Recording: an event of the lab in one compressed file, as the demonstration plays it.

The first line says what happened; every other line is one measurement as kept by the collector.
"""

import lzma
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from fanous.errors import FanousError

FORMAT = "fanous-recording-1"


def read_recording(data: bytes) -> tuple[dict[str, Any], Iterator[bytes]]:
    """What happened, and the measurements by the time at which they were made.

    Raises:
        FanousError: it is not a recording.
    """
    try:
        first, *lines = lzma.decompress(data).split(b"\n")
        head = msgspec.json.decode(first)
    except (lzma.LZMAError, msgspec.MsgspecError) as error:
        raise FanousError(f"this is not a recording of the lab: {error}") from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise FanousError(f"this is not a recording of the lab: {FORMAT} is needed")
    return head, iter(sorted(lines, key=_began))


def unpack(name: str, path: Path) -> dict[str, Any]:
    """Write the measurements of an included recording, one per line; returns what happened."""
    packed = files("fanous.monitor") / "recordings" / f"{name}.xz"
    head, lines = read_recording(packed.read_bytes())
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return head


class _Began(msgspec.Struct):
    measurement_start_time: str


def _began(line: bytes) -> str:
    return msgspec.json.decode(line, type=_Began).measurement_start_time
