"""``fanous probe run --via``: one round from other people's vantage points, into the store or a file."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fanous.cli.common import act, print_document, say
from fanous.cli.probe_options import ProbeRunOptions, Via, country_of
from fanous.errors import FanousError

if TYPE_CHECKING:
    from fanous.pipeline.remote import RemotePlan


def probe_via(options: ProbeRunOptions, via: Via) -> None:
    """Measure, store or write, and print what was found and what was left out.

    Raises:
        FanousError: nothing could be measured.
    """
    from fanous.pipeline.pulls import BringRound
    from fanous.pipeline.remote import one_round
    from fanous.probe.output import record_file
    from fanous.probe.run import wanted_of
    from fanous.sources.publishers import source_settings

    country, inputs = country_of(options.country), options.inputs or ()
    if country == "ZZ":
        raise typer.BadParameter("name the country, such as --country PK", param_hint="--country")
    settings = source_settings(options.config)[via.source]
    names = options.lists or (() if inputs else settings.lists)
    wanted = wanted_of(inputs, names, lambda line: say(line, file=sys.stderr))
    left_out: list[str] = []
    lines: list[bytes] = []
    plans: list[RemotePlan] = []

    def on_plan(planned: "RemotePlan") -> None:
        plans.append(planned)
        if not options.as_json:
            say(_announced(planned, via), file=sys.stderr)

    turn = int(time.time()) // settings.every
    records = one_round(via.source, settings, country, wanted.urls, turn, left_out.append, on_plan)
    with record_file(options.out, via.source) as write:
        for line in records:
            lines.append(line)
            write(line)
    (planned,) = plans
    results = [_result_of(line, via.source) for line in lines]
    stored = None if options.out else 0
    if lines and not options.out:
        call = BringRound(via.source, country, tuple(lines), time.time(), not settings.mirror)
        stored = act(options, call, begins=True).stored
    if options.as_json:
        print_document(_document(planned, via, results, left_out, stored))
    else:
        _show(results, [*planned.left_out, *left_out], options.out, via.source)
    if not lines:
        raise FanousError(f"no vantage point in {country} gave a result", permanent=False)


def _announced(plan: "RemotePlan", via: Via) -> str:
    targets = "1 target" if len(plan.urls) == 1 else f"{len(plan.urls)} targets"
    networks = "1 network" if len(plan.networks) == 1 else f"{len(plan.networks)} networks"
    return f"asking {plan.probes} vantage points on {networks} in {plan.country} for {targets}: " + (
        f"{plan.tests} of the {plan.budget} tests left in this hour"
        if via is Via.GLOBALPING
        else f"{plan.tests} results of the {plan.budget} that a round may cost"
    )


@dataclass(frozen=True, slots=True)
class _Result:
    """One vantage point's result for one target.

    Attributes:
        defect: why it is not counted; empty = it is.
    """

    target: str
    asn: int
    vantage_point: str
    state: str
    mechanism: str
    why: str
    defect: str


def _result_of(line: bytes, source: str) -> _Result:
    from fanous.model.measurement import Record
    from fanous.model.verdict import State
    from fanous.pipeline.judge import judge_record
    from fanous.probe.outcome import leading_verdict

    parsed, verdicts = judge_record(Record(source, line))
    header, verdict = parsed.measurement, leading_verdict(verdicts)
    state = verdict.state if verdict else State.INSUFFICIENT
    mechanism, why = (verdict.mechanism, verdict.why) if verdict else ("", "")
    return _Result(header.target, header.asn, header.probe, str(state), mechanism, why, header.defect)


def _document(
    plan: "RemotePlan", via: Via, results: Sequence[_Result], left_out: Sequence[str], stored: int | None
) -> dict[str, Any]:
    return {
        "via": str(via),
        "country": plan.country,
        "control": plan.control,
        "networks": [{"asn": asn, "vantage_points": count} for asn, count in plan.networks],
        "elsewhere": list(plan.elsewhere),
        "tests": plan.tests,
        "budget": plan.budget,
        "results": [
            asdict(result) | {"mechanism": result.mechanism or None, "defect": result.defect or None}
            for result in results
        ],
        "stored": stored,
        "left_out": [*plan.left_out, *left_out],
    }


def _show(results: Sequence[_Result], left_out: Sequence[str], out: Path | None, source: str) -> None:
    from fanous.refdata.networks import network_name
    from fanous.refdata.platforms import title
    from fanous.wording.words import counted

    counts: dict[tuple[str, int], Counter[str]] = {}
    for result in results:
        how = f" ({result.mechanism})" if result.mechanism else ""
        outcome = f"not counted: {result.defect}" if result.defect else f"{result.state}{how}"
        counts.setdefault((result.target, result.asn), Counter())[outcome] += 1
    for (target, asn), states in counts.items():
        listed = "; ".join(f"{count} {state}" for state, count in states.most_common())
        say(f"{title(target):14} AS{asn} {network_name(asn)}: {listed}")
    for sentence in left_out:
        say(f"left out: {sentence}")
    if out is not None:
        print()
        say(
            f"Added {counted(len(results), 'measurement')} to {out}; `fanous ingest {source} {out}` stores them."
        )
