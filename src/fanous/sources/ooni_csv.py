"""OONI CSV: exports of OONI's observation tables, one row per observation, as researchers share them.

They have no probe ids and no controls, and they repeat rows; which columns there are depends on the export.  A record
is all distinct rows of one measurement, and counts are in rows: every row ends up in a record (``items``), as a
repetition (``duplicates``) or rejected.  The rows of a measurement may be tens of thousands of rows apart, so a file
of any size goes through a temporary SQLite database, which lives on disk and vanishes when it is closed.

A row may have a lookup, a connection, a handshake and a request at once.  A step was taken if the row has its failure
or something it measured: ``tls_success`` and ``tcp_success`` are no guide, since they are 0 on rows without the step
and 1 on failed ones.  Newer tables have no missing values, and write 0 for a count or time that does not exist.
"""

import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from itertools import chain, groupby
from math import isnan
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from fanous.analysis.rules.authorities import known_issuer, names_for
from fanous.analysis.rules.fingerprints import Fingerprint, passages
from fanous.errors import FanousError, Rejected
from fanous.model.measurement import Layer, Observation, ParsedMeasurement, Record, is_address
from fanous.model.place import Family
from fanous.model.threshold import threshold
from fanous.refdata.platforms import target_of
from fanous.sources.connector import ALL, UNWATCHED, MeasurementSource, OnProgress, OnReject, Working
from fanous.sources.csv_file import CsvFile
from fanous.sources.ooni import nettests
from fanous.sources.ooni.content import scrub
from fanous.sources.ooni.document import MOST_ROWS_BYTES, Annotations, Header, TooCostly
from fanous.sources.ooni.keep import ENGINES, network_form
from fanous.sources.ooni.parse import bounded, web_role
from fanous.sources.ooni.redact import PublicRecord, public_title, shown_in_title
from fanous.sources.ooni.source import CREDIT, LICENCE, PAGE
from fanous.sources.ooni.steps import RESOLVERS, RoleOf, cert_valid
from fanous.sources.ooni.values import (
    LONGEST_URL,
    NETWORK_TYPES,
    address_form,
    address_of,
    asn_of,
    count_of,
    duration,
    failure_of,
    host_and_port,
    host_of,
    in_words,
    measurement_of,
    name_form,
    port_of,
    query_type_of,
    software_of,
    version_of,
)
from fanous.sources.redaction import (
    HIDDEN,
    digest,
    pruned,
    quiet_url,
    to_minute,
    without_mail,
)

SOURCE = "ooni-csv"
VERSION = 1
"""Version of the shape of ``Record.data``: ``{"ooni_csv": 1, "rows": [{...}]}``."""

REQUIRED = ("measurement_uid", "probe_cc", "probe_asn", "measurement_start_time", "test_name")

STEPS = ("dns", "tcp", "tls", "http")
"""Steps, which are the prefixes of their columns; without its failures, a step looks as if it always worked."""

NOTHING = frozenset({"", "\\N", "NULL", "null", "None", "nan", "NaN"})
"""What exporters write for a missing value."""

LONGEST_LINE = threshold(
    "sources.csv_line_bytes", 4 << 20, "A longer line is not a row of a table: a row has some 1 KB."
)

LONGEST_UID = 200
MOST_ROWS = threshold(
    "sources.csv_rows", 5000, "Distinct rows kept for one measurement; a messenger's has up to about 100."
)

BATCH = 5000
"""Rows written at once; 5,000 of them are about 3 MB."""

CACHE_KIB = 32_768
"""Memory that SQLite may use for pages before it writes to disk."""

_SCHEMA = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE rows (
        uid TEXT NOT NULL, digest BLOB NOT NULL, line INTEGER NOT NULL, data BLOB NOT NULL,
        copies INTEGER NOT NULL, PRIMARY KEY (uid, digest)
    ) WITHOUT ROWID;
"""
_ADD = """
    INSERT INTO rows VALUES (?, ?, ?, ?, 1)
    ON CONFLICT (uid, digest) DO UPDATE SET copies = copies + 1
"""
_IN_ORDER = "SELECT uid, line, data, copies FROM rows ORDER BY uid"


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A distinct row.

    Attributes:
        line: 1-based line of its first copy.
        data: its non-empty fields as a JSON object.
        copies: how often the file contains it.
    """

    line: int
    data: bytes
    copies: int


