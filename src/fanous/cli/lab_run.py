"""``fanous lab run`` and ``fanous lab record``: rehearse a scenario in the lab."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fanous.cli.common import JsonOption, print_document

if TYPE_CHECKING:
    from fanous.evaluation.rehearsal.run import Rehearsal
    from fanous.lab.scenario import Scenario

ScenarioArgument = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A TOML file, or the name of an included scenario.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", help="Override the scenario's seed.")]


def lab_run(name: ScenarioArgument, seed: SeedOption = None, as_json: JsonOption = False) -> None:
    """Play a scenario with real packets, and compare what Fanous finds with what happened; needs root.

    The real probe measures from every vantage point and sends to the real collector and pipeline.  On a
    terminal, progress is shown live.  Exit code 1 if anything was missed or falsely detected.
    """
    from fanous.evaluation.rehearsal.document import rehearsal_document
    from fanous.evaluation.rehearsal.report import report_lines
    from fanous.evaluation.rehearsal.score import score

    rehearsal = _played(_scenario(name, seed), None)
    scored = score(rehearsal.scenario, rehearsal.sightings)
    if as_json:
        print_document(rehearsal_document(rehearsal, scored))
    else:
        for line in report_lines(rehearsal, scored):
            print(line)
    if scored.missed or scored.false:
        raise typer.Exit(1)


def lab_record(
    name: ScenarioArgument,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="File to write, such as event.fanous.xz.")
    ],
    seed: SeedOption = None,
) -> None:
    """Play a scenario, and save it with its measurements and what happened in one compact file."""
    import tempfile

    from fanous.evaluation.rehearsal.capture import write_recording

    with tempfile.TemporaryDirectory(prefix="fanous-record-") as folder:
        records = Path(folder) / "records.jsonl"
        rehearsal = _played(_scenario(name, seed), records)
        size = write_recording(out, rehearsal, records)
    print(f"{rehearsal.stored:,} measurements in {out} ({size / 1000:,.0f} kB)")


def _scenario(name: str, seed: int | None) -> "Scenario":
    from dataclasses import replace

    from fanous.lab.catalogue import scenario

    found = scenario(name)
    return found if seed is None else replace(found, seed=seed)


def _played(scenario: "Scenario", records: Path | None) -> "Rehearsal":
    from rich.console import Console

    from fanous.evaluation.rehearsal.run import rehearse
    from fanous.evaluation.rehearsal.view import watched

    with watched(scenario, Console(stderr=True)) as watcher:
        return rehearse(scenario, watcher, records)
