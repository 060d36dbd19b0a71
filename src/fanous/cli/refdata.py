"""Command line of reference data: ``fanous refdata update``."""

from pathlib import Path
from typing import Annotated

import typer

from fanous.cli.common import JsonOption, print_document
from fanous.errors import FanousError

refdata_app = typer.Typer(
    help="Reference data: fingerprints of block pages, users of networks.", no_args_is_help=True
)


@refdata_app.command("update")
def refdata_update(
    files: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="A file that you have; may be repeated."),
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="Change nothing: show what is installed, with source and licence.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring larger sets of fingerprints in, and how many users each network has.

    Fingerprints come from where OONI, Citizen Lab and Censored Planet publish them, users from APNIC's
    estimates.  --from takes any of these as a file, and user figures of your own (TOML with a table a
    country, see docs/formats.md), which count before all others.  What cannot be had or read leaves what
    stands.  Afterwards `fanous rejudge` applies them to what is in a store.
    """
    from fanous.cli.fingerprint_sets import failure, updated_document, updated_lines
    from fanous.config import data_folder
    from fanous.refdata.sets import PUBLIC_SETS
    from fanous.refdata.update import update
    from fanous.refdata.update_users import is_figures, update_users

    folder = data_folder() / "refdata"
    if listing:
        _show_sets(folder, as_json)
        return
    users = [path for path in files or () if is_figures(path)]
    updates = [*update([path for path in files if path not in users] if files else PUBLIC_SETS, folder)]
    updates += [update_users(path, folder) for path in (users if files else [None])]
    if as_json:
        print_document({"updates": updated_document(updates)})
    else:
        print("\n".join(updated_lines(updates)))
    if failed := failure(updates):
        raise FanousError(failed)


def _show_sets(folder: Path, as_json: bool) -> None:
    from fanous.analysis.rules import RULES_VERSION
    from fanous.cli.fingerprint_sets import installed_document, installed_lines, users_document, users_lines
    from fanous.pipeline.judge import rules_version
    from fanous.refdata.about import installed
    from fanous.refdata.weights import installed_users

    sets = installed(folder)
    version = rules_version() if sets else RULES_VERSION
    users = installed_users(folder)
    if as_json:
        print_document(installed_document(sets, version) | {"users": users_document(users)})
    else:
        print("\n".join(installed_lines(sets, version) + users_lines(users)))