class Grouping:
    """A temporary table of rows; a context manager."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        if tempfile.tempdir:  # a confined reader has one, and SQLite looks for its own when it is loaded
            folder = tempfile.tempdir.replace("'", "''")
            self._database.execute(f"PRAGMA temp_store_directory = '{folder}'")
        self._database.executescript(_SCHEMA)
        self._database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._waiting: list[tuple[str, bytes, int, bytes]] = []

    def __enter__(self) -> "Grouping":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, uid: str, line: int, data: bytes) -> None:
        """Remember one row of ``uid``."""
        self._waiting.append((uid, blake2b(data, digest_size=16).digest(), line, data))
        if len(self._waiting) >= BATCH:
            self._write()

    def groups(self) -> Iterator[tuple[str, Iterator[CsvRow]]]:
        """Each ``uid`` in order with its distinct rows; the rows are in no order."""
        self._write()
        cursor = self._database.execute(_IN_ORDER)
        for uid, rows in groupby(cursor, key=lambda row: str(row[0])):
            yield uid, (CsvRow(line, data, copies) for _, line, data, copies in rows)

    def _write(self) -> None:
        try:
            self._database.execute("BEGIN")
            self._database.executemany(_ADD, self._waiting)
            self._database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise FanousError(
                f"Cannot sort the rows in the folder for temporary files: {error}. Free some space there, "
                "or choose another folder with SQLITE_TMPDIR."
            ) from error
        self._waiting.clear()


def read(path: Path, on_reject: OnReject, on_progress: OnProgress | None = None) -> Iterator[Record]:
    """Records of one file; see ``MeasurementSource.read``."""
    table, is_checked = CsvFile(path, on_reject, on_progress, LONGEST_LINE), False
    with Grouping() as grouping:
        for line, row in table.rows(REQUIRED):
            if not is_checked:
                _check_columns(table.columns, path)
                is_checked = True
            fields = {
                name: value for name, value in zip(table.columns, row, strict=True) if value not in NOTHING
            }
            uid = fields.get("measurement_uid", "").strip()
            if uid in NOTHING or len(uid) > LONGEST_UID:
                on_reject(
                    line, "no measurement_uid" if uid in NOTHING else "the measurement_uid is longer than any"
                )
                continue
            try:
                grouping.add(uid, line, scrub(msgspec.json.encode(fields)))
            except TooCostly as error:
                on_reject(line, str(error))
        for uid, rows in grouping.groups():
            yield _record(path, uid, rows, on_reject)


def _check_columns(columns: list[str], path: Path) -> None:
    """Refuse a table with columns of a step, but not the one that says whether it failed."""
    blind = [
        f"{step}_failure"
        for step in STEPS
        if f"{step}_failure" not in columns and any(name.startswith(f"{step}_") for name in columns)
    ]
    if blind:
        raise FanousError(
            f"{path} lacks {', '.join(blind)}: without it everything would seem to have worked; export the "
            f"table with it"
        )


def _record(path: Path, uid: str, rows: Iterator[CsvRow], on_reject: OnReject) -> Record:
    kept: list[CsvRow] = []
    size = 0
    for row in rows:
        size += len(row.data)
        if len(kept) < MOST_ROWS and size <= MOST_ROWS_BYTES:
            kept.append(row)
            continue
        for _ in range(row.copies):
            on_reject(row.line, f"more than {MOST_ROWS:,} rows, or 64 MiB, of the measurement {uid}")
    kept.sort(key=lambda row: row.line)
    data = b'{"ooni_csv":%d,"rows":[' % VERSION + b",".join(row.data for row in kept) + b"]}"
    duplicates = sum(row.copies - 1 for row in kept)
    return Record(SOURCE, data, str(path), kept[0].line, items=len(kept), duplicates=duplicates)


Fields = dict[str, str]
"""Non-empty columns of one row."""

NO_CONTROL = "control_not_in_file"
"""``control_failure`` of a web_connectivity measurement: the export leaves out what the helper saw."""


class _Content(Struct):
    rows: list[Fields]


_content = msgspec.json.Decoder(_Content)


def _rows_of(data: bytes) -> list[Fields]:
    try:
        return _content.decode(data).rows
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f"not a record of rows: {error}") from error


def parse(record: Record) -> ParsedMeasurement:
    """The measurement with its observations; raises ``Rejected``."""
    rows = _rows_of(record.data)
    if not rows:
        raise Rejected("no rows")
    notes: list[str] = []
    document = _document(rows)
    target, role = _subject(document.test_name or "", rows)
    # Compared by content: two facts that both lack a time are not equal, since NaN is not.
    steps = (
        chain(lookups(rows, target, role), *(endpoint_facts(row, target, role) for row in rows))
        if role
        else ()
    )
    facts = {repr(fact): fact for fact in bounded(steps)}
    observations = tuple(facts.values())
    header = measurement_of(document, _no_uid, target, "", notes)
    control = NO_CONTROL if document.test_name == "web_connectivity" else None
    return ParsedMeasurement(header, observations, control, tuple(notes))


def _subject(test_name: str, rows: list[Fields]) -> tuple[str, RoleOf | None]:
    """What the measurement is about and the roles of its hosts; no roles = a nettest without observations."""
    if test_name in nettests.PLATFORMS:
        return nettests.PLATFORMS[test_name], partial(nettests.messenger_role, test_name)
    if test_name == "tor":
        return nettests.TARGET, nettests.tor_role
    if test_name == "web_connectivity":
        target = target_of(_measured_host(rows))
        return target, partial(web_role, target)
    return "", None


def _measured_host(rows: list[Fields]) -> str:
    """Host of the input; if the export lacks it, that of the first URL or name."""
    for column, host in (
        ("input", lambda value: host_and_port(value)[0]),
        ("http_request_url", lambda value: host_and_port(value)[0]),
        ("hostname", host_of),
        ("fqdn", host_of),
    ):
        found = next((name for row in rows if (name := host(row.get(column, "")))), "")
        if found:
            return found
    return ""


def _document(rows: list[Fields]) -> Header:
    """The header's columns, each from the first row that has it."""

    def field(name: str) -> str | None:
        return next((row[name] for row in rows if name in row), None)

    return Header(
        test_name=field("test_name"),
        test_version=field("test_version"),
        measurement_uid=field("measurement_uid"),
        report_id=field("report_id"),
        measurement_start_time=field("measurement_start_time"),
        probe_cc=field("probe_cc"),
        probe_asn=_whole(field("probe_asn")),
        probe_network_name=field("probe_as_org_name"),
        resolver_asn=_whole(field("resolver_asn")),
        software_name=field("software_name"),
        software_version=field("software_version"),
        input=field("input"),
        annotations=Annotations(field("network_type")),
        x_received=field("x_received"),
    )


