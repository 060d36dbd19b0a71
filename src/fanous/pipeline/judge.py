"""Judge: turns records into verdicts, and counts what was read; opens no store.

record -> parsed measurement -> verdicts
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from logging import Logger
from pathlib import Path
from typing import Any

from fanous.analysis.rules import RULES_VERSION, Fingerprints, judge
from fanous.analysis.series.line import (
    Line,
    OnLine,
    account,
    by_target,
    in_view_of,
    is_sender_known,
    lines,
    sender_of,
)
from fanous.config import data_folder
from fanous.errors import Rejected
from fanous.log import logline
from fanous.model.measurement import Measurement, ParsedMeasurement, Record, changed
from fanous.model.verdict import Verdict
from fanous.refdata.fingerprints import installed_fingerprints
from fanous.refdata.trial import trial_fingerprints
from fanous.sources.connector import UNWATCHED, Working
from fanous.sources.measurements import MEASUREMENT_SOURCES


@cache
def known_fingerprints() -> Fingerprints:
    """The fingerprints that ship and those that a person accepted, as of the process's first call."""
    own = data_folder()
    return installed_fingerprints(own / "refdata", own / "cache")


@cache
def _on_trial() -> Fingerprints | None:
    own = data_folder()
    return trial_fingerprints(own / "refdata", own / "cache" / "trial")


@cache
def rules_version() -> str:
    """Identifies the rules and the fingerprint sets that they use."""
    return RULES_VERSION + known_fingerprints().version


def judge_record(
    record: Record, fingerprints: Fingerprints | None = None
) -> tuple[ParsedMeasurement, tuple[Verdict, ...]]:
    """The facts and verdicts of one raw record; the pages that rules read are not kept.

    Args:
        fingerprints: ``None`` = those known on this machine.

    Raises:
        Rejected: the record cannot be used.
    """
    parsed = MEASUREMENT_SOURCES[record.source].parse(record)
    verdicts = judge(parsed, fingerprints or known_fingerprints())
    return parsed.without_pages(), verdicts


REJECTS_LISTED = 1000
"""Most rejects listed, so that a bad file of any size fits in memory; all are counted."""

REJECTS_LOGGED = 20
"""Rejects logged per batch: a sender of bad records must not be able to fill the disk with log lines."""


@dataclass(frozen=True, slots=True)
class Reject:
    file: str
    line: int
    why: str


@dataclass(slots=True)
class Ingested:
    """The result for the files, in measurements (rows for CSVs): read = stored + duplicate + rejected.

    Attributes:
        rejects: the first ``REJECTS_LISTED``.
        remarks: unusable records left by an interrupted run, in words.
        notes: remarks about whole files, in words: columns that were skipped, and the like.
        by_test: stored measurements by nettest.
        late: stored measurements that are too old for detection to go back to (``LATE``).
        ahead: stored measurements dated in the future (``AHEAD``); no detection looks there.
        outside: measurements that were not read, since they began outside the wanted time.
    """

    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)
    by_test: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    late: int = 0
    ahead: int = 0
    outside: int = 0

    @property
    def read(self) -> int:
        return self.stored + self.duplicate + self.rejected

    def reject(self, file: str, line: int, why: str, items: int = 1) -> None:
        self.rejected += items
        if len(self.rejects) < REJECTS_LISTED:
            self.rejects.append(Reject(file, line, why))


OnFile = Callable[[Path, int], None]
"""Called with a file and how many of its bytes have been read."""


def log_rejects(log: Logger, tally: Ingested) -> None:
    """The first ``REJECTS_LOGGED``, and how many more there were."""
    for reject in tally.rejects[:REJECTS_LOGGED]:
        log.warning(logline("rejected", file=reject.file, line=reject.line, why=reject.why))
    if tally.rejected > REJECTS_LOGGED:
        log.warning(logline("rejected", more=tally.rejected - REJECTS_LOGGED))


# --- fanous judge ---------------------------------------------------------------------------------------

NOTHING_TO_JUDGE = "It has no lookup, connection, handshake, request or transfer to judge."
"""Said of another kind of nettest, or of one that wrote no results."""


UNPLACED = "It names no network or no country: it is judged, but counts in no series."
"""``fanous.probe.words`` tells users of our own probe what they can do about it."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One measurement and the rules' verdicts on it; at least one per target.

    Attributes:
        notes: what else to know, in sentences; often nothing.
    """

    measurement: Measurement
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()


def judgements(paths: Sequence[Path], tally: Ingested, working: Working = UNWATCHED) -> list[Judgement]:
    """Measurements of OONI files in order, each in view of the others that its sender made in the same minutes; what
    cannot be used goes to ``tally``.

    Raises:
        FanousError: a file that cannot be read at all.
    """
    judged = list(_one_by_one(paths, tally, working))
    known = lines(on_line for judgement in judged for on_line in _accounts(judgement))
    return [replace(judgement, verdicts=_in_view(judgement, known)) for judgement in judged]


