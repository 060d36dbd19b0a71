"""Spellings: finds given addresses in bytes, however they are written, and replaces them by 127.0.0.1.

Servers, proxies and programs write one address in many ways: ``198.51.100.7``, ``198-51-100-7.dsl.example``,
``7.100.51.198.in-addr.arpa``, ``3325256711``, ``0xc6336407``, ``::ffff:c633:6407``, percent-encoded in a URL, or in
a text that is itself in base64.

The work grows only with the number of bytes.  Patterns find what is shaped like an address, and each match is
looked up in a set, so that a thousand addresses cost no more than one.  In every pattern a repetition is bounded, or
possessive and consumed by its match, so none can go back over what it has read.  What a clever record could still
make long, the look-ups of a run of colons, is counted (``MOST_LOOKUPS``).
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from itertools import product
from socket import AF_INET6, inet_pton
from time import thread_time
from typing import NamedTuple

from fanous.sources.ooni.disguises import FIGURES, Disguises, foreign
from fanous.sources.ooni.document import MOST_LOOKUPS, MOST_SECONDS, TooCostly

NOBODY = b"127.0.0.1"
"""What OONI writes instead of an address."""

NOBODY_DECIMAL, NOBODY_HEX, NOBODY_OCTAL = b"2130706433", b"7f000001", b"017700000001"
"""The same as a number, so that a number in JSON stays one."""

DEEPEST = 2
"""Layers of base64 that are opened: a token in a URL that a page in base64 contains."""

Address = IPv4Address | IPv6Address

GLOBAL = IPv6Network("2000::/3")
"""Here the first 64 bits are those of a home or a telephone, whose devices change the rest every day (RFC 8981)."""


FEW = 8
"""Up to this many addresses are searched for one by one: each costs a fifth of a millisecond per megabyte."""


class Span(NamedTuple):
    """Bytes from ``start`` to ``end`` that spell an address, and what to write instead."""

    start: int
    end: int
    text: bytes = NOBODY


_NUMBER = rb"(?:0[xX][0-9A-Fa-f]{1,8}+|[0-9]{1,12}+)"
_NUMBERS = re.compile(
    rb"[0-9](?:[xX][0-9A-Fa-f]{1,8}+|[0-9]{0,11}+)(?:[.\-_]" + _NUMBER + rb"){3,39}+",
)
"""Four numbers or more: a dotted address, and the names that networks give to their users' lines."""

_PARTS = re.compile(rb"[0-9a-fx]{1,14}+")
_SHORT = re.compile(
    rb"/\\?+/(?:[^/@\s\"]{0,64}+@)?+(" + _NUMBER + rb"(?:\." + _NUMBER + rb"){0,2}+)(?![0-9A-Za-z.])"
)
"""The host of a URL as inet_aton reads it, in one to three numbers (``http://0xc6.3367431/``)."""

_INTEGER = re.compile(rb"[0-9]{8,40}+")
_PREFIXED = re.compile(rb"0[xX]([0-9A-Fa-f]{5,32}+)")
_HEX = re.compile(rb"[0-9A-Fa-f]{8}(?:[0-9A-Fa-f]{24})?+(?![0-9A-Fa-f])")
_NIBBLES = re.compile(rb"\.[0-9A-Fa-f](?:\.[0-9A-Fa-f]){30}+")
_HALF_NIBBLES = re.compile(rb"(?<![0-9A-Fa-f.])[0-9A-Fa-f](?:\.[0-9A-Fa-f]){15}+(?=\.ip6\.arpa)")
"""The reverse name of a network of 64 bits."""

_GROUPS = {
    b":": re.compile(rb":[0-9A-Fa-f]{0,4}+:[0-9A-Fa-f:.]*+"),
    b"-": re.compile(rb"-[0-9A-Fa-f]{0,4}+-[0-9A-Fa-f\-]*+"),
}
"""From the first two separators of an IPv6 address on; its first group precedes them."""

_ZONE = re.compile(rb"%(?:25)?+[A-Za-z]{2,8}+[0-9]{0,3}+(?![0-9A-Za-z])")

_LETTER = rb"(?:2[dDeE]|3[0-9aA]|[46][1-6]|[57]8)"
"""Hexadecimal code of a letter that addresses are written with: 0-9, A-F, X, ``.``, ``:``, ``-``."""

