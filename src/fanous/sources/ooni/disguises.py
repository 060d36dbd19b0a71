"""Disguises: finds given addresses whose digits, separators or codes are not those of an address.

Block pages show their readers an address in the country's digits (``۱۹۸.۵۱.۱۰۰.۷``), with spaces, tags or direction
marks between its numbers, as a list of numbers or as bytes (``c6 33 64 07``); people who do not want to be found by a
search write ``198[.]51[.]100[.]7``.  Within one text, anything may stand between the numbers, since the four of an
address rarely follow each other by chance.  Those of ``1.1.1.1`` often do, and a site may name it on purpose, to make a
record lose digits of its certificate: see ``FIGURES``.

Only the digits are replaced, each number by itself, so that what stands between them, and JSON, stays as it is.
"""

import re
from array import array
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from unicodedata import digit

FEW = 8
"""How many addresses have their rarer spellings looked for one by one: the first ones, which the probe calls its own.
Each costs a third of a millisecond for a hundred kilobytes.
"""

LOCAL = tuple(
    map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "0.0.0.0/8"))
)
"""Networks of homes and machines: they identify no one, and ``10 0 0 1`` is part of many pictures."""

LEAST_OF_SIX = 12
"""Hexadecimal digits of an IPv6 address as it is shortened, from which it is looked for with marks between them."""

FIGURES = 7
"""An address of fewer digits is found only with marks between its numbers, not with words: the digits of any
certificate in base64 contain a few small numbers in any order.
"""

NEAR = 64
"""Bytes around foreign digits in which the rest of an address is looked for."""

APART = b"\n999999\n"
"""Separates two stretches; no address continues across it."""

Found = tuple[int, int, bytes]
"""Bytes from the first to the second, and what to write instead."""


def _foreign_digits() -> dict[bytes, bytes]:
    """UTF-8 of each decimal digit of another script, superscript, subscript, circled or a tag, and of the full-width
    letters of IPv6 -> ASCII.
    """
    letters = map(chr, range(0x80, 0x20000))  # beyond are ideographs
    found = {one.encode(): b"%d" % digit(one) for one in letters if digit(one, None) is not None}
    wide = {chr(0xFEE0 + ord(one)).encode(): one.encode() for one in "abcdefABCDEF"}
    return found | wide | {chr(0xE0000 + ord(one)).encode(): one.encode() for one in "0123456789"}


_DIGITS = _foreign_digits()


def _any_of(texts: Iterable[bytes]) -> bytes:
    """A pattern for texts of which none begins another."""
    rests: dict[bytes, list[bytes]] = {}
    for text in texts:
        rests.setdefault(text[:1], []).append(text[1:])
    if all(rest == [b""] for rest in rests.values()):
        return b"[" + b"".join(map(re.escape, rests)) + b"]"
    return b"|".join(re.escape(first) + b"(?:" + _any_of(rest) + b")" for first, rest in rests.items())


_UNSEEN = (
    rb"\xc2\xad",
    rb"\xcc[\x80-\xbf]",
    rb"\xcd[\x80-\xaf]",
    rb"\xe2\x80[\x8b-\x8f]",
    rb"\xe2\x81[\xa0-\xaf]",
    rb"\xe2\x83\xa3",
    rb"\xe2\xa0\x80",
    rb"\xe3\x85\xa4",
    rb"\xef\xb8\x8f",
    rb"\xef\xbb\xbf",
    rb"\xef\xbe\xa0",
)
"""Patterns of letters that cannot be seen.  Each begins with a given byte, written in four characters (``\\xc2``)."""
_ANY_UNSEEN = b"|".join(_UNSEEN)

_FOREIGN = re.compile(
    _any_of(_DIGITS)
    + rb"|%(?:25)?+[C-Fc-f][0-9A-Fa-f](?:%(?:25)?+[89ABab][0-9A-Fa-f]){1,3}"
    + rb"|&#(?:[0-9]{4,6}|[xX][0-9A-Fa-f]{3,5});"
    + b"".join(
        rb"|%s(?<=[0-9A-Fa-f.:]%s)%s(?:%s){0,7}+(?=[0-9A-Fa-f.:])" % (one[:4], one[:4], one[4:], _ANY_UNSEEN)
        for one in _UNSEEN
    )
)
"""A digit of another script: as itself, percent-encoded, or as an entity of HTML.  Or what cannot be seen between two
digits: a soft hyphen, marks over letters, zero-width characters, spaces of other scripts, the box of a keycap.

Every alternative begins with a given byte, so that ``re`` looks for one of a dozen bytes rather than trying all of them
everywhere: a record of 80 KB takes 0.1 ms rather than 10."""

