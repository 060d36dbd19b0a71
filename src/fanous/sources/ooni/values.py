"""Values: what a record says about itself (df-000), its addresses, URLs, numbers and failures, and its pages (df-001).

Each has one form, regardless of the version of OONI's probe. A value that cannot be read becomes empty, 0 or
NaN, which means *unknown* in an observation. A failure becomes the df-007 name of the network error; a name that
df-007 lists stays as it is, unless a current name means exactly the same.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from math import nan
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from fanous.analysis.rules.fingerprints import LONGEST_NOTICE
from fanous.errors import Rejected
from fanous.model.instant import from_iso
from fanous.model.measurement import STATED, Measurement
from fanous.model.place import UNKNOWN_COUNTRY, Access, is_address
from fanous.refdata.platforms import normal_host
from fanous.sources.ooni.document import Binary, Header, Response, Text

LONGEST_URL = 8192
"""Characters kept of a URL: what servers commonly accept at most (RFC 9110 section 4.1 asks for 8000)."""

LONGEST_HOST = 255
"""RFC 1035 section 2.3.4."""

LONGEST_STEP = 86_400.0
"""Seconds.  A step that seems longer than a day means that the clock was set."""

DEFAULT_PORTS = {"http": 80, "https": 443}


def address_of(text: str | None) -> str:
    """The address, without brackets; empty if the text is not one (``[scrubbed]`` is not)."""
    if text is None or len(text) > 64:
        return ""
    bare = text.strip("[]")
    return bare if is_address(bare) else ""


@lru_cache(maxsize=65_536)
def _endpoint(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return address_of(host), port_of(int(port)) if port.isascii() and port.isdigit() else 0


def endpoint_of(text: str | None) -> tuple[str, int]:
    """``[2001:db8::1]:443`` -> address and port; empty and 0 where unknown."""
    if not text or len(text) > 80:
        return "", 0
    return _endpoint(text)


@lru_cache(maxsize=16_384)
def _split(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", 0
    return host_of(host), port or DEFAULT_PORTS.get(parts.scheme, 0)


def host_and_port(url: str | None) -> tuple[str, int]:
    """Host of a URL (lower case, punycode; IPv6 without brackets) and port; empty and 0 where unknown."""
    if not url:
        return "", 0
    return _split(url[:LONGEST_URL])


@lru_cache(maxsize=65_536)
def _host(name: str) -> str:
    return name if is_address(name) else normal_host(name)[:LONGEST_HOST]


def host_of(name: str | None) -> str:
    """A host name as the rest of Fanous writes it; empty = unknown."""
    return _host(name) if name and len(name) <= 4 * LONGEST_HOST else ""


def port_of(value: float | None) -> int:
    """0 = unknown."""
    return int(value) if value is not None and 0 < value < 65_536 else 0


def asn_of(value: Any) -> int:
    """``AS17557``, ``"17557"`` or ``17557`` -> 17557; 0 = unknown."""
    if isinstance(value, str):
        digits = value[:16].strip().upper().removeprefix("AS")
        value = int(digits) if digits.isascii() and digits.isdigit() else 0
    if isinstance(value, int | float) and 0 < value < 2**32:
        return int(value)
    return 0


def count_of(value: float | None, unknown: int = -1) -> int:
    """A count of bytes; a negative or absurd one is unknown."""
    return int(value) if value is not None and 0 <= value < 2**53 else unknown


def seconds_of(value: float | None) -> float:
    """Seconds since the measurement began; NaN = unknown."""
    if value is None or not -LONGEST_STEP <= value <= LONGEST_STEP:
        return nan
    return value if type(value) is float else float(value)


def duration(start: float | None, end: float | None) -> float:
    """Seconds from ``start`` to ``end``; NaN = unknown, also if the clock went backwards."""
    if start is None or end is None or not -LONGEST_STEP <= start <= end <= LONGEST_STEP:
        return nan
    return float(end - start)


EARLIEST, LATEST = from_iso("2010-01-01"), from_iso("2100-01-01")
"""OONI's first measurements are from 2012; a time outside these limits means that the probe's clock was not set."""

LONGEST_NAME = 200
"""Characters kept of names and identifiers; OONI's longest report ids have 115."""