_ESCAPE = (
    rb"%(?:25){0,3}+[0-9A-Fa-f]{2}"
    rb"|&(?:amp;){0,3}+(?:#[0-9]{1,7}+|#[xX][0-9A-Fa-f]{1,6}+|period|colon);"
    rb"|\\(?:u0026(?:amp;)?+(?:#[0-9]{1,7}+|#[xX][0-9A-Fa-f]{1,6}+|period|colon);"
    rb"|\\{0,3}+(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[bf]))"
)
_IN_PAGES = rb"%(?:25){0,3}+" + _LETTER + rb"|&(?:amp;){0,3}+(?:#[0-9xX]|period|colon)"
_ESCAPED_IN_PAGES = re.compile(_IN_PAGES)
_ESCAPED = re.compile(
    rb"(?:" + _IN_PAGES + rb"|\\(?:u0026(?:amp;)?+(?:#|period|colon)|\\{0,3}+(?:u00|x)" + _LETTER + rb"))"
)
"""Where an escape begins that may stand for a letter of an address: percent, an entity of HTML, or ``\\u`` and
``\\x`` of JSON and JavaScript."""

_BACKSLASHED = (rb"\\u00", rb"\x", rb"\u0026")
"""One of these is in every text with a backslash that matters here: ``scrub`` has undone the plain escapes of JSON."""

_ESCAPED_RUN = re.compile(rb"(?:[0-9A-Za-z.:\-_]|" + _ESCAPE + rb")++")
_ONE = re.compile(rb"(" + _ESCAPE + rb")|(.)", re.DOTALL)
_PLAIN = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.:-_"
_HEX_DIGITS = b"0123456789abcdefABCDEF"
_BASE64_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_RUN_LETTERS = _BASE64_ALPHABET + b"-_"
_RUN = re.compile(rb"[A-Za-z0-9+/\-_]*+={0,2}+")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")

LONGEST_TEXT = 45
"""Characters of the longest IPv6 address: six groups and four numbers."""

_SPACE = 0x20
"""Represents a letter that no address contains."""

CHECKED_EVERY = 1000
"""Look-ups between two readings of the clock."""

LEAST_BASE64 = 12
"""Letters: base64 of the shortest address, ``1.2.3.4``."""


def _seed(first: bytes, second: bytes, third: bytes) -> bytes:
    """A pattern of the four base64 letters that encode three bytes, one from each of these."""
    numbers = (
        {a >> 2 for a in first},
        {(a & 3) << 4 | b >> 4 for a, b in product(first, second)},
        {(b & 15) << 2 | c >> 6 for b, c in product(second, third)},
        {c & 63 for c in third},
    )
    return b"".join(b"[" + bytes(sorted(_BASE64_ALPHABET[n] for n in each)) + b"]" for each in numbers)


_LETTERS = _HEX_DIGITS + b".:-"
_SEED = re.compile(_seed(_LETTERS, _LETTERS, _LETTERS))
"""Base64 of three letters of an address: every address has three that are encoded together."""

_SEEDS = re.compile(rb"(?=" + _seed(_LETTERS, _LETTERS, _LETTERS) + rb")")
_DATA = re.compile(rb'"data"\s*+:\s*+"([A-Za-z0-9+/\\\-_]{12,}+={0,2}+)"')
"""df-001: bytes that are not text."""

_WIDE = re.compile(rb"[0-9A-Fa-f:](?:\0[0-9A-Fa-fxX.:\-]){6}")
"""Seven letters of an address in UTF-16, the shortest that one has."""


class _Work:
    """Counts the work on one record.  Both ``Addresses`` and its disguises refer to it; if the disguises referred to
    ``Addresses`` instead, that cycle would stay in memory until the garbage collector ran.

    Args:
        seconds: processor time of this thread that it may take.
    """

    def __init__(self, seconds: float) -> None:
        self._until = thread_time() + seconds
        self._done = 0

    def spend(self, work: int = 1) -> None:
        """Count work on this record.

        Raises:
            TooCostly: it was too much.
        """
        self._done += work
        if self._done % CHECKED_EVERY < work and thread_time() > self._until:
            raise TooCostly("searching it for addresses takes too long")
        if self._done > MOST_LOOKUPS:
            raise TooCostly("more texts in it look like addresses than in any real measurement")


