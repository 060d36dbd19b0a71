"""CSV file: the rows of a table that anyone may have written, in bounded memory.

What cannot be read is reported with its line and the reason, and the rows after it are read.
"""

import csv
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from fanous.errors import FanousError
from fanous.sources.connector import OnProgress, OnReject
from fanous.sources.stream import BROKEN, ByteSource, broken_why, open_source, read_line

LONGEST_LINE = 1 << 20
"""Bytes; a row of a series has about a hundred."""

UTF_16 = (BOM_UTF16_LE, BOM_UTF16_BE)
"""How a file in UTF-16 begins."""

SEPARATORS = (",", ";", "\t")
"""Possible separators of fields; the first, if a line has none of them."""

Row = tuple[int, list[str]]
"""1-based line and its fields, as many as there are columns."""


class CsvFile:
    """The rows of one file below its header.

    Args:
        longest: most bytes of a line.

    Attributes:
        columns: as the first line names them, trimmed.
        comma: the separator of fields.  In many languages, spreadsheets write semicolons, and a comma before
            decimals.
        line: 1-based line that was read last.
    """

    def __init__(
        self,
        path: Path,
        on_reject: OnReject,
        on_progress: OnProgress | None = None,
        longest: int = LONGEST_LINE,
    ) -> None:
        self.path = path
        self.columns: list[str] = []
        self.comma = ","
        self.line = 0
        self._on_reject, self._on_progress, self._longest = on_reject, on_progress, longest

    def rows(self, required: Sequence[str] = ()) -> Iterator[Row]:
        """Rows with the right number of fields; ``columns`` is set before the first.

        Raises:
            FanousError: the file cannot be read, or its first line lacks one of ``required``.
        """
        with open_source(self.path, self._on_progress) as source:
            lines = self._lines(source)
            first = next(lines, "")
            if not first.strip():
                raise FanousError(
                    f"{self.path} is empty, or its first line, with the names of the columns, is too long"
                )
            self.comma = max(SEPARATORS, key=first.count)
            reader = csv.reader(chain([first], lines), delimiter=self.comma)
            try:
                self.columns = [name.strip() for name in next(reader, [])]
            except csv.Error as error:
                raise FanousError(
                    f"{self.path} is not a text table: its first line cannot be read"
                ) from error
            missing = [name for name in required if name not in self.columns]
            if missing:
                has = ", ".join(self.columns)[:300] or "nothing"
                raise FanousError(f"{self.path}: the first line lacks {', '.join(missing)}; it has {has}")
            while True:
                try:
                    fields = next(reader, None)
                except csv.Error as error:
                    self._on_reject(self.line, f"not CSV: {error}")
                    continue
                if fields is None:
                    return
                if len(fields) == len(self.columns):
                    yield self.line, fields
                    continue
                misfit = f"{len(fields)} fields where the first line names {len(self.columns)}"
                self._on_reject(self.line, misfit if fields else "empty line")

    def _lines(self, source: ByteSource) -> Iterator[str]:
        while True:
            try:
                line, length = read_line(source.stream, self._longest)
            except BROKEN as error:
                self._on_reject(self.line + 1, broken_why(error))
                return
            if not length:
                return
            self.line += 1
            source.tell_progress()
            if self.line == 1 and line.startswith(UTF_16):
                raise FanousError(f"{self.path} is UTF-16, as spreadsheets write it: save it as UTF-8")
            if length > self._longest + 1:
                self._on_reject(self.line, f"a line of {length:,} bytes, which no row is")
                continue
            yield line.decode("utf-8-sig" if self.line == 1 else "utf-8", "replace").replace("\0", "")
