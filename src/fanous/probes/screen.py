"""Screen: which targets are worth a download: those that look slowed down, and a few at random.

A policer's bucket hides a handshake altogether, so what looks sound is sampled too.  Pure but for the dice,
which the caller may seed.
"""

from itertools import pairwise
from random import Random
from urllib.parse import urlsplit

from fanous.probes.rates import STALL
from fanous.probes.settings import Settings
from fanous.probes.trace import Entry, Trace

SLOW_RATIO = 5.0
"""A handshake so many times slower than the one with the innocuous name (Türkiye: 70 ms, and over 3 s)."""

LEAST_SECONDS = 0.5
"""Below it a handshake may be slow by a single lost packet."""


def reason(trace: Trace, settings: Settings, url: str, chance: Random) -> tuple[str, int]:
    """Why to download, and in how many pairs; 0 = not at all."""
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


def _stalled(trace: Trace) -> bool:
    """Did a page that had begun to come fall silent?"""
    for request in trace.requests:
        came = [
            float(event["t"])
            for event in trace.network_events
            if event["operation"] == "read"
            and event["transaction_id"] == request["transaction_id"]
            and event["t"] >= request["t0"]
            and event["num_bytes"]
        ]
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
