"""Table: runs every technique in three placements over several seeds, and writes the results (``make lab``).

    python -m fanous_lab.evaluation.rehearsal.table [--seeds 3] [--minutes 600] [--only TEXT] [--page]

Results are appended to ``docs/truth-table.jsonl``, and what the probes stored goes to ``docs/truth-table.xz``.  From
these records the program concludes again before anything is played (one to two minutes): older results count as long as
it concludes the same.  What has no such result is played; the program can be stopped at any time, and resumes where it
was.  A run that fails is reported, and the next one is made.  ``docs/truth-table.md`` is written from all of them after
each run.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from fanous.analysis.detectors.interference import DETECTOR_VERSION, SLOWDOWN_DETECTOR_VERSION
from fanous.analysis.rules import RULES_VERSION
from fanous.errors import FanousError
from fanous.model.incident import Kind
from fanous.model.score import wilson
from fanous_lab.censors import TECHNIQUES
from fanous_lab.evaluation.rehearsal.cases import (
    MOST_HURRIED,
    MOST_MISSED,
    QUIET,
    Case,
    Place,
    TechniqueResult,
    append,
    cases,
    known,
    results_of,
)
from fanous_lab.evaluation.rehearsal.records import LabRecords, differences
from fanous_lab.evaluation.rehearsal.run import rehearse
from fanous_lab.evaluation.rehearsal.score import score

HEAD = """\
# Truth table

How often Fanous is right when the truth is known: real packets in network namespaces, real censors, the real
probe, collector and pipeline, live rules and thresholds. Written by `make lab` from
`docs/truth-table.jsonl`; do not edit. `docs/truth-table.xz` holds what the probes stored, and a test concludes from it
again with today's rules and detectors.

Twelve vantage points on six networks, and one abroad; a tick of two seconds that represents ten minutes of
the monitor's clock; 20 s before the event, 24 s of the event, 12 s after it. Slow lines: a tick of 8 s that
represents five minutes; 56, 72 and 40 s. Residual blocking, and allow-lists: a tick of 6 s; 60, 72 and 36 s
(allow-lists on one network or on mobile lines until detectors `2026.21`: as others). *Cadence*: the nation
again, once, at a tick of 4 s; 40, 36 and 8 s: half the compression, so that the time-outs of a probe, which
are compressed less than its pace, weigh less. Techniques that concern one target are tried two at a time on
two platforms. *Found*: an incident of a kind that the technique explains, about its target, on its networks.
*Right*: its mechanism names the technique, or is coarser and true; *wrong*: it names another one. Seconds are
of the lab, from the onset to the moment at which the monitor said *confirmed*, everything included. Intervals
are Wilson's, 95 %.
"""


def page(results: Sequence[TechniqueResult], holding: Collection[Place] = ()) -> str:
    """The whole page.

    Args:
        holding: techniques and placements of which this program concludes the same from their records.
    """
    shown, played = _played(results, holding)
    late = [r for r in shown if not r.kept_up]
    kept = _latest(r for r in shown if r.kept_up)
    interference = [r for r in kept if r.placement != QUIET and TECHNIQUES[r.technique].truth.is_incident]
    quiet = [r for r in kept if r.placement == QUIET]
    return "\n".join(
        [
            HEAD,
            *_summary(interference, quiet),
            "",
            f"{played} {_left_out(late)}",
            "",
            *_techniques(interference),
            "",
            *_quiet(quiet),
            "",
        ]
    )


def counts(result: TechniqueResult, holding: Collection[Place]) -> bool:
    """Does the result say something about this program?"""
    return result.is_of_today or result.place in holding


def _played(
    results: Sequence[TechniqueResult], holding: Collection[Place]
) -> tuple[list[TechniqueResult], str]:
    """The results to show, and the versions they were run with.

    This program's results, once most techniques have been run with it; until then the newest for which that
    is true: a page without results says less than one that names older rules.
    """
    today = [r for r in results if counts(r, holding)]
    techniques = {r.technique for r in results}
    now = (
        f"rules `{RULES_VERSION}` and detectors `{DETECTOR_VERSION}`, slow lines and quiet runs with "
        f"`{SLOWDOWN_DETECTOR_VERSION}`"
    )
    older: dict[tuple[str, str], list[TechniqueResult]] = defaultdict(list)
    for r in results:
        older[r.rules, r.detectors].append(r)
    whole = [group for group in older.values() if 2 * len({r.technique for r in group}) > len(techniques)]
    if not whole or 2 * len({r.technique for r in today}) > len(techniques):
        return today, f"This page holds for {now}.{_carried(today)}{_outdated(results, holding)}"
    rules, detectors = whole[-1][0].rules, whole[-1][0].detectors
    return whole[-1], (
        f"**Played with rules `{rules}` and detectors `{detectors}`, which are not those of this program** "
        f"({now}): {len(today)} results were played so far with these."
    )


def _carried(today: Iterable[TechniqueResult]) -> str:
    """Results of older rules or detectors, as far as no later result takes their place."""
    now = (RULES_VERSION, DETECTOR_VERSION)
    shown = _latest(r for r in today if r.kept_up)
    older = Counter((r.rules, r.detectors) for r in shown if (r.rules, r.detectors) != now)
    if not older:
        return ""
    played = (
        f"{n} with rules `{rules}` and detectors `{detectors}`"
        for (rules, detectors), n in sorted(older.items())
    )
    return (
        f" Played with older ones: {', '.join(played)}; from the records of such a run (the same technique and "
        "placement) today's program concludes the same."
    )


def _outdated(results: Iterable[TechniqueResult], holding: Collection[Place]) -> str:
    """Techniques and placements that have neither a result of today nor records from which today's program concludes
    the same."""
    kept = _latest(r for r in results if r.kept_up)
    shown = {r.place for r in kept if counts(r, holding)}
    lost = sorted({r.place for r in kept} - shown)
    named = ", ".join(f"`{technique}` {placement}" for technique, placement in lost)
    return (
        f" Not shown, since only older versions played them and no records remain: {named}." if lost else ""
    )


def _latest(results: Iterable[TechniqueResult]) -> list[TechniqueResult]:
    """The latest result for each technique, placement and seed."""
    return list({result.key: result for result in results}.values())


def _left_out(late: Sequence[TechniqueResult]) -> str:
    """Decided by the rounds and the time that measurements took, before anyone looks at the findings."""
    counts = Counter(f"`{result.technique}` {result.placement}" for result in late)
    which = ", ".join(f"{n} of {name}" for name, n in sorted(counts.items()))
    return (
        f"Left out: {len(late)} results{f' ({which})' if which else ''}, because more than "
        f"{100 * MOST_MISSED:.0f} % of the rounds could not begin in time, or because more than "
        f"{100 * MOST_HURRIED:.0f} % of the measurements on untouched lines took so long that no time-out could "
        "follow."
    )


def _label(result: TechniqueResult) -> str:
    """The label by today's truth about the technique, even for an older result."""
    return TECHNIQUES[result.technique].truth.label(result.mechanisms) if result.found else result.label


