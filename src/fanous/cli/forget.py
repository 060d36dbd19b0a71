"""``fanous forget``: deletes the measurements of a probe whose user withdrew consent."""

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
        typer.Argument(
            metavar="REPORT_ID...", help="Report IDs, as printed by `fanous probe consent --withdraw`."
        ),
    ],
    inbox: Annotated[
        Path | None,
        typer.Option("--inbox", help="Also delete measurements waiting or set aside in this inbox."),
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete all measurements in these reports, raw records included, and recompute incidents without them.

    For users who withdraw consent: `fanous probe consent --withdraw` prints the report IDs of a probe.
    Streams are not searched (run `fanous drain --queue` first); existing copies and evidence bundles remain.
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
