"""Event: the recorded event that ships with Fanous, as a file of raw measurements to measure with."""

from pathlib import Path

from fanous.monitor.demo import EVENT
from fanous.monitor.recording import unpack

SOURCE = "edge"
"""Connector that reads it."""

NAMES = b'"measurement_uid":"', b'"report_id":"'


def event_file(folder: Path, times: int) -> tuple[Path, int]:
    """The event ``times`` over, each copy with identities of its own.

    Returns:
        The file, and how many measurements it holds.
    """
    once = folder / "once.jsonl"
    unpack(EVENT, once)
    lines = once.read_bytes().splitlines()
    many = folder / "many.jsonl"
    with many.open("wb") as file:
        for n in range(times):
            for line in lines:
                for name in NAMES:
                    line = line.replace(name, b"%s%04d" % (name, n), 1)
                file.write(line + b"\n")
    return many, times * len(lines)