NO_NETWORK = frozenset({"no_internet", "none", "no internet"})
"""``network_type`` as written by OONI's apps where the phone had no connection."""

NETWORK_TYPES = frozenset({"wifi", "mobile", "vpn", "wired_ethernet", "usb", "unknown"}) | NO_NETWORK
"""Values of the annotation ``network_type`` that are stored; it is free text, in which a probe may put a name."""


SOFTWARE = frozenset(
    (
        *(
            "ooniprobe",
            "miniooni",
            "oonimkall",
            "ooni",
            "measurement",
            "kit",
            "mk",
            "ithena",
            "netmon",
            "probe",
        ),
        *("android", "ios", "desktop", "cli", "web", "unattended", "mobile", "windows", "macos", "linux"),
        *("fanous", "generator", "globalping", "ripe", "atlas", "legacy", "lite", "news", "media", "scan"),
    )
)
"""Words of which the names of measuring programs consist; as free text, a name may be anyone's."""

OTHER_SOFTWARE = "other"

_SOFTWARE = re.compile(r"[A-Za-z_ -]*")
_SOFTWARE_WORD = re.compile(r"[A-Za-z]+")
_VERSION = re.compile(
    r"(?:0|[1-9]\d?)(?:\.(?:0|[1-9]\d{0,3})){0,3}(?:-(?:alpha|beta|rc|dev)(?:\.?[0-9]{1,3})?)?", re.ASCII
)


QUERY_TYPES = frozenset(
    (
        "A",
        "AAAA",
        "ANY",
        "CNAME",
        "PTR",
        "NS",
        "MX",
        "TXT",
        "SOA",
        "SRV",
        "HTTPS",
        "SVCB",
        "CAA",
        "DS",
        "DNSKEY",
    )
)


def query_type_of(text: str | None) -> str:
    """The type of a lookup; empty = unknown."""
    upper = (text or "")[:20].upper()
    return upper if upper in QUERY_TYPES else ""


@lru_cache(maxsize=1024)
def software_of(text: str) -> str:
    """The name of the measuring program, if it is one of those known."""
    is_known = _SOFTWARE.fullmatch(text) and SOFTWARE.issuperset(_SOFTWARE_WORD.findall(text.lower()))
    return text if is_known else OTHER_SOFTWARE


@lru_cache(maxsize=1024)
def version_of(text: str) -> str:
    """A version; empty = it is not one."""
    return text if _VERSION.fullmatch(text) else ""


def measurement_of(
    document: Header,
    make_uid: Callable[[], str],
    target: str,
    defect: str,
    notes: list[str],
    content: str = "",
) -> Measurement:
    """The header.

    Args:
        make_uid: gives the identity if the record has none of its own.
        target: what the nettest is about.
        defect: a defect of the instrument that the nettest itself found; empty = none.
        content: digest of its content when it arrived; empty = unknown.

    Raises:
        Rejected: no name of a nettest, or no time.
    """
    test_name = clip(document.test_name)
    if not test_name:
        raise Rejected("no test_name: it is not an OONI measurement")
    own_uid = document.measurement_uid or ""
    uid = (clip(own_uid) if len(own_uid) <= LONGEST_NAME else "") or make_uid()
    country, asn = _country(document.probe_cc), asn_of(document.probe_asn)
    network_type = (document.annotations.network_type if document.annotations else None) or ""
    return Measurement(
        uid=uid,
        test_name=test_name,
        test_version=version_of(clip(document.test_version)),
        country=country,
        asn=asn,
        resolver_asn=asn_of(document.resolver_asn),
        access=Access.MOBILE if network_type == "mobile" else Access.ANY,
        started_at=started_at(document, notes),
        probe=_probe(document) or uid,
        software=f"{software_of(clip(document.software_name))} {version_of(clip(document.software_version))}".strip(),
        input=input_of(document.input)[:LONGEST_URL],
        target=target,
        defect=_no_line(network_type) or defect or _no_place(country, asn),
        network_name=clip(document.probe_network_name),
        report=clip(document.report_id),
        content=content,
    )


