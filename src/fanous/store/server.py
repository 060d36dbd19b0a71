"""Server: answers of a ClickHouse server, limited in size and time.

The client of a server reads whatever it is sent, and waits five minutes for each further byte.  Here an answer's bytes
are counted where they come in, and it is not packed, since what a packed one unpacks to has no size.
"""

import http.client
import io
import socket
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from fanous.store.engine import EndlessAnswer

if TYPE_CHECKING:
    from urllib3 import PoolManager

MOST_BYTES = 1 << 30
"""Bytes of an answer.  A detection asks for some 100 bytes for each vote of its country in sixty days."""

HEAD_SECONDS = 3600.0
"""Seconds to wait for the head of an answer, which ends when a statement is finished, as long as the server reports its
progress in lines of it."""

PROGRESS = b"x-clickhouse-progress:"
"""How such a line begins.  The client asks for one every two minutes."""

BODY_SECONDS = 300.0
SLOWEST = 1000.0
"""Bytes a second.  Seconds to wait for a body: ``BODY_SECONDS``, and its length at this rate; ``BODY_SECONDS`` also for
the next line of progress, or the end of the head."""

_OF_TLS = "ca_cert", "client_cert", "client_cert_key"
"""Options in a server's URL that the client leaves to its pool of connections."""


class _Received(io.RawIOBase):
    """The bytes of one answer, counted."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._count, self._waited, self._of_head = 0, 0.0, 0.0
        self._is_head = True
        self._line = b""

    def begin_body(self) -> None:
        self._is_head, self._of_head = False, self._waited

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        began = monotonic()
        count = self._raw.readinto(buffer)
        self._waited += monotonic() - began
        self._count += count or 0
        if self._count > MOST_BYTES:
            raise EndlessAnswer(f"the answer has more than {MOST_BYTES >> 20} MiB")
        if self._is_head:
            # Wait longer for the rest of a head with another whole line of progress.
            *ended, last = (self._line + bytes(buffer[: count or 0])).split(b"\n")
            if any(line[: len(PROGRESS)].lower() == PROGRESS for line in ended):
                self._of_head = self._waited
            self._line = last[: len(PROGRESS)]
            most = min(HEAD_SECONDS, self._of_head + BODY_SECONDS)
        else:
            most = self._of_head + BODY_SECONDS + self._count / SLOWEST
        if self._waited > most:
            raise EndlessAnswer("the answer takes too long")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        self._received = _Received(self.fp.detach())
        self.fp = io.BufferedReader(self._received)

    def begin(self) -> None:
        super().begin()
        self._received.begin_body()
        if packed := self.getheader("Content-Encoding"):
            raise EndlessAnswer(f"the answer is packed ({packed[:20]}), though that was not asked for")


def connections(url: str, *, is_encrypted: bool) -> "PoolManager":
    """A pool for a client of the server at a URL, through the proxy that the environment names for it."""
    from clickhouse_connect.driver.common import coerce_bool
    from clickhouse_connect.driver.httputil import check_env_proxy, get_pool_manager
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    class Plain(HTTPConnection):
        response_class = _Answer

    class Encrypted(HTTPSConnection):
        response_class = _Answer

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    parts = urlsplit(url)
    scheme = "https" if is_encrypted else "http"
    given = dict(parse_qsl(parts.query))
    options: dict[str, Any] = {name: given[name] for name in _OF_TLS if name in given}
    if proxy := check_env_proxy(scheme, parts.hostname or "", parts.port or 0):
        options[f"{scheme}_proxy"] = proxy
    pool: PoolManager = get_pool_manager(verify=coerce_bool(given.get("verify", True)), **options)
    pool.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}
    return pool
