"""Calls: what is written from a store for people elsewhere, as typed calls (``pipeline.call``)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fanous.pipeline.call import Call
from fanous.pipeline.questions import known_incident
from fanous.publish.evidence.pack import Gathered, gather
from fanous.publish.export import Exported, ExportScope, export
from fanous.store.protocol import Store
from fanous.wording.language import LANGUAGES
from fanous.wording.post import Sms


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The files of a report, and the length of its text message."""

    files: Sequence[Path]
    message: Sms


class WriteReport(Call[ReportFiles], frozen=True, tag="report"):
    """Write a report on an incident.

    Attributes:
        language: code of one of ours.
        url: public address of the pages, without a slash at its end.
        folder: new, empty, or with an earlier report.
    """

    incident: str
    language: str
    url: str
    folder: Path

    def perform(self, store: Store) -> ReportFiles:
        from fanous.publish.report import gather as gather_report
        from fanous.publish.report import sms, write  # draws pictures, which others need not wait for

        found = known_incident(store, self.incident)
        report = gather_report(store, found, LANGUAGES[self.language], self.url)
        return ReportFiles(write(report, self.folder), sms(report))


class GatherEvidence(Call[Gathered], frozen=True, tag="evidence"):
    """Everything that an evidence bundle needs, redacted.  The caller packs it, since only the caller has the key."""

    incident: str

    def perform(self, store: Store) -> Gathered:
        return gather(store, self.incident)


class WriteExport(Call[Exported], frozen=True, tag="export"):
    """Write open data, or everything for the owner alone, to a folder."""

    scope: ExportScope
    folder: Path

    def perform(self, store: Store) -> Exported:
        return export(store, self.scope, self.folder, time.time())