_IS_UNSEEN = re.compile(b"(?:" + _ANY_UNSEEN + b")+")


def _digit(text: bytes) -> bytes | None:
    """What ``_FOREIGN`` found, in ASCII; empty = it cannot be seen, ``None`` = it is another letter."""
    letter = text
    if text.startswith(b"%"):
        letter = bytes(int(one[-2:], 16) for one in re.findall(rb"%(?:25)?+..", text))
    elif text.startswith(b"&"):
        number = text[2:-1]
        code = int(number) if number.isdigit() else int(number[1:], 16)
        letter = chr(code).encode("utf-8", "replace")
    return b"" if _IS_UNSEEN.fullmatch(letter) else _DIGITS.get(letter)


_CODE = (
    rb"%(?:25){0,3}+(?:2[0DEde]|3[Aa]|5[Ff])|%u002[Ee]|%[Cc]0%[Aa][Ee]|=2[Ee]|&(?:amp;){0,3}+#(?:0{0,4}46|[xX]0{0,4}2[Ee]);?+"
    rb"|%(?:25)?+(?:[Ee][Ff]%(?:25)?+[Bb][Cc]%(?:25)?+8[Ee]|[Ee]3%(?:25)?+80%(?:25)?+82)"
    rb"|\\{1,4}+(?:u\{0{0,4}2[Ee]\}|u[0-9A-Fa-f]{4}|x2[Ee]|0?+56|2[Ee] ?+)"
)
"""Codes of a separator that contain digits."""

_TAG = rb"<(?:=\"[^<>\\\"]{0,40}+\"|[^<>\\\"]|\\.){0,80}+>"
_BETWEEN = rb"(?:[^0-9%=&\\\"<]{1,40}+|" + _TAG + rb"|" + _CODE + rb"|\\{1,4}+\"|\" ?+, ?+\"|[%=&\\<]){1,8}+"
"""Within one text, or one list of texts: a quote that is not escaped ends it."""
_THREE_MORE = re.compile(3 * (_BETWEEN + rb"([0-9]{1,4}+)(?![0-9])"))
_ESCAPE_ENDS = re.compile(rb"(?:\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2})\Z")
_IN_ESCAPE = re.compile(rb"(?:\\u[0-9A-Fa-f]{0,3}|\\x[0-9A-Fa-f]?|%[0-9A-Fa-f]?)\Z")
_FOUR_BYTES = re.compile(rb"([0-9a-f]{2})" + 3 * rb"(?:[^0-9a-z\\%]{0,6}+(?:\\{1,4}x|%|0x)?+)([0-9a-f]{2})")
"""In lower case."""

_BLANK = (
    rb"(?:[^0-9a-z<>\\%%&\"]|%s|\\(?:[nrt/]|u00[01][0-9a-f])|%%00|&(?:nbsp|shy|zwn?j|[lr]rm|[a-z]{2,4}sp);)"
    % _TAG
)
"""Between the digits of one number, as where each has its own style, or a program reads UTF-16 as bytes."""

_MARKS = bytes(code for code in range(0x80) if not chr(code).isalnum())
_GROUP_BETWEEN = rb"(?:(?:[^0-9a-z<\\]|%s|<|\\(?:[nrt]|u00[01][0-9a-f])?+){1,12}+|[xs]{1,2}+)" % _TAG
_HEXADECIMAL = re.compile(rb"[0-9a-f]+")
_PLAIN = re.compile(rb"[0-9.]+")
"""As addresses are spelled; ``spellings`` knows whether it is one."""

_IN_A_WORD = re.compile(rb"(?<!%0)[0-9a-z]\Z")
_OF_GROUPS = re.compile(rb"\\u[0-9a-f]{4}|" + _TAG + rb"|([0-9a-f]+)")
"""An escape of JSON and a tag stay whole."""


