"""``fanous refdata``: updates reference data."""

from pathlib import Path
from typing import Annotated

import typer

from fanous.cli.common import JsonOption, print_document
from fanous.errors import FanousError

refdata_app = typer.Typer(
    help="Update reference data: block page fingerprints and numbers of users per network.",
    no_args_is_help=True,
)


@refdata_app.command("update")
def refdata_update(
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--from", metavar="FILE", help="Read this local file instead of downloading; may be repeated."
        ),
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="Only show what is installed, with source and licence.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Install larger sets of fingerprints, and the number of users of each network.

    Fingerprints are downloaded from OONI, Citizen Lab and Censored Planet, user numbers from APNIC's
    estimates.  --from reads any of these from a file, or your own user numbers (TOML with one table per
    country, see docs/formats.md), which take precedence over all others.  If a set cannot be fetched or read,
    the installed one is kept.  Run `fanous rejudge` afterwards to apply the new data to a store.
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
