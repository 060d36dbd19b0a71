"""Brings what collectors received into an open store, and logs the result."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fanous.log import logline

if TYPE_CHECKING:
    from fanous.pipeline.tally import Ingested
    from fanous.store.protocol import Store

SOURCE = "edge"
"""The source that reads what collectors keep: OONI's data format, one document a line."""

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
        from fanous.pipeline import stages

        stages.detect_all(self._store)

    def __str__(self) -> str:
        return f"stored {self.stored:,}, already there {self.duplicate:,}, rejected {self.rejected:,}"

    def __call__(self, files: Sequence[Path]) -> "Ingested":
        from fanous.pipeline import stages

        tally = stages.ingest(self._store, SOURCE, files, late=stages.LATE, detects=self._detects)
        self.stored += tally.stored
        self.duplicate += tally.duplicate
        self.rejected += tally.rejected
        counts = {"stored": tally.stored, "duplicate": tally.duplicate, "rejected": tally.rejected}
        log.info(logline("drained", files=len(files), **counts))
        for note in stages.out_of_reach(tally):
            log.warning(logline("out_of_reach", why=note))
        for reject in tally.rejects:
            log.warning(logline("rejected", file=reject.file, line=reject.line, why=reject.why))
        return tally