def _whole(text: str | None) -> str | None:
    """``12556.0`` -> ``12556``: data frames write whole numbers like that."""
    return text.removesuffix(".0") if text else text


def _no_uid() -> str:
    raise Rejected("no measurement_uid")


TRUE = frozenset({"1", "1.0", "true", "True", "t"})
FALSE = frozenset({"0", "0.0", "false", "False", "f"})

_TLS_SIGNS = (
    "tls_failure",
    "tls_version",
    "tls_cipher_suite",
    "tls_end_entity_certificate_fingerprint",
    "tls_end_entity_certificate_subject",
)
_TLS_COUNTS = ("tls_handshake_time", "tls_handshake_read_count")
_LISTED = re.compile(r"'([^']{1,255})'")
_LookupKey = tuple[str, str, str, str | None]


def lookups(rows: list[Fields], target: str, role: RoleOf) -> Iterator[Observation]:
    """One observation for each lookup: the table has a row for each of its answers."""
    answers: dict[_LookupKey, dict[str, int]] = {}
    for row in rows:
        if not ("dns_engine" in row or "dns_failure" in row or "dns_answer" in row):
            continue
        address = address_of(row.get("dns_answer"))
        # The export often lacks it; the answer's address family shows it.
        of_answer = ("AAAA" if ":" in address else "A") if address else ""
        query_type = query_type_of(row.get("dns_query_type")) or of_answer
        key = (
            _host(row),
            RESOLVERS.get(row.get("dns_engine", ""), "system"),
            query_type,
            failure_of(row.get("dns_failure")),
        )
        known = answers.setdefault(key, {})
        if address:
            known[address] = known.get(address) or _answer_asn(row, address)
    for (hostname, resolver, query_type, failure), found in answers.items():
        yield Observation(
            layer=Layer.DNS,
            target=target,
            hostname=hostname,
            role=role(hostname),
            failure=failure,
            resolver=resolver,
            query_type=query_type,
            answers=tuple(found),
            answer_asns=tuple(found.values()),
            ttls=(-1,) * len(found),
        )