class Addresses:
    """Addresses that no one may read; ``replaced`` removes them from bytes.

    An IPv4 address covers the IPv6 addresses that contain it (mapped, compatible, NAT64, 6to4), and the reverse.

    Args:
        seconds: processor time of this thread that all replacing may take.
        plainly: they are spelled as addresses are (``addresses_in`` found them), not disguised.
    """

    def __init__(
        self, addresses: Iterable[Address] = (), seconds: float = MOST_SECONDS, *, plainly: bool = False
    ) -> None:
        self.spend = _Work(seconds).spend
        self._v4: set[int] = set()
        self._v6: set[int] = set()
        self._networks: set[int] = set()
        self._disguises = None if plainly else Disguises(self.spend)
        self._digits: list[bytes] | None = None
        self._parts: set[bytes] = set()
        self._unknown: set[bytes] = set()
        for address in addresses:
            self.add(address)

    def __bool__(self) -> bool:
        return bool(self._v4 or self._v6)

    def add(self, address: Address) -> None:
        """Remember one more."""
        self._digits = None
        if self._disguises is not None:
            self._disguises.add(address)
        if isinstance(address, IPv4Address):
            self._add_four(int(address))
            return
        self._v6.add(int(address))
        if address in GLOBAL:
            self._networks.add(int(address) >> 64)
        inside = _embedded(int(address))
        if inside is not None and inside > 0xFFFFFF:
            self._add_four(inside)

    def _add_four(self, value: int) -> None:
        self._v4.add(value)
        self._unknown.clear()
        for number in value.to_bytes(4):
            self._parts |= {
                form % number for form in (b"%d", b"%02d", b"%03d", b"0%o", b"00%o", b"0x%x", b"0x%02x")
            }

    def replaced(self, data: bytes, depth: int = 0) -> bytes:
        """``data`` with each address replaced by 127.0.0.1; the same object if there is none.

        Raises:
            TooCostly: it takes more look-ups than any real record.
        """
        spans = [*self._spans(data), *self._escaped(data)]
        if self._disguises is not None:
            spans += self._disguised(data, self._disguises)
        if b"\0" in data and _WIDE.search(data):
            spans += self._wide(data)
        if depth < DEEPEST:
            spans += self._encoded(data, depth)
        return _with(data, spans)

    def _spans(self, data: bytes) -> Iterator[Span]:
        yield from self._numbers(data)
        if self._may_be_a_number_in(data):
            yield from self._integers(data)
            yield from self._hexadecimal(data)
        for separator in _GROUPS:
            yield from self._groups(data, separator)
        yield from self._nibbles(data)

    def _may_be_a_number_in(self, data: bytes) -> bool:
        """A search for the digits themselves, which is quicker while addresses are few."""
        if len(self._v4) + len(self._v6) > FEW:
            return True
        if self._digits is None:
            four = [form % value for value in self._v4 for form in (b"%d", b"%x", b"%o")]
            padded = [b"%03d%03d%03d%03d" % tuple(value.to_bytes(4)) for value in self._v4]
            self._digits = [*four, *padded, *(form % value for value in self._v6 for form in (b"%d", b"%x"))]
        lower = data.lower()
        return any(digits in lower for digits in self._digits)

    def _numbers(self, data: bytes) -> Iterator[Span]:
        """Four numbers between dots, dashes or underscores, in either order."""
        if not self._v4:
            return
        for match in _NUMBERS.finditer(data):
            token = match[0]
            self.spend()
            if token not in self._unknown:
                if self._may_be_four(token):
                    yield from self._four(data, match)
                else:
                    self._unknown.add(token)
        for match in _SHORT.finditer(data):
            self.spend()
            if _aton(match[1]) in self._v4:
                yield Span(*match.span(1))

    def _may_be_four(self, token: bytes) -> bool:
        """Are three of its numbers those of a known address?  A quick check that most texts fail; the first
        may be joined to an escape."""
        known = sum(text in self._parts for text in _PARTS.findall(token.lower()))
        return known >= 3

    def _four(self, data: bytes, match: re.Match[bytes]) -> Iterator[Span]:
        skipped = _in_escape(data, match.start())
        parts = re.split(rb"([.\-_])", match[0])
        parts[0] = parts[0][skipped:] or b"999"
        numbers, separators = parts[::2], parts[1::2]
        first = 1 if data[match.start() - 1 : match.start()].isdigit() else 0
        at, n = match.start() + skipped + sum(map(len, parts[: 2 * first])), first
        while n + 4 <= len(numbers):
            size = sum(map(len, parts[2 * n : 2 * n + 7]))
            # A few digits may be part of a version or of an object's identifier; more are an address, with its port
            # behind it as tcpdump and netstat write it.
            is_short = sum(map(len, numbers[n : n + 4])) < FIGURES
            is_joined = b"." in (separators[n - 1] if n else b"", *separators[n + 3 : n + 4])
            is_part = is_short and is_joined
            if not is_part and self._is_known_four(
                data, numbers[n : n + 4], separators[n : n + 3], at + size
            ):
                yield Span(at, at + size)
                return
            at += len(parts[2 * n]) + 1
            n += 1

    def _is_known_four(self, data: bytes, numbers: list[bytes], separators: list[bytes], end: int) -> bool:
        self.spend()
        for read in (_decimal, _c_number):
            values = [read(number) for number in numbers]
            if max(values) > 255:
                continue
            if int.from_bytes(bytes(values)) in self._v4:
                return True
            if int.from_bytes(bytes(values[::-1])) in self._v4 and (
                set(separators) != {b"."} or _is_in_a_name(data, end)
            ):
                return True
        return False

    def _integers(self, data: bytes) -> Iterator[Span]:
        """One decimal or octal number, or four of three digits each without anything between them."""
        for match in _INTEGER.finditer(data):
            self.spend(2)
            start, end = match.start() + _in_escape(data, match.start()), match.end()
            text = data[start:end]
            if not text or _is_digit(data, end) or _is_fraction(data, start, end):
                continue
            if start == match.start() and _is_digit(data, start - 1):
                continue
            value = int(text)
            if value in self._v4 or value in self._v6:
                yield Span(start, end, NOBODY_DECIMAL)
            elif text.startswith(b"0") and _octal(text) in self._v4:
                yield Span(start, end, NOBODY_OCTAL)
            elif len(text) == 12:
                four = [int(text[n : n + 3]) for n in range(0, 12, 3)]
                if max(four) < 256 and int.from_bytes(bytes(four)) in self._v4:
                    yield Span(start, end, NOBODY_DECIMAL)

    def _hexadecimal(self, data: bytes) -> Iterator[Span]:
        for match in _PREFIXED.finditer(data):
            self.spend()
            if self._is_known_hex(match[1]):
                yield Span(*match.span(1), NOBODY_HEX)
        for match in _HEX.finditer(data):
            self.spend()
            start, end = match.span()
            if start and data[start - 1 : start] in _HEX_LETTERS and not _ends_escape(data, start):
                continue
            if self._is_known_hex(match[0]):
                yield Span(start, end, NOBODY_DECIMAL if match[0].isdigit() else NOBODY_HEX)

    def _is_known_hex(self, text: bytes) -> bool:
        value = int(text, 16)
        return value in (self._v4 if len(text) <= 8 else self._v6)

    def _nibbles(self, data: bytes) -> Iterator[Span]:
        """The names of ip6.arpa: 32 hexadecimal digits between dots, last first."""
        for match in _NIBBLES.finditer(data):
            start, end = match.start() - 1, match.end()
            if start >= 0 and data[start : start + 1] in _HEX_LETTERS:
                digits = data[start:end:2]
                self.spend(5)
                if self._is_known_six(int(digits[::-1], 16)) or self._is_known_six(int(digits, 16)):
                    yield Span(start, end)
        is_there = self._networks and b".ip6.arpa" in data
        for match in _HALF_NIBBLES.finditer(data) if is_there else ():
            if int(match[0][::-2], 16) in self._networks:
                yield Span(*match.span())

    def _groups(self, data: bytes, separator: bytes) -> Iterator[Span]:
        """IPv6 with colons, or with dashes as in the names of hosts."""
        for match in _GROUPS[separator].finditer(data):
            self.spend(2)
            before = data[max(match.start() - 4, 0) : match.start()]
            start = match.start() - len(before) + len(before.rstrip(_HEX_DIGITS))
            start = min(start + _in_escape(data, start), match.start())
            run = data[start : match.end()]
            groups = run.split(separator)
            if len(groups) >= 7 or separator * 2 in run:
                yield from self._windows(data, start, groups, separator)

    def _windows(self, data: bytes, start: int, groups: list[bytes], separator: bytes) -> Iterator[Span]:
        """Every run of two to nine groups, longest first: a port, or other text, may be next to it."""
        n, at = 0, start
        while n < len(groups):
            self.spend()
            for size in _sizes(groups[n : n + 9]):
                text = separator.join(groups[n : n + size])
                if n + size <= len(groups) and len(text) <= LONGEST_TEXT + 20:
                    known = self._known_part(text.replace(b"-", b":"), size)
                    if known:
                        yield _bracketed(data, at, at + known)
                        n, at = n + size - 1, at + len(text) - len(groups[n + size - 1])
                        break
            at += len(groups[n]) + 1
            n += 1

    def _known_part(self, text: bytes, size: int) -> int:
        """How many bytes from the start of ``text`` spell a known address; 0 = none do."""
        if b"::" not in text and size == 7 and b"." not in text:
            return 0
        for part in (text, text.rstrip(b"."), text.partition(b".")[0]) if b"." in text else (text,):
            self.spend()
            if self._is_known_v6(part):
                return len(part)
        return 0

    def _is_known_v6(self, text: bytes) -> bool:
        try:
            return self._is_known_six(int.from_bytes(inet_pton(AF_INET6, text.decode("ascii"))))
        except OSError:
            return False

    def _is_known_six(self, value: int) -> bool:
        if value in self._v6 or value >> 64 in self._networks:
            return True
        return bool(self._v4) and any(inside in self._v4 for inside in _embedded_anyhow(value))

    def _escaped(self, data: bytes) -> Iterator[Span]:
        """Addresses with some letters written as escapes."""
        at, begins = 0, _ESCAPED if any(sign in data for sign in _BACKSLASHED) else _ESCAPED_IN_PAGES
        while (seed := begins.search(data, at)) is not None:
            run = _ESCAPED_RUN.match(data, seed.start())
            at = run.end() if run else seed.end()
            before = data[max(seed.start() - LONGEST_TEXT, 0) : seed.start()]
            plain = before[len(before.rstrip(_PLAIN)) :]
            letters, places = bytearray(plain), list(range(seed.start() - len(plain), seed.start()))
            self.spend(20)
            for one in _ONE.finditer(data, seed.start(), at):
                self.spend()
                letters.append(_letter(one))
                places.append(one.start())
            places.append(at)
            for found in self._spans(bytes(letters)):
                yield Span(places[found.start], places[found.end], found.text)

    def _disguised(self, data: bytes, disguises: Disguises) -> Iterator[Span]:
        """Addresses with odd marks between their numbers, and in digits of other scripts."""
        for found in disguises.spans(data):
            yield Span(*found)
        letters, places = foreign(data)
        if letters:
            for start, end, text in (*self._spans(letters), *disguises.spans(letters)):
                yield Span(places[start], places[end], text)

    def _wide(self, data: bytes) -> Iterator[Span]:
        """Texts in UTF-16, of either byte order, at an even or an odd place."""
        for parity in (0, 1):
            for found in self._spans(data[parity::2]):
                first, last = 2 * found.start + parity, 2 * found.end + parity
                for shift in (0, 1):
                    zeros = data[first + 1 - 2 * shift : last + 1 - 2 * shift : 2]
                    if zeros and not zeros.strip(b"\0") and first >= shift:
                        text = found.text.decode().encode("utf-16-be" if shift else "utf-16-le")
                        yield Span(first - shift, last - shift, text)
                        break

    def _encoded(self, data: bytes, depth: int) -> Iterator[Span]:
        """Texts in base64 that contain an address, wherever they begin."""
        for match in _DATA.finditer(data):
            clean = self._recoded(match[1].replace(b"\\/", b"/"), depth)
            if clean is not None:
                yield Span(*match.span(1), clean)
        at = 0
        while (seed := _SEED.search(data, at)) is not None:
            start, end = _run_around(data, seed.start(), at)
            self.spend(50)
            if end - start >= LEAST_BASE64:
                for offset in sorted(
                    {(one.start() - start) % 4 for one in _SEEDS.finditer(data, start, end)}
                ):
                    clean = self._recoded(data[start + offset : end], depth)
                    if clean is not None:
                        yield Span(start + offset, end, clean)
                        break
            at = max(end, seed.end())

    def _recoded(self, text: bytes, depth: int) -> bytes | None:
        """The base64 ``text`` without addresses; ``None`` = there are none in it."""
        bare = text.rstrip(b"=")
        if len(bare) % 4 == 1:
            bare = bare[:-1]
        try:
            raw = b64decode(bare.translate(_URL_SAFE) + b"=" * (-len(bare) % 4))
        except (Base64Error, ValueError):
            return None
        clean = self.replaced(raw, depth + 1)
        if clean is raw or clean == raw:
            return None
        is_url_safe = b"-" in bare or b"_" in bare
        encoded = b64encode(clean, b"-_" if is_url_safe else None)
        is_padded = len(text) % 4 == 0
        return encoded if is_padded else encoded.rstrip(b"=")


