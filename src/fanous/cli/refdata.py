"""``fanous refdata``: updates reference data, and lists what is installed, as text or JSON."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from fanous.base.text import one_line, printable
from fanous.cli.common import country_code, tell
from fanous.cli.options import JsonOptions, argument, command, option
from fanous.errors import FanousError
from fanous.refdata.fingerprints import SetOrigin
from fanous.refdata.trial import LEAST_DIGITS, Trial
from fanous.refdata.update import Updated, UpdateOutcome
from fanous.refdata.users import InstalledUsers

refdata_app = typer.Typer(
    help="Update reference data: block page fingerprints, numbers of users per network, lists of sites, upstreams.",
    no_args_is_help=True,
)


class RefdataUpdateOptions(JsonOptions):
    """Options of ``fanous refdata update``."""

    files: list[Path] | None = option(
        None, "Read this local file instead of downloading; may be repeated.", "--from", metavar="FILE"
    )
    listing: bool = option(False, "Only show what is installed, with source and licence.", "--list")
    forget: list[str] | None = option(
        None,
        "Remove your own user numbers of this country; may be repeated. Nothing is downloaded.",
        metavar="CC",
    )


@refdata_app.command("update")
@command
def refdata_update(options: RefdataUpdateOptions) -> None:
    """Fetch larger sets of fingerprints, and the number of users of each network.

    Fingerprints are downloaded from OONI, Citizen Lab and Censored Planet, user numbers from APNIC's
    estimates.  --from reads any of these from a file, or your own user numbers (TOML with one table per
    country, see docs/formats.md), which take precedence over all others.  If a set cannot be fetched or read,
    the installed one is kept.  Fingerprints are on trial until a person accepts them: look with --list, then run
    `fanous refdata accept`.  User numbers count at once: run `fanous rejudge` to apply them to a store.
    """
    from fanous.config import data_folder
    from fanous.refdata.update import PARTS, update_all

    folder = data_folder() / "refdata"
    if options.listing:
        _show_sets(folder, options.as_json)
        return
    if options.forget:
        _forget([country_code(code) for code in options.forget], folder, options.as_json)
        return
    files = options.files or ()
    updates = install(lambda: update_all(files, folder), folder, files, PARTS)
    tell(options.as_json, {"updates": updated_document(updates)}, updated_lines(updates))
    if failed := failure(updates):
        raise FanousError(failed)


class RefdataListsOptions(JsonOptions):
    """Options of ``fanous refdata lists``."""

    countries: list[str] | None = argument(None, "Countries whose lists to fetch, too.", metavar="CC...")
    files: list[Path] | None = option(
        None, "Install this list of your own; may be repeated.", "--from", metavar="FILE"
    )


@refdata_app.command("lists")
@command
def refdata_lists(options: RefdataListsOptions) -> None:
    """Fetch the lists of sites whose names may be published.

    Readers see the names of platforms, of sites on the lists that Fanous includes, and of sites on these: Citizen Lab's
    test lists, the global one and those of the countries that you name or named before, or with --from a list of your
    own (CSV with a column `url`, or one URL a line).  Any other name is withheld until a person releases it, since
    anyone can measure any name.
    """
    from fanous.refdata.update import update_lists
    from fanous.refdata.watchlist import lists_folder, pulled_lists

    folder = lists_folder()
    named = [country_code(code).lower() for code in options.countries or ()]
    sources: list[str | Path] = [*(options.files or ())]
    if named or not options.files:
        sources += dict.fromkeys(["global", *named, *pulled_lists(folder)])
    updates = install(lambda: update_lists(sources, folder), folder, options.files or ())
    tell(options.as_json, {"updates": updated_document(updates)}, updated_lines(updates))
    if failed := failure(updates):
        raise FanousError(failed)


class RefdataAcceptOptions(JsonOptions):
    """Options of ``fanous refdata accept``."""

    digests: list[str] = argument(
        ...,
        f"Digest of each set, as --list of `fanous refdata update` shows it; {LEAST_DIGITS} digits will do.",
        metavar="SHA256...",
    )
    by: str = option(..., "Who accepts: a role such as 'duty editor', or a name; is kept.")


@refdata_app.command("accept")
@command
def refdata_accept(options: RefdataAcceptOptions) -> None:
    """Let sets of fingerprints count that were on trial.

    Until then they conclude nothing: `fanous judge` says what they would change.  Run `fanous rejudge` afterwards
    to apply them to a store, and restart a running monitor.
    """
    from fanous.config import data_folder
    from fanous.refdata.trial import accept

    accepted = accept(options.digests, data_folder() / "refdata", options.by)
    lines = [f"{one.path.name}: {one.about.usable:,} fingerprints count from now on" for one in accepted]
    tell(
        options.as_json,
        {"accepted": trial_document(accepted)},
        [*lines, "run `fanous rejudge` to judge a store's measurements by them"],
    )


class RefdataUpstreamsOptions(JsonOptions):
    """Options of ``fanous refdata upstreams``."""

    files: list[Path] = argument(
        ..., "Routing tables (MRT: bview or rib), and updates if you have them.", metavar="FILE..."
    )


@refdata_app.command("upstreams")
@command
def refdata_upstreams(options: RefdataUpstreamsOptions) -> None:
    """Note which networks stand behind one upstream, by routing tables of your own.

    Networks behind one upstream fall together when it fails, so they are not counted as several that fell together by
    more than chance.  What you give replaces what you gave before: give all collectors at once, since each sees only
    the paths that its peers prefer; updates show others that were in use for a while.  `fanous detect CC` applies it
    to a store.
    """
    from fanous.base.confine import Grant
    from fanous.pipeline.child import in_child
    from fanous.refdata import upstreams
    from fanous.sources.signals.mrt import paths
    from fanous.sources.signals.upstreams import LEAST_PEERS, AsPaths

    def found_in(files: Sequence[Path]) -> tuple[dict[int, int], int]:
        neighbours = AsPaths()
        for file in files:
            neighbours.add_all(paths(file))
        return dict(neighbours.upstreams()), len(neighbours.only)

    found, seen = in_child(lambda _: found_in(options.files), Grant(reads=tuple(options.files)))
    if not found:
        raise FanousError(
            f"none of the {seen:,} networks in these files has one upstream that {LEAST_PEERS} peers show, so nothing "
            "changes; give routing tables (bview or rib), not only updates"
        )
    path = upstreams.install(found, ", ".join(file.name for file in options.files), time.time())
    document = {"path": str(path), "networks": seen, "upstreams": len(found), "least_peers": LEAST_PEERS}
    line = (
        f"{len(found):,} of {seen:,} networks stand behind one upstream, as {LEAST_PEERS} peers or more show"
    )
    tell(options.as_json, document, [line, f"written to {path}; `fanous detect CC` applies it to a store"])


def install(
    work: Callable[[], Iterable[Updated]], folder: Path, files: Sequence[Path], parts: Sequence[str] = ("",)
) -> list[Updated]:
    """What ``work`` installed in the folder, in a process that reaches it, and these files or else the internet.

    Args:
        parts: folders in it that it needs.
    """
    from msgspec import convert

    from fanous.base.confine import Grant
    from fanous.base.files import make_folder
    from fanous.pipeline.child import in_child

    try:
        for part in parts:
            make_folder(folder / part)
    except OSError as error:
        raise FanousError(f"{folder} cannot be made: {error.strerror}; check the folder above it") from error
    authorities = Path(os.environ.get("SSL_CERT_FILE") or os.devnull)
    grant = Grant((folder, authorities, *files), writes=(folder,), internet=not files, keeps_user=True)

    def done(_: object) -> list[Updated]:
        return [
            replace(each, file=printable(each.file), source=printable(each.source), why=printable(each.why))
            for each in work()
        ]

    return convert(in_child(done, grant), list[Updated])


def _forget(countries: Sequence[str], folder: Path, as_json: bool) -> None:
    from fanous.refdata.update import forget_users

    forgotten = [country for country in countries if forget_users(country, folder)]
    lines = [
        f"your user numbers for {country} are removed; the estimates count again" for country in forgotten
    ]
    tell(as_json, {"forgotten": forgotten}, lines)
    if missing := [country for country in countries if country not in forgotten]:
        raise FanousError(
            f"there are no user numbers of your own for {', '.join(missing)}; `fanous refdata update --list` shows them"
        )


def _show_sets(folder: Path, as_json: bool) -> None:
    from fanous.analysis.rules import RULES_VERSION
    from fanous.pipeline.judge import rules_version
    from fanous.refdata.fingerprints import described
    from fanous.refdata.trial import on_trial
    from fanous.refdata.users import installed_users

    sets = described(folder)
    trials = on_trial(folder)
    is_whole = all(about is not None for _, about in sets)
    version = rules_version() if sets and is_whole else RULES_VERSION
    users = installed_users(folder)
    document = installed_document(sets, version) | {
        "on_trial": trial_document(trials),
        "users": users_document(users),
    }
    tell(as_json, document, installed_lines(sets, version) + trial_lines(trials) + users_lines(users))


ROWS_SHOWN = 10
"""Bad rows listed for each set; ``--json`` lists all."""


def updated_document(updates: Sequence[Updated]) -> list[dict[str, Any]]:
    return [
        {
            "file": one.file,
            "source": one.source,
            "outcome": str(one.outcome),
            "why": one.why or None,
            "usable": one.usable,
            "on_trial": one.on_trial,
            "bad_rows": [{"line": row.line, "why": row.why} for row in one.bad],
            "left_out": one.left_out,
        }
        for one in updates
    ]


def updated_lines(updates: Sequence[Updated]) -> list[str]:
    """Print the result of an update."""
    lines: list[str] = []
    for one in updates:
        if one.outcome is UpdateOutcome.FAILED:
            lines.append(f"{one.file}: not updated: {one.why}")
            continue
        trial = "; on trial until accepted" if one.on_trial else ""
        lines.append(f"{one.file}: {one.outcome}, {one.usable:,} {one.of} from {one.source}{trial}")
        lines += [f"  {count:,} left out: {reason}" for reason, count in one.left_out.items()]
        lines += [f"  {one.source}:{row.line}: {row.why}" for row in one.bad[:ROWS_SHOWN]]
        if len(one.bad) > ROWS_SHOWN:
            lines.append(f"  ... and {len(one.bad) - ROWS_SHOWN:,} more rows (--json lists them)")
    if any(one.on_trial for one in updates):
        lines.append("See what is new, and accept it, with `fanous refdata update --list`")
    return lines


def failure(updates: Sequence[Updated]) -> str:
    """What to do about failures; empty = none failed."""
    failed = [one for one in updates if one.outcome is UpdateOutcome.FAILED]
    if not failed:
        return ""
    urls = {one.source for one in failed if one.source.startswith("https://")}
    advice = (
        "; without a network, download the files elsewhere and pass each with --from FILE: "
        + " ".join(sorted(urls))
        if urls
        else ""
    )
    return f"{len(failed)} of {len(updates)} sets could not be updated; the installed ones are kept{advice}"


def installed_document(sets: Sequence[tuple[Path, SetOrigin | None]], version: str) -> dict[str, Any]:
    return {
        "rules_version": version,
        "sets": [
            {
                "file": path.name,
                "source": about.source if about else None,
                "installed_at": about.installed_at if about else None,
                "licence": about.licence if about else None,
                "sha256": about.sha256 if about else None,
                "usable": about.usable if about else None,
                "accepted_by": about.accepted_by or None if about else None,
                "accepted_at": about.accepted_at or None if about else None,
            }
            for path, about in sets
        ],
    }


def trial_document(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    return [
        {
            "file": trial.path.name,
            "source": trial.about.source,
            "installed_at": trial.about.installed_at,
            "licence": trial.about.licence,
            "sha256": trial.about.sha256,
            "usable": trial.about.usable,
            "added": list(trial.added),
            "removed": list(trial.removed),
        }
        for trial in trials
    ]


def trial_lines(trials: Sequence[Trial]) -> list[str]:
    """What a person has to read before accepting it."""
    lines: list[str] = []
    for one in trials:
        date = one.about.installed_at[:10]
        lines.append(
            f"{one.path.name}: on trial since {date}, {len(one.added):,} new and {len(one.removed):,} removed; they "
            "conclude nothing yet"
        )
        lines.append(f"  {one.about.source}")
        lines += _changed_lines("+", one.added) + _changed_lines("-", one.removed)
    if trials:
        digests = " ".join(trial.about.sha256[:LEAST_DIGITS] for trial in trials)
        lines.append(f"To accept what you have read: fanous refdata accept {digests} --by NAME")
    return lines


def _changed_lines(sign: str, changed: Sequence[str]) -> list[str]:
    lines = [f"  {sign} {one_line(one)}" for one in changed[:ROWS_SHOWN]]
    if len(changed) > ROWS_SHOWN:
        lines.append(f"  ... and {len(changed) - ROWS_SHOWN:,} more (--json lists them)")
    return lines


def installed_lines(sets: Sequence[tuple[Path, SetOrigin | None]], version: str) -> list[str]:
    if not sets:
        return ["only what ships with Fanous counts; install larger sets with `fanous refdata update`"]
    lines = [f"rules version: {version}"]
    for path, about in sets:
        if about is None:
            lines.append(f"{path.name}: changed or added by hand: nothing is judged until you move it away")
        else:
            date = about.installed_at[:10]
            lines.append(f"{path.name}: {about.usable:,} fingerprints, {date}, licence: {about.licence}")
            lines.append(f"  {about.source}")
            if about.accepted_by:
                lines.append(f"  accepted on {about.accepted_at[:10]} by {about.accepted_by}")
    return lines


def users_document(users: Sequence[InstalledUsers]) -> list[dict[str, Any]]:
    return [
        {
            "kind": one.kind,
            "countries": list(one.countries),
            "source": one.source,
            "date": one.date,
            "licence": one.licence or None,
        }
        for one in users
    ]


def users_lines(users: Sequence[InstalledUsers]) -> list[str]:
    """The sources of the figures, in order of precedence."""
    lines = []
    for one in users:
        named = ", ".join(one.countries[:ROWS_SHOWN])
        more = f" and {len(one.countries) - ROWS_SHOWN} more" if len(one.countries) > ROWS_SHOWN else ""
        lines.append(f"users ({one.kind}): {named}{more}; {one.date}, {one.source}")
    return lines