class Disguises:
    """The addresses that are looked for.

    Args:
        spend: counts work, and raises if it is too much.
    """

    def __init__(self, spend: Callable[[int], None]) -> None:
        self._spend = spend
        self._fours: set[bytes] = set()
        self._firsts: re.Pattern[bytes] | None = None
        self._bytes: list[bytes] = []
        self._sixes: list[IPv6Address] = []
        self._texts: list[bytes] = []
        self._exact: list[bytes] = []
        self._cores: list[bytes] = []
        self._spread: list[re.Pattern[bytes]] = []
        self._few = 0

    def add(self, address: IPv4Address | IPv6Address) -> None:
        """Remember one more."""
        if isinstance(address, IPv4Address):
            if any(address in local for local in LOCAL):
                return
            self._fours.add(address.packed)
            self._firsts = None
        self._few += 1
        if self._few <= FEW:
            self._exact.append(b64encode(address.packed).rstrip(b"="))
            if isinstance(address, IPv4Address):
                self._texts += _texts_of(address)
                self._bytes.append(address.packed)
                self._spread += _spread(address)
            else:
                self._texts += _texts_of_six(address)
                self._sixes.append(address)
            self._cores += _cores_of(address)

    def spans(self, data: bytes) -> Iterator[Found]:
        """All places in ``data``; some more than once."""
        yield from self._four_numbers(data)
        if not self._few:
            return
        lower = data.lower()
        for text in self._texts:
            yield from _places(lower, text)
        for text in self._exact:
            yield from _places(data, text)
        for core in self._cores:
            at = data.find(core)
            while at >= 0:
                yield at, at + len(core), b"A" * len(core)
                at = data.find(core, at + len(core))
        for pattern in self._spread:
            for match in pattern.finditer(lower):
                self._spend(10)
                before = max(match.start() - 3, 0), match.start()
                if _PLAIN.fullmatch(match[0]) is None and not _IN_A_WORD.search(lower, *before):
                    yield from ((*match.span(n), b"1") for n in range(1, pattern.groups + 1))
        for four in self._bytes:
            yield from self._four_bytes(lower, four)
        squeezed = lower.translate(None, _MARKS) if self._sixes else b""
        for six in self._sixes:
            for expression in _patterns_of(six, lower, squeezed):
                for match in re.finditer(expression, lower):
                    self._spend(10)
                    for part in _OF_GROUPS.finditer(lower, *match.span()):
                        if part[1]:
                            yield *part.span(1), _instead(part[1])

    def _four_bytes(self, lower: bytes, four: bytes) -> Iterator[Found]:
        """Four bytes in hexadecimal, with marks between them."""
        begin = b"%02x" % four[0]
        at = lower.find(begin)
        while at >= 0:
            self._spend(2)
            match = _FOUR_BYTES.match(lower, at)
            if match and match.end() - at == 8 and _is_within(lower, at, match.end()):
                match = None
            if match and bytes(int(one, 16) for one in match.groups()) == four:
                yield from ((*match.span(n), _instead(match[n])) for n in range(1, 5))
            at = lower.find(begin, at + 1)

    def _four_numbers(self, data: bytes) -> Iterator[Found]:
        """Four numbers with anything between them, in either order."""
        if not self._fours:
            return
        if self._firsts is None:
            ends = {b"%d" % four[n] for four in self._fours for n in (0, 3)}
            self._firsts = re.compile(b"|".join(sorted(ends, reverse=True)))  # 198 before 19
        for first in self._firsts.finditer(data):
            self._spend(2)
            start, end = first.span()
            if data[end : end + 1].isdigit() or not _begins_a_number(data, start):
                continue
            rest = _THREE_MORE.match(data, end)
            if rest is None:
                continue
            self._spend(10)
            numbers = [int(first[0]), *map(int, rest.groups())]
            if max(numbers) > 255:
                continue
            behind = [end, rest.end(1), rest.end(2)]
            begins = [rest.start(1), rest.start(2), rest.start(3)]
            gaps = [data[a:b] for a, b in zip(behind, begins, strict=True)]
            if all(gap == b"." for gap in gaps):
                continue  # it is spelled as an address is
            if sum(len(b"%d" % one) for one in numbers) < FIGURES and _WORDS.search(b" ".join(gaps)):
                continue
            four = bytes(numbers)
            if four in self._fours or four[::-1] in self._fours:
                texts = (b"127", b"0", b"0", b"1") if four in self._fours else (b"1", b"0", b"0", b"127")
                places = [(start, end), rest.span(1), rest.span(2), rest.span(3)]
                yield from ((*place, text) for place, text in zip(places, texts, strict=True))


