"""Builders: nouns with defaults, so that a test states only what it is about.

The default is an ordinary success: a sound measurement of ``x`` on PTCL, everything working.

A series is one line that can be read by eye, ``"1x72 0.2x6 _x2"``.  Each word is a value, then ``x`` and how many
bins it fills (1 where left out); ``_`` = nothing was measured, so the bin is not listed.

``FakeNetwork`` is a scripted network without sockets (``fanous.probe.net.network.Network``), where unknown names do
not exist and unknown addresses are silent; ``FakeClock`` is time that moves only when a test says so.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import nan
from typing import Any

import numpy as np

from fanous.model.measurement import Layer, Measurement, Observation, Observer, ParsedMeasurement
from fanous.model.place import Access, Place
from fanous.model.series import Series, SeriesKey
from fanous.model.verdict import State, Verdict
from fanous_lab.evaluation.simulate.series import FIRST_DAY, STEP

DAY = FIRST_DAY


def series_key(
    country: str = "PK",
    asn: int = 17557,
    target: str = "x",
    signal: str = "blocked_path",
    access: Access = Access.ANY,
    resolver_asn: int = 0,
) -> SeriesKey:
    """A key in which a caller names only what matters."""
    return SeriesKey(Place(country, asn), target, signal, access, resolver_asn)


def make_series(
    notation: str,
    *,
    step: int = STEP,
    start: int = DAY,
    counts: int | str = 1,
    controlled: int | str | None = None,
    measurements: int | str | None = None,
    key: SeriesKey | None = None,
) -> Series:
    """The series that ``notation`` describes.

    Args:
        step: bin width in seconds.
        start: unix seconds of the first bin, a multiple of ``step``.
        counts: probes behind each bin: one number for all, or a notation with as many bins.
        controlled: of those, with a normal control; default = all of them.
        measurements: default = one per probe.

    Raises:
        ValueError: a word cannot be read, or a notation has a different number of bins.
    """
    if start % step:
        raise ValueError(f"start {start} is not a multiple of step {step}")
    values = spell(notation)
    measured = ~np.isnan(values)
    behind = _whole(counts, len(values))
    normal = behind if controlled is None else _whole(controlled, len(values))
    made = behind if measurements is None else _whole(measurements, len(values))
    return Series(
        key=key or series_key(),
        step=step,
        times=(start + step * np.arange(len(values), dtype=np.int64))[measured],
        values=values[measured],
        counts=behind[measured],
        controlled=normal[measured],
        measurements=made[measured],
    )


def spell(notation: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """float64, shape (bins,); NaN for ``_``."""
    return np.array([value for word in notation.split() for value in _repeat(word)], dtype=np.float64)


def _repeat(word: str) -> Iterator[float]:
    text, times, count = word.partition("x")
    try:
        value = nan if text == "_" else float(text)
        repeats = int(count) if times else 1
    except ValueError:
        raise ValueError(
            f"cannot read {word!r}: write a value or _, then x and a count, as in 0.2x6"
        ) from None
    yield from [value] * repeats


def _whole(given: int | str, bins: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if isinstance(given, int):
        return np.full(bins, given, dtype=np.int64)
    values = spell(given)
    if len(values) != bins:
        raise ValueError(f"{given!r} has {len(values)} bins, the values have {bins}")
    return np.nan_to_num(values).astype(np.int64)


ADDRESS = "104.244.42.1"
"""One of X's own addresses."""


def measurement(
    uid: str = "20231114000000.000000_PK_webconnectivity_0000000000000001", **given: Any
) -> Measurement:
    """A sound web_connectivity measurement of ``x`` on AS17557; ``given`` replaces fields."""
    fields: dict[str, Any] = {
        "uid": uid,
        "test_name": "web_connectivity",
        "test_version": "0.5.28",
        "country": "PK",
        "asn": 17557,
        "resolver_asn": 17557,
        "access": Access.ANY,
        "started_at": float(DAY),
        "probe": f"report of {uid}",
        "software": "ooniprobe-cli 3.20.0",
        "input": "https://x.com/",
        "target": "x",
        "network_name": "PTCL",
    }
    return Measurement(**(fields | given))


def observation(layer: Layer = Layer.TLS, failure: str | None = None, **given: Any) -> Observation:
    """What a probe saw at ``layer`` of ``x.com``; it worked unless ``failure`` says otherwise."""
    fields: dict[str, Any] = {"target": "x", "hostname": "x.com", "at": 0.1, "seconds": 0.08}
    fields |= _endpoint(layer)
    if failure is None:
        fields |= _success(layer)
    return Observation(**(fields | {"layer": layer, "failure": failure} | given))


