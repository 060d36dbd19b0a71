"""Capture: a rehearsal in one compressed file, with its scenario's truth and its raw measurements.

The first line says what happened; every other line is one measurement as kept by the collector.  Redundant
data are left out, so that an event fits into the package: pages of the lab's servers are truncated, clocks
rounded to milliseconds, and of the events only the last reads and the connections of handshakes are kept, which OONI's
own pipeline looks for (ooni/data at c8fcc729, oonipipeline/src/oonipipeline/transforms/measurement_transformer.py,
``find_tls_handshake_network_events_with_transaction_id``).
"""

import lzma
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from fanous.errors import FanousError
from fanous.monitor.recording import FORMAT, read_recording

if TYPE_CHECKING:
    from fanous_lab.evaluation.rehearsal.run import Rehearsal
    from fanous_lab.scenario import Scenario

MARK = "recorded in the lab"

KEPT_BODY = 400
"""Characters kept of a page of the lab: enough for its title; a block page is shorter."""

MOST_EVENTS = 2
"""Reads kept of a measurement in a recording: the last ones show when data stopped, but not how much had arrived."""


def write_recording(path: Path, rehearsal: "Rehearsal", records: Path) -> int:
    """Write the file; returns its size in bytes.

    Raises:
        FanousError: it cannot be written.
    """
    with records.open("rb") as file:
        lines = sorted((slim(line) for line in file), key=_likeness)
    head = msgspec.json.encode(_head(rehearsal))
    try:
        path.write_bytes(lzma.compress(b"\n".join([head, *lines]), preset=9 | lzma.PRESET_EXTREME))
    except OSError as error:
        raise FanousError(f"cannot write the recording {path}: {error.strerror}") from None
    return path.stat().st_size


def is_recording_of(path: Path, scenario: "Scenario") -> bool:
    """Is the file a recording of this scenario, whole?"""
    try:
        head, _ = read_recording(path.read_bytes())
    except msgspec.MsgspecError:
        return False
    return (head.get("title"), head.get("country")) == (scenario.title, scenario.country)


def _head(rehearsal: "Rehearsal") -> dict[str, Any]:
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
    }


def slim(line: bytes, most_events: int = MOST_EVENTS) -> bytes:
    """One record without the parts that no verdict is read from; ``x_recorded`` says what it is.

    Args:
        most_events: reads kept.
    """
    record = msgspec.json.decode(line)
    keys = record["test_keys"]
    # The connection of each handshake, and the last reads, in the order in which they happened.
    events = keys.get("network_events") or ()
    handshakes = {handshake.get("transaction_id") for handshake in keys.get("tls_handshakes") or ()}
    last = [event for event in events if event.get("operation") == "read"][-most_events:]
    keys["network_events"] = [
        event
        for event in events
        if (event.get("operation") == "connect" and event.get("transaction_id") in handshakes)
        or any(event is read for read in last)
    ]
    for entry in keys.get("requests") or ():
        response = entry.get("response") or {}
        body = response.get("body")
        if isinstance(body, str) and len(body) > KEPT_BODY:
            response["body"], response["body_is_truncated"] = body[:KEPT_BODY], True
    for transfer in keys.get("x_transfers") or ():
        transfer["reads"] = []
    record["x_recorded"] = MARK
    return msgspec.json.encode(_rounded(record))


def _rounded(value: Any) -> Any:
    """Times rounded to milliseconds: the rest is noise, which does not compress."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(element) for name, element in value.items()}
    return [_rounded(element) for element in value] if isinstance(value, list) else value


def _likeness(line: bytes) -> tuple[str, str, str]:
    """Sort key: measurements of one target from one vantage point are most alike, so next to each other they
    compress best."""
    record = msgspec.json.decode(line)
    return str(record.get("input")), str(record["report_id"]), str(record["measurement_start_time"])
