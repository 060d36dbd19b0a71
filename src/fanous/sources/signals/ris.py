"""RIS Live: changes of routing as RIPE's collectors see them, seconds later, over a websocket.

The stream says what changes; what was visible before comes from a routing table of the same collector (``mrt``).
Messages as ris-live.ripe.net/manual describes them: ``ris_message`` with ``timestamp``, ``peer``, ``peer_asn``,
``path``, ``announcements`` and ``withdrawals``.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from fanous.errors import FanousError, Rejected
from fanous.sources.answer import decoded, field
from fanous.sources.connector import Source, Transport
from fanous.sources.signals.live import plain
from fanous.sources.signals.visibility import Visibility

ADDRESS = "wss://ris-live.ripe.net/v1/ws/?client=fanous"
SILENCE = 60.0
"""Seconds without a message after which the connection is given up; a busy collector sends many per second."""
LARGEST = 1 << 20
"""Bytes of a message; one update has a few KB."""


def subscription(collector: str) -> str:
    """The message that asks for the updates of one collector, such as ``rrc06``."""
    wanted = {"host": collector, "type": "UPDATE", "socketOptions": {"includeRaw": False}}
    return msgspec.json.encode({"type": "ris_subscribe", "data": wanted}).decode()


def apply(message: str | bytes, visibility: Visibility) -> float | None:
    """Apply one message to the routes.

    Returns:
        Its time in Unix seconds; ``None`` = it is not about routes.

    Raises:
        Rejected: it is not a message of RIS Live.
    """
    data = message.encode() if isinstance(message, str) else message
    document = decoded(data, object, "RIS Live's message")
    kind, event = field(document, "type"), field(document, "data")
    if kind == "ris_error":
        raise Rejected(f"RIS Live says: {str(field(event, 'message'))[:200]}")
    if kind != "ris_message":
        return None
    at = plain(field(event, "timestamp"))
    peer = f"{field(event, 'peer')} {field(event, 'peer_asn')}"
    if at is None or at != at or at < 0:
        raise Rejected("a message without a time")
    if field(event, "type") == "RIS_PEER_STATE" and field(event, "state") in ("down", "closed"):
        visibility.forget(peer)
    for prefix in _texts(field(event, "withdrawals")):
        visibility.withdraw(peer, prefix)
    path = field(event, "path")
    last = path[-1] if isinstance(path, list) and path else 0
    # 0 = unknown; a set of networks is.
    origin = last if isinstance(last, int) and not isinstance(last, bool) and 0 < last < 2**32 else 0
    announcements = field(event, "announcements")
    for announced in announcements if isinstance(announcements, list) else ():
        for prefix in _texts(field(announced, "prefixes")):
            visibility.announce(peer, prefix, origin)
    return at


def _texts(values: Any) -> Iterator[str]:
    if isinstance(values, list):
        yield from (value for value in values if isinstance(value, str))


def listen(collector: str, address: str = ADDRESS, silence: float = SILENCE) -> Iterator[str | bytes]:
    """Messages of one collector until the connection ends.

    Raises:
        FanousError: it failed, or no message came for ``silence`` seconds; another try may help.
    """
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    try:
        with connect(address, max_size=LARGEST, open_timeout=silence) as socket:
            socket.send(subscription(collector))
            while True:
                yield socket.recv(timeout=silence)
    except TimeoutError:
        raise FanousError(f"no message from RIS Live for {silence:.0f} s", permanent=False) from None
    except (WebSocketException, OSError) as error:
        raise FanousError(f"the connection to RIS Live failed: {error}", permanent=False) from error


class Ris(Source):
    name = "ris"
    title = "RIPE RIS Live"
    help = (
        "changes of routing as they happen: a stream that runs until stopped; needs a routing table (--table)"
    )
    page = "https://ris-live.ripe.net"
    licence = "RIPE NCC terms of service"
    credit = "RIPE NCC"
    pulled = Transport.STREAM
    every = 1
