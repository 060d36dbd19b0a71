"""Exchange: requests over HTTP whose answers are limited in time and size, wherever redirects lead.

httpx limits the time of each read alone, so a head that comes a byte at a time, or interim responses without end, would
never end; and it unpacks whatever comes, so that 64 KiB packed twice become 64 GiB.  A server on the internet can also
redirect us to this machine, or into its network.

``HttpClient`` asks servers on the internet, from a thread; ``post`` asks a collector, in an event loop.  What answers
may not be the collector: a captive portal, a mirror that was taken over, or the new owner of its domain.
"""

import asyncio
import os
import socket
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any

import httpx

from fanous.errors import FanousError

NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)
"""What a request fails with.  Redirects to invalid addresses, and impossible host names, are not among
httpx's own errors."""

PACKINGS = {"": None, "identity": None, "gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS}
"""zlib's ``wbits`` by ``Content-Encoding``; others were not asked for."""


class TooLarge(Exception):
    """An answer has more bytes than it may."""


class HttpClient:
    """A client for one thread.

    Args:
        stall: seconds that a server may be silent.

    Raises:
        FanousError: the authorities of certificates cannot be read.
    """

    def __init__(self, headers: Mapping[str, str], stall: float) -> None:
        self.headers = httpx.Headers(dict(headers))
        try:
            self._client = httpx.Client(
                headers={"Accept-Encoding": "gzip"} | dict(headers),
                timeout=httpx.Timeout(stall),
                follow_redirects=False,
            )
        except OSError as error:
            named = os.environ.get("SSL_CERT_FILE", "")
            raise FanousError(
                f"cannot read the certificates of authorities in {named or 'the installed bundle'}: "
                f"{error.strerror or error}; set SSL_CERT_FILE to a file of them, or unset it"
            ) from error
        self._connections: list[socket.socket] = []
        self._inside: set[str] = set()
        self._is_late, self._is_direct = False, True

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def asked(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        sent_by: str = "",
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[httpx.Response]:
        """The answer, once its head has arrived.

        Args:
            seconds: until it must have been read.
            sent_by: URL of the server that named this one; empty = the operator did, and may mean any machine.

        Raises:
            httpx.ReadTimeout: it took longer; also on leaving the context.
            FanousError: a server on the internet sent us to an address inside.
        """
        host = httpx.URL(url).host
        is_free = not sent_by or httpx.URL(sent_by).host in self._inside
        if not is_free and host in self._inside:
            raise _inside(sent_by, host)

        def trace(event: str, info: Mapping[str, Any]) -> None:
            if event == "connection.connect_tcp.started":
                self._is_direct = info["host"] == host
            elif event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
                self._opened(info["return_value"].get_extra_info("socket"), host)
                if not is_free and host in self._inside:
                    info["return_value"].close()
                    raise _inside(sent_by, host)

        self._is_late = False
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            options: dict[str, Any] = {"content": content, "headers": headers, "extensions": {"trace": trace}}
            with self._client.stream(method, url, **options) as response:
                yield response
        except NO_ANSWER:
            if not self._is_late:
                raise
        finally:
            timer.cancel()
        if self._is_late:
            raise httpx.ReadTimeout(f"too slow: no whole answer within {seconds:g} s")

    def _opened(self, connection: socket.socket, host: str) -> None:
        """Remember a connection, which is not made directly if there is a proxy."""
        self._connections = [opened for opened in self._connections if opened.fileno() >= 0]
        self._connections.append(connection)
        if self._is_direct and is_inside(connection.getpeername()[0]):
            self._inside.add(host)
        if self._is_late:
            self._cut()

    def _cut(self) -> None:
        """Wake up threads that are reading; closing would not."""
        self._is_late = True
        for connection in self._connections:
            with suppress(OSError):
                socket.socket.shutdown(
                    connection, socket.SHUT_RDWR
                )  # a TLS socket's own is for its reader alone


def _inside(sent_by: str, host: str) -> FanousError:
    return FanousError(
        f"{sent_by.partition('?')[0]} sends us on to {host}, which is an address inside this network"
    )


def is_inside(address: str) -> bool:
    """Does the address belong to this machine or its network, and not to the internet?"""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return not parsed.is_global or parsed.is_multicast


def whole(response: httpx.Response, most: int) -> bytes:
    """The body, unpacked.

    Raises:
        TooLarge: it has more than ``most`` bytes, packed or unpacked.
        httpx.HTTPError: it breaks off, is damaged, or packed in a way that was not asked for.
    """
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing not in PACKINGS:
        raise httpx.DecodingError(f"its body is packed in a way that was not asked for: {packing[:40]!r}")
    wbits = PACKINGS[packing]
    unpacker = None if wbits is None else zlib.decompressobj(wbits)
    pieces, packed, size = [], 0, 0
    for came in response.iter_raw():
        packed += len(came)
        piece = came
        if unpacker is not None:
            try:
                piece = unpacker.decompress(came, most - size + 1)
            except zlib.error as error:
                raise httpx.DecodingError(f"its body is damaged: {error}") from None
        pieces.append(piece)
        size += len(piece)
        if max(size, packed) > most:
            raise TooLarge
    if unpacker is not None and packed and not unpacker.eof:
        raise httpx.DecodingError("its body breaks off")
    return b"".join(pieces)


SLOWEST = 1000
"""Slowest rate at which a body may arrive, in bytes a second: a bad connection over 2G."""


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """An answer, read to its end."""

    status: int
    headers: httpx.Headers
    content: bytes


async def post(client: httpx.AsyncClient, url: str, body: bytes, *, seconds: float, most: int) -> PostAnswer:
    """POST JSON.

    Args:
        seconds: for the whole exchange, in addition to what the body takes at ``SLOWEST``.
        most: bytes of the answer.  It is not unpacked, since a few bytes can unpack to a gigabyte.

    Raises:
        httpx.HTTPError: there is no answer, or it is too slow or too long.
    """
    headers = {"content-type": "application/json", "accept-encoding": "identity"}
    content = b""
    try:
        async with (
            asyncio.timeout(seconds + len(body) / SLOWEST),
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            async for part in response.aiter_raw():
                content += part
                if len(content) > most:
                    raise httpx.RemoteProtocolError(f"its answer is longer than {most >> 10} KiB")
    except TimeoutError:
        raise httpx.ReadTimeout(f"no whole answer within {seconds:.0f} s") from None
    except httpx.InvalidURL as error:
        raise httpx.UnsupportedProtocol(f"{error}") from None
    return PostAnswer(response.status_code, response.headers, content)
