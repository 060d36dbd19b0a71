"""HTTP: one request and its response, over any stream, in HTTP/1.1 (h11) or HTTP/2 (h2).

A page is filled as it arrives: if the transfer is cut or stalls, what came before is kept.

A download requests page after page over one connection until it has enough bytes to compute a rate: a policer
counts the bytes of a flow, not of a page, and few platforms have a large page that never changes.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import h11

from fanous.probe.net.failure import NetworkFailure
from fanous.probe.net.network import Stream, normal_host

READ_SIZE = 16_384

PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))

MALFORMED = "unknown_failure: malformed HTTP response"
OVERGROWN = "unknown_failure: HTTP response with far more bytes than its page"
STREAM_RESET = "unknown_failure: HTTP/2 stream reset by the server"


MOST_AROUND, MOST_TIMES = 1 << 16, 8
"""Bytes that may come besides those of a page, and for each byte of it that is wanted: heads, frames and the sizes of
chunks.  A server can send more of them without end (1xx responses, pings), at the volunteer's expense."""


def authority_of(parts: SplitResult) -> str:
    """Host and port as they are asked for: a name in other letters in its form for DNS."""
    authority = parts.netloc.rpartition("@")[2]
    if authority.isascii():
        return authority
    host, port = normal_host(parts.hostname or ""), parts.port
    return host if port is None else f"{host}:{port}"


def path_of(parts: SplitResult) -> str:
    """Path and query as browsers send them: spaces and other characters as ``%20`` and the like."""
    return quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), PRINTABLE)


def joined(url: str, location: str) -> str:
    """Where ``location`` leads from ``url``, as it is asked for; empty = nowhere.

    Headers are read as Latin-1; servers, and censors, write other letters as UTF-8.
    """
    with suppress(UnicodeError):
        location = location.encode("latin-1").decode("utf-8")
    try:
        parts = urlsplit(urljoin(url, location))
        return f"{parts.scheme}://{authority_of(parts)}{path_of(parts)}"
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class Request:
    """A request.

    Attributes:
        authority: host, with the port unless it is the scheme's default.
        path: including the query.
        headers: (name in lower case, value), without ``host``.
    """

    authority: str
    path: str = "/"
    method: str = "GET"
    scheme: str = "https"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(slots=True)
class HttpResponse:
    """What has arrived so far.

    Attributes:
        most: bytes of body to take; the rest is left unread.
        code: 0 = no response yet.
        version: of HTTP, as the server answers: ``1.0``, ``1.1``, ``2``; empty = no response yet.
        truncated: the body has more than ``most`` bytes.
        failure: df-007 of what ended it early, as recorded by the caller; ``None`` = it is complete.
    """

    most: int
    code: int = 0
    version: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    truncated: bool = False
    failure: str | None = None

    def add(self, data: bytes) -> bool:
        """Take ``data``; is there room for more?"""
        room = self.most - len(self.body)
        self.body += data[:room]
        self.truncated = self.truncated or len(data) > room
        return not self.truncated

    def header(self, name: str) -> str:
        """The first header with that name; empty = none."""
        return next((value for key, value in self.headers if key.lower() == name), "")


async def exchange(stream: Stream, request: Request, page: HttpResponse, protocol: str = "") -> None:
    """Send the request, and fill ``page``.

    Args:
        protocol: chosen by ALPN: ``h2``, otherwise HTTP/1.1.

    Raises:
        OSError, EOFError, NetworkFailure: it failed; ``page`` holds what had arrived.
    """
    limited = _Limited(stream, MOST_AROUND + MOST_TIMES * page.most)
    await (_exchange_h2 if protocol == "h2" else _exchange_h11)(limited, request, page)


class _Limited:
    """A stream from which only a limited number of bytes is read."""

    def __init__(self, stream: Stream, most: int) -> None:
        self._stream, self._left = stream, most
        self.write, self.close = stream.write, stream.close

    async def read(self, most: int) -> bytes:
        data = await self._stream.read(most)
        self._left -= len(data)
        if self._left < 0:
            raise NetworkFailure(OVERGROWN)
        return data


async def _exchange_h11(stream: Stream, request: Request, page: HttpResponse) -> None:
    connection = h11.Connection(h11.CLIENT, MOST_AROUND)
    headers = [("host", request.authority), *request.headers, ("connection", "close")]
    if request.body:
        headers.append(("content-length", str(len(request.body))))
    out = connection.send(h11.Request(method=request.method, target=request.path, headers=headers)) or b""
    if request.body:
        out += connection.send(h11.Data(data=request.body)) or b""
    out += connection.send(h11.EndOfMessage()) or b""
    await stream.write(out)
    while not isinstance(event := await next_event(connection, stream), h11.EndOfMessage):
        if isinstance(event, h11.Response):
            page.code, page.version = event.status_code, event.http_version.decode("ascii")
            page.headers = [
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers
            ]
        elif isinstance(event, h11.Data) and not page.add(bytes(event.data)):
            return


