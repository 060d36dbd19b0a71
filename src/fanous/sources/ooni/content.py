"""Content: the JSON of a record as it came: limited in size, made legal, known by its digest, and scrubbed.

The same measurement counts once, by whichever route it came.  OONI publishes each as the body that the probe sent, in
an archive whose member is named by its ``measurement_uid``, and again as a line of JSON, rewritten and without that UID
(ooni/backend, api/ooni_api_uploader.py, ``fill_postcan`` and ``fill_jsonl``, commit 98f0025a).  Its API wraps the line
in an answer, and a probe may have sent the same to a collector of ours.  All of these share the content, so its digest
is taken when a record is read, before anything is dropped, and is written at the head of the record.  Only our own
readers write there, and they remove what a file already has there, so a file cannot claim another measurement's
identity.

Scrubbing replaces the address of the probe and of its user by 127.0.0.1, wherever it occurs.  Probes have done this
themselves since 2020, for the one address they know.  Older ones did not always; a probe with IPv4 and IPv6 knows only
one of the two; and servers tell a client its address in headers.  Every record passes through here, so the keys that
name the client's address are found in one pass over its bytes: by hyperscan at 5 GB/s, or by ``re`` at 1 GB/s where
hyperscan is not available.  ``spellings`` then replaces the addresses, however many, in a fixed number of passes.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from ipaddress import ip_address
from threading import Lock, local
from typing import Any

import msgspec

from fanous.model.threshold import threshold
from fanous.sources.ooni.document import MOST_SECONDS, TooCostly
from fanous.sources.ooni.spellings import NOBODY, Address, Addresses, addresses_in, decoded

OUTSIDE = frozenset(
    {
        "measurement_uid",
        "report_id",
        "probe_ip",
        "probe_id",
        "verification_status",
        "x_collector",
        "x_content",
        "x_received",
    }
)
"""Keys written by servers, or that differ between the servers to which one measurement was sent."""

STAMP = b'{"x_content":"'
"""How a record begins that carries its digest."""

DIGITS = 32
"""Hexadecimal digits of the SHA-256: finding other content with the same digest takes 2^128 tries."""

_END = len(STAMP) + DIGITS


def content_of(data: bytes) -> str:
    """The digest of a record's content; spacing, the order of keys and the spelling of numbers do not matter.

    Raises:
        TooCostly: it has more values than any measurement.
    """
    return identified(data)[0]


def identified(data: bytes) -> tuple[str, dict[str, Any] | None]:
    """The digest, and the record as decoded for it; ``None`` = not a legal JSON object.

    Raises:
        TooCostly: it has more values than any measurement.
    """
    check_size(data)
    document = _decoded(data)
    if isinstance(document, dict):
        return digest_of(document), document
    document = _decoded(repair(data)) if document is None else None
    if isinstance(document, dict):
        return digest_of(document), None
    return sha256(data).hexdigest()[:DIGITS], None  # legal enough for its header, not for a canonical form


_json = msgspec.json.Decoder()
_in_order = msgspec.msgpack.Encoder(order="sorted")
"""Encoders that are reused are quicker than functions that make one each time."""


def _decoded(data: bytes) -> Any:
    try:
        return _json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def digest_of(document: dict[str, Any]) -> str:
    """The digest of a record that is already decoded."""
    content = {name: value for name, value in document.items() if name not in OUTSIDE}
    room = _room.canonical
    try:
        _in_order.encode_into(content, room)
    except OverflowError:  # a number of more than 64 bits
        return sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:DIGITS]
    if len(room) > ROOMY:
        _room.canonical = bytearray()
    return sha256(room).hexdigest()[:DIGITS]


class _Room(local):
    """Memory in which each thread encodes one record after another, so that it is in the processor's cache."""

    def __init__(self) -> None:
        self.canonical = bytearray()


_room = _Room()


def uid_of(content: str, report: str) -> str:
    """The uid of a measurement without one.

    Different probes may measure the same in the same second if nothing answers, and only the report tells them
    apart.
    """
    return sha256(f"{content} {report}".encode("utf-8", "replace")).hexdigest()[:DIGITS]


def stamped(data: bytes, content: str, uid: str = "") -> bytes:
    """The record with the digest of its content at its head.

    Args:
        uid: ``measurement_uid`` for a record without its own.
    """
    head = STAMP + content.encode() + b'"'
    if uid:
        head += b',"measurement_uid":' + msgspec.json.encode(uid)
    rest = data[1:].lstrip() if data[1:2].isspace() else memoryview(data)[1:]
    return b"".join((head, b"" if rest[:1] == b"}" else b",", rest))


