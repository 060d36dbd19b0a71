"""Fingerprints: texts and addresses that only a block page has, found in one pass over a response.

Pure: patterns are passed in, and ``parse_fingerprints`` reads them from the text of a TOML file.  A compiled set keeps
its own working memory, so one set serves one thread.

Hyperscan, which searches for all patterns at once, has wheels for x86-64 and 64-bit ARM on Linux, macOS and Windows;
elsewhere a loop over the patterns gives the same answers at a thousandth of the speed.  Patterns work on the bytes of
UTF-8: bounded gaps of whole characters grow beyond what Hyperscan compiles.  Case is ignored for ASCII letters only,
and a character class may contain no others.
"""

import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from fanous.config import Section, Text, parse
from fanous.errors import FanousError
from fanous.model.measurement import Observation
from fanous.model.threshold import threshold

hyperscan: Any = import_module("hyperscan") if find_spec("hyperscan") else None

LONGEST_BODY = threshold(
    "rules.body_characters",
    512 * 1024,
    "Block pages are short: a body of up to so many characters is searched as a whole.",
)
READ_OF_LONGER = threshold(
    "rules.long_body_characters_read",
    256 * 1024,
    "Characters that are searched, from its beginning, of a body longer than `rules.body_characters`.",
)

LONGEST_NOTICE = threshold(
    "rules.notice_bytes",
    16 * 1024,
    "The words of a notice count in pages up to this length: they appear in news articles too, whose pages are "
    "longer. In a longer body only frames, links and addresses of a notice count (a real one in Russia has "
    "31,692 bytes and links to the register).",
)


class FingerprintKind(StrEnum):
    """What a pattern shows; ``BENIGN`` cancels what another pattern in the page shows."""

    BLOCKPAGE = "blockpage"
    CAPTCHA = "captcha"
    PORTAL = "portal"
    BENIGN = "benign"


