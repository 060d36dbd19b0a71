"""Resolvers: all DNS servers of a lab in one program, each with sockets in its own namespace.

The authorities know the lab's names; the public resolver answers over UDP, TLS (RFC 7858) and HTTPS; each provider has
a recursive one that asks the authorities over the real path, and lies if a censor tells it to. So a forged answer
injected on the path poisons a recursive resolver; if the way out is cut, it has no answer.
"""

import asyncio
import json
import random
import secrets
import socket
import ssl
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fanous_lab.packets import NXDOMAIN, SERVFAIL, Question, answer_of, is_below, question_of
from fanous_lab.registry import listen
from fanous_lab.space import allow_many_files, socket_in

SendReply = Callable[[bytes], None]
"""Sends an answer to the asker."""

PATIENCE = (0.4, 0.8, 1.6)
"""Seconds to wait after each of three questions; then the answer is SERVFAIL, within a stub's patience of 5 s."""

REMEMBERED = 1.0
"""Seconds for which an answer is cached: the TTL of the lab's names."""


class Recursion:
    """Asks ``outside``, or ``home`` for the names that live there."""

    def __init__(self, namespace: str, home_names: list[str], outside: str, home: str) -> None:
        self._home_names = frozenset(home_names)
        self._loop = asyncio.get_running_loop()
        self._to = {True: self._connected(namespace, home), False: self._connected(namespace, outside)}
        self._known: dict[bytes, tuple[float, bytes]] = {}
        self._waiting: dict[int, tuple[Question, list[tuple[Question, SendReply]]]] = {}
        self._under_way: dict[bytes, int] = {}

    def ask(self, question: Question, reply: SendReply) -> None:
        answer = self._known.get(question.wire.lower())
        if answer and answer[0] > time.monotonic():
            reply(_for(question, answer[1]))
            return
        under_way = self._under_way.get(question.wire)
        if under_way is not None:
            self._waiting[under_way][1].append((question, reply))
            return
        identity = secrets.randbelow(1 << 16)
        while identity in self._waiting:
            identity = secrets.randbelow(1 << 16)
        self._waiting[identity] = (question, [(question, reply)])
        self._under_way[question.wire] = identity
        self._try(identity, 0)

    def _try(self, identity: int, nth: int) -> None:
        if identity not in self._waiting:
            return
        question = self._waiting[identity][0]
        if nth == len(PATIENCE):
            self._settle(identity, answer_of(question, [], SERVFAIL), 0.0)
            return
        there = self._to[question.name in self._home_names]
        head = identity.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0"
        with suppress(OSError):  # no route: the next try may have one
            there.send(head + question.wire)
        self._loop.call_later(PATIENCE[nth], self._try, identity, nth + 1)

    def _settle(self, identity: int, answer: bytes, keep: float) -> None:
        question, askers = self._waiting.pop(identity)
        self._under_way.pop(question.wire, None)
        if keep:
            self._known[question.wire.lower()] = (time.monotonic() + keep, answer)
        for asked, reply in askers:
            reply(_for(asked, answer))

    def _connected(self, namespace: str, address: str) -> socket.socket:
        listening = socket_in(namespace, socket.AF_INET, socket.SOCK_DGRAM)
        listening.connect((address, 53))
        listening.setblocking(False)
        self._loop.add_reader(listening, self._read, listening)
        return listening

    def _read(self, there: socket.socket) -> None:
        while True:
            try:
                answer = there.recv(LARGEST)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of an earlier question; the timer asks again
            identity = int.from_bytes(answer[:2], "big")
            waiting = self._waiting.get(identity)
            if waiting and len(answer) >= 12 and answer[12 : 12 + len(waiting[0].wire)] == waiting[0].wire:
                self._settle(identity, answer, REMEMBERED)


def _for(question: Question, answer: bytes) -> bytes:
    """The answer with the message id of the question."""
    return question.identity.to_bytes(2, "big") + answer[2:]


CONTROL = "dns.sock"
SPECIFICATION = "dns.json"
LARGEST = 4096


@dataclass(slots=True)
class Zone:
    """The lab's names.

    Attributes:
        names: host -> all its addresses; each asker gets one IPv4 and one IPv6 address.
        rotating: hosts whose answers differ by asker, as those of content networks do.
    """

    names: dict[str, list[str]]
    rotating: set[str] = field(default_factory=set)

    def answer(self, question: Question, asker: str) -> bytes:
        addresses = self.names.get(question.name)
        if addresses is None:
            return answer_of(question, [], NXDOMAIN)
        number = _number(asker) if question.name in self.rotating else 0
        chosen = [same[number % len(same)] for same in _by_version(addresses)]
        return answer_of(question, chosen, ttl=TTL)


TTL = 1
"""Seconds: short, so that a cache forgets a lie as fast as the censor does."""


def _by_version(addresses: list[str]) -> list[list[str]]:
    split = [[a for a in addresses if ":" not in a], [a for a in addresses if ":" in a]]
    return [version for version in split if version]


def _number(asker: str) -> int:
    """The third number of the asker's IPv4 address, which differs between providers."""
    return int(asker.split(".")[-2]) if "." in asker else sum(asker.encode())