def stamp_of(data: bytes) -> str:
    """The digest at the head of a record; empty if it has none."""
    if not data.startswith(STAMP) or data[_END : _END + 1] != b'"':
        return ""
    digest = data[len(STAMP) : _END]
    return digest.decode() if not digest.strip(b"0123456789abcdef") else ""


def unstamped(data: bytes) -> bytes:
    """The record without the digest at its head."""
    return b"{" + data[_END + 1 :].lstrip().removeprefix(b",").lstrip() if stamp_of(data) else data


def canonical_hash(data: bytes) -> str:
    """The uid of a record without one that was stored before records carried the digest of their content (November
    2026): SHA-256 of it with sorted keys, less ``probe_ip``."""
    try:
        content = msgspec.json.decode(data)
        content.pop("probe_ip", None)
        data = msgspec.json.encode(content, order="sorted")
    except (msgspec.MsgspecError, UnicodeError, RecursionError, AttributeError):
        return sha256(data).hexdigest()  # legal enough for its header, not for a canonical form
    return sha256(data).hexdigest()


# --- before it is decoded ----------------------------------------------------------------------------------

MAX_ITEMS = threshold(
    "sources.items",
    2_000_000,
    "Members of all lists and objects of one record: real records have thousands, and each costs some 100 "
    "bytes.",
)

MAX_PIECES = 4_000_000
"""Quotation marks, and letters that begin NaN or Infinity, of a record that is not legal JSON."""

ROOMY = 1 << 20
"""Bytes.  A shorter record cannot have too many members."""

