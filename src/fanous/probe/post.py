"""Post: asks a collector, whose answer ends in its time and within its bytes.

What answers may not be the collector: a captive portal, a mirror that was taken over, or the new owner of its domain.
httpx limits the time of each read, so a byte every minute, or interim responses without end, would hold a probe for
good; and it collects a body of any length, unpacked.
"""

import asyncio
from dataclasses import dataclass

import httpx

from fanous.config import split_url

SLOWEST = 1000
"""Bytes a second at which a body is waited for: a bad connection over 2G."""


def shown(url: str) -> str:
    """A URL for messages and logs, without the login that may be in it."""
    parts = split_url(url)
    return "..." if parts is None else parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


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
