"""``fanous ingest``: brings files of measurements or series into the store.

Long commands show a progress bar on stderr, if that is a terminal.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

from fanous.cli.common import (
    REJECTS_SHOWN,
    ConfigOption,
    JsonOption,
    StoreOption,
    country_code,
    print_document,
    reaching,
    say,
)
from fanous.errors import FanousError

if TYPE_CHECKING:
    from fanous.pipeline.judge import Ingested
    from fanous.sources.connector import About

LONGEST_LICENCE = 100


def ingest(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Source of the files, one of those above.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files from that source.")],
    country: Annotated[
        str | None, typer.Option("--country", metavar="CC", help="For series: the country they describe.")
    ] = None,
    time: Annotated[
        str, typer.Option("--time", metavar="COLUMN", help="csv: column with the times.")
    ] = "time",
    value: Annotated[
        str, typer.Option("--value", metavar="COLUMN", help="csv: column with the values.")
    ] = "value",
    place: Annotated[
        str,
        typer.Option(
            "--entity", metavar="COLUMN", help="csv: column with the places, regions or networks (AS17557)."
        ),
    ] = "",
    signal: Annotated[
        str, typer.Option("--signal", help="csv: signal of the values, as listed in docs/ontology.md.")
    ] = "connectivity",
    zone: Annotated[
        str,
        typer.Option(
            "--zone", help="csv: time zone of times without an offset, such as Asia/Tehran or +03:30."
        ),
    ] = "UTC",
    step: Annotated[
        int,
        typer.Option(
            "--step", min=0, help="csv: bin width in seconds; 0: that of the table, or the signal's default."
        ),
    ] = 0,
    stamp: Annotated[
        str,
        typer.Option(
            "--stamp",
            help="csv: whether a time marks the start or the end of its bin; default: what is usual for the signal.",
        ),
    ] = "known",
    target: Annotated[
        str,
        typer.Option(
            "--target",
            metavar="TARGET",
            help="csv: platform or domain whose traffic this is, such as youtube; empty: all traffic of the place.",
        ),
    ] = "",
    licence: Annotated[
        str,
        typer.Option(
            "--licence",
            help="csv: licence of the table, such as CC BY 4.0; without an open one it stays out of what you export.",
        ),
    ] = "",
    gather: Annotated[
        str,
        typer.Option(
            "--gather", help="csv: how to combine the rows of a bin: median, mean, sum, count or distinct."
        ),
    ] = "median",
    empty_is_zero: Annotated[
        bool,
        typer.Option("--empty-is-zero", help="csv: count a bin without rows as 0 (with count or distinct)."),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            min=1,
            max=64,
            metavar="N",
            help="ooni, edge: processes that read.  By default one for each processor that may be used, at most 4, and "
            "only one for less than 100 MiB of measurements or while `fanous run` has the store.",
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
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

    if source not in MEASUREMENT_SOURCES and source not in SERIES_FILES:
        known = (*MEASUREMENT_SOURCES, *SERIES_FILES)
        hint = nearest(source, known) or f": use one of {', '.join(known)}"
        raise FanousError(f"unknown source {source!r}{hint}")
    if source in SERIES_FILES and country is None:
        raise typer.BadParameter(f"{source} needs --country CC: its files do not name a country")
    about = None
    if source in SERIES_FILES and country is not None:
        about = _about(
            source,
            country_code(country),
            (time, value, signal, place, zone, step, gather, empty_is_zero),
            target,
            stamp,
            licence,
        )
    files = tuple(path.absolute() for path in paths)
    with reaching(store, config) as reach, file_progress(files) as moved:
        if about is None:
            tally = reach(Ingest(source, files), moved=moved, jobs=jobs or default_jobs(files))
        else:
            tally = reach(IngestSeries(source, files, about), moved=moved)
    show(tally, as_json)
    if tally.rejected == tally.read > 0:
        hint = "`fanous ingest --help` lists what each source reads"
        say(f"no usable records: check that these are `{source}` files; {hint}", file=sys.stderr)
        raise typer.Exit(1)
    if not tally.read:
        say("no records found: the files cover an hour without any, or a download failed", file=sys.stderr)


def _about(
    source: str,
    country: str,
    told: tuple[str, str, str, str, str, int, str, bool],
    target: str,
    stamp: str,
    licence: str,
) -> "About":
    from fanous.sources.connector import OPEN_LICENCES, About, Gather, Stamp, TableColumns, open_licence
    from fanous.sources.publishers import SOURCES
    from fanous.wording.names import target_wanted

    if not SOURCES[source].takes_columns:
        return About(country)
    time, value, signal, place, zone, step, gather, empty_is_zero = told
    if gather not in tuple(Gather):
        raise typer.BadParameter(f"{gather!r} is not one of {', '.join(Gather)}", param_hint="--gather")
    if stamp not in tuple(Stamp):
        raise typer.BadParameter(f"{stamp!r} is not one of {', '.join(Stamp)}", param_hint="--stamp")
    target = target_wanted(target) if target.strip() else ""
    licence = licence.strip()
    if len(licence) > LONGEST_LICENCE:
        raise typer.BadParameter(f"more than {LONGEST_LICENCE} characters", param_hint="--licence")
    if licence and not open_licence(licence):
        say(
            f"{licence!r} is not an open licence ({', '.join(OPEN_LICENCES)}): the values stay out of open exports",
            file=sys.stderr,
        )
    columns = TableColumns(
        time,
        value,
        signal,
        place,
        zone,
        step,
        Gather(gather),
        empty_is_zero,
        target,
        Stamp(stamp),
        open_licence(licence) or licence,
    )
    return About(country, columns)


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
