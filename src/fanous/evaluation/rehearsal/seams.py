"""Seams: what stands between a probe of the lab and its network - a stretched clock, and own faults."""

import asyncio
import random
import time
from collections.abc import Sequence

import httpx

from fanous.probe.net.http import HttpResponse, Request, exchange
from fanous.probe.net.network import Datagrams, Network, Stream

LARGEST_ANSWER = 1 << 20


class RoundNetwork:
    """A network in one round of a probe: its wall clock begins at the monitor's instant of the round.

    Within the round a second is a second, so that a record's times are what the probe measured.
    """

    def __init__(self, inner: Network, instant: float) -> None:
        self._inner = inner
        self._offset = instant - time.monotonic()

    def now(self) -> float:
        return self._inner.now()

    def wall(self) -> float:
        return time.monotonic() + self._offset

    async def look_up(self, hostname: str) -> list[str]:
        return await self._inner.look_up(hostname)

    async def open_tcp(self, ip: str, port: int) -> Stream:
        return await self._inner.open_tcp(ip, port)

    async def open_udp(self, ip: str, port: int) -> Datagrams:
        return await self._inner.open_udp(ip, port)

    def own_addresses(self) -> set[str]:
        return self._inner.own_addresses()


class BrokenNetwork(RoundNetwork):
    """A line that loses most of what is begun on it: a cable with a loose contact."""

    LOSES = 0.6
    """Share of connections and datagrams."""

    def __init__(self, inner: Network, instant: float, chance: random.Random) -> None:
        super().__init__(inner, instant)
        self._chance = chance

    async def look_up(self, hostname: str) -> list[str]:
        self._may_fail()
        return await super().look_up(hostname)

    async def open_tcp(self, ip: str, port: int) -> Stream:
        self._may_fail()
        return await super().open_tcp(ip, port)

    async def open_udp(self, ip: str, port: int) -> Datagrams:
        self._may_fail()
        return await super().open_udp(ip, port)

    def _may_fail(self) -> None:
        if self._chance.random() < self.LOSES:
            raise TimeoutError


LOGIN_PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 60\r\nConnection: close\r\n\r\n"
    b"<html><title>Guest login</title><body>Log in</body></html>\r\n"
)


class PortalNetwork(RoundNetwork):
    """A hotel's line before its guest has logged in: one page for every site, silence for all else."""

    async def open_tcp(self, ip: str, port: int) -> Stream:
        if port != 80:
            raise TimeoutError(f"{ip}:{port} is behind the login page")
        return _LoginPage()

    async def open_udp(self, ip: str, port: int) -> Datagrams:
        raise TimeoutError(f"{ip}:{port} is behind the login page")


class _LoginPage:
    def __init__(self) -> None:
        self._left = LOGIN_PAGE

    async def read(self, most: int) -> bytes:
        data, self._left = self._left[:most], self._left[most:]
        return data

    async def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class LyingNetwork(RoundNetwork):
    """A probe that reports resets on names which nobody resets."""

    def __init__(self, inner: Network, instant: float, names: Sequence[str]) -> None:
        super().__init__(inner, instant)
        self._names = [name.encode() for name in names]

    async def open_tcp(self, ip: str, port: int) -> Stream:
        return _LyingStream(await super().open_tcp(ip, port), self._names)


class _LyingStream:
    """Claims a reset once one of the names was sent in clear (as a ClientHello does)."""

    def __init__(self, inner: Stream, names: Sequence[bytes]) -> None:
        self._inner = inner
        self._names = names
        self._sent = b""

    async def read(self, most: int) -> bytes:
        if any(name in self._sent for name in self._names):
            raise ConnectionResetError(104, "Connection reset by peer")
        return await self._inner.read(most)

    async def write(self, data: bytes) -> None:
        self._sent = (self._sent + data)[-4096:]
        await self._inner.write(data)

    def close(self) -> None:
        self._inner.close()


class SeamTransport(httpx.AsyncBaseTransport):
    """httpx over a probe's own network, so that its uploads meet the same censors as its measurements."""

    def __init__(self, network: Network, patience: float) -> None:
        self._network = network
        self._patience = patience

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url, page = request.url, HttpResponse(LARGEST_ANSWER)
        stream: Stream | None = None
        try:
            async with asyncio.timeout(self._patience):
                stream = await self._network.open_tcp(url.host, url.port or 80)
                await exchange(stream, await _asked(request), page)
        except (OSError, EOFError) as error:
            raise httpx.ConnectError(str(error) or type(error).__name__, request=request) from error
        finally:
            if stream is not None:
                stream.close()
        return httpx.Response(page.code, headers=page.headers, content=bytes(page.body), request=request)


async def _asked(request: httpx.Request) -> Request:
    url = request.url
    headers = tuple((name, value) for name, value in request.headers.items() if name not in _OWN_HEADERS)
    body = await request.aread()
    return Request(url.netloc.decode(), url.raw_path.decode(), request.method, url.scheme, headers, body)


_OWN_HEADERS = frozenset({"host", "content-length", "connection", "transfer-encoding"})
