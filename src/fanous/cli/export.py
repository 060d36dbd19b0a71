"""``fanous export``: writes open data as CSV, GeoJSON and Parquet, with a data package describing it."""

from math import inf
from pathlib import Path
from typing import Annotated

import typer

from fanous.cli.common import (
    ConfigOption,
    JsonOption,
    SinceOption,
    StoreOption,
    UntilOption,
    ask,
    country_code,
    moment,
    print_document,
    say,
)


def export(
    out: Annotated[
        Path,
        typer.Option(
            "-o", "--out", help="Folder to write to: new, empty, or written by this command before."
        ),
    ],
    country: Annotated[str | None, typer.Option("--country", help="Only this country, such as PK.")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    licence: Annotated[
        str, typer.Option("--licence", help="Licence for the measurements of your own probes.")
    ] = "CC BY 4.0",
    private: Annotated[
        bool,
        typer.Option(
            "--private", help="Export everything, for your own use only: many sources forbid passing it on."
        ),
    ] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write open data: incidents, hourly results of your own probes, and series from open sources.

    Data under a non-commercial or unclear licence (OONI, IODA, Radar and others) is left out, as is anything
    derived from it; the command reports how much.  Each hourly result comes from at least three probes.
    --private leaves nothing out.
    """
    from fanous.base.overwrite import check_folder_of_files
    from fanous.publish.calls import WriteExport
    from fanous.publish.export import ExportScope

    start, end = moment(since, "--since"), moment(until, "--until")
    check_folder_of_files(out)
    wanted = ExportScope(
        country=country_code(country) if country else None,
        since=-inf if start is None else start,
        until=inf if end is None else end,
        licence=licence,
        private=private,
    )
    done = ask(store, config, WriteExport(wanted, out.absolute()))
    if as_json:
        print_document(
            {
                "files": [str(out / path.name) for path in done.files],
                "rows": done.rows,
                "left_out": done.left_out,
            }
        )
        return
    for path in done.files:
        say(out / path.name)
    for name, count in done.rows.items():
        say(f"{name}: {count:,} {'row' if count == 1 else 'rows'}")
    for why, count in done.left_out.items():
        say(f"left out: {why}: {count:,}")
    if done.left_out:
        say("to export these too, for your own use: add --private, and name another folder")
    if private:
        say("private export: each row names its licence, and many of these licences forbid passing it on")
