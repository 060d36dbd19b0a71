"""Dnswire: the few parts of RFC 1035 that a lab's resolvers and injectors need, without a library."""

import socket
from dataclasses import dataclass

A, AAAA = 1, 28
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5

RECURSION_ASKED, RECURSION_HERE, IS_ANSWER = 0x0100, 0x0080, 0x8000


@dataclass(frozen=True, slots=True)
class Question:
    """What a message asks.

    Attributes:
        name: lower case, without the last dot.
        wire: the question section as it stands in the message.
    """

    identity: int
    name: str
    kind: int
    wire: bytes


def question_of(message: bytes) -> Question | None:
    """``None`` where it is no question with exactly one name."""
    if len(message) < 17 or message[2] & 0x80 or message[4:6] != b"\0\1":
        return None
    labels, at = [], 12
    while at < len(message) and message[at]:
        size = message[at]
        if size > 63 or at + 1 + size >= len(message):
            return None
        labels.append(message[at + 1 : at + 1 + size].decode("ascii", "replace"))
        at += 1 + size
    end = at + 5
    if end > len(message):
        return None
    kind = int.from_bytes(message[at + 1 : at + 3], "big")
    identity = int.from_bytes(message[:2], "big")
    return Question(identity, ".".join(labels).lower(), kind, message[12:end])


def answer_of(question: Question, addresses: list[str], code: int = NOERROR, ttl: int = 60) -> bytes:
    """An answer with those of the addresses that the question is about."""
    family = {A: socket.AF_INET, AAAA: socket.AF_INET6}.get(question.kind)
    given = [a for a in addresses if (":" in a) == (question.kind == AAAA)] if family else []
    flags = IS_ANSWER | RECURSION_ASKED | RECURSION_HERE | code
    head = b"".join(n.to_bytes(2, "big") for n in (question.identity, flags, 1, len(given), 0, 0))
    records = b""
    for address in given:
        value = socket.inet_pton(family or socket.AF_INET, address)
        records += b"\xc0\x0c" + question.kind.to_bytes(2, "big") + b"\0\1" + ttl.to_bytes(4, "big")
        records += len(value).to_bytes(2, "big") + value
    return head + question.wire + records


def name_wire(name: str) -> bytes:
    """``x.com`` as it stands in a question."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
