"""Trace: what the network events (df-008) around one handshake or request say of its bytes.

It tells "data trickled in, then it timed out" from "nothing came", which the failure string does not.
"""

from collections import defaultdict
from collections.abc import Iterable
from math import isnan, nan

from fanous.model.noun import noun
from fanous.sources.ooni.document import NetworkEvent
from fanous.sources.ooni.place import count_of, seconds_of

SLACK = 0.01
"""Seconds by which an event may stand outside its step: probes stamp both separately."""

CUMULATIVE = "bytes_received_cumulative"
"""Samples of a connection's total, in probes since 3.20."""


@noun
class TraceFacts:
    """What was received during one step.

    Attributes:
        received: bytes; -1 = nobody counted.
        largest_gap: longest silence between two reads, or between the last read and the failure; NaN =
            fewer than two of these.
        start: seconds since the measurement began; NaN = unknown.
        address: of the connection, as written; empty = unknown.
    """

    received: int = -1
    largest_gap: float = nan
    start: float = nan
    address: str = ""


NO_TRACE = TraceFacts()


class Traces:
    """The events of one measurement, arranged by transaction, or by handshake where there are none."""

    def __init__(self, events: Iterable[NetworkEvent]) -> None:
        self._of: dict[float, list[NetworkEvent]] = defaultdict(list)
        loose: list[NetworkEvent] = []
        for event in events:
            if event.transaction_id:
                self._of[event.transaction_id].append(event)
            else:
                loose.append(event)
        self._handshakes = _handshakes(loose) if loose and not self._of else {}

    def step(
        self, transaction: float | None, start: float | None, end: float | None, failed: bool
    ) -> TraceFacts:
        """What was received between ``start`` and ``end`` in a transaction."""
        events = self._of.get(transaction) if transaction else None
        if not events or end is None:
            return NO_TRACE
        return _trace(events, seconds_of(start), seconds_of(end), failed)

    def handshake(self, end: float | None) -> TraceFacts:
        """What was received in the handshake that ended at ``end``; each is given once."""
        waiting = self._handshakes.get(end) if end is not None else None
        return waiting.pop(0) if waiting else NO_TRACE


def _trace(
    events: list[NetworkEvent], start: float, end: float, failed: bool, address: str = ""
) -> TraceFacts:
    received, before, last, gap = 0, 0, nan, nan
    for event in events:
        operation, at = event.operation, seconds_of(event.t)
        if operation not in ("read", CUMULATIVE) or at > end + SLACK or isnan(at):
            continue
        count = count_of(event.num_bytes, 0)
        if at < start:
            before = max(before, count) if operation == CUMULATIVE else before
            continue
        arrived = count if operation == "read" else count - before - received
        if arrived <= 0 and event.failure is None:
            continue
        if not isnan(last) and at >= last:
            gap = at - last if isnan(gap) else max(gap, at - last)
        if event.failure is None:
            received, last = received + arrived, at
    if failed and not isnan(last) and end > last:
        gap = end - last if isnan(gap) else max(gap, end - last)
    return TraceFacts(received, gap, start, address)


def _handshakes(events: list[NetworkEvent]) -> dict[float, list[TraceFacts]]:
    """Traces of handshakes by the time of their end, where events carry no transaction.

    Old probes wrote the events of parallel connections into one list.  A handshake is told apart only
    while no other is open: pairing them by position is what gives negative handshake times elsewhere.
    """
    found: dict[float, list[TraceFacts]] = defaultdict(list)
    connect: NetworkEvent | None = None
    inside: list[NetworkEvent] = []
    start, waiting, address, mixed, overlap = nan, 0, "", False, False
    for event in events:
        if event.operation == "connect":
            connect, mixed = event, True
        elif event.operation == "tls_handshake_start":
            overlap, waiting = waiting > 0, waiting + 1
            start, inside, mixed = seconds_of(event.t), [], False
            address = _near(connect, start)
        elif event.operation == "tls_handshake_done":
            if event.t is not None:
                alone = waiting == 1 and not overlap
                found[event.t].append(_finished(event, inside, start, address, mixed) if alone else NO_TRACE)
            waiting = max(waiting - 1, 0)
        else:
            inside.append(event)
    return found


def _finished(
    done: NetworkEvent, inside: list[NetworkEvent], start: float, address: str, mixed: bool
) -> TraceFacts:
    if mixed:  # another connection was made meanwhile: the reads may be its own
        return TraceFacts(start=start, address=address)
    return _trace(inside, start, seconds_of(done.t), done.failure is not None, address)


def _near(connect: NetworkEvent | None, start: float) -> str:
    """The address of the connection on which a handshake began: the one made right before."""
    if connect is None or connect.failure is not None or not abs(start - seconds_of(connect.t)) < SLACK:
        return ""
    return connect.address or ""
