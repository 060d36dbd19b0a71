"""Localise: how far away is the box that cuts a handshake by its name?  Only if the user opts in.

It sends a ClientHello that may pass one router, then one that may pass two, and so on: first all with the
innocuous name, since residual blocking would affect them, then those with the site's, until one is cut.  It
needs no privileges and no raw sockets; the kernel reports that a packet expired on the way, not where, so no
address is learnt.
"""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from fanous.model.measurement import PORTS, endpoint, ip_of
from fanous.probe.net.failure import NETWORK_ERRORS, failure_of
from fanous.probe.net.network import HopLimited, Network
from fanous.probe.net.tls import browser_hello
from fanous.probe.settings import Settings
from fanous.probe.trace import CUT, Entry, Trace
from fanous.refdata.platforms import normal_host

MOST_HOPS = 30
"""traceroute's own limit."""

DIED, SILENT, ANSWERED = "died", "silent", "answered"

READ_SIZE = 4_096


class Step(Struct, frozen=True):
    """What came back to a ClientHello that may pass ``hops`` routers: one of the words above, or df-007."""

    hops: int
    came: str


@dataclass(frozen=True, slots=True)
class Localised:
    """Where it is cut.

    Attributes:
        cut_at: this many routers from here, or one less; ``None`` = it was not cut.
        site_at: the site itself; ``None`` = it did not answer the innocuous name.
    """

    cut_at: int | None
    site_at: int | None


async def localise(trace: Trace, settings: Settings, url: str) -> None:
    """Localises if the record so far shows that the name alone is cut; recorded in the trace."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    ip = address_of_cut(trace, host) if settings.control_sni else None
    if ip is None:
        return
    where = (ip, parts.port or PORTS[parts.scheme])
    entry: Entry = {
        "address": endpoint(*where),
        "server_name": host,
        "control_name": settings.control_sni,
        "control": [],
        "trigger": [],
        "t0": trace.at(),
    }
    trace.localisations.append(entry)
    hello = browser_hello(normal_host(settings.control_sni), hybrid=False)
    control = await _walk(trace.network, settings, where, hello, {}, entry["control"])
    hello = browser_hello(normal_host(host), hybrid=False)
    await _walk(trace.network, settings, where, hello, control, entry["trigger"])
    entry["t"] = trace.at()


def address_of_cut(trace: Trace, host: str) -> str | None:
    """An address at which the innocuous name passes and ``host`` never does; ``None`` if there is none."""
    handshakes = [handshake for handshake in trace.tls_handshakes if handshake["server_name"] == host]
    for candidate in handshakes:
        address = candidate["address"]
        same = [other["failure"] for other in handshakes if other["address"] == address]
        control = [h for h in trace.tls_handshakes if h["address"] == address and h["server_name"] != host]
        is_cut = all(failure in CUT | {"generic_timeout_error"} for failure in same)
        if is_cut and any(other["failure"] is None for other in control):
            return ip_of(str(address))
    return None


async def _walk(
    network: Network,
    settings: Settings,
    where: tuple[str, int],
    hello: bytes,
    control: dict[int, str],
    steps: list[Entry],
) -> dict[int, str]:
    """Go further and further, until the site answers, or the response differs from the control's."""
    found: dict[int, str] = {}
    for hops in range(1, MOST_HOPS + 1):
        if control and hops > max(control):
            return found
        came = await _step(network, settings, where, hello, hops)
        if came == SILENT or _differs(came, control.get(hops)):
            came = await _step(network, settings, where, hello, hops)  # once more: packet loss looks the same
        found[hops] = came
        steps.append({"hops": hops, "came": came})
        if came not in (DIED, SILENT) or _differs(came, control.get(hops)):
            return found
    return found


def _differs(trigger: str, control: str | None) -> bool:
    """Was the trigger cut where the control got through?"""
    if control is None:
        return False
    return trigger not in (DIED, SILENT, ANSWERED) or (trigger == SILENT and control in (DIED, ANSWERED))


async def _step(network: Network, settings: Settings, where: tuple[str, int], hello: bytes, hops: int) -> str:
    stream = None
    try:
        async with asyncio.timeout(settings.connect_timeout):
            stream = await network.open_tcp(*where)
        if not isinstance(stream, HopLimited):
            return "unknown_failure: this network cannot limit hops"
        stream.limit_hops(hops)
        await stream.write(hello)
        async with asyncio.timeout(settings.hop_timeout):
            return ANSWERED if await stream.read(READ_SIZE) else "eof_error"
    except TimeoutError:
        return SILENT if stream is not None else "generic_timeout_error"
    except NETWORK_ERRORS as error:
        failure = failure_of(error)
        return DIED if failure == "host_unreachable" and stream is not None else failure
    finally:
        if stream is not None:
            stream.close()


class _Entry(Struct):
    control: list[Step]
    trigger: list[Step]


class _Keys(Struct):
    x_localisation: list[_Entry] = []


class _Record(Struct):
    test_keys: _Keys


_record = msgspec.json.Decoder(_Record)


def localised(line: bytes) -> Localised | None:
    """The result from a record; ``None`` = nothing was localised."""
    entries = _record.decode(line).test_keys.x_localisation
    if not entries:
        return None
    control = {step.hops: step.came for step in entries[0].control}
    cut = next(
        (step.hops for step in entries[0].trigger if _differs(step.came, control.get(step.hops))), None
    )
    return Localised(cut, next((hops for hops, came in control.items() if came == ANSWERED), None))
