"""Screen: which targets are worth a download: those that look slowed down, and a few at random.

A policer's bucket hides a handshake altogether, so what looks sound is sampled too.  Pure but for the dice,
which the caller may seed.
"""

from itertools import pairwise
from random import Random
from urllib.parse import urlsplit

from fanous.probe.rates import STALL
from fanous.probe.settings import Settings
from fanous.probe.trace import Entry, Trace

SLOW_RATIO = 5.0
"""A handshake so many times slower than the one with the innocuous name (Türkiye: 70 ms, and over 3 s)."""

LEAST_SECONDS = 0.5
"""Below it a handshake may be slow by a single lost packet."""


SLOW_PAGE = 400.0
"""kbit/s, below which not even the smallest video can be watched; policed flows had 130 to 150."""

LEAST_PAGE = 32_768
"""Bytes of a page that tells a rate: a policer's bucket of 24 KB hides a smaller one."""

SLOW_SHARE = 0.2
"""Of the fastest page of the run: where all is slow, a slow page asks for nothing."""


def reason(
    trace: Trace, settings: Settings, url: str, chance: Random, fastest: float = 0.0
) -> tuple[str, int]:
    """Why to download, and in how many pairs; 0 = not at all.

    Args:
        fastest: kbit/s of the fastest page of the run so far; 0 = none told.
    """
    is_sampled = chance.random() < settings.transfer_share
    if not trace.requests:
        return "", 0
    if settings.transfer_pairs:
        return "asked", settings.transfer_pairs
    if slow_at(trace, urlsplit(url).hostname or ""):
        return "slow_handshake", settings.transfer_screened_pairs
    if _stalled(trace):
        return "stall", settings.transfer_screened_pairs
    if _starved(trace):
        return "starved", settings.transfer_screened_pairs
    pace = page_kbps(trace)
    if 0 < pace < SLOW_PAGE and not fastest * SLOW_SHARE <= pace <= fastest:
        return "slow_page", settings.transfer_screened_pairs
    return ("sample", 1) if is_sampled else ("", 0)


def slow_at(trace: Trace, host: str) -> str:
    """The address at which every handshake with ``host`` is slow beside the control's; empty = none."""
    worked = [one for one in trace.tls_handshakes if one["failure"] is None]
    for address in {one["address"] for one in worked}:
        here = [one for one in worked if one["address"] == address]
        own = [_seconds(one) for one in here if one["server_name"] == host]
        control = [_seconds(one) for one in here if one["server_name"] != host]
        if own and control and min(own) > max(LEAST_SECONDS, SLOW_RATIO * min(control)):
            return str(address)
    return ""


def page_kbps(trace: Trace) -> float:
    """Rate of the fastest page of the trace, without what came at first; 0 = none was large enough."""
    rates = [0.0]
    for request in trace.requests:
        came = _reads(trace, request)
        later = sum(count for _, count in came[1:])
        if later >= LEAST_PAGE and came[-1][0] > came[0][0]:
            rates.append(later * 8 / 1000 / (came[-1][0] - came[0][0]))
    return max(rates)


def _reads(trace: Trace, request: Entry) -> list[tuple[float, int]]:
    """(time, bytes) of what came to a request."""
    return [
        (float(event["t"]), int(event["num_bytes"]))
        for event in trace.network_events
        if event["operation"] == "read"
        and event["transaction_id"] == request["transaction_id"]
        and event["t"] >= request["t0"]
        and event["num_bytes"]
    ]


def _stalled(trace: Trace) -> bool:
    """Did a page that had begun to come fall silent?"""
    for request in trace.requests:
        came = [at for at, _ in _reads(trace, request)]
        ends = [*came, float(request["t"])]
        if came and max(later - at for at, later in pairwise(ends)) >= STALL:
            return True
    return False


def _starved(trace: Trace) -> bool:
    """Did a page begin to come and run out of time?  Only a control tells whether all is slow here."""
    return any(
        request.get("response") and request["failure"] == "generic_timeout_error"
        for request in trace.requests
    )


def _seconds(entry: Entry) -> float:
    return float(entry["t"]) - float(entry["t0"])
