"""Judgement: what the rules say of the measurements in some files; no store is needed."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from fanous.model.measurement import Measurement
from fanous.model.verdict import Verdict
from fanous.pipeline.judge import judge_records
from fanous.pipeline.library.tables import verdict_table
from fanous.pipeline.tally import Ingested, Reject


@dataclass(frozen=True, slots=True)
class Judgement:
    """One measurement and what the rules say of it; of several targets, a verdict or more each.

    Attributes:
        notes: what our own probe noted beside it, in sentences; of OONI's there are none.
    """

    measurement: Measurement
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgements:
    """All measurements of some files in order, and what could not be used, with place and reason."""

    measurements: tuple[Judgement, ...]
    rejects: tuple[Reject, ...]

    def table(self) -> pa.Table:
        """One row a verdict (``VERDICT_COLUMNS``)."""
        return verdict_table((one.measurement, one.verdicts) for one in self.measurements)


def judge(*paths: str | Path) -> Judgements:
    """Judge the measurements of OONI files (``.jsonl``, ``.jsonl.gz``, ``.tar.gz``); no store is needed.

    Raises:
        FanousError: a file that cannot be read at all.
    """
    tally = Ingested()
    judged = [
        Judgement(one.parsed.measurement, one.verdicts, one.notes)
        for one in judge_records([Path(path) for path in paths], tally)
    ]
    return Judgements(tuple(judged), tuple(tally.rejects))