def foreign(data: bytes) -> tuple[bytes, "array[int]"]:
    """The stretches of ``data`` around digits of other scripts, one after another, with ASCII digits instead; and where
    each letter of it, and its end, stands in ``data``."""
    letters, places, at = bytearray(), array("Q"), 0
    for match in _FOREIGN.finditer(data):
        own = _digit(match[0])
        if own is None:
            continue
        start, end = match.span()
        if not letters or start > at + 2 * NEAR:
            rest = min(at + NEAR, start) if letters else at
            letters += data[at:rest] + APART
            places.extend([*range(at, rest), *[rest] * len(APART)])
            at = max(start - NEAR, rest)
        letters += data[at:start] + own
        places.extend(range(at, start + len(own)))
        at = end
    if letters:
        letters += data[at : at + NEAR]
        places.extend(range(at, min(at + NEAR, len(data)) + 1))
    return bytes(letters), places


def _patterns_of(address: IPv6Address, lower: bytes, squeezed: bytes) -> Iterator[bytes]:
    """What finds it with odd marks, between its digits and between its groups, where a quick look (at the text in lower
    case, and at the same without marks) says that it may be there."""
    digits = address.packed.hex().encode()
    for own in (digits, address.compressed.replace(":", "").encode()):
        if len(own) >= LEAST_OF_SIX and own in squeezed:
            yield rb"[^0-9a-z]{0,6}+".join(b"%c" % one for one in own)
    groups = [int(group, 16) for group in address.exploded.split(":")]
    if groups[0] and groups[-1] and all(b"%x" % group in lower for group in groups if group):
        pattern = b"0{0,3}%x" % groups[0]
        for group in groups[1:]:
            if group:
                pattern += _GROUP_BETWEEN + rb"(?:0{1,4}+" + _GROUP_BETWEEN + rb"){0,7}0{0,3}%x" % group
        yield rb"(?<![0-9a-z])" + pattern + rb"(?![0-9a-z])"


_ESCAPES = (b"=%02x", rb"\\%03o", rb"\\%x ", rb"\\u{%x}", rb"\\u{00%x}", b"%%u00%02x", b"&#%d")
"""Of each letter: quoted-printable, C's octal form, CSS's, JavaScript's, with JSON's two backslashes for one; IIS's; an
entity of HTML without its end."""


def _letters_of(text: bytes) -> list[bytes]:
    """Forms of a text letter by letter, in lower case."""
    forms = ((b"%02x", (b" ", b":", b"-")), (b"0x%02x", (b",", b", ", b" ")), (b"%d", (b",", b", ", b" ")))
    return [
        text.hex().encode(),
        b"0x" + text.hex().encode(),
        *(text.decode().encode(f"utf-16-{order}").hex().encode() for order in ("le", "be")),
        *(
            separator.join(form % letter for letter in text)
            for form, several in forms
            for separator in several
        ),
        *(b" ".join(format(letter, form).encode() for letter in text) for form in ("o", "08b")),
        *(b"".join(form % letter for letter in text) for form in _ESCAPES),
    ]


def _texts_of_six(address: IPv6Address) -> list[bytes]:
    """In lower case."""
    number, text = int(address), str(address).encode()
    return [
        *_letters_of(text),
        text[::-1],
        address.packed[::-1].hex().encode(),
        "-".join(reversed(address.packed.hex())).encode(),
        ".".join(str(int(group, 16)) for group in address.exploded.split(":")).encode(),
        ".".join(map(str, address.packed)).encode(),
        "-".join(reversed(address.exploded.split(":"))).encode(),
        *(form.encode() for form in (f"{number:,}", f"{number:0128b}", f"{number:o}")),
    ]