def _accounts(judged: Judgement) -> Iterator[OnLine]:
    """What a measurement says about its targets and its line."""
    made = judged.measurement
    if not made.defect:
        sender = sender_of(made.uid, made.probe, made.country, made.asn)
        for target, verdicts in by_target(judged.verdicts).items():
            yield account(made.uid, target, sender, made.started_at, verdicts)


LINE_SAYS = {
    Line.WELL: "In the same minutes, other sites' pages came at several times that rate on this line.",
    Line.BAD: "In the same minutes, other sites fared no better on this line.",
    Line.UNKNOWN: "",
}


def _in_view(judged: Judgement, known: Mapping[tuple[str, str], Line]) -> tuple[Verdict, ...]:
    """The verdicts, in view of the line."""
    made = judged.measurement
    is_known, verdicts = is_sender_known(made.uid, made.probe), list[Verdict]()
    for alone in judged.verdicts:
        line = known.get((made.uid, alone.target), Line.UNKNOWN)
        verdict = in_view_of(line, alone, is_known)
        is_other = verdict.state is not alone.state or verdict.symptom is not alone.symptom
        if is_other and LINE_SAYS[line]:
            verdict = changed(verdict, why=f"{verdict.why} {LINE_SAYS[line]}")
        verdicts.append(verdict)
    return tuple(verdicts)


def _one_by_one(paths: Sequence[Path], tally: Ingested, working: Working) -> Iterator[Judgement]:
    connector = MEASUREMENT_SOURCES["ooni"]
    for path in paths:
        on_reject = partial(tally.reject, str(path))
        for record in connector.read(path, on_reject, working=working):
            try:
                parsed = connector.parse(record)
            except Rejected as reason:
                on_reject(record.line, str(reason))
                continue
            judgement = _judgement(parsed, record.data)
            working.end()
            yield judgement


def judge_files(
    paths: Sequence[Path], working: Working = UNWATCHED
) -> tuple[list[dict[str, Any]], list[str]]:
    """``judgements`` as documents, and ``file:line: why`` of what cannot be used.

    Raises:
        FanousError: a file that cannot be read at all.
    """
    tally = Ingested()
    judged = [_document(one) for one in judgements(paths, tally, working)]
    return judged, [f"{reject.file}:{reject.line}: {reject.why}" for reject in tally.rejects]


def _judgement(parsed: ParsedMeasurement, data: bytes) -> Judgement:
    """A record that does not say where it was made counts in no series (the store ensures that), but it can
    still be judged on request."""
    # Not at the top: ingesting and detecting need these rules and no probe.
    from fanous.probe import words as probe
    from fanous.probe.outcome import UNKNOWN_NETWORK

    notes, own = probe.notes_of(data), parsed
    if parsed.measurement.defect == UNKNOWN_NETWORK:
        own = replace(parsed, measurement=replace(parsed.measurement, defect=""))
        if parsed.observations:
            notes = [*notes, probe.UNPLACED if probe.is_ours(data) else UNPLACED]
    if not parsed.observations and not notes:
        notes = [NOTHING_TO_JUDGE]
    verdicts = judge(own, known_fingerprints())
    return Judgement(parsed.measurement, verdicts, (*notes, *_said_on_trial(own, verdicts)))


def _said_on_trial(parsed: ParsedMeasurement, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What fingerprints that are not accepted yet would change, in sentences."""
    trial = _on_trial()
    if trial is None:
        return
    standing = {(one.target, one.layer, one.rule_id) for one in verdicts}
    for one in judge(parsed, trial):
        if (one.target, one.layer, one.rule_id) not in standing:
            yield (
                f"With the fingerprints on trial, {one.target} would be {one.state} [{one.rule_id}]: {one.why} They "
                "conclude nothing until a person accepts them (`fanous refdata update --list`)."
            )


def _document(one: Judgement) -> dict[str, Any]:
    measurement = one.measurement
    return {
        "measurement_uid": measurement.uid,
        "test_name": measurement.test_name,
        "target": measurement.target,
        "defect": measurement.defect or None,
        "verdicts": [
            {
                "state": str(verdict.state),
                "layer": str(verdict.layer),
                "mechanism": verdict.mechanism or None,
                "rule_id": verdict.rule_id,
                "why": verdict.why,
                "symptom": verdict.symptom,
                "target": verdict.target,
                "observations": verdict.observations,
            }
            for verdict in one.verdicts
        ],
        "notes": list(one.notes),
    }