_HEX_LETTERS = frozenset(bytes([letter]) for letter in _HEX_DIGITS)


def decoded(text: bytes) -> bytes:
    """The decoded bytes of a base64 text; empty = it is not one."""
    bare = text.rstrip(b"=")
    if len(bare) < LEAST_BASE64 - 2 or bare.strip(_RUN_LETTERS) or len(bare) % 4 == 1:
        return b""
    return b64decode(bare.translate(_URL_SAFE) + b"=" * (-len(bare) % 4))


def addresses_in(value: bytes) -> list[Address]:
    """The addresses that a header or a field names, such as ``192.0.2.4:5678, 10.0.0.1``, ``[2001:db8::1]:443`` or
    one number; loopback and unspecified addresses belong to no one.
    """
    plain = bytes(_letter(one) for one in _ONE.finditer(value)) if _ESCAPED.search(value) else value
    whole = _whole(plain.strip())
    if whole is not None:
        return [whole] if _is_somebody(whole) else []
    found = (_named_by(text) for text in _ADDRESS_LIKE.findall(plain))
    return [address for address in found if address is not None and _is_somebody(address)]


_ADDRESS_LIKE = re.compile(rb"[0-9A-Fa-f:.]{3,64}+")
_FOUR_DASHED = re.compile(rb"([0-9]{1,3}+)[\-_]([0-9]{1,3}+)[\-_]([0-9]{1,3}+)[\-_]([0-9]{1,3}+)")
_ONE_NUMBER = re.compile(rb"0[xX][0-9A-Fa-f]{6,8}+|[0-9]{8,12}+")