def _cores_of(address: IPv4Address | IPv6Address) -> list[bytes]:
    """What base64 makes of its text in UTF-16 and in the digits of Persian and Arabic, and of the bytes of IPv6: the
    letters that do not depend on what is around it."""
    text = str(address)
    spelled = [text.encode(f"utf-16-{order}") for order in ("le", "be")]
    if isinstance(address, IPv6Address):
        spelled.append(address.packed)
    else:
        scripts = ({0x30 + n: zero + n for n in range(10)} for zero in (0x6F0, 0x660))
        spelled += [text.translate(script).encode() for script in scripts]
    return [
        b64encode(bytes(before) + one)[-(-8 * before // 6) : 8 * (before + len(one)) // 6]
        for one in spelled
        for before in range(3)
    ]


def _spread(address: IPv4Address) -> list[re.Pattern[bytes]]:
    """A pattern that finds its digits with marks or tags between them, or its numbers in the order of some hosts'
    names; none for an address of few digits.
    """
    numbers = str(address).split(".")
    if len("".join(numbers)) < FIGURES:
        return []
    first, second, third, last = (b"(%d)" % int(one) for one in numbers)
    delegated = rb"\.[0-9]{1,3}+(?:-|\\?/)[0-9]{1,3}+\."  # RFC 2317: 7.0-127.100.51.198.in-addr.arpa
    names = (
        last + delegated + rb"\.".join((third, second, first)) + rb"(?![0-9])",
        last + rb"\." + rb"[-_]".join((first, second, third)) + rb"(?![0-9])",
    )
    figures = ((_BLANK + b"{0,8}+").join(b"(%d)" % int(one) for one in number) for number in numbers)
    apart = (_BLANK + b"{1,12}+").join(figures) + rb"(?![0-9a-z])"
    return [re.compile(one) for one in (apart, *names)]


def _texts_of(address: IPv4Address) -> list[bytes]:
    """In lower case."""
    dotted, number = str(address).encode(), int(address)
    grouped, power = f"{number:,}", f"{number / 1e9:.9f}".rstrip("0")
    signed, backwards = number - 2**32, int.from_bytes(address.packed, "little")
    first, second = address.packed[:2]
    return [
        *([b"%d" % signed] if number >= 2**31 else []),
        b"%d" % backwards,
        b"%d" % (backwards - 2**32),
        *(form % backwards for form in (b"%08x", b"0x%08x")),
        *(grouped.replace(",", mark).encode() for mark in ",.' \u00a0\u202f"),
        *(f"{power}{mark}9".encode() for mark in ("e", "e+", "e+0", "e0")),
        b"%d.0" % number,
        b"%d.%d" % (first, number & 0xFFFFFF),
        b"%d.%d.%d" % (first, second, number & 0xFFFF),
        dotted[::-1],
        b"".join(b"%03d" % one for one in reversed(address.packed)),
        *(
            separator.join(b"%08d" % int(f"{one:b}") for one in address.packed)
            for separator in (b".", b" ", b"")
        ),
        *_letters_of(dotted),
        b".".join(b"0o%o" % one for one in address.packed),
        b"0o%o" % number,
        b"%o" % number,
        b"%032x" % (0xFFFF << 32 | number),
        b", ".join(b"0x%x" % one for one in address.packed),
        f"0b{number:b}".encode(),
        f"{number:_}".encode(),
    ]


def _places(data: bytes, text: bytes) -> Iterator[Found]:
    """Where it stands alone, not as part of a longer number or word."""
    at = data.find(text)
    while at >= 0:
        end = at + len(text)
        around = data[max(at - 1, 0) : at] + data[end : end + 1]
        if not around.isalnum() and not any(chr(one).isalnum() for one in around if one < 0x80):
            yield from ((*part.span(), _instead(part[0])) for part in _WORDS.finditer(data, at, end))
        at = data.find(text, end)


_WORDS = re.compile(rb"[0-9A-Za-z+/]+")


def _instead(text: bytes) -> bytes:
    """What to write instead: a number for a number, so that JSON stays legal."""
    return b"10" if text.isdigit() else b"7f"


def _is_within(lower: bytes, start: int, end: int) -> bool:
    """Is it a part of a longer hexadecimal number?"""
    return bool(_HEXADECIMAL.match(lower, end) or _HEXADECIMAL.match(lower[max(start - 1, 0) : start]))


def _begins_a_number(data: bytes, start: int) -> bool:
    """Are there no other digits before it, but zeros and those of a whole escape?"""
    if _IN_ESCAPE.search(data, max(start - 5, 0), start):
        return False
    before = data[max(start - 2, 0) : start]
    at = start - len(before) + len(before.rstrip(b"0"))
    is_first = not data[at - 1 : at].isdigit() if at else True
    return is_first or _ESCAPE_ENDS.search(data, max(start - 6, 0), start) is not None
