"""Globalping's API: the shapes of its answers.

They follow jsdelivr/globalping at commit 52c0c192 (``public/v1/components/schemas.yaml``: ``MeasurementRequest``,
``MeasurementResponse``, ``FinishedHttpTestResult``, ``FinishedSimpleDnsTestResult``, ``FailedTestResult``).
"""

from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from fanous.errors import Rejected

API = "https://api.globalping.io"

EYEBALL, DATACENTRE = "eyeball-network", "datacenter-network"
"""Tags by which Globalping tells lines of users from those of data centres (``schemas.yaml``, ``Tags``)."""


class ProbeLocation(Struct):
    """``ProbeLocation`` without its place: we count by network, and a city might identify a person."""

    country: str
    asn: int
    network: str
    tags: list[str]
    resolvers: list[str]


class ListedLocation(Struct):
    country: str
    asn: int


class ListedVantagePoint(Struct):
    """An entry of ``GET /v1/probes``."""

    location: ListedLocation
    tags: list[str]


class Item(Struct):
    """``MeasurementResultItem``; the content of ``result`` depends on its status."""

    probe: ProbeLocation
    result: Raw


class RemoteAnswer(Struct):
    """``MeasurementResponse``."""

    id: str
    type: str
    status: str
    created: str = msgspec.field(name="createdAt")
    target: str
    results: list[Item]


class Created(Struct):
    """``CreateMeasurementResponse``."""

    id: str
    probes: int = msgspec.field(name="probesCount")


class TestLimit(Struct):
    """``RateLimitDetails``: tests in the current hour, and seconds until it ends."""

    limit: int
    remaining: int
    reset: int


class _Create(Struct):
    create: TestLimit


class _Measurements(Struct):
    measurements: _Create


class Limits(Struct):
    """``Limits``."""

    rate: _Measurements = msgspec.field(name="rateLimit")


class _Status(Struct):
    status: str


class Failed(Struct):
    """``FailedTestResult``."""

    message: str = msgspec.field(name="rawOutput")
    source: str = msgspec.field(name="failureSource", default="")


class Timings(Struct, rename={"first_byte": "firstByte"}):
    """Milliseconds; each begins where the one before it ended."""

    dns: float | None
    tcp: float | None
    tls: float | None
    first_byte: float | None
    download: float | None


class Certificate(Struct):
    authorized: bool
    error: str = ""


class FinishedPage(Struct, rename={"body": "rawBody", "code": "statusCode", "address": "resolvedAddress"}):
    """``FinishedHttpTestResult``."""

    body: str | None
    truncated: bool
    headers: dict[str, str | list[str]]
    code: int
    address: str | None
    timings: Timings
    tls: Certificate | None


class _Total(Struct):
    total: float


class DnsRecord(Struct):
    type: str
    ttl: int
    value: str


class FinishedLookup(Struct, rename={"code": "statusCodeName"}):
    """``FinishedSimpleDnsTestResult``."""

    code: str | None
    answers: list[DnsRecord]
    timings: _Total


FINISHED, FAILED = "finished", "failed"
T = TypeVar("T")


def decoded(data: bytes | Raw, kind: type[T], what: str) -> T:
    """Raises:
    Rejected: a field is missing or does not have the type that the API declares.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f"Globalping's {what} no longer has the declared shape: {error}") from None


def result_of(item: Item, kind: type[T]) -> T | Failed | None:
    """The result of a probe's test; ``None`` = the probe could not run it.

    Raises:
        Rejected: see ``decoded``.
    """
    status = decoded(item.result, _Status, "result").status
    if status == FINISHED:
        return decoded(item.result, kind, "result")
    return decoded(item.result, Failed, "result") if status == FAILED else None