@dataclass(slots=True)
class Lie:
    """What one resolver tells some clients.

    Attributes:
        clients: addresses; empty = everyone.
        hosts: these names and all below them.
        answer: addresses, or a response code.
    """

    cut: str
    clients: frozenset[str]
    hosts: frozenset[str]
    answer: list[str] | int

    def covers(self, name: str, client: str) -> bool:
        return (not self.clients or client in self.clients) and is_below(name, self.hosts)

    def told(self, question: Question) -> bytes:
        if isinstance(self.answer, int):
            return answer_of(question, [], self.answer)
        return answer_of(question, self.answer, ttl=TTL)


class Resolver:
    """One provider's resolver: clients ask; it tells its lies, otherwise the recursion answers."""

    def __init__(self, namespace: str, addresses: list[str], recursion: Recursion) -> None:
        self.lies: list[Lie] = []
        self.namespace = namespace
        self._recursion = recursion
        for address in addresses:
            _serve(_bound(namespace, address), self._asked)

    def _asked(self, question: Question, asker: str, reply: SendReply) -> None:
        for lie in self.lies:
            if lie.covers(question.name, asker):
                reply(lie.told(question))
                return
        self._recursion.ask(question, reply)


def _bound(namespace: str, address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket_in(namespace, family, socket.SOCK_DGRAM)
    listening.bind((address, 53))
    listening.setblocking(False)
    return listening


def _serve(bound: socket.socket, asked: Any) -> None:
    """Hand every question that arrives at ``bound`` to ``asked``."""

    def read() -> None:
        while True:
            try:
                message, peer = bound.recvfrom(LARGEST)
            except OSError:
                return  # nothing more, or an ICMP error of an earlier answer
            question = question_of(message)
            if question is not None:
                asked(question, peer[0], lambda answer, peer=peer: _send(bound, answer, peer))

    asyncio.get_running_loop().add_reader(bound, read)


def _send(bound: socket.socket, answer: bytes, peer: Any) -> None:
    try:
        bound.sendto(answer, peer)
    except OSError:
        return  # its network is down; the client will time out


class Dns:
    """All servers of one lab."""

    def __init__(self, specification: dict[str, Any]) -> None:
        self.zone = Zone(specification["names"])
        for namespace, address in specification["authorities"]:
            _serve(_bound(namespace, address), self._authoritative)
        for namespace, address in specification["public"]:
            _serve(_bound(namespace, address), self._authoritative)
        self.resolvers = {
            resolver["namespace"]: Resolver(
                resolver["namespace"],
                resolver["addresses"],
                Recursion(resolver["namespace"], specification["home_names"], *specification["upstreams"]),
            )
            for resolver in specification["resolvers"]
        }

    def _authoritative(self, question: Question, asker: str, reply: SendReply) -> None:
        reply(self.zone.answer(question, asker))

    def obey(self, order: dict[str, Any]) -> None:
        """Obey ``lie`` and ``truth`` (by cut), ``rotate`` and ``fix`` (by host)."""
        if order["do"] == "lie":
            for specification in order["resolvers"]:
                lie = Lie(
                    order["cut"],
                    frozenset(specification["clients"]),
                    frozenset(order["hosts"]),
                    order["answer"],
                )
                self.resolvers[specification["namespace"]].lies.append(lie)
        elif order["do"] == "truth":
            for resolver in self.resolvers.values():
                resolver.lies = [lie for lie in resolver.lies if lie.cut != order["cut"]]
        elif order["do"] == "rotate":
            self.zone.rotating |= set(order["hosts"])
        elif order["do"] == "fix":
            self.zone.rotating -= set(order["hosts"])

    async def over_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """DNS over TLS: length and message, until the client disconnects."""
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                answer = self._answered(await reader.readexactly(size), str(random.getrandbits(8)))
                writer.write(len(answer).to_bytes(2, "big") + answer)
                await writer.drain()
        except (EOFError, OSError):
            writer.close()

    async def over_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request that nginx passes on (RFC 8484, POST)."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            answer = self._answered(await reader.readexactly(size), "")
            kind = b"HTTP/1.0 200 OK\r\ncontent-type: application/dns-message\r\ncontent-length: "
            writer.write(kind + str(len(answer)).encode() + b"\r\n\r\n" + answer)
            await writer.drain()
        except (EOFError, OSError, ValueError):
            pass
        writer.close()

    def _answered(self, message: bytes, asker: str) -> bytes:
        question = question_of(message)
        if question is None:
            return message[:2] + (0x8000 | SERVFAIL).to_bytes(2, "big") + bytes(8)
        return self.zone.answer(question, asker)


async def serve(folder: Path) -> None:
    """Run until the process is ended."""
    specification = json.loads((folder / SPECIFICATION).read_text(encoding="utf-8"))
    dns = Dns(specification)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(specification["dot_certificate"])
    servers = []
    for namespace, address in specification["dot"]:
        listening = _listening(namespace, address, 853)
        servers.append(await asyncio.start_server(dns.over_stream, sock=listening, ssl=context))
    for namespace, address, port in specification["doh"]:
        servers.append(await asyncio.start_server(dns.over_http, sock=_listening(namespace, address, port)))
    servers.append(await listen(folder / CONTROL, dns.obey))
    await asyncio.gather(*(server.serve_forever() for server in servers))


def _listening(namespace: str, address: str, port: int) -> socket.socket:
    listening = socket_in(
        namespace, socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM
    )
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((address, port))
    listening.listen(256)
    listening.setblocking(False)
    return listening


if __name__ == "__main__":
    allow_many_files()
    asyncio.run(serve(Path(sys.argv[1])))
