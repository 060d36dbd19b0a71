"""Certificate: fingerprint and names of a leaf certificate (RFC 5280), read without trusting it.

Only what an observation holds is read.  A certificate that cannot be read has its fingerprint and no
names: that is what a forged one may look like.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

import msgspec
from msgspec import Raw

from fanous.sources.ooni.document import Binary

COMMON_NAME = bytes.fromhex("0603550403")
"""OID 2.5.4.3."""

ALTERNATIVE_NAMES = bytes.fromhex("0603551d11")
"""OID 2.5.29.17; DNS names in it carry the context tag 2."""

MOST_NAMES = 100
"""Names kept of a leaf; content networks put hundreds of customers on one."""

_CHAIN = msgspec.json.Decoder(list[Binary | str | None])
_LEAVES_KEPT = 2048
"""Chains remembered: the addresses of one site, and the next probe, show the same one."""


class Leaf(NamedTuple):
    """The leaf of a chain; empty = none seen."""

    sha256: str = ""
    subject: str = ""
    issuer: str = ""


NO_LEAF = Leaf()


def leaf_of(chain: Raw) -> Leaf:
    """The first of ``peer_certificates``; empty where there is none."""
    if len(memoryview(chain)) < 8:  # null, [], or no certificate at all
        return NO_LEAF
    return _leaf(bytes(chain))


@lru_cache(maxsize=_LEAVES_KEPT)
def _leaf(chain: bytes) -> Leaf:
    try:
        first = _CHAIN.decode(chain)[:1]
        text = first[0].data if first and isinstance(first[0], Binary) else (first[0] if first else None)
        der = b64decode(text) if isinstance(text, str) else b""
    except (msgspec.DecodeError, Base64Error, ValueError, RecursionError):
        return NO_LEAF
    return Leaf(sha256(der).hexdigest(), *_names(der)) if der else NO_LEAF


def _names(der: bytes) -> tuple[str, str]:
    """Subject names and issuer name: RFC 5280 section 4.1 puts the issuer before the subject."""
    try:
        tbs = next(_elements(next(_elements(der))[1]))[1]
        parts = [value for tag, value in _elements(tbs) if tag == 0x30]
        issuer, subject = _common_name(parts[1]), _common_name(parts[3])
    except (StopIteration, IndexError):
        return "", ""
    names = dict.fromkeys(([subject] if subject else []) + list(_alternative_names(tbs)))
    return " ".join(list(names)[:MOST_NAMES]), issuer


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, content) of each element of a DER sequence; stops where the bytes make no sense."""
    at = 0
    while at + 2 <= len(der):
        tag, size, begin = der[at], der[at + 1], at + 2
        if size & 0x80:
            begin += size & 0x7F
            size = int.from_bytes(der[at + 2 : begin], "big")
        if begin + size > len(der):
            return
        yield tag, der[begin : begin + size]
        at = begin + size


def _common_name(name: bytes) -> str:
    found = name.rfind(COMMON_NAME)
    value = next(_elements(name[found + len(COMMON_NAME) :]), None) if found >= 0 else None
    return _text(value[1]) if value else ""


def _alternative_names(tbs: bytes) -> Iterator[str]:
    found = tbs.find(ALTERNATIVE_NAMES)
    if found < 0:
        return
    for tag, value in _elements(tbs[found + len(ALTERNATIVE_NAMES) :]):
        if tag == 0x04:
            for kind, name in _elements(next(_elements(value), (0, b""))[1]):
                if kind == 0x82:
                    yield _text(name)
            return


def _text(value: bytes) -> str:
    name = value[:255].decode("utf-8", "replace")
    return name if name.isprintable() else "".join(c for c in name if c.isprintable())
