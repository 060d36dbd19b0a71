"""RIPE Atlas' API: the shapes of the answers about your own measurements.

Orders follow RIPE-NCC/ripe-atlas-cousteau at commit 7e926a73 (``measurement.py``, ``source.py``, ``request.py``) and
RIPE-NCC/ripe-atlas-tools at commit 4dd6cbc3 (``commands/measure/dns.py``, ``sslcert.py``).  Results follow the
firmware, RIPE-NCC/ripe-atlas-software-probe at commit 1fe2c6a3 (``probe-busybox/eperd/sslgetcert.c``, ``evtdig.c``),
and RIPE-NCC/ripe-atlas-sagan at commit 30616d3d (``ssl.py``, ``dns.py``, ``tests/test_ssl.py``).
"""

from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from fanous.errors import Rejected

T = TypeVar("T")

API = "https://atlas.ripe.net/api/v2"

PAGE = 500
"""Entries of one page of a list: the most that the API gives."""


class AtlasTag(Struct):
    slug: str


class AtlasVantagePoint(Struct):
    """An entry of ``/probes/``, for measuring from there."""

    id: int
    country_code: str | None
    asn_v4: int | None
    is_anchor: bool
    tags: list[AtlasTag]

    @property
    def slugs(self) -> set[str]:
        return {tag.slug for tag in self.tags}


class VantagePointPage(Struct):
    """One page of ``/probes/``; ``next`` is the address of the following one."""

    results: list[AtlasVantagePoint]
    next: str | None


class AtlasReceipt(Struct):
    """Answer to an order: the ids of the measurements, in the order of their definitions."""

    measurements: list[int]


class TlsAlert(Struct):
    level: int


class AtlasHandshake(Struct):
    """One result of a measurement of the type ``sslcert``; times are in milliseconds.

    A probe ends the connection once it has the certificates, so a successful handshake is one with a chain.

    Attributes:
        cert: the chain in PEM, the site's own first.
        err: what failed after the lookup; ``dnserr``: what failed in the lookup; ``error``: why the probe did not try.
    """

    prb_id: int
    timestamp: int
    dst_port: str
    dst_addr: str = ""
    cert: list[str] = []
    alert: TlsAlert | None = None
    err: str = ""
    dnserr: str = ""
    sockerr: str = ""
    error: str = ""
    ttc: float = 0.0
    rt: float = 0.0

    def __post_init__(self) -> None:
        told = (self.cert, self.alert, self.err, self.dnserr, self.sockerr, self.error)
        if not any(told):
            raise ValueError("neither a certificate nor an error")
        if not self.dst_addr and not (self.dnserr or self.sockerr or self.error):
            raise ValueError("a connection without `dst_addr`")
        if (self.cert or self.alert) and not (self.ttc and self.rt):
            raise ValueError("an answer without `ttc` or `rt`")


class DnsReply(Struct):
    """``abuf`` is the resolver's message, in base64."""

    abuf: str
    rt: float


class ResolverAnswer(Struct):
    """The answer of one of the probe's resolvers."""

    dst_addr: str = ""
    result: DnsReply | None = None
    error: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.result is None and self.error is None:
            raise ValueError("neither `result` nor `error`")


class AtlasLookup(Struct):
    """One result of a measurement of the type ``dns`` by the probe's own resolvers."""

    prb_id: int
    timestamp: int
    resultset: list[ResolverAnswer] = []
    error: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if not self.resultset and self.error is None:
            raise ValueError("neither `resultset` nor `error`")


def decoded(data: bytes | Raw, kind: type[T], what: str) -> T:
    """Raises:
    Rejected: a field is missing or has an unknown type.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f"RIPE Atlas' {what} no longer have the known shape: {error}") from None