def helper(layer: Layer = Layer.TLS, failure: str | None = None, **given: Any) -> Observation:
    """The same step as the outside helper saw it."""
    by_helper = {"vantage": Observer.HELPER} | ({"resolver": "helper"} if layer is Layer.DNS else {})
    return observation(layer, failure, **(by_helper | given))


def verdict(state: State = State.OK, layer: Layer = Layer.TLS, **given: Any) -> Verdict:
    """A controlled verdict on ``x`` by an arbitrary rule."""
    fields: dict[str, Any] = {
        "target": "x",
        "rule_id": f"{layer.value}.test.{state.value}",
        "mechanism": "tls.reset.sni" if state is State.BLOCKED else "",
        "why": "because a test says so",
        "controlled": True,
    }
    return Verdict(**(fields | {"state": state, "layer": layer} | given))


def bundle(*observations: Observation, control_failure: str | None = None, **given: Any) -> ParsedMeasurement:
    """A measurement with its observations; ``given`` replaces fields of the measurement."""
    return ParsedMeasurement(measurement(**given), observations, control_failure)


def _endpoint(layer: Layer) -> dict[str, Any]:
    if layer is Layer.DNS:
        return {"resolver": "system", "query_type": "A"}
    if layer is Layer.HTTP:
        return {"ip": ADDRESS, "port": 443, "url": "https://x.com/"}
    return {"ip": ADDRESS, "port": 443}


def _success(layer: Layer) -> dict[str, Any]:
    if layer is Layer.DNS:
        return {"answers": (ADDRESS,), "answer_asns": (13414,), "ttls": (60,)}
    if layer in (Layer.TLS, Layer.QUIC):
        return {"cert_valid": True}
    if layer is Layer.HTTP:
        return {"status_code": 200, "body_length": 20_000, "title": "X. It's what's happening"}
    return {}


Script = list[bytes | BaseException]
"""What reads return, in order; after that the other side has closed."""


@dataclass(slots=True)
class FakeStream:
    """One scripted connection; ``written`` is what was sent."""

    script: Script
    written: list[bytes] = field(default_factory=list)
    closed: bool = False

    async def read(self, most: int) -> bytes:
        if not self.script:
            return b""
        step = self.script.pop(0)
        if isinstance(step, BaseException):
            raise step
        if len(step) > most:
            self.script.insert(0, step[most:])
        return step[:most]

    async def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True


@dataclass(slots=True)
class FakeDatagrams:
    """A socket on which each datagram is answered by ``answer``; then there is silence."""

    answer: Callable[[bytes], list[bytes]]
    waiting: list[bytes] = field(default_factory=list)

    async def send(self, data: bytes) -> None:
        self.waiting += self.answer(data)

    async def receive(self) -> bytes:
        if not self.waiting:
            await asyncio.Event().wait()  # forever: deadlines are the caller's
        return self.waiting.pop(0)

    def close(self) -> None:
        self.waiting.clear()


@dataclass(slots=True)
class FakeNetwork:
    """A scripted network.

    Attributes:
        names: host name -> its addresses, or what the look-up raises.
        tcp: (address, port) -> what a connection reads, or what connecting raises.
        udp: (address, port) -> datagram sent -> datagrams that come back.
        opened: every connection made, in order.
    """

    names: dict[str, list[str] | BaseException] = field(default_factory=dict)
    tcp: dict[tuple[str, int], Script | BaseException] = field(default_factory=dict)
    udp: dict[tuple[str, int], Callable[[bytes], list[bytes]] | BaseException] = field(default_factory=dict)
    opened: list[tuple[str, int, FakeStream]] = field(default_factory=list)
    clock: float = 1_700_000_000.0

    def now(self) -> float:
        return self.clock

    def wall(self) -> float:
        return self.clock

    def own_addresses(self) -> set[str]:
        return set()

    async def look_up(self, hostname: str) -> list[str]:
        found = self.names.get(hostname, socket.gaierror(socket.EAI_NONAME, "no such name"))
        if isinstance(found, BaseException):
            raise found
        return found

    async def open_tcp(self, ip: str, port: int) -> FakeStream:
        script = self.tcp.get((ip, port), TimeoutError())
        if isinstance(script, BaseException):
            raise script
        stream = FakeStream(list(script))
        self.opened.append((ip, port, stream))
        return stream

    async def open_udp(self, ip: str, port: int) -> FakeDatagrams:
        answer = self.udp.get((ip, port), lambda _question: [])
        if isinstance(answer, BaseException):
            raise answer
        return FakeDatagrams(answer)


@dataclass(slots=True)
class FakeClock:
    """A clock that is read by calling it, like ``time.time``.

    Attributes:
        now: unix seconds, UTC.
    """

    now: float = float(DAY)

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> float:
        """Move on by ``seconds`` (never back) and return the new time."""
        if seconds < 0:
            raise ValueError(f"time does not go back ({seconds} s)")
        self.now += seconds
        return self.now
