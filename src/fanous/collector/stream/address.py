"""Address: where a stream is, and how it should be kept.  Pure.

``nats://user:password@a:4222,b:4222,c:4222?stream=FANOUS&replicas=3&gigabytes=16``, or ``tls://`` for TLS.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl

from fanous.config import nearest
from fanous.errors import FanousError

SCHEMES = ("nats", "tls")
PORT = 4222
NAME = "FANOUS"

REPLICAS = 3
"""The least number of which one may fail, and what JetStream's authors recommend for data that must not be
lost.
"""

GIGABYTES = 16
"""Most gigabytes that may wait, packed: some two million measurements of 50 kB, a night without a writer."""

ACK_SECONDS = 60
"""Seconds after which the messages of a writer that died are given to the next one."""

ASKED = ("stream", "replicas", "gigabytes", "ack_seconds")
"""The options allowed after the ``?``."""

EXAMPLE = "nats://a:4222,b:4222,c:4222"

# Since 3.13, Python's own urlsplit refuses an address in brackets after another host.
_URL = re.compile(r"(\w+)://([^/?#]+)/?(?:\?([^#]*))?")


class StreamPart(StrEnum):
    """Which of its streams; each has separate messages."""

    MAIN = "main"
    APART = "apart"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """Where the stream is, and what its servers promise.

    Attributes:
        servers: URLs, any of which leads to all servers.
        name: of the main stream; the others are named after it.
        replicas: servers that keep each message.
        bytes: most that may wait before collectors say "later".
        ack_seconds: after which a dead writer's messages are given to the next one; a living writer renews
            its claim three times as often.
    """

    servers: tuple[str, ...]
    name: str = NAME
    replicas: int = REPLICAS
    bytes: int = GIGABYTES << 30
    ack_seconds: int = ACK_SECONDS

    def __str__(self) -> str:
        """Without a password."""
        hosts = ",".join(server.partition("://")[2].rpartition("@")[2] for server in self.servers)
        return f"{self.servers[0].partition('://')[0]}://{hosts}/{self.name}"

    def stream(self, part: StreamPart) -> str:
        """Name of the stream of a part."""
        return self.name if part is StreamPart.MAIN else f"{self.name}_{part.upper()}"

    def subject(self, part: StreamPart) -> str:
        """The subject of its messages."""
        return f"{self.name}.{part}"


def parse_address(url: str) -> StreamAddress:
    """Parse the address that a user wrote.

    Raises:
        FanousError: it is not valid; the message shows an example.
    """
    parts = _URL.fullmatch(url)
    scheme, place, query = parts.groups("") if parts else ("", "", "")
    if scheme.lower() not in SCHEMES:
        raise FanousError(f"{_hidden(url)} is not a queue address: write {EXAMPLE}")
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(options) - set(ASKED))
    if unknown:
        allowed = f"known: {', '.join(ASKED)}{nearest(unknown[0], ASKED)}"
        raise FanousError(f"unknown option {unknown[0]!r}: {allowed}")
    name = options.get("stream", NAME)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise FanousError(f"the name of a stream may only have letters, digits, _ and -, not {name!r}")
    user, at, hosts = place.rpartition("@")
    return StreamAddress(
        tuple(f"{scheme.lower()}://{user}{at}{_with_port(host, url)}" for host in hosts.split(",")),
        name,
        _number(options, "replicas", REPLICAS, (1, 3, 5)),
        _number(options, "gigabytes", GIGABYTES, range(1, 1 << 20)) << 30,
        _number(options, "ack_seconds", ACK_SECONDS, range(1, 3600)),
    )


def _with_port(host: str, url: str) -> str:
    if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?", host):
        raise FanousError(f"{_hidden(url)} is not a queue address: {host!r} is not a server; write {EXAMPLE}")
    return host if re.search(r":\d+$", host) else f"{host}:{PORT}"


def _number(options: dict[str, str], key: str, default: int, allowed: "range | tuple[int, ...]") -> int:
    text = options.get(key, str(default))
    if not text.isdigit() or int(text) not in allowed:
        known = "1, 3 or 5" if isinstance(allowed, tuple) else "a whole number of at least 1"
        raise FanousError(f"{key} of a queue must be {known}, not {text!r}")
    return int(text)


def _hidden(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://***@{tail}" if at else url
