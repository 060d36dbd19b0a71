"""Document: the parts of OONI's data format 0.2.0 that become facts, as typed structures.

Source: ooni/spec data-formats df-000 to df-008 and nettests ts-017 to ts-029.  Every field may be missing or null,
since old probes wrote less.  Fields that no fact needs are not listed, and cost nothing to skip.

The fast path decodes straight into these structures.  If a field has another type than the format says, the record is
salvaged: it is taken apart field by field, what still makes sense is kept ("443" is a port), and each loss is noted
with its place and reason.

Anyone can upload a record.  Reading one must end, so every kind of work that a record can cause is either linear
in its bytes or limited here, and a record that causes more is rejected as too costly.  For storage, limits are
counts, so that a replay of the archive rejects the same records on every machine; each count represents about
a second or two of work, and is more than ten times what the largest real records need.  Only the search for addresses,
which no replay repeats, also has a limit in seconds.
"""

from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, DecodeError, Raw, Struct, ValidationError
from msgspec.json import Decoder
from msgspec.structs import fields

from fanous.errors import Rejected
from fanous.model.threshold import threshold

MOST_STEPS = 2_000
"""Steps (lookups, connections, handshakes, requests, downloads) of one record, the helper's included.  Rules compare
each with all others, at 0.3 µs a pair.  The most in OONI's records that we have is 137."""

MOST_EVENTS_READ = 2_000_000
"""Network events read, once for each step of their transaction: 2 s.  Downloads have some thousands."""

MOST_REPAIRS = 20_000
"""Values of another type than their field's that are taken apart one by one, at 60 µs each."""

MOST_ANSWERS = 20_000
"""Addresses answered by all lookups of one record: 2 s of rules.  The longest real answers have some dozens."""

MOST_LOOKUPS = 5_000_000
"""Texts shaped like an address that are looked up, at 0.5 to 3 µs each; real records have one for each ten bytes at
most, and the largest have 20 MB."""

MOST_SECONDS = 10.0
"""Processor time for the addresses of one record: three times what 20 MB of pages take on a laptop."""

DOOR_SECONDS = 2.0
"""The same if strangers send records and others wait behind them."""

MOST_ROWS_BYTES = 64 << 20
"""Bytes of all rows of one measurement in a table, the same as for one record in JSON."""


class TooCostly(Rejected):
    """The record causes more work than any real one."""

    def __init__(self, why: str) -> None:
        super().__init__(f"too costly: {why}")


Number = int | float | None
"""Seconds since the measurement began."""

NULL = Raw(b"null")


class DocumentPart(Struct, gc=False, omit_defaults=True):
    """A part of a record; written again (``keep``), it has only the fields that were read."""


class Binary(DocumentPart):
    """df-001: bytes that are not UTF-8 are written in base64.

    ``x_length`` is ours: a page of so many bytes; only its title, in UTF-8, was kept (``keep``).
    """

    data: str | None = None
    format: str | None = None
    x_length: Number = None


Text = str | Binary | None


class ShownCertificate(DocumentPart):
    """df-006: a certificate as it was shown, DER in base64; of one that was stored, ``x_issuer`` and ``x_names`` are
    what rules read of it (``keep.shown_of``)."""

    data: str | None = None
    format: str | None = None
    x_issuer: str | None = None
    x_names: list[str] | None = None


class Chain(DocumentPart):
    """df-006: the certificates of a handshake, the leaf first."""

    shown: list[ShownCertificate | str | None]


class AnswerRecord(DocumentPart):
    """df-002."""

    ipv4: str | None = None
    ipv6: str | None = None
    asn: Number = None
    ttl: int | float | str | None = None


class QueryRecord(DocumentPart):
    """df-002; ``x_resolver_name`` is ours, for public resolvers only.  Of ``resolver_address``, only the URL of one
    that OONI's engine asks is kept: an address may be that of a user's own router."""

    hostname: str | None = None
    query_type: str | None = None
    engine: str | None = None
    failure: Any = None
    getaddrinfo_error: Number = None
    answers: list[AnswerRecord] | None = None
    resolver_address: str | None = None
    x_resolver_name: str | None = None
    t0: Number = None
    t: Number = None


