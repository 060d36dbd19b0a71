"""``fanous bench``: how fast Fanous is on this machine; tables for people, ``--json`` for the rest."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fanous.commands.desk import JsonOption, console, print_document

if TYPE_CHECKING:
    from fanous.bench.figure import Figure

bench_app = typer.Typer(help="How fast is Fanous on this machine?", no_args_is_help=True)


@bench_app.command("probe")
def bench_probe(
    count: Annotated[int, typer.Option("--count", min=20, help="Probes in each round.")] = 300,
    exporter: Annotated[
        Path | None, typer.Option("--exporter", metavar="FILE", help="The program of blackbox_exporter.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Pages a second beside Prometheus' blackbox_exporter on the same local TLS server, and whole bundles."""
    from fanous.bench.probe import measured

    figures, notes = measured(count, exporter)
    _print(figures, notes, as_json)


@bench_app.command("collect")
def bench_collect(
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long.")] = 10,
    clients: Annotated[int, typer.Option("--clients", min=1, help="Connections that stay open.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Durable submissions a second: `fanous collect` on one core, its clients on another.

    The inbox lies in TMPDIR: on a tmpfs syncing costs nothing, so name a disk.
    """
    from fanous.bench.collect import measured

    _print(measured(seconds, clients), (), as_json)


@bench_app.command("filter")
def bench_filter(
    series: Annotated[int, typer.Option("--series", min=100, help="How many.")] = 40_000,
    ticks: Annotated[int, typer.Option("--ticks", min=270, help="Of ten minutes each.")] = 288,
    as_json: JsonOption = False,
) -> None:
    """Seconds that detection takes on so many series."""
    from fanous.bench.filter import measured

    _print(measured(series, ticks), (), as_json)


def _print(figures: "Sequence[Figure]", notes: Sequence[str], as_json: bool) -> None:
    from fanous.bench.figure import document, machine

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