class Where(StrEnum):
    """Where in a response a pattern is looked for."""

    BODY = "body"
    TITLE = "title"
    HEADER = "header"
    LOCATION = "location"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One pattern.

    Attributes:
        id: permanent, ``<country or vendor>.<name>``.
        where: ``body`` also finds it in the headers, ``location`` only in a redirect's target.
        pattern: a regular expression (Hyperscan's subset of PCRE), letters of either case; ``title`` patterns are tried
            inside the page's title.
        countries: ISO codes in which it counts; empty = everywhere.
        source: the public fact it was written from.
        literal: ``pattern`` is plain text.
        origin: the published set from which it was taken; empty = written by us or by the user.
        any_length: it counts in a body of any length, not only in one as short as a notice.
    """

    id: str
    where: Where
    kind: FingerprintKind
    pattern: str
    countries: frozenset[str] = frozenset()
    source: str = ""
    literal: bool = False
    origin: str = ""
    any_length: bool = True


@dataclass(frozen=True, slots=True)
class BlockAddress:
    """An address that resolvers give out for blocked names and that serves the notice.

    Attributes:
        names: the notice's own, for which the address is the right answer, as it is for names below them.
    """

    address: str
    countries: frozenset[str] = frozenset()
    source: str = ""
    names: frozenset[str] = frozenset()


# --- searching ------------------------------------------------------------------------------------------

# HS_FLAG_CASELESS, HS_FLAG_DOTALL and HS_FLAG_SINGLEMATCH of Hyperscan's C interface.
_FLAGS = 1 | 2 | 8

_LONGEST_TITLE = 300
_SPLIT_LETTER = re.compile(r"\[[^\]\\]*[^\x00-\x7f]|[^\x00-\x7f][?*+{]")


@dataclass(frozen=True, slots=True)
class PatternText:
    """A pattern to compile; ``in_title`` = it counts between ``<title>`` and the next tag only."""

    id: str
    pattern: str
    literal: bool = False
    in_title: bool = False

    @property
    def expression(self) -> str:
        inner = re.escape(self.pattern) if self.literal else self.pattern
        return f"<title[^>]{{0,80}}>[^<]{{0,{_LONGEST_TITLE}}}({inner})" if self.in_title else inner


class Matcher(Protocol):
    """Compiled patterns."""

    def find(self, data: bytes) -> list[tuple[int, int]]:
        """Index of each pattern that occurs in ``data`` (UTF-8), with the end of its first occurrence."""
        ...


def compile_matcher(patterns: list[PatternText]) -> Matcher:
    """The fastest matcher of this machine.

    Raises:
        FanousError: a pattern cannot be compiled; the message names it.
    """
    if hyperscan is None or not patterns:
        return loop_matcher(patterns)
    _refuse_split_letters(patterns)
    return _Hyperscan(_database(patterns))


def dumped(matcher: Matcher) -> bytes | None:
    """The matcher in compiled form, for ``loaded``; ``None`` = it has none worth keeping."""
    return bytes(hyperscan.dumpb(matcher.database)) if isinstance(matcher, _Hyperscan) else None


def loaded(data: bytes) -> Matcher | None:
    """The matcher from a result of ``dumped``; ``None`` = made for another processor or release.

    Hyperscan does not find every fault in ``data``: pass only data known to be intact.
    """
    if hyperscan is None:
        return None
    try:
        return _Hyperscan(hyperscan.loadb(data, hyperscan.HS_MODE_BLOCK))
    except hyperscan.error:
        return None


def engine() -> str:
    """The compiler of the patterns, with its release: a compiled form works only with that release."""
    return f"hyperscan {hyperscan.__version__}, flags {_FLAGS}" if hyperscan else "re"


def loop_matcher(patterns: list[PatternText]) -> Matcher:
    """A matcher that tries one pattern after another, with only the standard library."""
    _refuse_split_letters(patterns)
    return _Loop(patterns)


def _refuse_split_letters(patterns: list[PatternText]) -> None:
    for pattern in patterns:
        if not pattern.literal and _SPLIT_LETTER.search(pattern.pattern):
            raise _refused(pattern, "a letter outside ASCII is several bytes, so write (a|b) for [ab]")


class _Loop:
    def __init__(self, patterns: list[PatternText]) -> None:
        self._compiled = []
        for pattern in patterns:
            try:
                regex = re.compile(pattern.expression.encode(), re.IGNORECASE | re.DOTALL)
                self._compiled.append(regex)
            except re.error as error:
                raise _refused(pattern, str(error)) from error

    def find(self, data: bytes) -> list[tuple[int, int]]:
        hits = ((index, regex.search(data)) for index, regex in enumerate(self._compiled))
        return [(index, hit.end()) for index, hit in hits if hit]


def _database(patterns: list[PatternText]) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    expressions = [pattern.expression.encode() for pattern in patterns]
    try:
        database.compile(
            expressions=expressions, ids=list(range(len(patterns))), flags=[_FLAGS] * len(patterns)
        )
    except hyperscan.error as error:
        raise _first_refused(patterns, str(error)) from error
    return database


class _Hyperscan:
    def __init__(self, database: Any) -> None:
        self.database = database
        self._scratch = hyperscan.Scratch(database)

    def find(self, data: bytes) -> list[tuple[int, int]]:
        hits: list[tuple[int, int]] = []

        def remember(index: int, _start: int, end: int, _flags: int, _context: Any) -> None:
            hits.append((index, end))

        self.database.scan(data, match_event_handler=remember, scratch=self._scratch)
        return hits


def _first_refused(patterns: list[PatternText], reason: str) -> FanousError:
    """Hyperscan's refusal of a set does not say which pattern it was: try them alone."""
    for pattern in patterns:
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        try:
            database.compile(expressions=[pattern.expression.encode()], ids=[0], flags=[_FLAGS])
        except hyperscan.error as error:
            return _refused(pattern, str(error))
    return FanousError(f"the fingerprints cannot be compiled together: {reason}; use fewer or simpler ones")


def _refused(pattern: PatternText, reason: str) -> FanousError:
    return FanousError(
        f"fingerprint {pattern.id}: the pattern cannot be compiled: {reason}; correct or remove it"
    )


# --- sets -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprints:
    """A compiled set; see ``compile_fingerprints``.

    Attributes:
        version: names the patterns beyond those that ship, to be written after ``RULES_VERSION``; empty = there
            are none.
    """

    patterns: tuple[Fingerprint, ...]
    addresses: dict[str, BlockAddress]
    matcher: Matcher = field(repr=False)
    version: str = ""

    def find(self, response: Observation, country: str) -> tuple[Fingerprint, ...]:
        """Patterns that count in ``country`` and occur in the response, in the order of the set."""
        location, headers, body = _sections(response)
        data = b"".join((location, headers, body))
        if not data:
            return ()
        before_body = len(location) + len(headers)
        ends = {Where.LOCATION: len(location), Where.HEADER: before_body}
        length = len(body) if response.body else response.body_length  # facts keep no body
        is_long = response.body_truncated or length > LONGEST_NOTICE
        found = []
        for index, end in self.matcher.find(data):
            pattern = self.patterns[index]
            if end > ends.get(pattern.where, len(data)):
                continue
            if is_long and not pattern.any_length and end > before_body:
                continue
            if pattern.countries and country not in pattern.countries:
                continue
            found.append(index)
        return _settled(tuple(self.patterns[index] for index in sorted(set(found))))

    def is_block_address(self, address: str, country: str, hostname: str = "") -> bool:
        """Is this the address of a notice in the country, other than the notice's own name?"""
        known = self.addresses.get(address)
        if known is None or (known.countries and country not in known.countries):
            return False
        return not any(f".{hostname.lower()}".endswith(f".{name}") for name in known.names)


def _settled(found: tuple[Fingerprint, ...]) -> tuple[Fingerprint, ...]:
    """The matches that remain once those of the published sets have been weighed.

    Their benign patterns are sometimes single words (``redirect``), written to correct the set they are part of: they
    cancel only that set's block pages.  Nor does their match for a school's or a company's own filter outweigh a block
    page of ours.
    """
    harmless = {p.origin for p in found if p.origin and p.kind is FingerprintKind.BENIGN}
    ours = any(not p.origin and p.kind is FingerprintKind.BLOCKPAGE for p in found)

    def stands(p: Fingerprint) -> bool:
        if not p.origin:
            return True
        if p.kind is FingerprintKind.BLOCKPAGE:
            return p.origin not in harmless
        return p.kind is not FingerprintKind.BENIGN and not (p.kind is FingerprintKind.PORTAL and ours)

    return tuple(filter(stands, found))


def _sections(response: Observation) -> tuple[bytes, bytes, bytes]:
    """Location, headers and body as bytes, each followed by a line break unless it is empty."""
    body = response.body
    if len(body) > LONGEST_BODY:
        body = body[:READ_OF_LONGER]
    if response.title and not body:
        body = f"<title>{response.title}</title>"
    headers = response.headers or "\n".join(response.header_names)
    return _bytes(response.location), _bytes(headers), body.encode("utf-8", "replace")


WORDS, GAP = 2, 1
"""What a byte of a response is to a pattern that occurs there: its own words, or what may be anything between them."""

_GAP = re.compile(r"(?:(?<!\\)\.|\[\^[<>]\])\{\d+,\d+\}")


def passages(patterns: Iterable[Fingerprint], response: Observation) -> tuple[bytes, bytearray]:
    """The response as patterns read it (target of a redirect, headers, body), and what each byte of it is to the first
    occurrence of each pattern: ``WORDS``, ``GAP``, or 0 = nothing."""
    data = b"".join(_sections(response))
    marks = bytearray(len(data))
    for one in patterns:
        expression = PatternText(one.id, one.pattern, one.literal, one.where is Where.TITLE).expression
        gaps = expression if one.literal else _with_gaps(expression)
        found = re.search(gaps.encode(), data, re.IGNORECASE | re.DOTALL)
        if found is None:
            continue
        own = bytearray(len(data))
        own[found.start() : found.end()] = bytes([WORDS]) * (found.end() - found.start())
        for name in found.groupdict():
            start, end = found.span(name)
            own[start:end] = bytes([GAP]) * (end - start)
        marks = bytearray(map(max, marks, own))
    return data, marks


def _with_gaps(expression: str) -> str:
    """A pattern in which whatever matches anything has a name."""
    count = itertools.count()
    return _GAP.sub(lambda gap: f"(?P<gap{next(count)}>{gap[0]})", expression)


def _bytes(text: str) -> bytes:
    return f"{text}\n".encode("utf-8", "replace") if text else b""


def compile_fingerprints(
    patterns: Iterable[Fingerprint],
    addresses: Iterable[BlockAddress] = (),
    matcher: Callable[[list[PatternText]], Matcher] = compile_matcher,
    version: str = "",
) -> Fingerprints:
    """Compile a set.

    Args:
        matcher: what compiles the patterns.
        version: see ``Fingerprints``.

    Raises:
        FanousError: a pattern cannot be compiled, or two have the same id; the message names it.
    """
    kept = tuple(patterns)
    seen: set[str] = set()
    for pattern in kept:
        if pattern.id in seen:
            raise FanousError(f"fingerprint {pattern.id}: the id is used twice; give one of them another")
        seen.add(pattern.id)
    texts = [PatternText(p.id, p.pattern, p.literal, in_title=p.where is Where.TITLE) for p in kept]
    return Fingerprints(kept, {a.address: a for a in addresses}, matcher(texts), version)


class PatternTable(Section, frozen=True):
    """A table ``[[pattern]]``; see ``Fingerprint``.

    Attributes:
        any_length: also counts for the text of a block page, which otherwise counts only in short pages.
    """

    id: Text
    where: Where
    kind: FingerprintKind
    pattern: Text
    source: Text
    countries: tuple[Text, ...] = ()
    literal: bool = False
    any_length: bool = False

    def fingerprint(self) -> Fingerprint:
        may_be_words = self.where is Where.BODY and self.kind is FingerprintKind.BLOCKPAGE
        return Fingerprint(
            id=self.id,
            where=self.where,
            kind=self.kind,
            pattern=self.pattern,
            countries=frozenset(self.countries),
            source=self.source,
            literal=self.literal,
            any_length=not may_be_words or self.any_length,
        )


class AddressTable(Section, frozen=True):
    """A table ``[[address]]``; see ``BlockAddress``."""

    address: Text
    source: Text
    countries: tuple[Text, ...] = ()
    names: tuple[Text, ...] = ()


class FingerprintFile(Section, frozen=True):
    """A whole file of fingerprints."""

    pattern: tuple[PatternTable, ...] = ()
    address: tuple[AddressTable, ...] = ()


def parse_fingerprints(text: str, name: str) -> tuple[tuple[Fingerprint, ...], tuple[BlockAddress, ...]]:
    """Read patterns and addresses from the text of a TOML file; ``name`` is for error messages.

    Raises:
        FanousError: not TOML, or a key is unknown, missing or wrong.
    """
    file = parse(text, FingerprintFile, name)
    addresses = tuple(
        BlockAddress(one.address, frozenset(one.countries), one.source, frozenset(one.names))
        for one in file.address
    )
    return tuple(one.fingerprint() for one in file.pattern), addresses
