"""Speed: how fast data came from a target, for the person in front of the screen.

Of a download where there was one, else of its page; it decides nothing (the rules hold a download against its
control).
"""

from dataclasses import dataclass
from statistics import median

import msgspec
from msgspec import Struct

LEAST_BYTES = 16_384
"""A smaller page shows the round trip, not the rate."""


@dataclass(frozen=True, slots=True)
class Speed:
    """What it came to.

    Attributes:
        kbps: median of the downloads' rates after their first third, or the page's.
        control_kbps: likewise of the control; ``None`` = there was none.
        of: ``transfer`` or ``page``.
        froze_at: bytes after which every download fell silent for good; ``None`` = not so.
    """

    kbps: float
    control_kbps: float | None
    of: str
    froze_at: int | None = None


class _Transfer(Struct):
    role: str
    kbps: float | None = None
    kbps_late: float | None = None
    failure: str | None = None
    stall_offset: int | None = None


class _Event(Struct):
    operation: str
    t: float
    transaction_id: int
    num_bytes: int = 0


class _Request(Struct):
    t0: float
    transaction_id: int


class _Keys(Struct):
    requests: list[_Request] = []
    network_events: list[_Event] = []
    x_transfers: list[_Transfer] = []


class _Record(Struct):
    test_keys: _Keys


_record = msgspec.json.Decoder(_Record)


def speed_of(line: bytes) -> Speed | None:
    """Out of one of our own records."""
    keys = _record.decode(line).test_keys
    target, control = (_median(keys.x_transfers, role) for role in ("target", "control"))
    if target is not None:
        return Speed(target, control, "transfer", _frozen(keys.x_transfers))
    pages = [rate for request in keys.requests if (rate := _page(request, keys.network_events)) is not None]
    return Speed(max(pages), None, "page") if pages else None


def _median(transfers: list[_Transfer], role: str) -> float | None:
    rates = [one.kbps_late or one.kbps for one in transfers if one.role == role]
    known = [rate for rate in rates if rate is not None]
    return round(median(known), 1) if known else None


def _frozen(transfers: list[_Transfer]) -> int | None:
    """Where the target's downloads stopped, if none of them went on; a rate until then says nothing."""
    own = [one for one in transfers if one.role == "target"]
    ends = [one.stall_offset for one in own if one.failure is not None and one.stall_offset is not None]
    return max(ends) if len(ends) == len(own) > 0 else None


def _page(request: _Request, events: list[_Event]) -> float | None:
    reads = [
        event
        for event in events
        if event.operation == "read"
        and event.transaction_id == request.transaction_id
        and event.t >= request.t0
        and event.num_bytes
    ]
    if sum(read.num_bytes for read in reads) < LEAST_BYTES or reads[-1].t <= reads[0].t:
        return None
    # What came with the first read came in the time before it.
    count = sum(read.num_bytes for read in reads[1:])
    return round(count * 8 / 1000 / (reads[-1].t - reads[0].t), 1)
