"""Forget: take a withdrawn probe's measurements out of a store for good."""

from typing import Annotated

import typer

from fanous.commands.desk import ConfigOption, JsonOption, StoreOption, open_named, print_document


def forget(
    reports: Annotated[
        list[str],
        typer.Argument(metavar="REPORT_ID...", help="As `fanous probe consent --withdraw` prints them."),
    ],
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete all measurements of these reports, raw records too, and compute every claim again without them.

    For who withdraws: `fanous probe consent --withdraw` names the reports of a probe.  What still waits in an
    inbox comes in first (`fanous drain`); copies and evidence bundles made before are not reached.
    """
    from fanous import pipeline

    with open_named(store, config) as opened:
        forgotten = pipeline.forget(opened, reports)
    if as_json:
        print_document({"measurements": forgotten.measurements, "countries": sorted(forgotten.spans)})
        return
    if not forgotten.measurements:
        print("no measurement of these reports is in this store: see that it is the right one, and drained")
        return
    places = f" of {', '.join(sorted(forgotten.spans))}" if forgotten.spans else ""
    print(f"{forgotten.measurements:,} measurements{places} deleted; claims were computed again without them")
