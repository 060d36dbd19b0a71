"""Request: what a client sent, decompressed within bounds, or refused with a status and a reason.

Bodies may be zstd, as OONI's probes may send (ooni/backend,
ooniapi/services/ooniprobe/src/ooniprobe/routers/reports.py, ``receive_measurement``: header
``content-encoding: zstd``) or, as our extension, gzip.

A request that states its length in two ways is refused and its connection closed: a proxy in front of the
collector may believe one and the server the other, and the rest of the body would then become a separate
request, under someone else's address (RFC 9112 section 6.1).
"""

import asyncio
import sys
import zlib
from collections.abc import Callable
from typing import TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from fanous.errors import FanousError

REASON = b'{"detail":"content-length and transfer-encoding: send one of them"}'
HEADERS = [(b"content-type", b"application/json"), (b"connection", b"close")]


class OneLength:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope["headers"]} if scope["type"] == "http" else set()
        if not names >= {b"content-length", b"transfer-encoding"}:
            await self._app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 400, "headers": HEADERS})
        await send({"type": "http.response.body", "body": REASON})


class Refused(FanousError):
    """The answer to a request that is not served; the message tells the client why.

    Attributes:
        status: HTTP status code.  4xx other than 408 and 429: sending the same again will not help.
        error: ooni/backend's code for it, if it has one; empty = it answers with a sentence only.
        retry_after: seconds after which the client may try again; ``None`` = not stated.
        closes: the connection cannot be reused (its body was not read to the end).
    """

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        error: str = "",
        retry_after: float | None = None,
        closes: bool = False,
    ) -> None:
        super().__init__(reason, permanent=status < 500 and status not in (408, 429))
        self.status = status
        self.error = error
        self.retry_after = retry_after
        self.closes = closes


if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

T = TypeVar("T")

MOST_BYTES = 32 << 20
"""The largest measurements in OONI's archive are around 20 MB."""

WINDOW_LOG = 25
"""zstd: a frame may ask for a window of 2^n bytes, and so for memory; 32 MiB is the limit for a body."""

MOST_RATIO, LEAST_LIMIT = 100, 1 << 20
"""A body may unpack to this many times its size, or to one MiB; measurements unpack to 5 to 30 times.  So a small body
cannot keep a decoder busy for long."""

_GZIP = 31
"""zlib's ``wbits`` for a gzip header and trailer."""


LEAST_BYTES, WINDOW_SECONDS = 500, 10.0
"""A body must bring this many bytes within each so many seconds, from its first byte to its last: the slowest 2G is
faster."""

MOST_SECONDS = 120.0
"""Seconds for a whole body, after which a probe no longer waits for an answer either."""


async def body_of(
    request: Request,
    most: int,
    take: Callable[[int], object] = lambda _bytes: None,
    *,
    window: float = WINDOW_SECONDS,
    seconds: float = MOST_SECONDS,
) -> bytes:
    """The body of a request.

    Args:
        most: most bytes.
        take: called with the size of each piece; may refuse.
        window: seconds within each of which ``LEAST_BYTES`` must arrive, or the end.
        seconds: for the whole body.

    Raises:
        Refused: it is too large or too slow, or the client went away.
    """
    too_large = Refused(413, f"larger than {most >> 10} KiB, which is too much here")
    loop, chunks = asyncio.get_running_loop(), list[bytes]()
    ends, count, needed = loop.time() + seconds, 0, LEAST_BYTES
    try:
        declared = request.headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > most:
            raise too_large
        async with asyncio.timeout_at(min(ends, loop.time() + window)) as deadline:
            async for chunk in request.stream():
                take(len(chunk))
                count += len(chunk)
                if count > most:
                    raise too_large
                if count >= needed:
                    needed = count + LEAST_BYTES
                    deadline.reschedule(min(ends, loop.time() + window))
                chunks.append(chunk)
        return b"".join(chunks)
    except TimeoutError:
        raise Refused(408, "the body arrived too slowly", closes=True) from None
    except ClientDisconnect:
        raise Refused(400, "the client went away", closes=True) from None
    except Refused as refusal:
        refusal.closes = True  # the rest of the body is not read
        raise


def plain(body: bytes, encoding: str, most: int = MOST_BYTES) -> bytes:
    """The decoded body.

    Args:
        encoding: value of ``content-encoding``; empty = not encoded.
        most: most bytes of the result.

    Raises:
        Refused: larger than that, damaged, or in an unknown encoding.
    """
    limit = min(most, max(MOST_RATIO * len(body), LEAST_LIMIT))
    match encoding.strip().lower():
        case "" | "identity":
            result, limit = body, most
        case "zstd":
            result = unpacked_zstd(body, limit)
        case "gzip":
            result = _inflated(zlib.decompressobj(_GZIP), body, limit, "gzip", "")
        case other:
            raise Refused(415, f"unknown content-encoding {other[:40]!r}: send zstd, gzip or none")
    if len(result) > most:
        raise Refused(413, f"larger than {most >> 20} MiB, which no measurement is")
    if len(result) > limit:
        raise Refused(413, f"unpacked more than {MOST_RATIO} times as large, which no measurement is")
    return result


def decoded(decoder: "msgspec.json.Decoder[T]", body: bytes, what: str, status: int = 422) -> T:
    """What a body of JSON says.

    Args:
        what: what it should be, such as "a login"; for the message.

    Raises:
        Refused: a field is missing or has the wrong type; the status is the one with which OONI's server refuses it.
    """
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Refused(status, f"not {what}: {error}") from None


def unpacked_zstd(body: bytes, most: int) -> bytes:
    """The content of a single frame, or the first ``most + 1`` bytes of it.

    Raises:
        Refused: it is not one whole frame, or needs a window of more than 32 MiB.
    """
    inflater = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG})
    return _inflated(inflater, body, most, "zstd", ", or needs too large a window")


def _inflated(
    inflater: "zstd.ZstdDecompressor | zlib._Decompress", body: bytes, most: int, name: str, other_fault: str
) -> bytes:
    try:
        result = inflater.decompress(body, most + 1)
    except (zstd.ZstdError, zlib.error):
        raise Refused(400, f"Incorrect format: the body is not {name}{other_fault}") from None
    if len(result) <= most and (not inflater.eof or inflater.unused_data):
        raise Refused(400, f"Incorrect format: the {name} body is cut short, or something follows it")
    return result