def _probe(document: Header) -> str:
    """The probe's name.  ``verification_status`` is ignored: it shows that a credential was used, of which anyone
    may have many."""
    stated = clip(document.probe_id)
    return f"{STATED}{stated}" if stated else clip(document.report_id)


def started_at(document: Header, notes: list[str]) -> float:
    """Unix seconds at which the measurement began.

    Raises:
        Rejected: neither the measurement, nor its test run, nor its report has a usable time.
    """
    for field in ("measurement_start_time", "test_start_time"):
        text = getattr(document, field)
        if text:
            instant = instant_of(text)
            if instant is not None:
                return instant
            notes.append(f"{field}: {text[:40]!r} is not a time")
    for text in (document.measurement_uid, document.report_id):
        instant = _from_identifier(text)
        if instant is not None:
            return instant
    raise Rejected("no time: measurement_start_time and test_start_time are missing or unreadable")


def instant_of(text: str) -> float | None:
    """Unix seconds of a date or time; ``None`` = not one, or before OONI existed."""
    try:
        instant = from_iso(text[:40])
    except (ValueError, OverflowError):
        return None
    return instant if EARLIEST <= instant < LATEST else None


def _from_identifier(text: str | None) -> float | None:
    """OONI's identifiers begin with the time: ``20230706183840.20``, ``20230706T183830Z_``."""
    digits = (text or "")[:16].replace("T", "")[:14]
    if len(digits) < 14 or not digits.isascii() or not digits.isdigit():
        return None
    try:
        instant = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return instant if EARLIEST <= instant < LATEST else None


def input_of(value: str | list[Any] | None) -> str:
    """The input as one string: meek_fronted_requests_test has a list of two names."""
    if isinstance(value, list):
        return " ".join(item for item in value if isinstance(item, str))
    return value or ""


def clip(text: str | None, longest: int = LONGEST_NAME) -> str:
    """At most ``longest`` characters, without control characters; empty = missing."""
    if not text:
        return ""
    short = text[:longest]
    return (short if short.isprintable() else "".join(c if c.isprintable() else " " for c in short)).strip()


def _country(code: str | None) -> str:
    upper = (code or "").strip().upper()[:3]
    return upper if len(upper) == 2 and upper.isascii() and upper.isalpha() else UNKNOWN_COUNTRY


def _no_line(network_type: str) -> str:
    if network_type == "vpn":
        return "vpn"
    return "no network" if network_type in NO_NETWORK else ""


def _no_place(country: str, asn: int) -> str:
    """The last defect to check: it bars from every series, but alone does not make the observations worthless."""
    return "unknown network" if asn == 0 or country == UNKNOWN_COUNTRY else ""


TITLE_BEGINS = ("<title", "<TITLE", "<Title")
LONGEST_TITLE = 500
"""Characters; the test helper cuts its own at this length too."""

MOST_HEADERS = 500
"""Most servers send no more than about 100."""

LONGEST_VALUE = 8192
"""Characters kept of a header's value."""

_ENCODINGS = (
    r"(utf-8|iso-8859-\d{1,2}|windows-\d{3,4}|koi8-[ru]|gb2312|gbk|gb18030|big5"
    r"|shift_jis|euc-jp|euc-kr|tis-620)\b"
)
"""The legacy encodings of web pages, without codecs that are slow or do more than map bytes to letters."""

CHARSET = re.compile(r"charset=\"?" + _ENCODINGS, re.IGNORECASE)
META_CHARSET = re.compile(
    rb"<meta\s[^>]{0,200}?charset\s{0,4}=\s{0,4}[\"']?" + _ENCODINGS.encode(), re.IGNORECASE
)
BEFORE_META = 1024
"""Bytes in which a page names its own encoding (HTML, "prescan a byte stream to determine its encoding")."""


class PageRecord(NamedTuple):
    """The page that came back.  ``length`` is in bytes, -1 = unknown; ``headers`` are in the order received."""

    body: str
    length: int
    headers: list[tuple[str, str]]


def page_of(response: Response, place: str, notes: list[str]) -> PageRecord:
    """Body as text, and headers; unreadable parts are noted and left empty.  It is read once, and kept with the
    response."""
    known: PageRecord | None = response.__dict__.get("page")
    if known is None:
        known = response.__dict__["page"] = _page_of(response, place, notes)
    return known


