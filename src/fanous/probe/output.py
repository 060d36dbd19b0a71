"""Output: measurements to a file, one per line; a report as one JSON document; a table for people on stderr."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from fanous.base.overwrite import check_file
from fanous.errors import FanousError
from fanous.model.verdict import State
from fanous.probe.outcome import Outcome, Speed, worst
from fanous.probe.run import OnDone, RunReport, Write
from fanous.probe.words import OURS, WHAT_NOW, health_sentence, is_ours, sentence, state_in_words
from fanous.refdata.platforms import target_of, title

LONGEST_RECORD = 64 << 20
"""Most bytes of a line that is read; the longest record that a probe can make is far shorter."""


@contextmanager
def record_file(path: Path | None, software: str = OURS) -> Iterator[Write]:
    """Yields a function that appends a record; everything is on disk when the block ends.

    Args:
        software: what makes the records; each software has its own files.

    Raises:
        FanousError: the file cannot be written, or holds anything that this function did not write.
    """
    if path is None:
        yield lambda _record: None
        return
    check_file(path, partial(_holds_records, software))
    try:
        with path.open("a+b") as file:
            if _is_cut(file):
                file.write(b"\n")  # after what a killed process began to write

            def write(record: bytes) -> None:
                file.write(record + b"\n")
                file.flush()

            yield write
            os.fsync(file.fileno())
    except OSError as error:
        raise FanousError(f"cannot write measurements to {path}: {error.strerror}") from None


def _holds_records(software: str, path: Path) -> bool:
    """Is the file empty, or does it begin with a record of this software?"""
    with path.open("rb") as file:
        first = file.readline(LONGEST_RECORD)
    return not first or is_ours(first, software)


def _is_cut(file: IO[bytes]) -> bool:
    """Does the last line lack its end?"""
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"


def report_document(report: RunReport, out: Path | None) -> dict[str, Any]:
    """What ``fanous probe run --json`` prints."""
    by_target = grouped(report)
    targets = [_target(name, outcomes) for name, outcomes in by_target.items()]
    for url, why in report.not_tried.items():
        targets.append(
            {
                "target": target_of(url.partition("//")[2].partition("/")[0]),
                "url": url,
                "state": str(State.INSUFFICIENT),
                "why": f"not tried: {why}",
            }
        )
    health = report.health
    return {
        "state": health.defect or "measured" if health else "measured",
        "summary": health_sentence(report),
        "health": asdict(health) if health else None,
        "targets": targets,
        "out": str(out) if out else None,
        "seconds": report.seconds,
    }


def grouped(report: RunReport) -> dict[str, list[Outcome]]:
    """Target -> its outcomes, in alphabetical order."""
    found: dict[str, list[Outcome]] = {}
    for outcome in sorted(report.outcomes, key=lambda m: (m.target, m.role, m.url)):
        found.setdefault(outcome.target, []).append(outcome)
    return found


def _target(name: str, outcomes: list[Outcome]) -> dict[str, Any]:
    leading = worst(outcomes)
    return {
        "target": name,
        "title": title(name),
        "state": str(leading.state),
        "mechanism": leading.mechanism or None,
        "why": leading.why,
        "symptom": leading.symptom,
        "summary": sentence(leading, outcomes),
        "what_now": WHAT_NOW[leading.state],
        "endpoints": [_endpoint(outcome) for outcome in outcomes],
    }


def _endpoint(outcome: Outcome) -> dict[str, Any]:
    return {
        "url": outcome.url,
        "role": outcome.role,
        "state": str(outcome.state),
        "mechanism": outcome.mechanism or None,
        "layers": outcome.layers,
        "speed": asdict(outcome.speed) if outcome.speed else None,
        "browser": outcome.browser or None,
        "localised": asdict(outcome.localised) if outcome.localised else None,
        "verdicts": [
            {
                "state": str(verdict.state),
                "layer": str(verdict.layer),
                "mechanism": verdict.mechanism or None,
                "rule_id": verdict.rule_id,
                "why": verdict.why,
                "target": verdict.target,
            }
            for verdict in outcome.verdicts
        ],
    }


LAYERS = ("dns", "tcp", "tls", "http", "quic")
WIDE = 100
"""Terminal width from which there is a column for each layer; narrower ones show where it first fails."""
COLOURS = {State.OK: "green", State.BLOCKED: "red", State.THROTTLED: "red", State.DOWN: "yellow"}


@contextmanager
def live_table(urls: Sequence[str], console: Console, *, quiet: bool) -> Iterator[OnDone]:
    """Yields a function to call with each outcome; the table stays on screen when the block ends.

    Args:
        console: for stderr, which may be a terminal.
    """
    if quiet:
        yield lambda _outcome: None
        return
    done = list[Outcome]()
    if not sys.stderr.isatty():
        yield done.append
        Console(stderr=True, width=120, no_color=True).print(table_of(done, len(urls), 120))
        return
    with Live(table_of(done, len(urls), console.width), console=console, auto_refresh=False) as live:

        def add(outcome: Outcome) -> None:
            done.append(outcome)
            live.update(table_of(done, len(urls), console.width), refresh=True)

        yield add


def table_of(done: Sequence[Outcome], expected: int, width: int) -> Table:
    """The table of what is known so far.

    Args:
        width: columns of the terminal.
    """
    table = Table(title=f"{len(done)} of {expected} addresses measured", title_justify="left", box=None)
    names = ("Address", *(layer.upper() for layer in LAYERS), "kbit/s") if width >= WIDE else ("Fails at",)
    for name in ("Target", *names, "Here"):
        table.add_column(name, overflow="fold")
    for one in sorted(done, key=lambda outcome: (outcome.target, outcome.role)):
        colour = COLOURS.get(one.state, "yellow")
        cells = _cells(one) if width >= WIDE else [_first_failure(one)]
        words = [escape(word) for word in (title(one.target), *cells)]
        table.add_row(*words, f"[{colour}]{state_in_words(one)}[/]")
    return table


def print_sentences(lines: Sequence[str], console: Console) -> None:
    """Print one sentence per line on stdout; on a terminal, lines break between words.

    Args:
        console: for stdout, which may be a terminal.
    """
    is_seen = sys.stdout.isatty()
    for line in lines:
        if is_seen:
            console.print(Text(line))
        else:
            print(line)


def _cells(outcome: Outcome) -> list[str]:
    address = outcome.url.partition("//")[2].rstrip("/") or outcome.url
    return [address, *(_cell(outcome.layers.get(layer, "")) for layer in LAYERS), _rate(outcome.speed)]


def _first_failure(outcome: Outcome) -> str:
    """``TCP: connection refused``; a dash = no layer failed."""
    failed = ((layer, outcome.layers.get(layer, "ok")) for layer in LAYERS)
    return next((f"{layer.upper()}: {_cell(state)}" for layer, state in failed if state != "ok"), "-")


def _rate(speed: Speed | None) -> str:
    """``137 (control 8,200)``; ``stops after 16 KB``; for a page ``~5,000``; a dash = too little came."""
    if speed is None:
        return "-"
    if speed.froze_at is not None:
        return f"stops after {speed.froze_at / 1000:,.0f} KB"
    beside = f" (control {speed.control_kbps:,.0f})" if speed.control_kbps is not None else ""
    return ("~" if speed.of == "page" else "") + f"{speed.kbps:,.0f}{beside}"


def _cell(state: str) -> str:
    """``ok``, a dash if it was not tried, or the failure without its common suffix."""
    return state.removesuffix("_error").replace("_", " ")[:24] if state else "-"
