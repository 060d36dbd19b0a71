"""TLS: the standard library's ``ssl`` over memory buffers, so that we see every byte on the wire.

The chain that the server sent is known even if it does not validate.

Some censors look at the whole message, not only at the name in it.  So if OpenSSL's hello fails, one that
differs in order, extensions, groups and GREASE is tried.
"""

import os
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

import certifi

from fanous.probe.net.failure import NetworkFailure
from fanous.probe.net.network import Stream

READ_SIZE = 16_384
"""Bytes of one read: the largest TLS record (RFC 8446 section 5.1)."""

MOST_UNREADABLE = 1 << 18
"""Bytes that may come in a row without one of content: a handshake, or tickets after it, have at most 100 KB of
certificates (OpenSSL's limit).  A server can send tickets without end."""

_DER = 2
"""``_ssl.ENCODING_DER``, which is not public."""

UNREADABLE = "unknown_failure: TLS records without content"

_VERSIONS = {"TLSv1": "TLSv1.0"}
"""Python's name -> OONI's (df-006), where they differ."""


@lru_cache(maxsize=64)
def client_context(alpn: tuple[str, ...] = (), ca_file: str = "", verify: bool = True) -> ssl.SSLContext:
    """A context to share: creating one reads all authorities, which takes 5-30 ms.

    Args:
        ca_file: PEM file of authorities; empty = Mozilla's, from certifi.
        verify: ``False`` = accept any certificate (for a control name at another site's address).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if verify:
        context.load_verify_locations(ca_file or certifi.where())
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


class TLSStream:
    """TLS on a connection; itself a ``Stream``.

    Attributes:
        hello: the first flight we sent, the ClientHello; empty = nothing sent yet.
    """

    def __init__(self, stream: Stream, server_name: str, context: ssl.SSLContext) -> None:
        self._stream = stream
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._unreadable = 0
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=server_name)
        self.hello = b""

    async def handshake(self) -> None:
        """Complete the handshake.

        Raises:
            OSError: cut, silent, or refused; ``ssl.SSLCertVerificationError`` if the chain does not validate (it is
                still available in ``chain``).
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            except ssl.SSLError:
                await self._flush()  # the alert that tells the server why we are leaving
                raise
            else:
                await self._flush()
                return

    async def read(self, most: int = READ_SIZE) -> bytes:
        while True:
            try:
                data = self._tls.read(most)
                self._unreadable = 0
                return data
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    async def write(self, data: bytes) -> None:
        self._tls.write(data)
        await self._flush()

    def close(self) -> None:
        self._stream.close()

    @property
    def chain(self) -> list[bytes]:
        """DER certificates as the server sent them, the leaf first; empty = none arrived."""
        return _unverified_chain(self._tls)

    @property
    def version(self) -> str:
        """``TLSv1.3``; empty before the handshake."""
        name = self._tls.version() or ""
        return _VERSIONS.get(name, name)

    @property
    def cipher(self) -> str:
        suite = self._tls.cipher()
        return suite[0] if suite else ""

    @property
    def alpn(self) -> str:
        """``h2``, ``http/1.1`` or empty."""
        return self._tls.selected_alpn_protocol() or ""

    async def _flush(self) -> None:
        data = self._out.read()
        if data:
            self.hello = self.hello or data
            await self._stream.write(data)

    async def _fill(self) -> None:
        data = await self._stream.read(READ_SIZE)
        self._unreadable += len(data)
        if self._unreadable > MOST_UNREADABLE:
            raise NetworkFailure(UNREADABLE)
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()


def _unverified_chain(tls: ssl.SSLObject) -> list[bytes]:
    """Public since Python 3.13; before that, the same call exists under a private name."""
    source: Any = tls if hasattr(tls, "get_unverified_chain") else getattr(tls, "_sslobj", None)
    try:
        chain = source.get_unverified_chain() or ()
    except (AttributeError, ValueError):
        return []
    return [c if isinstance(c, bytes) else c.public_bytes(_DER) for c in chain]


HANDSHAKE, ALERT = 22, 21
"""Types of a TLS record (RFC 8446 section 5.1)."""

CLIENT_HELLO, SERVER_HELLO = 1, 2

_GREASE = tuple(0x0A0A + 0x1010 * number for number in range(16))
"""Meaningless values that browsers insert (RFC 8701)."""

_CIPHERS = (
    *(0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8),
    *(0xC013, 0xC014, 0x009C, 0x009D, 0x002F, 0x0035),
)
"""Chromium's, in its order (boringssl ssl/ssl_cipher.cc; the names are IANA's TLS cipher suites)."""

_SIGNATURES = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)
_ML_KEM, _X25519, _P256, _P384 = 0x11EC, 29, 23, 24
_GROUPS = (_ML_KEM, _X25519, _P256, _P384)
"""Hybrid first, as Chromium has them since version 131 (draft-ietf-tls-ecdhe-mlkem: 0x11ec)."""

_ML_KEM_COEFFICIENTS, _ML_KEM_MODULUS = 768, 3329
"""FIPS 203, ML-KEM-768: an encapsulation key is this many numbers below the modulus, and a seed."""

_OCSP = b"\x01\x00\x00\x00\x00"


@dataclass(frozen=True, slots=True)
class HelloFingerprint:
    """What can be said about a ClientHello without its name.

    Attributes:
        ja3: version, ciphers, extensions, groups, point formats (as JA3 writes them, GREASE left out).
        bytes: of the record.
    """

    ja3: str
    bytes: int


