"""Calls: what is written from a store for people elsewhere, as typed calls (``pipeline.call``)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fanous.model.measurement import Provenance
from fanous.pipeline.call import Call
from fanous.publish.evidence.container import pack_series
from fanous.publish.evidence.pack import LEVELS, Gathered, gather
from fanous.publish.export import Exported, ExportScope, export
from fanous.questions.incident import known_incident
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

        incident = known_incident(store, self.incident)
        report = gather_report(store, incident, LANGUAGES[self.language], self.url)
        return ReportFiles(write(report, self.folder), sms(report))


class GatherEvidence(Call[Gathered], frozen=True, tag="evidence"):
    """Everything that an evidence bundle needs, redacted.  The caller packs it, since only the caller has the key."""

    incident: str

    def perform(self, store: Store) -> Gathered:
        return gather(store, self.incident)


class PackSeries(Call[bytes], frozen=True, tag="series"):
    """The quantity series of a country, as a part of a bundle: for those whose values a bundle withholds.

    Attributes:
        since, until: unix seconds, half-open.
    """

    country: str
    since: float
    until: float
    provenance: Provenance

    def perform(self, store: Store) -> bytes:
        facts = store.of(self.provenance).facts
        return pack_series(facts.levels(self.country, self.since, self.until, LEVELS))


class WriteExport(Call[Exported], frozen=True, tag="export"):
    """Write open data, or everything for the owner alone, to a folder."""

    scope: ExportScope
    folder: Path

    def perform(self, store: Store) -> Exported:
        return export(store, self.scope, self.folder, time.time())
