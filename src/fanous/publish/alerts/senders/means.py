"""Means: what a kind of channel declares about itself, and what became of an attempt to send."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from fanous.errors import FanousError
from fanous.publish.alerts.channel import Channel
from fanous.publish.alerts.message import Message

SECONDS = 15.0
"""For a whole attempt: a receiver that takes longer is asked again."""

AGAIN = frozenset({408, 425, 429})
"""Of the 4xx those that may pass by themselves; the others say that the request is wrong (RFC 9110, 6585)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Attributes:
    why: empty = it was taken.
    permanent: trying again will not help.
    wait: seconds that the receiver asked for; ``None`` = it did not.
    """

    why: str = ""
    permanent: bool = False
    wait: float | None = None


Send = Callable[[Channel, Message, float], Coroutine[Any, Any, Attempt]]
"""Channel, message, unix seconds now."""


def check_https(address: str) -> None:
    """Refuses a web address at which a message could be read on its way.

    Raises:
        FanousError: without the address, which may hold a password.
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
        name: also the key of ``[alerts.channels.NAME]`` that gives its address.
        send: sends one message.
        check: refuses an address that cannot be one, with a ``FanousError`` that does not repeat it.
        on_web: the address is one of the web.
        signs: its channels have a secret.
        is_for_people: its messages may be shortened.
        renew: seconds after which an open incident is sent again; ``None`` = never.
    """

    name: str
    send: Send
    check: Callable[[str], None]
    on_web: bool = True
    signs: bool = False
    is_for_people: bool = False
    renew: float | None = None


async def post(url: str, body: bytes, headers: dict[str, str]) -> Attempt:
    """One POST; redirects are not followed, since what is signed is meant for this address."""
    import httpx  # here: who only reads the configuration sends nothing

    try:
        async with httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
            answer = await client.post(url, content=body, headers=headers)
    except httpx.HTTPError as error:
        return Attempt(f"no answer: {type(error).__name__}: {error}"[:300])
    return outcome_of(answer.status_code, answer.headers.get("retry-after", ""))


def outcome_of(status: int, retry_after: str) -> Attempt:
    """What a status says; only 2xx is taken."""
    if 200 <= status < 300:
        return Attempt()
    wait = float(retry_after) if retry_after.isdecimal() and len(retry_after) < 9 else None
    return Attempt(f"it answered {status}", 300 <= status < 500 and status not in AGAIN, wait)
