"""Command line of reference data: ``fanous refdata update``."""

from pathlib import Path
from typing import Annotated

import typer

from fanous.commands.desk import JsonOption, print_document
from fanous.errors import FanousError

refdata_app = typer.Typer(help="Reference data: fingerprints of block pages.", no_args_is_help=True)


@refdata_app.command("update")
def refdata_update(
    files: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="A set that you fetched yourself; may be repeated."),
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="Change nothing: show what is installed, with source and licence.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring larger sets of fingerprints in, from where OONI, Citizen Lab and Censored Planet publish them.

    A set that cannot be had or read leaves what stands.  Afterwards `fanous rejudge` applies them to what
    is in a store.
    """
    from fanous.config import data_folder
    from fanous.publishers.sets import failure, updated_document, updated_lines
    from fanous.refdata.sets import PUBLIC_SETS
    from fanous.refdata.update import update

    folder = data_folder() / "refdata"
    if listing:
        _show_sets(folder, as_json)
        return
    updates = update(files or PUBLIC_SETS, folder)
    if as_json:
        print_document({"updates": updated_document(updates)})
    else:
        print("\n".join(updated_lines(updates)))
    if failed := failure(updates):
        raise FanousError(failed)


def _show_sets(folder: Path, as_json: bool) -> None:
    from fanous.publishers.sets import installed_document, installed_lines
    from fanous.refdata.about import installed
    from fanous.refdata.fingerprints import installed_fingerprints
    from fanous.rules import RULES_VERSION

    sets = installed(folder)
    version = RULES_VERSION + (installed_fingerprints(folder).version if sets else "")
    if as_json:
        print_document(installed_document(sets, version))
    else:
        print("\n".join(installed_lines(sets, version)))