class ConnectStatus(DocumentPart):
    """df-005; ``failure: false`` in some versions, absent in others."""

    success: bool | None = None
    failure: Any = None


class Connect(DocumentPart):
    """df-005."""

    ip: str | None = None
    port: Number = None
    status: ConnectStatus | None = None
    t0: Number = None
    t: Number = None


class Handshake(DocumentPart):
    """df-006; ``network`` is udp or quic for QUIC.  ``steps.leaf_of`` reads ``peer_certificates``."""

    network: str | None = None
    address: str | None = None
    failure: Any = None
    no_tls_verify: bool | None = None
    peer_certificates: Any = UNSET
    server_name: str | None = None
    t0: Number = None
    t: Number = None
    transaction_id: Number = None


class RequestRecord(DocumentPart):
    """df-001."""

    url: str | None = None


class Response(DocumentPart, gc=True, dict=True):
    """df-001; ``page.headers_of`` reads the headers.  It has room for the page read from it (``page.page_of``)."""

    body: Text = None
    body_is_truncated: bool | None = None
    code: Number = None
    headers: Any = UNSET
    headers_list: Any = UNSET


class Transaction(DocumentPart):
    """df-001; ``requests`` lists the newest first."""

    address: str | None = None
    failure: Any = None
    request: RequestRecord | None = None
    response: Response | None = None
    t0: Number = None
    t: Number = None
    transaction_id: Number = None


class NetworkEvent(DocumentPart):
    """df-008."""

    operation: str | None = None
    address: str | None = None
    failure: Any = None
    num_bytes: Number = None
    t: Number = None
    transaction_id: Number = None


class HelperConnect(DocumentPart):
    """ts-017: what the test helper saw of one endpoint (TCP, TLS or QUIC)."""

    server_name: str | None = None
    status: bool | None = None
    failure: Any = None


class HelperPage(DocumentPart):
    """ts-017: the page as the test helper got it; ``-1`` if it got none.

    ``x_seconds`` is written by our own helper: how long the whole page took.
    """

    body_length: Number = None
    x_seconds: Number = None
    failure: Any = None
    title: str | None = None
    headers: Any = UNSET
    status_code: Number = None


class HelperLookup(DocumentPart):
    """ts-017."""

    failure: Any = None
    addrs: list[str] | None = None


class IPInfo(DocumentPart):
    """ts-017."""

    asn: Number = None


class Control(DocumentPart):
    """ts-017: the answer of the test helper; empty if it gave none."""

    tcp_connect: dict[str, HelperConnect] | None = None
    tls_handshake: dict[str, HelperConnect] | None = None
    quic_handshake: dict[str, HelperConnect] | None = None
    http_request: HelperPage | None = None
    dns: HelperLookup | None = None
    ip_info: dict[str, IPInfo | None] | None = None


class ControlRequest(DocumentPart):
    """ts-017: what the test helper was asked."""

    http_request: str | None = None


class StepKeys(DocumentPart):
    """What every nettest that connects somewhere records."""

    queries: list[QueryRecord] | None = None
    tcp_connect: list[Connect] | None = None
    tls_handshakes: list[Handshake] | None = None
    quic_handshakes: list[Handshake] | None = None
    requests: list[Transaction] | None = None
    network_events: list[NetworkEvent] | None = None


class DownloadRecord(DocumentPart):
    """One of our own probe's ``x_transfers``: the target's page or a control's, in turn."""

    role: str | None = None
    url: str | None = None
    code: Number = None
    address: str | None = None
    failure: Any = None
    t0: Number = None
    bytes: Number = None
    seconds: Number = None
    kbps: Number = None
    kbps_late: Number = None
    largest_gap: Number = None


class Opinion(DocumentPart):
    """One of our own probe's ``x_second_opinions``."""

    address: str | None = None
    server_name: str | None = None
    answer: str | None = None
    failure: Any = None


class ResolverKeys(DocumentPart):
    """ts-017 ``x_doh``, since 0.5: how the name of the encrypted resolver itself was looked up."""

    queries: list[QueryRecord] | None = None


