"""Table: every technique in three placements over several seeds, run and written down (``make lab``).

    python -m fanous.rehearsal.table [--seeds 3] [--minutes 600] [--only TEXT] [--page]

Results are appended to ``docs/truth-table.jsonl``; what stands there is not run again, so it can be stopped
at any time.  Then ``docs/truth-table.md`` is written from all of them.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from fanous.rehearsal.cases import Case, cases
from fanous.rehearsal.markdown import page
from fanous.rehearsal.result import Result, append, known, results_of
from fanous.rehearsal.run import rehearse
from fanous.rehearsal.score import score

RESULTS, PAGE = "truth-table.jsonl", "truth-table.md"


def run_cases(wanted: Iterator[Case], results: Path, until: float) -> Iterator[list[Result]]:
    """Play what has no result yet, as long as there is time."""
    for case in wanted:
        done = {result.key for result in known(results) if result.kept_up}
        if all(key in done for key in case.names):
            continue
        if time.monotonic() > until:
            return
        rehearsal = rehearse(case.scenario)
        found = results_of(case, rehearsal, score(case.scenario, rehearsal.sightings))
        append(results, found)
        yield found


def line(result: Result) -> str:
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
        for found in run_cases(wanted, results, time.monotonic() + 60 * chosen.minutes):
            for result in found:
                print(line(result), file=sys.stderr, flush=True)
    (chosen.out / PAGE).write_text(page(known(results)), encoding="utf-8")


if __name__ == "__main__":
    main()