def _page_of(response: Response, place: str, notes: list[str]) -> PageRecord:
    headers = headers_of(response.headers_list) or headers_of(response.headers)
    body = response.body
    if body is None:
        return PageRecord("", -1, headers)
    if isinstance(body, str):
        return PageRecord(body, _bytes_in(body), headers)
    raw = bytes_of(body)
    if raw is None:
        notes.append(f"{place}.body: not base64")
        return PageRecord("", -1, headers)
    length = count_of(body.x_length)
    if length >= len(raw):
        return PageRecord(
            raw.decode("utf-8", "replace") + " " * min(length - len(raw), _PADDED), length, headers
        )
    return PageRecord(raw.decode(_charset(headers, raw), "replace"), len(raw), headers)


_PADDED = LONGEST_NOTICE + 1
"""Blanks that represent the rest of a page: rules read only that it is longer than a notice."""

_RUN = 2048
"""Characters: a page in Latin letters has few others, and most runs of this length none."""


def _bytes_in(text: str) -> int:
    """Length in UTF-8.  A run in ASCII has it already; one emoji would have the whole page encoded."""
    if text.isascii():
        return len(text)
    runs = [text[start : start + _RUN] for start in range(0, len(text), _RUN)]
    return sum(len(run) if run.isascii() else len(run.encode("utf-8", "replace")) for run in runs)


def bytes_of(value: Binary) -> bytes | None:
    """The bytes; ``None`` = they cannot be read."""
    try:
        return b64decode(value.data) if value.data is not None else None
    except (Base64Error, ValueError):
        return None


def headers_of(given: Any) -> list[tuple[str, str]]:
    """(name, value) of each header, from a list of pairs or a map; empty if there are none."""
    try:
        if isinstance(given, list):
            return [
                (name, _text(value))
                for name, value in msgspec.convert(given, list[tuple[str, Text]])[:MOST_HEADERS]
            ]
        if isinstance(given, dict):
            named = msgspec.convert(given, dict[str, Text])
            return [(name, _text(value)) for name, value in islice(named.items(), MOST_HEADERS)]
    except (msgspec.ValidationError, RecursionError):
        return list(_odd_headers(given))[:MOST_HEADERS]
    return []


def title_place(body: str) -> tuple[int, int]:
    """Where the text of the first ``<title>`` begins and ends; equal = there is none."""
    for begin in TITLE_BEGINS:
        start = body.find(begin)
        if start >= 0:
            start = body.find(">", start, start + LONGEST_TITLE) + 1
            if start:
                text = body[start : start + LONGEST_TITLE].partition("<")[0]
                return start + len(text) - len(text.lstrip()), start + len(text.rstrip())
    return 0, 0


def title_of(body: str) -> str:
    """Text of the first ``<title>``; empty = none."""
    start, end = title_place(body)
    return body[start:end]


def header_named(headers: list[tuple[str, str]], name: str) -> str:
    """Value of the first header called ``name`` (lower case); empty = none."""
    for key, value in headers:
        if len(key) == len(name) and key.lower() == name:
            return value
    return ""


def _odd_headers(headers: Any) -> Iterator[tuple[str, str]]:
    """Pairs whose value makes sense: a number, or a list of values."""
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    for pair in pairs:
        if isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str):
            values = pair[1] if isinstance(pair[1], list) else [pair[1]]
            for value in values:
                if isinstance(value, dict) and isinstance(value.get("data"), str):
                    yield pair[0], _text(Binary(value["data"]))
                elif isinstance(value, str | int | float):
                    yield pair[0], str(value)[:LONGEST_VALUE]


def _text(value: Text) -> str:
    if isinstance(value, str):
        return value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE]
    raw = bytes_of(value) if value is not None else None
    return raw[:LONGEST_VALUE].decode("utf-8", "replace") if raw else ""


def _charset(headers: list[tuple[str, str]], raw: bytes) -> str:
    """The encoding that the header states, otherwise the page itself."""
    named = CHARSET.search(header_named(headers, "content-type"))
    if named:
        return named[1]
    own = META_CHARSET.search(raw, 0, BEFORE_META)
    return own[1].decode("ascii") if own else "utf-8"
