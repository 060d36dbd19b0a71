"""Connector: how records of one public source are read, and how each becomes a measurement with facts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from fanous.model.measurement import ParsedMeasurement
from fanous.model.record import Record

OnReject = Callable[[int, str], None]
"""Called with the 1-based line (row, member) that cannot be used and the reason, in words; with
``WHOLE_FILE`` for what is to be said of the file and rejects no line."""

WHOLE_FILE = 0

OnProgress = Callable[[int], None]
"""Called now and then with the bytes of the (compressed) file consumed so far."""


class MeasurementSource(Protocol):
    """One source.  ``read`` is the I/O half, ``parse`` the pure half, run again when rules change."""

    def read(
        self, path: Path, on_reject: OnReject, on_progress: OnProgress | None = None
    ) -> Iterator[Record]:
        """Records of one file, in the order of the file, with flat memory.

        What cannot be used is told to ``on_reject`` and left out; what was read before a file breaks off
        is kept.

        Raises:
            FanousError: the file is missing, unreadable or not of this source.
        """
        ...

    def parse(self, record: Record) -> ParsedMeasurement:
        """The measurement in ``record.data`` with its observations; pure.

        Raises:
            Rejected: it cannot be used; the message is the reason.
        """
        ...