def browser_hello(name: str, chance: Random | None = None, *, hybrid: bool = True) -> bytes:
    """The record of a ClientHello such as Chromium sends for ``name``.

    The handshake cannot be completed with it: it is sent to see whether a ServerHello comes back.

    Args:
        hybrid: with a post-quantum key, as browsers send today; ``False`` = it fits into one segment.
    """
    dice = chance or Random(os.urandom(16))
    extensions = _extensions(name, dice, hybrid)
    dice.shuffle(extensions)  # as Chromium does since version 110
    first, last = dice.sample(_GREASE, 2)
    wire = b"".join(
        kind.to_bytes(2, "big") + _long(body) for kind, body in [(first, b""), *extensions, (last, b"\x00")]
    )
    ciphers = _numbers([dice.choice(_GREASE), *_CIPHERS])
    body = (
        b"\x03\x03"
        + dice.randbytes(32)
        + _short(dice.randbytes(32))
        + _long(ciphers)
        + b"\x01\x00"
        + _long(wire)
    )
    message = bytes([CLIENT_HELLO]) + len(body).to_bytes(3, "big") + body
    return bytes([HANDSHAKE, 3, 1]) + _long(message)


def _extensions(name: str, dice: Random, hybrid: bool) -> list[tuple[int, bytes]]:
    """(type, content), of RFC 6066, 7301, 7627, 8446, 8879 and others as IANA numbers them."""
    group = dice.choice(_GREASE)
    shares = _share(group, b"\x00") + _share(_X25519, dice.randbytes(32))
    if hybrid:
        shares += _share(_ML_KEM, _ml_kem_key(dice) + dice.randbytes(32))
    return [
        (0, _long(b"\x00" + _long(name.encode("ascii")))),
        (5, _OCSP),
        (10, _long(_numbers([group, *_GROUPS[0 if hybrid else 1 :]]))),
        (11, _short(b"\x00")),
        (13, _long(_numbers(_SIGNATURES))),
        (16, _long(_short(b"h2") + _short(b"http/1.1"))),
        (18, b""),
        (23, b""),
        (27, _short(_numbers([2]))),
        (35, b""),
        (43, _short(_numbers([dice.choice(_GREASE), 0x0304, 0x0303]))),
        (45, _short(b"\x01")),
        (51, _long(shares)),
        (0x44CD, _long(_short(b"h2"))),
        (0xFE0D, _greased_ech(dice)),
        (0xFF01, _short(b"")),
    ]


def _greased_ech(dice: Random) -> bytes:
    """A dummy Encrypted ClientHello (draft-ietf-tls-esni section 6.2), as browsers send it."""
    suite = _numbers([1, 1]) + dice.randbytes(1)
    return b"\x00" + suite + _long(dice.randbytes(32)) + _long(dice.randbytes(144 + 32 * dice.randrange(4)))


def _ml_kem_key(dice: Random) -> bytes:
    """An encapsulation key without a private half: 12 bits per number, then the seed."""
    packed = 0
    for place in range(_ML_KEM_COEFFICIENTS):
        packed |= dice.randrange(_ML_KEM_MODULUS) << (12 * place)
    return packed.to_bytes(_ML_KEM_COEFFICIENTS * 12 // 8, "little") + dice.randbytes(32)


def fingerprint(record: bytes) -> HelloFingerprint | None:
    """The fingerprint of a client's first flight; ``None`` = it is not a ClientHello.

    Source of the form: github.com/salesforce/ja3.
    """
    try:
        return HelloFingerprint(_ja3(_message(record)), len(record))
    except (IndexError, ValueError):
        return None


def _message(flight: bytes) -> bytes:
    """The handshake message from its records, without its header."""
    message = b""
    while flight:
        if flight[0] != HANDSHAKE:
            raise ValueError("no handshake")
        size = int.from_bytes(flight[3:5], "big")
        message, flight = message + flight[5 : 5 + size], flight[5 + size :]
    if message[0] != CLIENT_HELLO or len(message) < 4 + int.from_bytes(message[1:4], "big"):
        raise ValueError("no whole ClientHello")
    return message[4:]


def _ja3(hello: bytes) -> str:
    at = 34 + 1 + hello[34]
    ciphers, at = _take(hello, at, 2)
    _, at = _take(hello, at, 1)
    extensions, _ = _take(hello, at, 2)
    kinds, groups, formats = list[int](), b"", b""
    while extensions:
        kind = int.from_bytes(extensions[:2], "big")
        body, end = _take(extensions, 2, 2)
        kinds.append(kind)
        groups = body[2:] if kind == 10 else groups
        formats = body[1:] if kind == 11 else formats
        extensions = extensions[end:]
    fields = (_pairs(ciphers), kinds, _pairs(groups), formats)
    version = int.from_bytes(hello[:2], "big")
    return ",".join([str(version), *("-".join(str(n) for n in f if n not in _GREASE) for f in fields)])


def _take(data: bytes, at: int, width: int) -> tuple[bytes, int]:
    """A length-prefixed field, and where the next one begins."""
    begin = at + width
    end = begin + int.from_bytes(data[at:begin], "big")
    if end > len(data):
        raise ValueError("cut off")
    return data[begin:end], end


def _pairs(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def _numbers(values: Iterable[int]) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


def _short(content: bytes) -> bytes:
    return bytes([len(content)]) + content


def _long(content: bytes) -> bytes:
    return len(content).to_bytes(2, "big") + content


def _share(group: int, key: bytes) -> bytes:
    return group.to_bytes(2, "big") + _long(key)