_NOT_JSON = re.compile(
    rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|-?Infinity\b|NaN\b',
    re.DOTALL,
)
_LONE_SURROGATE = re.compile(
    rb"(\\\\)|(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def check_size(data: bytes) -> None:
    """Raises ``Rejected`` for a record that would take far more memory decoded than it has bytes."""
    if len(data) <= ROOMY:
        return
    if data.count(b",") > MAX_ITEMS or data.count(b"[") + data.count(b"{") > MAX_ITEMS:
        raise TooCostly(f"it has more than {MAX_ITEMS:,} values, more than any real measurement")


def repair(data: bytes) -> bytes:
    """Make legal what Python's and other writers produce although JSON does not allow it.

    ``NaN`` and ``Infinity`` become null, half a surrogate pair becomes U+FFFD.

    Raises:
        TooCostly: it has more texts than any measurement.
    """
    if len(data) > ROOMY and data.count(b'"') + data.count(b"I") + data.count(b"N") > MAX_PIECES:
        raise TooCostly("it is not JSON, and has too many texts to be repaired")
    legal = _NOT_JSON.sub(lambda m: m[0] if m[0].startswith(b'"') else b"null", data)
    return _LONE_SURROGATE.sub(lambda m: m[0] if m[1] or m[2] else rb"\ufffd", legal)


# --- the client's address -------------------------------------------------------------------------------

NAMES = (
    # written by probes and speed tests
    *("probe_ip", "client_ip", "clientip", "client_address", "clientaddress", "client_addr", "my_ip", "myip"),
    *("real_address", "internal_address", "local_address", "localaddress", "remaddress", "remote_addr"),
    *("remoteaddr", "remoteaddress", "user_ip", "public_ip", "client"),
    # stated by servers in their headers
    *("x-forwarded-for", "forwarded", "x-client-ip", "x-clientip", "client-ip", "x-real-ip", "x-remote-ip"),
    *("x-remote-addr", "remote-addr", "x-your-address-is", "x-your-ip", "x-user-ip", "x-visitor-ip"),
    *("x-originating-ip", "x-cluster-client-ip", "x-client-addr", "x-source-ip", "x-ip", "x-peer-ip"),
    *("cf-connecting-ip", "true-client-ip", "fastly-client-ip", "x-azure-clientip", "x-appengine-user-ip"),
)
"""Keys and header names whose value is an address of the client, in lower case."""

_QUOTED = [b'"' + name.encode() + b'"' for name in NAMES]
_ESCAPES = rb"\\u00(?:2[de]|3[0-9a]|[46][0-9a-f]|[57][0-9a]|5f)"
"""Letters of names and addresses that a writer need not have escaped; Go escapes only ``<``, ``>`` and ``&``."""

ESCAPED = b"\\u"
"""Represents these among the keys, once."""

_PATTERN = re.compile(
    b'"(?:' + b"|".join(re.escape(name.encode()) for name in NAMES) + b')"|' + _ESCAPES, re.IGNORECASE
)
_lock = Lock()


def find_keys(data: bytes) -> list[tuple[bytes, int]]:
    """(name in lower case, offset after its closing quote) of each, in order; ``ESCAPED`` if letters are escaped that
    need not be, so that a name may be hidden.
    """
    database = _database()
    if database is None:
        return _found_by_re(data)
    found: list[tuple[bytes, int]] = []

    def matched(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        found.append((_QUOTED[number][1:-1] if number < len(_QUOTED) else ESCAPED, end))

    with _lock:  # its scratch space serves one scan at a time
        database.scan(data, match_event_handler=matched)
    return found


def _found_by_re(data: bytes) -> list[tuple[bytes, int]]:
    found: list[tuple[bytes, int]] = []
    is_escaped = False
    for match in _PATTERN.finditer(data):
        if match[0].startswith(b'"'):
            found.append((match[0][1:-1].lower(), match.end()))
        elif not is_escaped:
            is_escaped = True
            found.append((ESCAPED, match.end()))
    return found


@lru_cache(maxsize=1)
def _database() -> Any:
    """One literal for each name (an alternation is slower); ``None`` if there is no wheel for this processor."""
    try:
        hyperscan = import_module("hyperscan")
    except ImportError:
        return None
    database = hyperscan.Database()
    flags = [hyperscan.HS_FLAG_CASELESS] * len(_QUOTED)
    escapes = [rb"\\u00%02x" % code for code in range(0x80) if re.fullmatch(_ESCAPES, rb"\u00%02x" % code)]
    database.compile(
        expressions=[*_QUOTED, *escapes],
        ids=[*range(len(_QUOTED)), *[len(_QUOTED)] * len(escapes)],
        elements=len(_QUOTED) + len(escapes),
        flags=[*flags, *[hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH] * len(escapes)],
    )
    return database


LONGEST_VALUE = 2048
"""Bytes: a value that names addresses; the longest real list of proxies has some hundred."""

_VALUE = re.compile(
    rb'\s*+[:,]\s*+(?:\[\s*+)?+(?:\{\s*+"data"\s*+:\s*+)?+"((?:[^"\\]|\\.){0,%d}+)"' % LONGEST_VALUE,
    re.DOTALL,
)
"""What follows a key of a map, or the first half of a [name, value] pair.  Repetitions are possessive, so that a
megabyte of blanks is read once."""

_NUMBER = re.compile(rb"\s*+:\s*+([0-9]{8,12}+)(?![0-9.])")
_CONTACTED = re.compile(rb'"(?:ip(?:v[46])?+|address)"\s*+:\s*+"\[?+([0-9A-Fa-f:.]{2,64}+)')
_ESCAPE = re.compile(rb"\\(?:u00([2-7][0-9A-Fa-f])|.)", re.DOTALL)
MOST_LINK_LOCAL = 100_000
"""Link-local addresses of one record: each takes 100 bytes to replace, and a real one has a few."""

_LINK_LOCAL = re.compile(
    rb"(?<![0-9A-Za-z:])((?:fe80|FE80):)[0-9A-Fa-f:]{1,34}+(?:%(?:25)?+[0-9A-Za-z.]{1,15}+)?+"
)
_UNIT = rb"u(?!00[0-7]|[dD][89a-fA-F])[0-9A-Fa-f]{4}"
_PAIR = rb"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_FOREIGN_ESCAPE = re.compile(rb"\\(?:\\|(?:%s|%s)(?:\\(?:%s|%s))*+)" % (_PAIR, _UNIT, _PAIR, _UNIT))
"""Begins with the backslash, for which ``re`` then looks."""
_NEEDLESS = frozenset(bytes([n]) for n in range(0x20, 0x7F))
_HARMLESS = frozenset({NOBODY, b"0.0.0.0", b"::1", b"::", b""})


def scrub(data: bytes, own: Iterable[str] = (), seconds: float = MOST_SECONDS) -> bytes:
    """``data`` without the client's address; the same object if there was none to replace.

    The probe's own address, as it states it, is replaced everywhere.  So is what a server calls the client's
    address, unless the probe looked it up or connected to it: then the server named itself, and replacing it
    would make an ordinary answer look forged.  Of link-local addresses only the prefix stays: the rest is made from the
    number of a network card, and maps of Wi-Fi networks can place a router's in a street.

    Args:
        own: further addresses of the client, replaced everywhere; text that is not an address is ignored.
        seconds: processor time that it may take.

    Raises:
        TooCostly: it would take more work than any real record.
    """
    if b"80:" in data and (b"fe80:" in data or b"FE80:" in data):  # mostly looked through once, not twice
        if data.count(b"fe80:") + data.count(b"FE80:") > MOST_LINK_LOCAL:
            raise TooCostly("more texts in it look like addresses than in any real measurement")
        data = _LINK_LOCAL.sub(rb"\1:", data)
    own_addresses = [address for text in own if (address := _address(text)) is not None]
    plain, places = data, find_keys(data)
    if any(key == ESCAPED for key, _ in places):
        plain = _unescaped(data)
        places = find_keys(plain)
    stated = [(key, value) for key, end in places if (value := _value(plain, end)) is not None]
    if not stated and not own_addresses:
        return data  # nearly every record: its probe wrote 127.0.0.1
    everywhere = Addresses(own_addresses, seconds)
    in_place, told = _named(stated, everywhere)
    if not in_place and not everywhere:
        return data
    # Every address that the probe looked up or connected to.
    texts = _CONTACTED.findall(plain) if told else ()
    contacted = {address for text in texts for address in addresses_in(text)}
    for address in told:
        if address not in contacted:
            everywhere.add(address)
    cut = _cut(plain, in_place)
    letters = _letters(cut) if everywhere else cut
    clean = everywhere.replaced(letters) if everywhere else letters
    return data if cut == plain and clean == letters else clean


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return None if address.is_loopback or address.is_unspecified else address


def _unescaped(data: bytes) -> bytes:
    r"""The same JSON without needless escapes: ``\u0031`` is ``1``."""

    def letter(match: re.Match[bytes]) -> bytes:
        plain = bytes([int(match[1], 16)]) if match[1] else b""
        if plain in (b'"', b"\\"):
            return b"\\" + plain
        return plain if plain in _NEEDLESS else match[0]

    return _ESCAPE.sub(letter, data)


def _letters(data: bytes) -> bytes:
    r"""The same JSON with the letters of other scripts as themselves: ``\u06f7`` is ``۷``."""

    def letters(match: re.Match[bytes]) -> bytes:
        whole: str = msgspec.json.decode(b'"' + match[0] + b'"')
        return match[0] if match[0] == b"\\\\" else whole.encode()

    return _FOREIGN_ESCAPE.sub(letters, data)


def _value(data: bytes, end: int) -> re.Match[bytes] | None:
    """The value after a key that ends there; ``None`` if it is of another kind, or no one's address."""
    value = _VALUE.match(data, end) or _NUMBER.match(data, end)
    return None if value is None or value[1] in _HARMLESS else value


def _named(
    stated: list[tuple[bytes, re.Match[bytes]]], everywhere: Addresses
) -> tuple[list[tuple[int, int]], set[Address]]:
    """The places of values that name addresses, and the addresses stated by servers; the probe's go to
    ``everywhere``."""
    in_place: list[tuple[int, int]] = []
    told: set[Address] = set()
    for key, value in stated:
        everywhere.spend(10)
        found = _addresses(value[1])
        if found or (key == b"probe_ip" and value.re is _VALUE):
            in_place.append(value.span(1))
        # Names that probes and speed tests give their own address; servers' headers have a hyphen.
        if b"-" not in key and key != b"forwarded":
            for address in found:
                everywhere.add(address)
        else:
            told.update(found)
    return in_place, told


def _addresses(value: bytes) -> list[Address]:
    """The addresses in a value, which may itself be in base64 (df-001)."""
    return addresses_in(value) or addresses_in(decoded(value))


def _cut(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    """The values at ``spans`` with the addresses in them replaced, or the whole value if it contains none."""
    parts, at = [], 0
    for start, end in sorted(set(spans)):
        value = data[start:end]
        found = _addresses(value)
        parts += [data[at:start], Addresses(found, plainly=True).replaced(value) if found else NOBODY]
        at = end
    return b"".join([*parts, data[at:]])
