"""``fanous export``: writes open data as CSV, GeoJSON and Parquet, with a data package describing it."""

from math import inf
from pathlib import Path

from fanous.cli.common import ask, country_code, moment, print_document, say
from fanous.cli.options import ReadOptions, SinceOption, UntilOption, command, option


class ExportOptions(ReadOptions):
    """Options of ``fanous export``."""

    out: Path = option(
        ..., "Folder to write to: new, empty, or written by this command before.", "-o", "--out"
    )
    country: str | None = option(None, "Only this country, such as PK.")
    since: SinceOption = None
    until: UntilOption = None
    licence: str = option("CC BY 4.0", "Licence for the measurements of your own probes.")
    private: bool = option(
        False, "Export everything, for your own use only: many sources forbid passing it on."
    )


@command
def export(options: ExportOptions) -> None:
    """Write open data: incidents, hourly results of your own probes, and series from open sources.

    Data under a non-commercial or unclear licence (OONI, IODA, Radar and others) is left out, as is anything
    derived from it; the command reports how much.  Each hourly result comes from at least three probes.
    --private leaves nothing out.
    """
    from fanous.base.overwrite import check_folder_of_files
    from fanous.publish.calls import WriteExport
    from fanous.publish.export import ExportScope

    start, end = moment(options.since, "--since"), moment(options.until, "--until")
    check_folder_of_files(options.out)
    wanted = ExportScope(
        country=country_code(options.country) if options.country else None,
        since=-inf if start is None else start,
        until=inf if end is None else end,
        licence=options.licence,
        private=options.private,
    )
    done = ask(options, WriteExport(wanted, options.out.absolute()))
    if options.as_json:
        print_document(
            {
                "files": [str(options.out / path.name) for path in done.files],
                "rows": done.rows,
                "left_out": done.left_out,
            }
        )
        return
    for path in done.files:
        say(options.out / path.name)
    for name, count in done.rows.items():
        say(f"{name}: {count:,} {'row' if count == 1 else 'rows'}")
    for why, count in done.left_out.items():
        say(f"left out: {why}: {count:,}")
    if done.left_out:
        say("to export these too, for your own use: add --private, and name another folder")
    if options.private:
        say("private export: each row names its licence, and many of these licences forbid passing it on")
