"""Table: every technique in three placements over several seeds, run and written down (``make lab``).

    python -m fanous.evaluation.rehearsal.table [--seeds 3] [--minutes 600] [--only TEXT] [--page]

Results are appended to ``docs/truth-table.jsonl``; what stands there of the same rules and detectors is not
run again, so it can be stopped at any time and goes on where it was.  A run that breaks is reported, and the
next one is made.  ``docs/truth-table.md`` is written from all of them after each run.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from fanous.errors import FanousError
from fanous.evaluation.rehearsal.cases import Case, cases
from fanous.evaluation.rehearsal.markdown import page
from fanous.evaluation.rehearsal.result import TechniqueResult, append, known, results_of
from fanous.evaluation.rehearsal.run import rehearse
from fanous.evaluation.rehearsal.score import score

RESULTS, PAGE = "truth-table.jsonl", "truth-table.md"


MOST_BROKEN = 5
"""Runs in a row that break before the table ends: then it is the machine, and not a case."""

Play = Callable[[Case], list[TechniqueResult]]


def played(case: Case) -> list[TechniqueResult]:
    """One run.

    Raises:
        FanousError: the lab cannot be built here, or one of its programs broke.
    """
    rehearsal = rehearse(case.scenario)
    return results_of(case, rehearsal, score(case.scenario, rehearsal.sightings))


def run_cases(
    wanted: Iterable[Case], results: Path, until: float, play: Play = played
) -> Iterator[tuple[Case, list[TechniqueResult], str]]:
    """Play what has no result yet, as long as there is time: each case, its results, or why there are none.

    Raises:
        FanousError: run after run breaks.
    """
    broken = 0
    for case in wanted:
        done = {result.key for result in known(results) if result.kept_up and result.is_of_today}
        if all(key in done for key in case.names):
            continue
        if time.monotonic() > until:
            return
        try:
            found = play(case)
        except (FanousError, OSError, TimeoutError, subprocess.SubprocessError) as error:
            broken += 1
            if broken >= MOST_BROKEN:
                raise FanousError(f"{broken} runs in a row broke, the last one with: {error}") from error
            yield case, [], str(error) or type(error).__name__
            continue
        broken = 0
        append(results, found)
        yield case, found, ""


def line(result: TechniqueResult) -> str:
    """For whoever waits."""
    seconds = "-" if result.confirmed is None else f"{result.confirmed:.1f} s"
    false = f"  FALSE {result.false_suspected}+{result.false_confirmed}"
    return (
        f"{result.technique:22} {result.placement:7} seed {result.seed}  {result.label:8} "
        f"{','.join(result.mechanisms):30} {result.scope:10} confirmed {seconds}"
        f"{false if result.false_suspected + result.false_confirmed else ''}"
    )


def main(arguments: list[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description="Play the truth table and write it down.")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=600.0, help="begin no run after so many")
    parser.add_argument("--only", default="", help="cases whose technique or placement contains this")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--page", action="store_true", help="write the page from what there is; play nothing")
    chosen = parser.parse_args(arguments)
    results = chosen.out / RESULTS
    if not chosen.page:
        wanted = (case for case in cases(chosen.seeds) if chosen.only in f"{case.tried} {case.placement}")
        for case, found, why in run_cases(wanted, results, time.monotonic() + 60 * chosen.minutes):
            lines = [line(result) for result in found] or [f"{', '.join(case.names)}  BROKE: {why}"]
            print(*lines, sep="\n", file=sys.stderr, flush=True)
            _write_page(chosen.out, results)
    _write_page(chosen.out, results)


def _write_page(folder: Path, results: Path) -> None:
    (folder / PAGE).write_text(page(known(results)), encoding="utf-8")


if __name__ == "__main__":
    main()
