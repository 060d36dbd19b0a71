"""Recording: a rehearsal in one file - its scenario's truth and its raw measurements, compressed together.

The first line says what happened; every other line is one measurement as the collector kept it.  Pages of the
lab's servers are long and all alike: they are cut to their beginning, which is said in the record.
"""

import lzma
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from fanous.errors import FanousError
from fanous.rehearsal.run import Rehearsal
from fanous.rehearsal.score import score

FORMAT = "fanous-recording-1"
MARK = "recorded in the lab"

KEPT_BODY = 400
"""Characters of a page of the lab: its title stands there; a block page is shorter."""


def write_recording(path: Path, rehearsal: Rehearsal, records: Path) -> int:
    """Write the file; returns its size in bytes.

    Raises:
        FanousError: it cannot be written.
    """
    lines = [msgspec.json.encode(_head(rehearsal))]
    with records.open("rb") as file:
        lines += [_slim(line) for line in file]
    # Measurements of one vantage point are most alike: side by side they compress best.
    lines[1:] = sorted(lines[1:], key=_likeness)
    try:
        path.write_bytes(lzma.compress(b"\n".join(lines), preset=9 | lzma.PRESET_EXTREME))
    except OSError as error:
        raise FanousError(f"the recording {path} cannot be written: {error.strerror}") from None
    return path.stat().st_size


def read_recording(data: bytes) -> tuple[dict[str, Any], Iterator[bytes]]:
    """What happened, and the measurements by the time at which they were made.

    Raises:
        FanousError: it is no recording.
    """
    try:
        first, *lines = lzma.decompress(data).split(b"\n")
        head = msgspec.json.decode(first)
    except (lzma.LZMAError, msgspec.MsgspecError) as error:
        raise FanousError(f"this is no recording of the lab: {error}") from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise FanousError(f"this is no recording of the lab: {FORMAT} is needed")
    return head, iter(sorted(lines, key=_began))


def _head(rehearsal: Rehearsal) -> dict[str, Any]:
    scenario = rehearsal.scenario
    return {
        "format": FORMAT,
        "mark": MARK,
        "title": scenario.title,
        "country": scenario.country,
        "begins": rehearsal.clock.begins,
        "stretch": scenario.stretch,
        "events": [asdict(event) for event in scenario.events],
        "networks": [asdict(line) for line in scenario.networks],
        "missed": len(score(scenario, rehearsal.sightings).missed),
    }


def _slim(line: bytes) -> bytes:
    """The record with the pages of the lab cut short, and without what no fact is taken from."""
    record = msgspec.json.decode(line)
    keys = record["test_keys"]
    keys["network_events"] = [
        event for event in keys.get("network_events") or () if event.get("operation") == "read"
    ][-MOST_EVENTS:]
    for entry in keys.get("requests") or ():
        response = entry.get("response") or {}
        body = response.get("body")
        if isinstance(body, str) and len(body) > KEPT_BODY:
            response["body"], response["body_is_truncated"] = body[:KEPT_BODY], True
    for transfer in keys.get("x_transfers") or ():
        transfer["reads"] = []
    record["x_recorded"] = MARK
    return msgspec.json.encode(record)


MOST_EVENTS = 2
"""Reads kept of a measurement: what came last tells how much came, and when."""


def _likeness(line: bytes) -> tuple[str, str, str]:
    record = msgspec.json.decode(line)
    return str(record.get("input")), str(record["report_id"]), str(record["measurement_start_time"])


def _began(line: bytes) -> str:
    return msgspec.json.decode(line, type=_Began).measurement_start_time


class _Began(msgspec.Struct):
    measurement_start_time: str
