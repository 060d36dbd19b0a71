"""Address: where a stream is, and how it is to be kept.  Pure.

``nats://user:password@a:4222,b:4222,c:4222?stream=FANOUS&replicas=3&gigabytes=16``, with ``tls`` in place of
``nats`` over TLS.
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
"""The least of which one may die, and what JetStream's authors advise for what must not be lost."""

GIGABYTES = 16
"""What may wait, packed: some two million measurements of 50 kB, a night without a writer."""

ACK_SECONDS = 60
"""After which what a writer died with is given to the next one."""

ASKED = ("stream", "replicas", "gigabytes", "ack_seconds")
"""What may stand behind the ``?``."""

EXAMPLE = "nats://a:4222,b:4222,c:4222"

# Python's own urlsplit has refused an address in brackets behind another host since 3.13.
_URL = re.compile(r"(\w+)://([^/?#]+)/?(?:\?([^#]*))?")


class StreamPart(StrEnum):
    """Which of its streams; each has its own messages."""

    MAIN = "main"
    APART = "apart"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """Attributes:
    servers: URLs, any of which leads to all.
    name: of the stream; the others are called after it.
    replicas: servers that keep each message.
    bytes: what may wait before collectors say "later".
    ack_seconds: after which what a writer died with is given to the next one; said three times as often.
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
        """Under which its messages are published."""
        return f"{self.name}.{part}"


def parse_address(url: str) -> StreamAddress:
    """The address that a user wrote.

    Raises:
        FanousError: it is none, and how one looks.
    """
    parts = _URL.fullmatch(url)
    scheme, place, query = parts.groups("") if parts else ("", "", "")
    if scheme.lower() not in SCHEMES:
        raise FanousError(f"{_hidden(url)} is no queue: write {EXAMPLE}")
    told = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(told) - set(ASKED))
    if unknown:
        known = f"known: {', '.join(ASKED)}{nearest(unknown[0], ASKED)}"
        raise FanousError(f"a queue has no {unknown[0]!r}: {known}")
    name = told.get("stream", NAME)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise FanousError(f"the name of a stream is made of letters, digits, _ and -, not {name!r}")
    user, at, hosts = place.rpartition("@")
    return StreamAddress(
        tuple(f"{scheme.lower()}://{user}{at}{_with_port(host, url)}" for host in hosts.split(",")),
        name,
        _number(told, "replicas", REPLICAS, (1, 3, 5)),
        _number(told, "gigabytes", GIGABYTES, range(1, 1 << 20)) << 30,
        _number(told, "ack_seconds", ACK_SECONDS, range(1, 3600)),
    )


def _with_port(host: str, url: str) -> str:
    if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?", host):
        raise FanousError(f"{_hidden(url)} is no queue: {host!r} is no server; write {EXAMPLE}")
    return host if re.search(r":\d+$", host) else f"{host}:{PORT}"


def _number(told: dict[str, str], key: str, default: int, allowed: "range | tuple[int, ...]") -> int:
    text = told.get(key, str(default))
    if not text.isdigit() or int(text) not in allowed:
        known = "1, 3 or 5" if isinstance(allowed, tuple) else "a whole number from 1 on"
        raise FanousError(f"{key} of a queue is {known}, not {text!r}")
    return int(text)


def _hidden(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://***@{tail}" if at else url