class WebKeys(StepKeys):
    """ts-017 web_connectivity, and what our own probe adds to it."""

    x_doh: ResolverKeys | None = None
    control: Control | None = None
    control_failure: Any = None
    x_control_request: ControlRequest | None = None
    x_transfers: list[DownloadRecord] | None = None
    x_second_opinions: list[Opinion] | None = None


class TorTarget(StepKeys):
    """ts-023."""

    failure: Any = None
    target_address: str | None = None
    target_protocol: str | None = None


class TorKeys(DocumentPart):
    """ts-023: a map by name; a list in versions before 0.1."""

    targets: dict[str, TorTarget] | list[TorTarget] | None = None


class Server(DocumentPart):
    hostname: str | None = None


class RatesRecord(DocumentPart):
    """ts-021 (median_bitrate) and ts-022 (download), in kbit/s."""

    download: Number = None
    median_bitrate: Number = None


class Progress(DocumentPart, rename={"num_bytes": "NumBytes", "microseconds": "ElapsedTime"}):
    """ts-022: since the download began."""

    num_bytes: Number = None
    microseconds: Number = None


class Sample(DocumentPart, rename={"progress": "AppInfo"}):
    """ts-022 ``download`` and ts-021 ``receiver_data``, one interval."""

    progress: Progress | None = None
    received: Number = None
    elapsed: Number = None


class TransferKeys(DocumentPart):
    """ts-021 dash, ts-022 ndt; ``simple`` in dash and in old versions of ndt."""

    failure: Any = None
    server: Server | None = None
    server_address: str | None = None
    simple: RatesRecord | None = None
    summary: RatesRecord | None = None
    download: list[Sample] | None = None
    receiver_data: list[Sample] | None = None


class LookRecord(DocumentPart):
    """Our own ``x_health``: a probe's findings about its line."""

    online: bool | None = None
    portal: bool | None = None
    intranet_only: bool | None = None
    spared: list[str] | None = None
    controls: dict[str, bool] | None = None


class Timed(DocumentPart):
    """How long a step took; not with whom."""

    failure: Any = None
    t0: Number = None
    t: Number = None


class HealthKeys(DocumentPart):
    """Our own nettest ``fanous_health``; of its steps, only look-ups and the duration of handshakes are read."""

    x_health: LookRecord | None = None
    queries: list[QueryRecord] | None = None
    tls_handshakes: list[Timed] | None = None


class Annotations(DocumentPart):
    """``synthetic`` and ``x_clock`` say that a record was staged (``sources.marks``, ``monitor.clock``)."""

    network_type: str | None = None
    synthetic: Any = UNSET
    x_clock: Any = UNSET


class PlaceNote(DocumentPart):
    """Where a probe says that it is, or where its address is."""

    probe_cc: str | None = None
    probe_asn: int | float | str | None = None


class CollectorNote(DocumentPart):
    """What our collector knows of a measurement.

    Attributes:
        vouched: its operator answers for the sender; anything but true = a stranger sent it.
        credential: keyed digest of the sender's pseudonym on this network, proved; ``None`` = nothing was.
        volunteer: the pseudonym is a known volunteer's (``collector.volunteers``); anything but true = it is not.
    """

    received: str | None = None
    vouched: bool | None = None
    credential: str | None = None
    volunteer: bool | None = None
    claimed: PlaceNote | None = None
    derived: PlaceNote | None = None


class Header(DocumentPart):
    """df-000 without ``test_keys``; ``x_recorded`` is a mark of the lab, ``x_collector`` our collector's note, and
    ``x_received`` the time of receipt of a record that left a store."""

    test_name: str | None = None
    test_version: str | None = None
    measurement_uid: str | None = None
    report_id: str | None = None
    probe_id: str | None = None
    measurement_start_time: str | None = None
    test_start_time: str | None = None
    probe_cc: str | None = None
    probe_asn: int | float | str | None = None
    probe_network_name: str | None = None
    resolver_asn: int | float | str | None = None
    software_name: str | None = None
    software_version: str | None = None
    input: str | list[Any] | None = None
    annotations: Annotations | None = None
    x_recorded: Any = UNSET
    x_collector: CollectorNote | None = None
    x_received: str | None = None


