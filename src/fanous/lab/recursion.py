"""Recursion: how a provider's resolver finds an answer - it asks an authority over the real path.

So a lie that is injected on the way poisons it, and where the way out is cut it has no answer.
"""

import asyncio
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from fanous.lab.dnswire import SERVFAIL, Question, answer_of
from fanous.lab.space import socket_in

Reply = Callable[[bytes], None]

PATIENCE = (0.4, 0.8, 1.6)
"""Seconds for each of three questions; after that the answer is SERVFAIL, sooner than a stub's 5 s."""

REMEMBERED = 1.0
"""Seconds that an answer is kept: the TTL of the lab's names."""

LARGEST = 4096


class Recursion:
    """Asks ``outside``, or ``home`` for the names that live there."""

    def __init__(self, namespace: str, home_names: list[str], outside: str, home: str) -> None:
        self._home_names = frozenset(home_names)
        self._loop = asyncio.get_running_loop()
        self._to = {True: self._connected(namespace, home), False: self._connected(namespace, outside)}
        self._known: dict[bytes, tuple[float, bytes]] = {}
        self._waiting: dict[int, tuple[Question, list[tuple[Question, Reply]]]] = {}
        self._under_way: dict[bytes, int] = {}

    def ask(self, question: Question, reply: Reply) -> None:
        known = self._known.get(question.wire.lower())
        if known and known[0] > time.monotonic():
            reply(_for(question, known[1]))
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
        made = socket_in(namespace, socket.AF_INET, socket.SOCK_DGRAM)
        made.connect((address, 53))
        made.setblocking(False)
        self._loop.add_reader(made, self._read, made)
        return made

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
    """The answer under the asker's own number."""
    return question.identity.to_bytes(2, "big") + answer[2:]