def _whole(text: bytes) -> Address | None:
    """The address that the whole text spells as one number, or with dashes."""
    dashed = _FOUR_DASHED.fullmatch(text)
    if dashed and max(map(int, dashed.groups())) < 256:
        return IPv4Address(bytes(map(int, dashed.groups())))
    if _ONE_NUMBER.fullmatch(text):
        value = _c_number(text)
        return IPv4Address(value) if 0xFFFFFF < value < 2**32 else None
    return None


def _named_by(text: bytes) -> Address | None:
    for part in (text, text.rpartition(b":")[0], text.rstrip(b"."), text.lstrip(b":")):
        if part:
            try:
                address = ip_address(part.decode("ascii"))
                return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
            except ValueError:
                continue
    return None


def _is_somebody(address: Address) -> bool:
    return not (address.is_loopback or address.is_unspecified)


def _embedded(value: int) -> int | None:
    """The IPv4 address in an IPv6 address (RFC 4291, 6052, 3056, 5214); ``None`` = it has none."""
    if value >> 32 in (0, 0xFFFF, 0xFFFF_0000, 0x64_FF9B << 64):
        return value & 0xFFFF_FFFF
    if value >> 112 == 0x2002:
        return value >> 80 & 0xFFFF_FFFF
    return value & 0xFFFF_FFFF if value >> 32 & 0xFCFF_FFFF == 0x5EFE else None


