"""Rows: the lines of a CSV file as fields by column, with what cannot be read named by line and reason."""

import csv
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import chain
from pathlib import Path

from fanous.errors import FanousError
from fanous.sources.connector import WHOLE_FILE, OnProgress, OnReject
from fanous.sources.signals.files import OnRepeat
from fanous.sources.stream import BROKEN, ByteSource, broken_why, open_source, read_line

LONGEST_LINE = 1 << 20
"""Bytes; a row of a series has some hundred."""

UTF_16 = (BOM_UTF16_LE, BOM_UTF16_BE)
"""What such a file begins with."""

Row = tuple[int, list[str]]
"""1-based line and its fields, as many as there are columns."""


class CsvRows:
    """The rows of one file below its head.

    Attributes:
        columns: as the first line names them, trimmed.
        comma: what parts its fields: a spreadsheet in many languages writes semicolons, and then a comma
            before decimals (``decimal``).
    """

    def __init__(
        self,
        path: Path,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None,
        comment: str = "",
    ) -> None:
        self.path = path
        self.columns: list[str] = []
        self.comma = ","
        self._on_reject, self._on_repeat = on_reject, on_repeat
        self._on_progress = on_progress
        self._comment = comment
        self._line = 0

    def rows(self, required: Sequence[str] = ()) -> Iterator[Row]:
        """Rows with the right number of fields, each once; ``columns`` is set before the first.

        Raises:
            FanousError: the file cannot be read, or its first line lacks one of ``required``.
        """
        with open_source(self.path, self._on_progress) as source:
            lines = self._lines(source)
            first = next(lines, "")
            if not first.strip():
                raise FanousError(f"{self.path} is empty: it has no first line that names columns")
            self.comma = max(SEPARATORS, key=first.count)
            reader = csv.reader(chain([first], lines), delimiter=self.comma)
            self.columns = self._head(reader, required)
            seen: set[bytes] = set()
            while True:
                try:
                    fields = next(reader, None)
                except csv.Error as error:
                    self._on_reject(self._line, f"not CSV: {error}")
                    continue
                if fields is None:
                    if self._line == 1:
                        self._on_reject(WHOLE_FILE, "no row stands below the line that names the columns")
                    break
                if len(fields) != len(self.columns):
                    self._on_reject(self._line, self._misfit(fields))
                    continue
                digest = blake2b("\0".join(fields).encode("utf-8", "replace"), digest_size=16).digest()
                if digest in seen:
                    self._on_repeat(self._line)
                    continue
                seen.add(digest)
                yield self._line, fields
            source.finish()

    @property
    def decimal(self) -> str:
        """What stands before decimals in this file."""
        return "." if self.comma == "," else ","

    def _misfit(self, fields: list[str]) -> str:
        if not fields:
            return "empty line"
        return f"{len(fields)} fields where the first line names {len(self.columns)}"

    def _head(self, reader: Iterator[list[str]], required: Sequence[str]) -> list[str]:
        try:
            columns = [name.strip() for name in next(reader, [])]
        except csv.Error as error:
            raise FanousError(f"{self.path} is no table of text: its first line cannot be read") from error
        missing = [name for name in required if name not in columns]
        if missing:
            has = ", ".join(columns)[:300] or "nothing"
            raise FanousError(f"{self.path}: the first line lacks {', '.join(missing)}; it has {has}")
        return columns

    def _lines(self, source: ByteSource) -> Iterator[str]:
        while True:
            try:
                line, length = read_line(source.stream, LONGEST_LINE)
            except BROKEN as error:
                self._on_reject(self._line + 1, broken_why(error))
                return
            if not length:
                return
            self._line += 1
            source.tell_progress()
            if self._line == 1 and line.startswith(UTF_16):
                raise FanousError(f"{self.path} is UTF-16, as spreadsheets write it: save it as UTF-8")
            if length > LONGEST_LINE + 1:
                self._on_reject(self._line, f"a line of {length:,} bytes, which no row is")
                continue
            text = line.decode("utf-8-sig" if self._line == 1 else "utf-8", "replace").replace("\0", "")
            if self._comment and text.startswith(self._comment):
                continue
            yield text


SEPARATORS = (",", ";", "\t")
"""What may part fields; the first where a line has none of them."""

NOTHING = frozenset(
    {"", "\\n", "null", "none", "nan", "na", "n/a", "nil", "undefined", "-", "--", "\u2013", "\u2014", "#n/a"}
    | {"<na>", "#null!", "#num!", "#value!", "#div/0!", "#ref!"}
)
"""What exporters and spreadsheets write where there is no value, in small letters."""


def is_nothing(text: str) -> bool:
    """Does a field say that there is no value?"""
    return text.strip().lower() in NOTHING


def number(text: str, decimal: str = ".") -> float | None:
    """The value of a field; NaN = the source says that it has none, ``None`` = it is no number.

    Below 0 it is what the source says: Monash's index of Táchira, July 2019, goes 40, 7, -1, 20.

    Args:
        decimal: a comma where the file writes its decimals so; a point is understood too.
    """
    text = text.strip()
    if decimal == "," and "." not in text:
        text = text.replace(",", ".")
    if is_nothing(text):
        return float("nan")
    try:
        value = float(text) if len(text) <= 40 and "_" not in text else float("inf")
    except ValueError:
        return None
    return value if abs(value) != float("inf") else None
