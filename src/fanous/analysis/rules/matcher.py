"""Matcher: searches a text for many patterns in one pass (Hyperscan), or one by one without it.

Patterns work on the bytes of UTF-8: bounded gaps of whole characters grow beyond what Hyperscan compiles.
Case is ignored for ASCII letters only, and a character class may contain no others.

Hyperscan has wheels for x86-64 and 64-bit ARM on Linux, macOS and Windows; elsewhere the loop gives the same answers at
a thousandth of the speed.
"""

import re
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from fanous.errors import FanousError

hyperscan: Any = import_module("hyperscan") if find_spec("hyperscan") else None

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