def _embedded_anyhow(value: int) -> Iterator[int]:
    """The IPv4 addresses that it may contain, whatever the operator's prefix is: at its end; around the bits 64 to 71
    (RFC 6052, section 2.2); behind the prefix of 6to4; and inverted, of Teredo (RFC 4380)."""
    inside = _embedded(value)
    if inside is not None:
        yield inside
    low = value & 0xFFFF_FFFF
    if low > 0xFFFFFF:
        yield low
    if value >> 96 == 0x2001_0000:
        yield low ^ 0xFFFF_FFFF
    whole = value.to_bytes(16)
    for length in (4, 5, 6, 7, 8):
        yield int.from_bytes((whole[length:8] + whole[9:])[:4])


def _sizes(groups: list[bytes]) -> Iterable[int]:
    """How many groups an address that begins with the first of these can have, the most first."""
    if not groups[0] and (groups[1:2] != [b""] or groups[2:3] == [b""]):
        return ()  # one colon before it, or three
    return range(9, 1, -1) if b"" in groups[1:] else (8, 7)


def _decimal(number: bytes) -> int:
    return int(number) if number.isdigit() else 256


def _c_number(number: bytes) -> int:
    """As C's inet_aton reads it: hexadecimal after 0x, octal after 0; 2**32 = not a number."""
    if number[:2].lower() == b"0x":
        return int(number, 16)
    return _octal(number) if number.startswith(b"0") and len(number) > 1 else int(number)


