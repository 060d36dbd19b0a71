"""OONI counts: the number of measurements per day and network, as counted in OONI's database.

It contains no measurements: it shows who measured, but not what they saw.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from fanous.errors import FanousError
from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey
from fanous.sources.stream import BROKEN, ByteSource, broken_why, open_source, read_line

LONGEST_LINE = 1 << 16
"""Bytes; a row has some thirty."""

COLUMNS = ("count", "test_day", "probe_asn")


def read_counts(path: Path) -> list[Series]:
    """A series of daily counts for each network; ASN 0 means no network, and is left out.

    Raises:
        FanousError: the file cannot be read, or is not such a table; the message says where.
    """
    made: defaultdict[int, dict[int, int]] = defaultdict(dict)
    try:
        with open_source(path) as source:
            rows = csv.DictReader(_lines(source))
            if not set(COLUMNS) <= set(rows.fieldnames or ()):
                raise FanousError(f"{path} has no columns {', '.join(COLUMNS)}: is it a table of counts?")
            for row in rows:
                asn, at, count = _row(row, path, rows.line_num)
                if asn and count:
                    made[asn][at] = made[asn].get(at, 0) + count
    except BROKEN as error:
        raise FanousError(f"{path} cannot be read as a table: {broken_why(error)}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise FanousError(f"{path} cannot be read as a table: {error}") from None
    if not made:
        raise FanousError(f"{path} counts no measurement on any network")
    return [_series(asn, made[asn]) for asn in sorted(made)]


def _lines(source: ByteSource) -> Iterator[str]:
    encoding = "utf-8-sig"  # of the first line; it may begin with a mark
    while True:
        line, length = read_line(source.stream, LONGEST_LINE)
        if not length:
            return
        if length > LONGEST_LINE + 1:
            raise FanousError(f"{source.path} cannot be read as a table: it has a line of {length:,} bytes")
        yield line.decode(encoding)
        encoding = "utf-8"


def _row(row: dict[str, str], path: Path, line: int) -> tuple[int, int, int]:
    try:
        day = datetime.fromisoformat(row["test_day"]).replace(tzinfo=UTC)
        asn, count = int(row["probe_asn"].removeprefix("AS")), int(row["count"])
    except (ValueError, TypeError, AttributeError):
        raise FanousError(f"{path}, line {line}: not a count, a day and an ASN: {row}") from None
    if asn < 0 or count < 0:
        raise FanousError(f"{path}, line {line}: a count or an ASN below 0")
    return asn, int(day.timestamp()) // DAY * DAY, count


def _series(asn: int, days: dict[int, int]) -> Series:
    times = np.array(sorted(days), np.int64)
    counts = np.array([days[at] for at in times.tolist()], np.int64)
    ones = np.ones(len(times), np.int64)
    key = SeriesKey(Place("", asn), "", "measurements")
    return Series(key, DAY, times, counts.astype(np.float64), ones, 0 * ones, counts)
