"""Place: addresses, ports, URLs and numbers of a record, brought into one form.

Whatever cannot be one of them becomes empty, 0 or NaN, which is what *unknown* is in an observation.
"""

from functools import lru_cache
from math import nan
from typing import Any
from urllib.parse import urlsplit

from fanous.model.address import is_address
from fanous.refdata.platforms import normal_host

LONGEST_URL = 8192
"""Characters kept of a URL: what servers commonly accept at most (RFC 9110 section 4.1 asks for 8000)."""

LONGEST_HOST = 255
"""RFC 1035 section 2.3.4."""

LONGEST_STEP = 86_400.0
"""Seconds.  A step that lasted longer than a day is a clock that was set."""

DEFAULT_PORTS = {"http": 80, "https": 443}


def address_of(text: str | None) -> str:
    """The address, without brackets; empty where it is none (``[scrubbed]`` is none)."""
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
    """Seconds from ``start`` to ``end``; NaN = unknown, also where the clock went backwards."""
    if start is None or end is None or not -LONGEST_STEP <= start <= end <= LONGEST_STEP:
        return nan
    return float(end - start)
