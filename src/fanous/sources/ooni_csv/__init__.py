"""OONI CSV: exports of OONI's observation tables, one row an observation, as researchers pass them around.

They have no probe ids, no controls and repeat rows; columns differ with the export.  A record is all
distinct rows of one measurement.
"""

from collections.abc import Iterator
from pathlib import Path

from fanous.model.measurement import ParsedMeasurement
from fanous.model.record import Record
from fanous.sources.connector import OnProgress, OnReject
from fanous.sources.ooni_csv.parse import parse as parse_record
from fanous.sources.ooni_csv.read import read as read_file


class OoniCsv:
    """The source ``ooni-csv``."""

    def read(
        self, path: Path, on_reject: OnReject, on_progress: OnProgress | None = None
    ) -> Iterator[Record]:
        """Records of a ``.csv`` file, gzip or not, ordered by measurement; all is read before the first."""
        return read_file(path, on_reject, on_progress)

    def parse(self, record: Record) -> ParsedMeasurement:
        """The measurement with its observations; raises ``Rejected``."""
        return parse_record(record)
