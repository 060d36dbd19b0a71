"""Scrub: replaces the address of the probe and of its user by 127.0.0.1, wherever it occurs in a record.

Probes have done this themselves since 2020, for the one address they know.  Older ones did not always; a probe with
IPv4 and IPv6 knows only one of the two; and servers tell a client its address in headers.

Every record passes through here, so the keys that name the client's address are found in one pass over its bytes:
by hyperscan at 5 GB/s, or by ``re`` at 1 GB/s where hyperscan is not available.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Any

NAMES = (
    # written by probes and speed tests
    *("probe_ip", "client_ip", "clientip", "client_address", "clientaddress", "client_addr", "my_ip", "myip"),
    *("real_address", "internal_address", "local_address", "localaddress", "remaddress", "remote_addr"),
    *("remoteaddr", "remoteaddress", "user_ip", "public_ip", "client"),
    # told by servers in their headers
    *("x-forwarded-for", "forwarded", "x-client-ip", "x-clientip", "client-ip", "x-real-ip", "x-remote-ip"),
    *("x-remote-addr", "remote-addr", "x-your-address-is", "x-your-ip", "x-user-ip", "x-visitor-ip"),
    *("x-originating-ip", "x-cluster-client-ip", "x-client-addr", "x-source-ip", "x-ip", "x-peer-ip"),
    *("cf-connecting-ip", "true-client-ip", "fastly-client-ip", "x-azure-clientip", "x-appengine-user-ip"),
)
"""Keys and header names whose value is an address of the client, in lower case."""

_QUOTED = [b'"' + name.encode() + b'"' for name in NAMES]
_PATTERN = re.compile(b'"(?:' + b"|".join(re.escape(name.encode()) for name in NAMES) + b')"', re.IGNORECASE)
_lock = Lock()


def find_keys(data: bytes) -> list[tuple[bytes, int]]:
    """(name in lower case, offset behind its closing quote) of each, in order."""
    database = _database()
    if database is None:
        return [(match[0][1:-1].lower(), match.end()) for match in _PATTERN.finditer(data)]
    found: list[tuple[bytes, int]] = []

    def matched(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        found.append((_QUOTED[number][1:-1], end))

    with _lock:  # its scratch space serves one scan at a time
        database.scan(data, match_event_handler=matched)
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
    database.compile(expressions=_QUOTED, ids=list(range(len(_QUOTED))), elements=len(_QUOTED), flags=flags)
    return database


NOBODY = b"127.0.0.1"
"""What OONI writes in place of an address."""

_VALUE = re.compile(rb'\s*[:,]\s*\[?\s*"([^"\\]{0,2048})"')
"""What follows a key of a map, or the first half of a [name, value] pair."""

_ADDRESS_LIKE = re.compile(rb"[0-9A-Fa-f:.]{3,45}")
_BASE64 = re.compile(rb'("data"\s*:\s*")([A-Za-z0-9+/=\\]{8,})(")')
_HARMLESS = frozenset({NOBODY, b"0.0.0.0", b"::1", b"::"})


def scrub(data: bytes) -> bytes:
    """``data`` without the client's address; the same object if there was none to replace.

    What the probe itself calls its address is replaced everywhere.  So is what a server calls the client's
    address, unless the probe looked it up or connected to it: then the server named itself, and replacing it
    would make an ordinary answer look forged.
    """
    places = find_keys(data)
    if not places:
        return data
    everywhere: set[bytes] = set()
    in_place: list[tuple[int, int]] = []
    for key, end in places:
        value = _VALUE.match(data, end)
        if value is None or value[1] in _HARMLESS:
            continue
        found = _addresses(value[1])
        if key == b"probe_ip" or found:
            in_place.append(value.span(1))
        everywhere.update(found if _is_own(key) else [a for a in found if not _is_contacted(data, a)])
    if not in_place:
        return data
    return _replace(_cut(data, in_place), everywhere)


def _is_own(key: bytes) -> bool:
    """Names that probes and speed tests give their own address; servers' headers have a hyphen."""
    return b"-" not in key and key != b"forwarded"


def _cut(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    """The values at ``spans`` with the addresses in them replaced, or as a whole if they are none."""
    parts, at = [], 0
    for start, end in sorted(set(spans)):
        value = data[start:end]
        parts += [data[at:start], _replace(value, _addresses(value)) if _addresses(value) else NOBODY]
        at = end
    return b"".join([*parts, data[at:]])


def _addresses(value: bytes) -> list[bytes]:
    """The addresses in a value such as ``192.0.2.4:5678, 10.0.0.1`` or ``[2001:db8::1]:443``."""
    found = []
    for candidate in _ADDRESS_LIKE.findall(value):
        for text in (candidate, candidate.rpartition(b":")[0], candidate.rstrip(b".")):
            if text and text not in _HARMLESS and _is_address(text):
                found.append(text)
                break
    return found


def _is_address(text: bytes) -> bool:
    try:
        return not ip_address(text.decode()).is_loopback
    except ValueError:
        return False


def _is_contacted(data: bytes, address: bytes) -> bool:
    quoted = re.escape(address)
    return bool(
        re.search(rb'"ip(?:v4|v6)?"\s*:\s*"' + quoted + rb'"|"address"\s*:\s*"\[?' + quoted + rb"\]?:", data)
    )


def _replace(data: bytes, addresses: Iterable[bytes]) -> bytes:
    for address in addresses:
        pattern = _pattern(address)
        if b":" in address or address in data or address.replace(b".", b"-") in data:
            data = pattern.sub(NOBODY, data)
        if b"base64" in data:
            data = _in_base64(data, pattern)
    return data


def _in_base64(data: bytes, pattern: re.Pattern[bytes]) -> bytes:
    return _BASE64.sub(lambda found: found[1] + _recoded(found[2], pattern) + found[3], data)


def _recoded(text: bytes, pattern: re.Pattern[bytes]) -> bytes:
    try:
        raw = b64decode(text.replace(b"\\/", b"/"))
    except (Base64Error, ValueError):
        return text
    clean = pattern.sub(NOBODY, raw)
    return text if clean == raw else b64encode(clean)


@lru_cache(maxsize=256)
def _pattern(address: bytes) -> re.Pattern[bytes]:
    """The address in any of its spellings, not as a part of a longer one."""
    parsed = ip_address(address.decode())
    if isinstance(parsed, IPv6Address):
        forms = {address, parsed.compressed.encode(), parsed.exploded.encode()}
        spelled = b"|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        return re.compile(
            rb"(?<![0-9a-f:])(?:\[(?:" + spelled + rb")\]|(?:" + spelled + rb")(?![0-9a-f]))", re.I
        )
    dotted = rb"[.-]".join(address.split(b"."))  # 1-2-3-4.dsl.example: names that networks give their users
    return re.compile(rb"(?<![0-9])(?<![0-9][.])" + dotted + rb"(?![0-9])(?![.][0-9])")
