"""Means: what a kind of channel declares about itself, and the result of an attempt to send."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from fanous.errors import FanousError
from fanous.publish.alerts.channel import Channel
from fanous.publish.alerts.message import Message

SECONDS = 15.0
"""Seconds for a whole attempt; if the receiver takes longer, the message is sent again."""

AGAIN = frozenset({408, 425, 429})
"""4xx codes for conditions that may pass; the others mean that the request is wrong (RFC 9110, 6585)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of one attempt to send.

    Attributes:
        why: the failure; empty = the message was accepted.
        permanent: another attempt would fail too.
        wait: seconds that the receiver asked us to wait; ``None`` = it did not say.
    """

    why: str = ""
    permanent: bool = False
    wait: float | None = None


Send = Callable[[Channel, Message, float], Coroutine[Any, Any, Attempt]]
"""Takes the channel, the message and the current time (unix seconds)."""


def check_https(address: str) -> None:
    """Refuses a URL over which messages would be sent in the clear.

    Raises:
        FanousError: it could; the message omits the address, which may contain a password.
    """
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_near(parts.hostname or "")):
        raise FanousError("an https:// address is needed; http:// only within your own network")


def _is_near(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class Means:
    """A kind of channel.

    Attributes:
        name: also the key in ``[alerts.channels.NAME]`` for its address.
        send: sends one message.
        check: raises ``FanousError`` for an invalid address, without repeating it.
        on_web: the address is a URL.
        signs: messages are signed, so its channels have a secret.
        is_for_people: messages may be shortened.
        renew: seconds between repetitions of an open incident; ``None`` = never repeated.
    """

    name: str
    send: Send
    check: Callable[[str], None]
    on_web: bool = True
    signs: bool = False
    is_for_people: bool = False
    renew: float | None = None


async def post(url: str, body: bytes, headers: dict[str, str]) -> Attempt:
    """One POST request; redirects are not followed, since a signed message is meant for this address only.

    Only the status and the headers of the answer are read: its body may never end.
    """
    import httpx  # imported here: reading the configuration needs no HTTP client

    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", url, content=body, headers=headers) as answer,
        ):
            return outcome_of(answer.status_code, answer.headers.get("retry-after", ""))
    except TimeoutError:
        return Attempt(f"no answer within {SECONDS:.0f} s")
    except httpx.HTTPError as error:
        return Attempt(f"no answer: {type(error).__name__}: {error}"[:300])


def outcome_of(status: int, retry_after: str) -> Attempt:
    """The result for an HTTP status; only 2xx means accepted."""
    if 200 <= status < 300:
        return Attempt()
    wait = float(retry_after) if retry_after.isdecimal() and len(retry_after) < 9 else None
    return Attempt(f"it answered {status}", 300 <= status < 500 and status not in AGAIN, wait)