def endpoint_facts(row: Fields, target: str, role: RoleOf) -> Iterator[Observation]:
    """Connection, handshake and request of one row, those that it has."""
    hostname, ip, port = _host(row), address_of(row.get("ip")), port_of(_number(row.get("port")))
    if "tcp_failure" in row or row.get("tcp_success") in TRUE:
        yield Observation(
            layer=Layer.TCP,
            target=target,
            hostname=hostname,
            role=role(hostname),
            ip=ip,
            port=port,
            failure=failure_of(row.get("tcp_failure")),
        )
    if any(sign in row for sign in _TLS_SIGNS) or any(_number(row.get(name)) for name in _TLS_COUNTS):
        yield _handshake(row, target, role, hostname, ip, port)
    if "http_request_url" in row:
        yield _request(row, target, role)


def _handshake(row: Fields, target: str, role: RoleOf, hostname: str, ip: str, port: int) -> Observation:
    name = host_of(row.get("tls_server_name")) or hostname
    failure = failure_of(row.get("tls_failure"))
    names = [row.get("tls_end_entity_certificate_subject_common_name", "")]
    names += _LISTED.findall(row.get("tls_end_entity_certificate_san_list", ""))
    return Observation(
        layer=Layer.TLS,
        target=target,
        hostname=name,
        role=role(name),
        ip=ip,
        port=port,
        failure=failure,
        seconds=duration(0.0, _number(row.get("tls_handshake_time")) or None),
        cert_valid=cert_valid(failure, None),
        cert_sha256=_fingerprint(row.get("tls_end_entity_certificate_fingerprint", "")),
        cert_subject=" ".join(names_for([name], names)),
        cert_issuer=known_issuer(row.get("tls_end_entity_certificate_issuer_common_name", "")[:255], names),
        received=count_of(_number(row.get("tls_handshake_read_bytes"))),
    )


def _request(row: Fields, target: str, role: RoleOf) -> Observation:
    url = row["http_request_url"][:LONGEST_URL]
    host, port = host_and_port(url)
    bare = is_address(host)
    status = _number(row.get("http_response_status_code")) or 0.0
    return Observation(
        layer=Layer.HTTP,
        target=target,
        hostname="" if bare else host,
        role=role("" if bare else host),
        ip=host if bare else "",
        port=port,
        failure=failure_of(row.get("http_failure")),
        seconds=duration(0.0, _number(row.get("http_runtime"))),
        url=url,
        status_code=int(status) if 0 < status < 1000 else 0,
        body_length=count_of(_number(row.get("http_response_body_length"))),
        body_truncated=row.get("http_response_body_is_truncated") in TRUE,
        title=(row.get("http_response_html_title") or row.get("pp_http_response_body_title", ""))[:500],
        location=row.get("http_response_header_location", "")[:LONGEST_URL],
        server=row.get("http_response_header_server", "")[:200],
    )


def _host(row: Fields) -> str:
    hostname = host_of(row.get("hostname") or row.get("fqdn"))
    return "" if is_address(hostname) else hostname


def _answer_asn(row: Fields, address: str) -> int:
    told = asn_of(_number(row.get("dns_answer_asn")))
    if not told and address_of(row.get("ip")) == address:
        told = asn_of(_number(row.get("ip_asn")))
    return told


def _number(text: str | None) -> float | None:
    """A finite number; ``None`` = missing or not a number."""
    if text is None or len(text) > 40:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value - value == 0 else None


def _fingerprint(text: str) -> str:
    digest = text.strip().lower().replace(":", "")
    return digest if len(digest) == 64 and all(c in "0123456789abcdef" for c in digest) else ""