def _octal(number: bytes) -> int:
    return int(number, 8) if not number.strip(b"01234567") else 2**32


def _aton(text: bytes) -> int:
    """inet_aton of one to three numbers, the last of which fills the rest; -1 = not an address."""
    *high, low = map(_c_number, text.split(b"."))
    if any(number > 255 for number in high) or low >= 1 << 8 * (4 - len(high)):
        return -1
    return int.from_bytes(bytes(high).ljust(4, b"\0")) + low


def _is_in_a_name(data: bytes, end: int) -> bool:
    """Does a name continue after it, as in ``7.100.51.198.in-addr.arpa``?"""
    return data[end : end + 1] == b"." and data[end + 1 : end + 2].isalpha()


_ESCAPE_BEGINS = re.compile(rb"%[0-9A-Fa-f]{0,1}+\Z|\\u[0-9A-Fa-f]{0,3}+\Z|\\x[0-9A-Fa-f]{0,1}+\Z")
_ESCAPE_ENDS = re.compile(rb"(?:%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[bf])\Z")


def _in_escape(data: bytes, at: int) -> int:
    """How many bytes from ``at`` on belong to an escape, as ``20`` does in ``%20198.51.100.7``."""
    before = _ESCAPE_BEGINS.search(data, max(at - 5, 0), at)
    if before is None:
        return 0
    whole = {b"%": 3, b"\\u": 6, b"\\x": 4}[before[0][:1] if before[0][:1] == b"%" else before[0][:2]]
    return whole - len(before[0])


def _ends_escape(data: bytes, at: int) -> bool:
    return _ESCAPE_ENDS.search(data, max(at - 6, 0), at) is not None


def _is_digit(data: bytes, at: int) -> bool:
    return at >= 0 and data[at : at + 1].isdigit()


def _is_fraction(data: bytes, start: int, end: int) -> bool:
    """Is a number only a part of ``0.3325256711`` or ``3325256711.5``?"""
    is_after = data[start - 1 : start] == b"." and _is_digit(data, start - 2)
    return is_after or (data[end : end + 1] == b"." and _is_digit(data, end + 1))


def _bracketed(data: bytes, start: int, end: int) -> Span:
    """The span with the address's zone (``%eth0``) and brackets, if it has any."""
    zone = _ZONE.match(data, end)
    end = zone.end() if zone else end
    if start and data[start - 1 : start] == b"[" and data[end : end + 1] == b"]":
        return Span(start - 1, end + 1)
    return Span(start, end)


def _letter(one: re.Match[bytes]) -> int:
    """The byte that an escape, or a letter, represents."""
    text = one[1]
    if text is None:
        return one[2][0]
    if text.endswith(b";"):
        if b"#" not in text:
            return 0x3A if text.endswith(b"colon;") else 0x2E
        number = text[text.index(b"#") + 1 : -1]
        value = int(number[1:], 16) if number[:1] in b"xX" else int(number)
    elif text[:1] == b"%":
        value = int(text[-2:], 16)
    else:
        value = int(text.lstrip(b"\\")[1:] or b"20", 16)
    return value if value < 0x80 else _SPACE


def _run_around(data: bytes, place: int, least: int) -> tuple[int, int]:
    """The letters of base64 around ``place``, from ``least`` on."""
    start = place
    while start > least:
        piece = data[max(least, start - 4096) : start]
        kept = len(piece.rstrip(_RUN_LETTERS))
        start -= len(piece) - kept
        if kept:
            break
    match = _RUN.match(data, place)
    return start, match.end() if match else place


def _with(data: bytes, spans: list[Span]) -> bytes:
    """``data`` with the spans replaced; of two that overlap, the first and longest counts."""
    if not spans:
        return data
    parts, at = [], 0
    for start, end, text in sorted(spans, key=lambda span: (span.start, -span.end)):
        if start >= at:
            parts += [data[at:start], text]
            at = end
    return b"".join([*parts, data[at:]])
