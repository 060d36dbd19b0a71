"""``fanous ingest``: brings files of measurements or series into the store.

Long commands show a progress bar on stderr, if that is a terminal.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from fanous.cli.common import REJECTS_SHOWN, country_code, print_document, reaching, say
from fanous.cli.options import ReadOptions, argument, command, option
from fanous.errors import FanousError

if TYPE_CHECKING:
    from fanous.pipeline.judge import Ingested
    from fanous.sources.connector import About

LONGEST_LICENCE = 100


class IngestOptions(ReadOptions):
    """Options of ``fanous ingest``."""

    source: str = argument(..., "Source of the files, one of those above.", metavar="SOURCE")
    paths: list[Path] = argument(..., "Files from that source.", metavar="PATH...")
    country: str | None = option(None, "For series: the country they describe.", metavar="CC")
    time: str = option("time", "csv: column with the times.", metavar="COLUMN")
    value: str = option("value", "csv: column with the values.", metavar="COLUMN")
    place: str = option(
        "", "csv: column with the places, regions or networks (AS17557).", "--entity", metavar="COLUMN"
    )
    signal: str = option("connectivity", "csv: signal of the values, as listed in docs/ontology.md.")
    zone: str = option("UTC", "csv: time zone of times without an offset, such as Asia/Tehran or +03:30.")
    step: int = option(0, "csv: bin width in seconds; 0: that of the table, or the signal's default.", min=0)
    stamp: str = option(
        "known",
        "csv: whether a time marks the start or the end of its bin; default: what is usual for the signal.",
    )
    target: str = option(
        "",
        "csv: platform or domain whose traffic this is, such as youtube; empty: all traffic of the place.",
        metavar="TARGET",
    )
    licence: str = option(
        "",
        "csv: licence of the table, such as CC BY 4.0; without an open one it stays out of what you export.",
    )
    gather: str = option(
        "median", "csv: how to combine the rows of a bin: median, mean, sum, count or distinct."
    )
    empty_is_zero: bool = option(False, "csv: count a bin without rows as 0 (with count or distinct).")
    jobs: int | None = option(
        None,
        "ooni, edge: processes that read.  By default one for each processor that may be used, at most 4, and "
        "only one for less than 100 MiB of measurements or while `fanous run` has the store.",
        min=1,
        max=64,
        metavar="N",
    )


@command
def ingest(options: IngestOptions) -> None:
    """Import files into the store, judge the measurements and detect incidents.

    Sources of measurements:
    {measurements}

    Sources of series and claims, which need --country; for a live source, the file is a saved response:
    {files}

    Ingesting a file twice changes nothing.  To complete an interrupted run, run it again.
    """
    from fanous.config import nearest
    from fanous.pipeline.jobs import Ingest, IngestSeries
    from fanous.pipeline.workers import default_jobs
    from fanous.sources.measurements import MEASUREMENT_SOURCES
    from fanous.sources.publishers import SERIES_FILES

    if options.source not in MEASUREMENT_SOURCES and options.source not in SERIES_FILES:
        sources = (*MEASUREMENT_SOURCES, *SERIES_FILES)
        hint = nearest(options.source, sources) or f": use one of {', '.join(sources)}"
        raise FanousError(f"unknown source {options.source!r}{hint}")
    if options.source in SERIES_FILES and options.country is None:
        raise typer.BadParameter(f"{options.source} needs --country CC: its files do not name a country")
    about = None
    if options.source in SERIES_FILES and options.country is not None:
        about = _about(options, country_code(options.country))
    files = tuple(path.absolute() for path in options.paths)
    with reaching(options) as reach, file_progress(files) as moved:
        if about is None:
            tally = reach(
                Ingest(options.source, files), moved=moved, jobs=options.jobs or default_jobs(files)
            )
        else:
            tally = reach(IngestSeries(options.source, files, about), moved=moved)
    show(tally, options.as_json)
    if tally.rejected == tally.read > 0:
        hint = "`fanous ingest --help` lists what each source reads"
        say(f"no usable records: check that these are `{options.source}` files; {hint}", file=sys.stderr)
        raise typer.Exit(1)
    if not tally.read:
        say("no records found: the files cover an hour without any, or a download failed", file=sys.stderr)


def _about(options: IngestOptions, country: str) -> "About":
    from fanous.sources.connector import OPEN_LICENCES, About, Gather, Stamp, TableColumns, open_licence
    from fanous.sources.publishers import SOURCES
    from fanous.wording.names import target_wanted

    if not SOURCES[options.source].takes_columns:
        return About(country)
    if options.gather not in tuple(Gather):
        raise typer.BadParameter(
            f"{options.gather!r} is not one of {', '.join(Gather)}", param_hint="--gather"
        )
    if options.stamp not in tuple(Stamp):
        raise typer.BadParameter(f"{options.stamp!r} is not one of {', '.join(Stamp)}", param_hint="--stamp")
    target = target_wanted(options.target) if options.target.strip() else ""
    licence = options.licence.strip()
    if len(licence) > LONGEST_LICENCE:
        raise typer.BadParameter(f"more than {LONGEST_LICENCE} characters", param_hint="--licence")
    if licence and not open_licence(licence):
        say(
            f"{licence!r} is not an open licence ({', '.join(OPEN_LICENCES)}): the values stay out of open exports",
            file=sys.stderr,
        )
    asked = {name: getattr(options, name) for name in TableColumns.__dataclass_fields__}
    converted = {"gather": Gather(options.gather), "stamp": Stamp(options.stamp), "target": target}
    return About(country, TableColumns(**asked | converted | {"licence": open_licence(licence) or licence}))


def show(tally: "Ingested", as_json: bool) -> None:
    """Print the counts, for people or as one document."""
    from fanous.pipeline.ingest import out_of_reach

    for note in tally.notes:
        say(note, file=sys.stderr)
    if as_json:
        print_document(
            {
                "read": tally.read,
                "stored": tally.stored,
                "duplicate": tally.duplicate,
                "rejected": tally.rejected,
                "rejects": [{"file": r.file, "line": r.line, "why": r.why} for r in tally.rejects],
            }
        )
        return
    say(
        f"read {tally.read:,}: stored {tally.stored:,}, repeated {tally.duplicate:,}, "
        f"rejected {tally.rejected:,}"
    )
    for name, count in tally.by_test.most_common():
        if count:
            say(f"  {count:,} {name}")
    for reject in tally.rejects[:REJECTS_SHOWN]:
        say(f"rejected {reject.file}:{reject.line}: {reject.why}", file=sys.stderr)
    for remark in tally.remarks:
        say(f"left by an interrupted run: {remark}", file=sys.stderr)
    for note in out_of_reach(tally):
        say(note, file=sys.stderr)
    if tally.rejected > REJECTS_SHOWN:
        say(f"... and {tally.rejected - REJECTS_SHOWN:,} more (--json lists them)", file=sys.stderr)


@contextmanager
def file_progress(paths: Sequence[Path]) -> Iterator[Callable[[Path, int], None] | None]:
    """A progress bar over the bytes of all files, with rate and time left; ``None`` if stderr is not a
    terminal.
    """
    if not sys.stderr.isatty():
        yield None
        return
    sizes = {path: path.stat().st_size if path.is_file() else 0 for path in paths}
    done = dict.fromkeys(sizes, 0)
    with bytes_bar() as bar:
        task = bar.add_task("reading", total=sum(sizes.values()) or None)

        def moved(path: Path, consumed: int) -> None:
            done[path] = consumed
            bar.update(task, completed=sum(done.values()), description=path.name)

        yield moved


def bytes_bar(*, is_shown: bool = True) -> Progress:
    """A bar that disappears at the end."""
    return Progress(
        TextColumn("{task.description}", markup=False),  # a file name may contain rich markup, such as a[red]
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not is_shown,
    )
