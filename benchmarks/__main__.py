"""``python -m benchmarks``: how fast Fanous is on this machine, next to a named peer where one can run."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fanous.cli.common import console, print_document
from fanous.cli.options import JsonOption
from fanous.errors import FanousError

if TYPE_CHECKING:
    from benchmarks.peers.figure import Figure

bench_app = typer.Typer(help="How fast is Fanous on this machine?", invoke_without_command=True)

BENCHES = (
    ("ingest", "raw measurements into a store", "nothing", "none: OONI's pipeline wants servers of its own"),
    ("judge", "raw measurements to verdicts", "nothing", "none: no other program does that alone"),
    ("detect", "levels of many series to anomalies", "nothing", "pandas, rolling median and deviation"),
    ("filter", "votes of many series to anomalies", "nothing", "none: the filter is our own"),
    ("query", "series of one target out of a million verdicts", "nothing", "SQLite with an index"),
    ("serve", "an incident's page from the shelf", "two cores", "nginx, else http.server, with a file"),
    ("probe", "pages over TLS, whole bundles", "two cores", "blackbox_exporter, where installed"),
    ("collect", "durable submissions", "two cores, a disk", "none: OONI's backend wants servers of its own"),
    (
        "credentials",
        "uploads with proofs",
        "two cores, ooniauth-py",
        "uploads without, and next to forged ones",
    ),
    ("scan", "pings over loopback", "root", "fping, where installed"),
)
"""Name, what is measured, what it needs, what it is compared with."""


@bench_app.callback()
def bench(context: typer.Context, as_json: JsonOption = False) -> None:
    """Without a name: lists the benchmarks, what each needs, and what it is compared with."""
    if context.invoked_subcommand is not None:
        return
    heads = ("bench", "what", "needs", "beside it")
    if as_json:
        print_document({"benches": [dict(zip(heads, row, strict=True)) for row in BENCHES]})
        return
    table = Table(box=None)
    for head in heads:
        table.add_column(head.capitalize(), overflow="fold")
    for name, *rest in BENCHES:
        table.add_row(f"python -m benchmarks {name}", *rest)
    console().print(table)


@bench_app.command("ingest")
def bench_ingest(
    times: Annotated[int, typer.Option("--times", min=1, help="How often the recorded event.")] = 4,
    as_json: JsonOption = False,
) -> None:
    """Raw measurements of the recorded event into a new store, a second."""
    from benchmarks.peers.ingest import measured

    _print(*measured(times), as_json)


@bench_app.command("judge")
def bench_judge(
    times: Annotated[int, typer.Option("--times", min=1, help="How often the recorded event.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Raw measurements of the recorded event to verdicts, a second, by stage."""
    from benchmarks.peers.judge import measured

    _print(*measured(times), as_json)


@bench_app.command("detect")
def bench_detect(
    series: Annotated[int, typer.Option("--series", min=10, help="How many.")] = 1000,
    days: Annotated[int, typer.Option("--days", min=8, help="Of each, in bins of ten minutes.")] = 30,
    as_json: JsonOption = False,
) -> None:
    """Series a second through the whole level detector, compared with a part of the work in pandas."""
    from benchmarks.peers.detect import measured

    _print(measured(series, days), (), as_json)


@bench_app.command("query")
def bench_query(
    verdicts: Annotated[int, typer.Option("--verdicts", min=1000, help="In the store.")] = 1_000_000,
    as_json: JsonOption = False,
) -> None:
    """Series of one target for a month out of many verdicts, compared with SQLite with the same index."""
    from benchmarks.peers.query import measured

    _print(measured(verdicts), (), as_json)


@bench_app.command("serve")
def bench_serve(
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long, each.")] = 5,
    clients: Annotated[int, typer.Option("--clients", min=1, help="Connections that stay open.")] = 16,
    as_json: JsonOption = False,
) -> None:
    """Requests a second for an incident's page, compared with a file server that sends the same bytes."""
    from benchmarks.peers.serve import measured

    _print(measured(seconds, clients), (), as_json)


@bench_app.command("scan")
def bench_scan(
    count: Annotated[int, typer.Option("--count", min=256, max=2_000_000, help="Addresses.")] = 100_000,
    as_json: JsonOption = False,
) -> None:
    """Pings a second over loopback, compared with fping; needs root."""
    from benchmarks.peers.scan import measured

    _print(*measured(count), as_json)


@bench_app.command("probe")
def bench_probe(
    count: Annotated[int, typer.Option("--count", min=20, help="Probes in each round.")] = 300,
    exporter: Annotated[
        Path | None, typer.Option("--exporter", metavar="FILE", help="The program of blackbox_exporter.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Pages a second compared with Prometheus' blackbox_exporter on the same local TLS server, and whole bundles."""
    from benchmarks.peers.probe import measured

    figures, notes = measured(count, exporter)
    _print(figures, notes, as_json)


@bench_app.command("collect")
def bench_collect(
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long.")] = 10,
    clients: Annotated[int, typer.Option("--clients", min=1, help="Connections that stay open.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Durable submissions a second: `fanous collect` on one core, its clients on another.

    The inbox is in TMPDIR: on a tmpfs syncing costs nothing, so name a disk.
    """
    from benchmarks.peers.collect import measured

    _print(measured(seconds, clients), (), as_json)


@bench_app.command("credentials")
def bench_credentials(as_json: JsonOption = False) -> None:
    """Verified uploads a second next to unverified ones, and honest uploads next to 10,000 forged proofs."""
    from benchmarks.credentials import measured

    _print(measured(), (), as_json)


@bench_app.command("filter")
def bench_filter(
    series: Annotated[int, typer.Option("--series", min=100, help="How many.")] = 40_000,
    ticks: Annotated[int, typer.Option("--ticks", min=270, help="Of ten minutes each.")] = 288,
    as_json: JsonOption = False,
) -> None:
    """Seconds that detection takes on so many series."""
    from benchmarks.peers.filter import measured

    _print(measured(series, ticks), (), as_json)


def _print(figures: "Sequence[Figure]", notes: Sequence[str], as_json: bool) -> None:
    from benchmarks.peers.figure import document, machine

    if as_json:
        print_document(document(figures, notes))
        return
    table = Table(box=None, title_justify="left", title=", ".join(f"{k} {v}" for k, v in machine().items()))
    for name in ("What", "Figure", "Unit", "Includes"):
        table.add_column(name, justify="right" if name == "Figure" else "left", overflow="fold")
    for one in figures:
        table.add_row(one.name, f"{one.value:,.6g}", one.unit, one.includes)
    console().print(table)
    for note in notes:
        print(note)


def main() -> None:
    try:
        bench_app(prog_name="python -m benchmarks")
    except FanousError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
