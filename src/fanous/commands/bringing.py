"""Bringing: what collectors received goes into an open store, and the log says what became of it."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanous.store import Store
    from fanous.tally import Ingested

SOURCE = "edge"
"""The connector that reads what collectors keep: OONI's data format, one document a line."""

log = logging.getLogger("fanous.collector")


class Bringing:
    """Ingests files into an open store and says in the log what became of them.

    Attributes:
        stored: measurements so far; likewise ``duplicate`` and ``rejected``.
    """

    def __init__(self, store: "Store", *, detects: bool = True) -> None:
        self._store, self._detects = store, detects
        self.stored = self.duplicate = self.rejected = 0

    def detect(self) -> None:
        """What was brought in since; countries that others work on are left to them."""
        from fanous import pipeline

        pipeline.detect_all(self._store)

    def __str__(self) -> str:
        return f"stored {self.stored:,}, already there {self.duplicate:,}, rejected {self.rejected:,}"

    def __call__(self, files: Sequence[Path]) -> "Ingested":
        from fanous import pipeline

        tally = pipeline.ingest(self._store, SOURCE, files, late=pipeline.LATE, detects=self._detects)
        self.stored += tally.stored
        self.duplicate += tally.duplicate
        self.rejected += tally.rejected
        log.info(
            "drained files=%d stored=%d duplicate=%d rejected=%d",
            *(len(files), tally.stored, tally.duplicate, tally.rejected),
        )
        for note in pipeline.out_of_reach(tally):
            log.warning("out of reach: %s", note)
        for reject in tally.rejects:
            log.warning("rejected file=%s line=%d why=%s", reject.file, reject.line, reject.why)
        return tally