def _is_right(result: TechniqueResult) -> bool:
    return _label(result) in ("exact", "coarser")


def _is_wrong(result: TechniqueResult) -> bool:
    return _label(result) == "wrong"


def share(hits: int, n: int) -> str:
    """``19 of 20 (76-99 %)``."""
    if not n:
        return "-"
    low, high = wilson(hits, n)
    return f"{hits} of {n} ({100 * low:.0f}-{100 * high:.0f} %)"


def quantile(values: Iterable[float | None], q: float) -> float | None:
    """By nearest rank; ``None`` = there are no values."""
    ordered = sorted(value for value in values if value is not None)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else None


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _summary(interference: Sequence[TechniqueResult], quiet: Sequence[TechniqueResult]) -> list[str]:
    every = [*interference, *quiet]
    rows = [
        *_rightly(interference, quiet),
        *_delays([r for r in interference if r.nation is not None]),
        (
            "share of rounds that the machine missed, median",
            f"{median([r.rounds_missed for r in every] or [0]):.3f}",
        ),
        (
            "share of measurements on untouched lines that took too long, median",
            _median_share(r.hurried for r in every),
        ),
        ("load of the machine for each core, median", f"{median([r.load for r in every] or [0]):.1f}"),
    ]
    return ["| what | result |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]


def _median_share(values: Iterable[float | None]) -> str:
    """Of the results that say it."""
    measured = [value for value in values if value is not None]
    return f"{median(measured):.3f} (n = {len(measured)})" if measured else "-"


def _rightly(
    interference: Sequence[TechniqueResult], quiet: Sequence[TechniqueResult]
) -> list[tuple[str, str]]:
    """How often claims are true."""
    lone = [r for r in interference if r.placement == "isp" and r.found]
    rates = [r for r in interference if r.true_kbps and r.kbps]
    stated = [r for r in quiet if r.false_left is not None]
    return [
        ("right mechanism, or a coarser and true one", _rate(interference, _is_right)),
        ("wrong mechanism", _rate(interference, _is_wrong)),
        ("confirmed", _rate(interference, lambda r: r.confirmed is not None)),
        ("techniques found right at least once", _techniques_seen(interference)),
        ("a single network reported as more than one", _rate(lone, lambda r: not r.scope_right)),
        ("kbit/s within 15 % of the truth", _rate(rates, lambda r: abs(r.kbps / r.true_kbps - 1) <= 0.15)),
        (
            "quiet and not-interference runs with a false confirmation",
            _rate(quiet, lambda r: r.false_confirmed),
        ),
        ("the same with a false suspicion", _rate(quiet, lambda r: r.false_suspected)),
        ("the same with one that was not retracted", _rate(stated, lambda r: r.false_left)),
        (
            "runs of interference with another, false confirmation",
            _rate(interference, lambda r: r.false_confirmed),
        ),
    ]


def _delays(confirmed: Sequence[TechniqueResult]) -> list[tuple[str, str]]:
    """Delays until incidents were confirmed as nation-wide."""
    nation = [r for r in confirmed if r.placement == "nation"]
    cadence = [r for r in confirmed if r.placement == "cadence"]
    barred, slowed = _of(Kind.BLOCKING, nation), _of(Kind.THROTTLING, nation)
    others = [r for r in nation if _kind(r) not in (Kind.BLOCKING, Kind.THROTTLING)]
    lines = [r for r in nation if r.technique == "slowdown_general"]
    at_half = "the same at half the compression (*cadence*)"
    timed: list[tuple[str, Iterable[float | None]]] = [
        ("seconds to confirm nation-wide blocking, median and p95", map(_at_two_seconds, barred)),
        ("minutes of the monitor's clock for nation-wide blocking", map(_minutes, barred)),
        (at_half, map(_minutes, _of(Kind.BLOCKING, cadence))),
        (
            "seconds to confirm nation-wide throttling by name, median and p95",
            map(_at_two_seconds, slowed),
        ),
        ("minutes of the monitor's clock for nation-wide throttling", map(_minutes, slowed)),
        (at_half, map(_minutes, _of(Kind.THROTTLING, cadence))),
        ("seconds to confirm nation-wide outages, median and p95", map(_at_two_seconds, others)),
        (
            "minutes of the monitor's clock to confirm a nation-wide slow-down, median and p95",
            [r.minutes for r in lines],
        ),
    ]
    return [(name, _median_p95(values)) for name, values in timed]


def _count(results: Iterable[TechniqueResult], holds: Callable[[TechniqueResult], object]) -> int:
    return sum(bool(holds(result)) for result in results)


def _rate(results: Sequence[TechniqueResult], holds: Callable[[TechniqueResult], object]) -> str:
    return share(_count(results, holds), len(results))


def _kind(result: TechniqueResult) -> Kind:
    """Shown separately, since throttling is seen only in rates, and an outage in what its probes send once it is
    over."""
    return TECHNIQUES[result.technique].truth.kinds[0]


def _of(kind: Kind, results: Iterable[TechniqueResult]) -> list[TechniqueResult]:
    return [result for result in results if _kind(result) is kind]


def _nation_wide(result: TechniqueResult) -> float | None:
    """Seconds until the incident was confirmed as nation-wide, and as about this technique's own target: two
    techniques that are run together may be one incident."""
    return None if result.nation is None else max(result.nation, result.confirmed or 0.0)


FAST = 300.0
"""Seconds of the monitor's clock per second of the lab, at a tick of two seconds that represents ten minutes."""


def _stretch(result: TechniqueResult) -> float:
    if not result.minutes or not result.confirmed:
        return FAST
    return 60 * result.minutes / result.confirmed


def _at_two_seconds(result: TechniqueResult) -> float | None:
    """``None`` also if the clock was slower."""
    return _nation_wide(result) if _stretch(result) > FAST / 2 else None


def _minutes(result: TechniqueResult) -> float | None:
    seconds = _nation_wide(result)
    return None if seconds is None else seconds * _stretch(result) / 60


def _techniques_seen(results: Sequence[TechniqueResult]) -> str:
    tried = {r.technique for r in results}
    seen = {r.technique for r in results if _is_right(r)}
    unseen = ", ".join(sorted(tried - seen))
    return f"{len(seen)} of {len(tried)}" + (f" (never: {unseen})" if unseen else "")


def _median_p95(values: Iterable[float | None]) -> str:
    measured = [value for value in values if value is not None]
    if not measured:
        return "-"
    return f"{median(measured):.1f} and {_seconds(quantile(measured, 0.95))} (n = {len(measured)})"


COLUMNS = (
    "technique",
    "placement",
    "n",
    "found",
    "confirmed",
    "right",
    "wrong",
    "mechanisms named",
    "scope",
    "median s",
    "p95 s",
    "played with detectors",
)


def _techniques(results: Sequence[TechniqueResult]) -> list[str]:
    by_name: dict[tuple[str, str], list[TechniqueResult]] = defaultdict(list)
    for result in results:
        by_name[result.technique, result.placement].append(result)
    lines = ["## Techniques", "", f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    for (technique, placement), group in sorted(by_name.items()):
        named = sorted({m for r in group for m in r.mechanisms})
        scopes = sorted(
            {f"{r.scope}{f' ({r.access})' if r.access not in ('', 'any') else ''}" for r in group if r.scope}
        )
        confirmed = [r.confirmed for r in group]
        cells = [
            f"`{technique}`",
            placement,
            str(len(group)),
            str(_count(group, lambda r: r.found)),
            str(_count(group, lambda r: r.confirmed is not None)),
            str(_count(group, _is_right)),
            str(_count(group, _is_wrong)),
            ", ".join(f"`{name}`" for name in named) or "-",
            ", ".join(scopes) or "-",
            _seconds(quantile(confirmed, 0.5)),
            _seconds(quantile(confirmed, 0.95)),
            ", ".join(f"`{version}`" for version in sorted({r.detectors for r in group})),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _quiet(results: Sequence[TechniqueResult]) -> list[str]:
    by_name: dict[str, list[TechniqueResult]] = defaultdict(list)
    for result in results:
        by_name[result.technique].append(result)
    lines = [
        "## Where nothing may be found",
        "",
        "| case | n | false suspicions | false confirmations | not retracted |",
        "|---|---|---|---|---|",
    ]
    for name, group in sorted(by_name.items()):
        suspected, confirmed = sum(r.false_suspected for r in group), sum(r.false_confirmed for r in group)
        stated = [r.false_left for r in group if r.false_left is not None]
        standing = sum(stated) if stated else "-"
        lines.append(f"| `{name}` | {len(group)} | {suspected} | {confirmed} | {standing} |")
    return lines


RESULTS, RECORDS, PAGE = "truth-table.jsonl", "truth-table.xz", "truth-table.md"


MOST_BROKEN = 5
"""Consecutive failed runs after which the table stops: then the machine is at fault, not a case."""

Play = Callable[[Case], list[TechniqueResult]]


def played(case: Case, records: LabRecords, path: Path) -> list[TechniqueResult]:
    """One run; its records are kept, unless the machine left it no time.

    Raises:
        FanousError: the lab cannot be built here, or one of its programs broke.
    """
    with tempfile.TemporaryDirectory() as folder:
        stored = Path(folder) / "records.jsonl"
        rehearsal = rehearse(case.scenario, records=stored)
        results = results_of(case, rehearsal, score(case.scenario, rehearsal.sightings))
        if all(result.kept_up for result in results):
            records.add(case, rehearsal.clock.begins, stored.read_bytes().splitlines())
            records.write(path)
    return results


def run_cases(
    wanted: Iterable[Case], results: Path, until: float, play: Play, holding: Collection[Place] = ()
) -> Iterator[tuple[Case, list[TechniqueResult], str]]:
    """Run the cases without a result while there is time; yields each case, and its results or why there are none.

    Args:
        holding: as in ``page``.

    Raises:
        FanousError: run after run fails.
    """
    broken = 0
    for case in wanted:
        done = {result.key for result in known(results) if result.kept_up and counts(result, holding)}
        if all(key in done for key in case.names):
            continue
        if time.monotonic() > until:
            return
        try:
            came = play(case)
        except (FanousError, OSError, TimeoutError, subprocess.SubprocessError) as error:
            broken += 1
            if broken >= MOST_BROKEN:
                raise FanousError(f"{broken} runs in a row failed, the last one with: {error}") from error
            yield case, [], str(error) or type(error).__name__
            continue
        broken = 0
        append(results, came)
        yield case, came, ""


def line(result: TechniqueResult) -> str:
    """One line of progress for the terminal."""
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
    parser.add_argument("--minutes", type=float, default=600.0, help="begin no run after this many minutes")
    parser.add_argument("--only", default="", help="cases whose technique or placement contains this")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--page", action="store_true", help="only write the page, from the results so far")
    chosen = parser.parse_args(arguments)
    results, records = chosen.out / RESULTS, LabRecords.read(chosen.out / RECORDS)
    differing = differences(records, sorted(records.cases), known(results))
    print(*filter(None, differing.values()), sep="\n", file=sys.stderr, flush=True)
    holding = {place for place, why in differing.items() if not why}
    if not chosen.page:
        wanted = (case for case in cases(chosen.seeds) if chosen.only in f"{case.tried} {case.placement}")
        until = time.monotonic() + 60 * chosen.minutes
        play = partial(played, records=records, path=chosen.out / RECORDS)
        for case, came, why in run_cases(wanted, results, until, play, holding):
            lines = [line(result) for result in came] or [f"{', '.join(case.names)}  BROKE: {why}"]
            print(*lines, sep="\n", file=sys.stderr, flush=True)
            _write_page(chosen.out, results, holding)
    _write_page(chosen.out, results, holding)


def _write_page(folder: Path, results: Path, holding: Collection[Place]) -> None:
    (folder / PAGE).write_text(page(known(results), holding), encoding="utf-8")


if __name__ == "__main__":
    main()
