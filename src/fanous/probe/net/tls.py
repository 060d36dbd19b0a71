"""TLS: the standard library's ``ssl`` over memory buffers, so that every byte on the wire is ours to see.

The chain that the server sent is known also where it does not validate.
"""

import ssl
from functools import lru_cache
from typing import Any

import certifi

from fanous.probe.net.network import Stream

READ_SIZE = 16_384
"""Bytes of one read: the largest TLS record (RFC 8446 section 5.1)."""

_DER = 2
"""``_ssl.ENCODING_DER``, which is not public."""

_VERSIONS = {"TLSv1": "TLSv1.0"}
"""Python's name -> OONI's (df-006), where they differ."""


@lru_cache(maxsize=64)
def client_context(alpn: tuple[str, ...] = (), ca_file: str = "", verify: bool = True) -> ssl.SSLContext:
    """A context to share: making one reads all authorities, which takes 5-30 ms.

    Args:
        ca_file: PEM file of authorities; empty = Mozilla's, as certifi ships them.
        verify: ``False`` = accept any certificate (a control name at another site's address).
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
        hello: the first flight we sent, the ClientHello; empty = nothing was sent yet.
    """

    def __init__(self, stream: Stream, server_name: str, context: ssl.SSLContext) -> None:
        self._stream = stream
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=server_name)
        self.hello = b""

    async def handshake(self) -> None:
        """Complete the handshake.

        Raises:
            OSError: cut, silent, or refused; ``ssl.SSLCertVerificationError`` where the chain does not
                validate (it can be read from ``chain`` nevertheless).
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            except ssl.SSLError:
                await self._flush()  # the alert that tells the server why we leave
                raise
            else:
                await self._flush()
                return

    async def read(self, most: int = READ_SIZE) -> bytes:
        while True:
            try:
                return self._tls.read(most)
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
        """DER certificates as the server sent them, the leaf first; empty = none came."""
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
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()


def _unverified_chain(tls: ssl.SSLObject) -> list[bytes]:
    """Public since Python 3.13; before, the same call is there under a private name."""
    source: Any = tls if hasattr(tls, "get_unverified_chain") else getattr(tls, "_sslobj", None)
    try:
        chain = source.get_unverified_chain() or ()
    except (AttributeError, ValueError):
        return []
    return [one if isinstance(one, bytes) else one.public_bytes(_DER) for one in chain]
