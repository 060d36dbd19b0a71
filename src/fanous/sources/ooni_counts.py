"""OONI counts: the number of measurements per day and network, as counted in OONI's database.

It contains no measurements: it shows who measured, but not what they saw.
"""

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import numpy as np

from fanous.errors import FanousError
from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey
from fanous.sources.csv_file import CsvFile

COLUMNS = ("count", "test_day", "probe_asn")


def read_counts(path: Path) -> list[Series]:
    """A series of daily counts for each network; ASN 0 means no network, and is left out.

    Raises:
        FanousError: the file cannot be read, or is not such a table; the message says where.
    """

    def refuse(line: int, why: str) -> NoReturn:
        raise FanousError(f"{path}, line {line}: {why}")

    of_networks: defaultdict[int, dict[int, int]] = defaultdict(dict)
    table = CsvFile(path, refuse)
    for line, fields in table.rows(COLUMNS):
        row = dict(zip(table.columns, fields, strict=True))
        try:
            day = datetime.fromisoformat(row["test_day"]).replace(tzinfo=UTC)
            asn, count = int(row["probe_asn"].removeprefix("AS")), int(row["count"])
        except ValueError:
            refuse(line, f"not a count, a day and an ASN: {row}")
        if asn < 0 or count < 0:
            refuse(line, "a count or an ASN below 0")
        if asn and count:
            days, at = of_networks[asn], int(day.timestamp()) // DAY * DAY
            days[at] = days.get(at, 0) + count
    if not of_networks:
        raise FanousError(f"{path} counts no measurement on any network")
    return [_series(asn, of_networks[asn]) for asn in sorted(of_networks)]


def _series(asn: int, days: dict[int, int]) -> Series:
    times = np.array(sorted(days), np.int64)
    counts = np.array([days[at] for at in times.tolist()], np.int64)
    ones = np.ones(len(times), np.int64)
    key = SeriesKey(Place("", asn), "", "measurements")
    return Series(key, DAY, times, counts.astype(np.float64), ones, 0 * ones, counts)
