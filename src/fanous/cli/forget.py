"""Forget: take a withdrawn probe's measurements out of a store for good."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fanous.cli.common import ConfigOption, JsonOption, StoreOption, open_named, print_document
from fanous.errors import FanousError

if TYPE_CHECKING:
    from fanous.store.batch import Forgotten


def forget(
    reports: Annotated[
        list[str],
        typer.Argument(metavar="REPORT_ID...", help="As `fanous probe consent --withdraw` prints them."),
    ],
    inbox: Annotated[
        Path | None,
        typer.Option("--inbox", help="Also what waits in this folder, or was kept apart there."),
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete all measurements of these reports, raw records too, and compute every claim again without them.

    For who withdraws: `fanous probe consent --withdraw` names the reports of a probe.  A stream is not
    reached (`fanous drain --queue` it first), nor are copies and evidence bundles made before.
    """
    from fanous.collector.withdrawal import withdraw
    from fanous.pipeline import stages

    if inbox is not None and not inbox.is_dir():
        raise FanousError(f"no inbox {inbox}: name the folder that a collector fills, such as STORE.inbox")
    with open_named(store, config) as opened:
        waiting = withdraw(inbox, set(reports)) if inbox is not None else 0
        forgotten = stages.forget(opened, reports)
    if as_json:
        print_document(
            {
                "measurements": forgotten.measurements,
                "countries": sorted(forgotten.spans),
                "waiting": waiting,
            }
        )
        return
    if inbox is None:
        print("no inbox was looked into: --inbox names one")
    elif waiting:
        print(f"{waiting:,} measurements that waited in {inbox} deleted")
    _say_forgotten(forgotten)


def _say_forgotten(forgotten: "Forgotten") -> None:
    if not forgotten.measurements:
        print("no measurement of these reports is in this store: see that it is the right one, and drained")
        return
    places = f" of {', '.join(sorted(forgotten.spans))}" if forgotten.spans else ""
    print(f"{forgotten.measurements:,} measurements{places} deleted; claims were computed again without them")