HEADER = (
    *("test_name", "test_version", "probe_cc", "probe_asn", "probe_as_org_name", "resolver_asn"),
    *("software_name", "software_version", "input", "network_type"),
)
FACTS = (
    *("hostname", "fqdn", "ip", "ip_asn", "port"),
    *("dns_engine", "dns_failure", "dns_answer", "dns_query_type", "dns_answer_asn"),
    *("tcp_failure", "tcp_success"),
    *("tls_failure", "tls_server_name", "tls_version", "tls_cipher_suite"),
    *("tls_handshake_time", "tls_handshake_read_count", "tls_handshake_read_bytes"),
    *("tls_end_entity_certificate_fingerprint", "tls_end_entity_certificate_subject"),
    *("tls_end_entity_certificate_subject_common_name", "tls_end_entity_certificate_san_list"),
    "tls_end_entity_certificate_issuer_common_name",
    *("http_request_url", "http_failure", "http_runtime", "http_response_status_code"),
    *("http_response_body_length", "http_response_body_is_truncated", "http_response_html_title"),
    "pp_http_response_body_title",
    *("http_response_header_location", "http_response_header_server"),
)
"""What ``parse`` and ``facts`` read; the rest of a row is left out."""

_KEPT = ("measurement_uid", "report_id", "measurement_start_time", "x_received", *HEADER, *FACTS)
"""The columns of a row that are stored."""


TITLES = ("http_response_html_title", "pp_http_response_body_title")
"""Columns in which a page's author, or its reader's name, may appear."""

_FAILURES = ("dns_failure", "tcp_failure", "tls_failure", "http_failure")

_URLS = ("http_request_url", "http_response_header_location")

_HOSTS = ("hostname", "fqdn", "tls_server_name")

_SERVERS = ("http_response_header_server",)

_OF_CERTIFICATE = (
    "tls_end_entity_certificate_subject",
    "tls_end_entity_certificate_subject_common_name",
    "tls_end_entity_certificate_san_list",
    "tls_end_entity_certificate_issuer_common_name",
)
"""Columns in which a certificate may name a mail address."""


def _quieted(row: Fields) -> Fields:
    """A row as it is stored: the columns that are read, under the rules of ``fanous.sources.ooni.keep``."""
    kept = {name: row[name] for name in _KEPT if name in row}
    _in_form(kept)
    for name in _URLS:
        if name in kept and kept[name] != kept.get("input"):
            kept[name] = quiet_url(kept[name], keeps_values=True)
    for name in _OF_CERTIFICATE:
        if "@" in kept.get(name, ""):
            kept[name] = without_mail(kept[name])
    return kept


def _numeric(text: str) -> str | None:
    return text if _number(text) is not None else None


def _shaped(pattern: str) -> Callable[[str], str]:
    """A form of columns that are a sign that a step was taken, whatever they say."""
    shape = re.compile(pattern, re.ASCII)
    return lambda text: text if shape.fullmatch(text) else HIDDEN


_FORMS: dict[str, Callable[[str], str | None]] = {
    **dict.fromkeys(_FAILURES, in_words),
    **dict.fromkeys(("test_version", "software_version"), version_of),
    **dict.fromkeys(("hostname", "fqdn", "tls_server_name"), name_form),
    **dict.fromkeys(
        ("tcp_success", "http_response_body_is_truncated"),
        lambda text: text if text in TRUE or text in FALSE else None,
    ),
    **dict.fromkeys(("port", "tls_handshake_time", "tls_handshake_read_count"), _numeric),
    **dict.fromkeys(("ip_asn", "dns_answer_asn", "tls_handshake_read_bytes", "http_runtime"), _numeric),
    **dict.fromkeys(("http_response_status_code", "http_response_body_length"), _numeric),
    "software_name": software_of,
    "network_type": lambda text: text if text in NETWORK_TYPES else None,
    "resolver_asn": lambda text: network_form(_whole(text) or ""),
    "ip": address_form,
    "dns_answer": lambda text: address_form(text) or HIDDEN,
    "dns_engine": lambda text: text if text in ENGINES else HIDDEN,
    "dns_query_type": lambda text: query_type_of(text) or None,
    "tls_version": _shaped(r"(?:TLS|SSL|DTLS|QUIC)v?[0-9](?:\.[0-9])?"),
    "tls_cipher_suite": _shaped(r"[A-Z0-9]{2,12}(?:_[A-Z0-9]{1,12}){1,9}"),
    "tls_end_entity_certificate_fingerprint": lambda text: _fingerprint(text) or HIDDEN,
}
"""Column -> the form of its text, as in ``fanous.sources.ooni.keep``; the others are measured, or parts of pages."""