async def next_event(connection: h11.Connection, stream: Stream) -> h11.Event:
    """The next event of a response, read from the stream if necessary.

    Raises:
        OSError, EOFError, NetworkFailure: the connection failed.
    """
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            _, ended = connection.trailing_data
            if ended:
                raise EOFError from None
            raise NetworkFailure(MALFORMED) from None
        if event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
            raise EOFError
        if isinstance(event, h11.Event):
            return event
        connection.receive_data(await stream.read(READ_SIZE))


_SETTINGS = {
    h2.settings.SettingCodes.ENABLE_PUSH: 0,  # as browsers; what is pushed would be taken for the page
    h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 100,
    h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: MOST_AROUND,
}


async def _exchange_h2(stream: Stream, request: Request, page: HttpResponse) -> None:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.local_settings = h2.settings.Settings(initial_values=_SETTINGS)
    connection.initiate_connection()
    headers = [
        (":method", request.method),
        (":authority", request.authority),
        (":scheme", request.scheme),
        (":path", request.path),
        *request.headers,
    ]
    connection.send_headers(1, headers, end_stream=not request.body)
    if request.body:
        connection.send_data(1, request.body, end_stream=True)
    await stream.write(connection.data_to_send())
    while True:
        data = await stream.read(READ_SIZE)
        if not data:
            raise EOFError
        try:
            events = connection.receive_data(data)
        except (h2.exceptions.ProtocolError, UnicodeDecodeError):
            raise NetworkFailure(MALFORMED) from None
        ended = [_take(connection, event, page) for event in events]
        out = connection.data_to_send()
        if out:
            await stream.write(out)
        if any(ended):
            return


def _take(connection: h2.connection.H2Connection, event: h2.events.Event, page: HttpResponse) -> bool:
    """Add one event to ``page``; returns whether it is complete."""
    if isinstance(event, h2.events.ResponseReceived):
        fields = [(_text(name), _text(value)) for name, value in event.headers or ()]
        status = dict(fields).get(":status", "")
        if not (len(status) == 3 and status.isascii() and status.isdigit()):
            raise NetworkFailure(MALFORMED)
        page.code, page.version = int(status), "2"
        page.headers = [(name, value) for name, value in fields if not name.startswith(":")]
    elif isinstance(event, h2.events.DataReceived):
        if event.flow_controlled_length:
            connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id or 1)
        return not page.add(event.data or b"")
    elif isinstance(event, h2.events.StreamReset):
        if event.error_code != h2.errors.ErrorCodes.NO_ERROR or not page.code:
            raise NetworkFailure(STREAM_RESET)
        return True
    elif isinstance(event, h2.events.ConnectionTerminated):
        raise NetworkFailure(STREAM_RESET)
    return isinstance(event, h2.events.StreamEnded)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


@dataclass(slots=True)
class Download:
    """What has arrived so far.

    Attributes:
        most: bytes of bodies to take.
        requests: how many were answered in full, or the last one in part.
        code: of the first response; 0 = none arrived.
    """

    most: int
    body: int = 0
    requests: int = 0
    code: int = 0


async def download(stream: Stream, requests: Iterable[Request], progress: Download) -> None:
    """Send requests over HTTP/1.1 until ``most`` bytes have arrived or the server closes, and fill ``progress``.

    Args:
        requests: to one host, in order.

    Raises:
        OSError, EOFError, NetworkFailure: it failed; ``progress`` holds what had arrived.
    """
    connection = h11.Connection(h11.CLIENT, MOST_AROUND)
    for request in requests:
        headers = [("host", request.authority), *request.headers]
        asked = connection.send(h11.Request(method="GET", target=request.path, headers=headers)) or b""
        asked += connection.send(h11.EndOfMessage()) or b""
        try:
            await stream.write(asked)
            first = await stream.read(READ_SIZE)
        except ConnectionError:
            if progress.requests:
                return  # it closed between two pages, as any server may, and we wrote before noticing
            raise
        if progress.requests and not first:
            return
        connection.receive_data(first)
        await _take_one(connection, stream, progress)
        if progress.body >= progress.most or h11.MUST_CLOSE in (connection.our_state, connection.their_state):
            return
        if connection.their_state is not h11.DONE:
            return
        connection.start_next_cycle()


async def _take_one(connection: h11.Connection, stream: Stream, progress: Download) -> None:
    """Read one response, or as much of it as is wanted."""
    progress.requests += 1
    while not isinstance(event := await next_event(connection, stream), h11.EndOfMessage):
        if isinstance(event, h11.Response):
            progress.code = progress.code or event.status_code
        elif isinstance(event, h11.Data):
            progress.body += len(event.data)
            if progress.body >= progress.most:
                return