class Document(Header):
    """df-000; ``test_keys`` is read with the structure of its nettest."""

    test_keys: Raw = NULL


class WebDocument(Header):
    """A record of web_connectivity, read in one pass: most records are of this nettest."""

    test_keys: WebKeys | None = None


T = TypeVar("T")

MAX_NOTES = threshold(
    "sources.notes",
    20,
    "Notes kept for one record: if more is wrong with it, the first ones describe it well enough.",
)

_LOST = object()


@cache
def _decoder(kind: Any, strict: bool) -> Decoder[Any]:
    return Decoder(kind, strict=strict)


def decode(data: bytes | Raw, kind: type[T], place: str, notes: list[str]) -> T | None:
    """``data`` as ``kind``; parts that could not be read are added to ``notes``.

    Returns:
        ``None`` if nothing in it could be read.

    Raises:
        Rejected: it is not JSON, is nested too deeply, or has too many errors.
    """
    try:
        try:
            whole: T = _decoder(kind, True).decode(data)  # type: ignore[arg-type]  # a type is hashable
        except ValidationError:
            parts = _salvage(data, kind, place, _Losses(notes))
            return None if parts is _LOST else parts
        return whole
    except (DecodeError, UnicodeDecodeError) as error:
        raise Rejected(f"not JSON: {error}") from error
    except RecursionError as error:
        raise Rejected("nested deeper than any measurement is") from error


class _Losses:
    """Parts that could not be read: the first ``MAX_NOTES`` in words, and how often anything had to be taken apart."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes
        self._repairs = 0

    def note(self, text: str) -> None:
        if len(self._notes) < MAX_NOTES:
            self._notes.append(text)

    def repair(self) -> None:
        self._repairs += 1
        if self._repairs > MOST_REPAIRS:
            raise TooCostly(f"more than {MOST_REPAIRS:,} of its values have the wrong type for their field")


def _salvage(data: bytes | Raw, kind: Any, place: str, losses: _Losses) -> Any:
    losses.repair()
    try:
        return _decoder(kind, False).decode(data)
    except ValidationError as error:
        kept = _take_apart(data, kind, place, losses)
        if kept is _LOST:
            losses.note(f"{place}: {str(error).split(' - at ')[0]}")
        return kept
    except (DecodeError, UnicodeDecodeError) as error:
        losses.note(f"{place}: {error}")
        return _LOST
    except RecursionError:
        losses.note(f"{place}: nested deeper than any measurement is")
        return _LOST


def _take_apart(data: bytes | Raw, kind: Any, place: str, losses: _Losses) -> Any:
    first = bytes(data[:64] if isinstance(data, bytes) else memoryview(data)[:64]).lstrip()[:1]
    for member in get_args(kind) if get_origin(kind) in (Union, type(int | str)) else (kind,):
        container = get_origin(member) or member
        if first == b"[" and container is list:
            raws = msgspec.json.decode(data, type=list[Raw])
            of = get_args(member)[0]
            parts = [_salvage(raw, of, f"{place}[{n}]", losses) for n, raw in enumerate(raws)]
            return [part for part in parts if part is not _LOST]
        if first == b"{" and container is dict:
            named = msgspec.json.decode(data, type=dict[str, Raw])
            of = get_args(member)[1]
            kept = {key: _salvage(raw, of, f"{place}.{key[:60]}", losses) for key, raw in named.items()}
            return {key: part for key, part in kept.items() if part is not _LOST}
        if first == b"{" and isinstance(member, type) and issubclass(member, Struct):
            return _fields(data, member, place, losses)
    return _LOST


def _fields(data: bytes | Raw, kind: type[Struct], place: str, losses: _Losses) -> Struct:
    raws = msgspec.json.decode(data, type=dict[str, Raw])
    kept: dict[str, Any] = {}
    for field in fields(kind):
        if field.encode_name in raws:
            value = _salvage(raws[field.encode_name], field.type, f"{place}.{field.name}", losses)
            if value is not _LOST:
                kept[field.name] = value
    return kind(**kept)