def _in_form(row: dict[str, Any]) -> None:
    """Bring each column into its form, or remove it."""
    for name, form in _FORMS.items():
        if name in row:
            kept = form(row[name]) if isinstance(row[name], str) else None
            if kept is None:
                del row[name]
            else:
                row[name] = kept


def redact(data: bytes, parsed: ParsedMeasurement, found: Iterable[Fingerprint] = ()) -> bytes:
    """The record as it may leave the store; a table has no pages, and of titles only what a page was recognised by.

    Raises:
        Rejected: it is not a record of rows.
    """
    try:
        document = msgspec.json.decode(data)
        rows: list[dict[str, Any]] = document["rows"]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError) as error:
        raise Rejected(f"not a record of rows: {error}") from error
    wanted = dict.fromkeys(name for name in (*HEADER, *FACTS) if name != "probe_as_org_name")
    header = parsed.measurement
    named = {
        "measurement_uid": digest(header.uid),
        "report_id": digest(header.probe),
        "measurement_start_time": to_minute(header.started_at),
    }
    if not isnan(header.receipt):
        named["x_received"] = to_minute(header.receipt)
    found = tuple(found)
    public = PublicRecord(header.input, None, found)
    distinct = {msgspec.json.encode(_row(row, wanted, public, found)): None for row in rows}
    first, *others = (msgspec.json.decode(row) for row in distinct)
    return msgspec.json.encode({"ooni_csv": document.get("ooni_csv", 1), "rows": [named | first, *others]})


def _row(
    row: dict[str, Any], wanted: dict[str, None], public: PublicRecord, found: tuple[Fingerprint, ...]
) -> dict[str, Any]:
    kept: dict[str, Any] = pruned(row, wanted)
    kept = {name: value for name, value in kept.items() if isinstance(value, str)}
    _in_form(kept)
    for name in TITLES:
        if name in kept:
            kept[name] = public_title(kept[name], "", shown_in_title(found, kept[name]))
    location = kept.get("http_response_header_location", "")
    if location and any(passages(found, Observation(Layer.HTTP, "", location=location))[1]):
        public.evident.add(location)
    for names, form in ((_URLS, public.url), (_HOSTS, public.host), (_SERVERS, public.server)):
        for name in kept.keys() & set(names):
            kept[name] = form(kept[name])
    for name in _OF_CERTIFICATE:
        if name in kept:
            kept[name] = without_mail(kept[name])
    return kept


class OoniCsv(MeasurementSource):
    name = SOURCE
    title = "OONI, a table of its observations"
    help = "tables of OONI's observations, .csv or .csv.gz"
    page = PAGE
    licence = LICENCE
    credit = CREDIT
    remark = "a table of OONI's observations"
    family = Family.OONI
    parse = staticmethod(parse)
    redact = staticmethod(redact)

    def read(
        self,
        path: Path,
        on_reject: OnReject,
        on_progress: OnProgress | None = None,
        *,
        share: range = ALL,  # noqa: ARG002  rows are not divisible
        working: Working = UNWATCHED,  # noqa: ARG002
    ) -> Iterator[Record]:
        """Records of a ``.csv`` file, gzip or not, ordered by measurement; the whole file is read before the first."""
        return read(path, on_reject, on_progress)

    def take(self, record: Record) -> tuple[Record, ParsedMeasurement]:
        """The record with the columns that are read, without anything that names a visit, and its measurement.

        Raises:
            Rejected: it cannot be used.
        """
        rows = [_quieted(row) for row in _rows_of(record.data)]
        stored = replace(record, data=msgspec.json.encode({"ooni_csv": VERSION, "rows": rows}))
        return stored, parse(stored)
