"""Download: one file of reference data over HTTPS, within limits of size and time.

Nothing here is a measurement: what goes wrong is the operator's to mend, and says so.
"""

import time
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from fanous import __version__
from fanous.errors import FanousError
from fanous.refdata.sets import LARGEST_SET

STALL = 20.0
"""Seconds that a server may be silent."""
DEADLINE = 120.0
"""Seconds for the whole file: 0.3 MB at 30 kbit/s, which a throttled line still gives."""
PIECE = 64 << 10
PASSING = (408, 429)
"""Refusals of a client that need not be there on another try (RFC 9110, RFC 6585)."""

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def download(
    url: str,
    *,
    largest: int = LARGEST_SET,
    stall: float = STALL,
    deadline: float = DEADLINE,
    loopback: bool = False,
) -> bytes:
    """The file at ``url``, whole.

    Args:
        loopback: also take http from this machine itself, for a mirror on it and for tests.

    Raises:
        FanousError: it cannot be had; not ``permanent`` where another try may help.
    """
    _refuse_open(url, loopback)
    opener = build_opener(_Redirects(loopback))
    request = Request(url, headers={"User-Agent": f"fanous/{__version__}"})
    ends = time.monotonic() + deadline
    try:
        with opener.open(request, timeout=stall) as response:
            return _whole(response, url, largest, ends)
    except HTTPError as error:
        with error:
            stays = error.code < 500 and error.code not in PASSING
            raise FanousError(
                f"{url}: the server says {error.code} {error.reason}", permanent=stays
            ) from None
    except (URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error or type(error).__name__
        raise FanousError(f"{url} cannot be fetched: {reason}", permanent=False) from error


def _whole(response: HTTPResponse, url: str, largest: int, ends: float) -> bytes:
    announced = response.length or 0  # what is left to come, by the header; None = it does not say
    pieces: list[bytes] = []
    size = 0
    while piece := response.read1(PIECE):  # what has come by now: a trickle must not hold us
        pieces.append(piece)
        size += len(piece)
        if size > largest:
            raise FanousError(f"{url} has more than {largest:,} bytes: this is not the file")
        if time.monotonic() > ends:
            raise FanousError(f"{url} comes too slowly: {size:,} bytes so far", permanent=False)
    if size < announced:
        raise FanousError(f"{url} broke off after {size:,} of {announced:,} bytes", permanent=False)
    return b"".join(pieces)


def _refuse_open(url: str, loopback: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" or (loopback and parts.scheme == "http" and parts.hostname in LOOPBACK):
        return
    raise FanousError(f"{url} is not https: what comes in clear may have been changed on the way")


class _Redirects(HTTPRedirectHandler):
    """Follows redirects, but never out of HTTPS."""

    def __init__(self, loopback: bool) -> None:
        self._loopback = loopback

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        try:
            _refuse_open(newurl, self._loopback)
        except FanousError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)
