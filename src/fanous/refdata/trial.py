"""Trial: a set that was fetched concludes nothing until a person accepts it.

An update puts a set on trial and leaves the accepted one in force, whole: a new pattern decides nothing, and
one that is missing from the new set still counts.  So one bad commit in another project confirms nothing here.
A set is accepted by its digest, which is that of the file the person looked at.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from fanous.analysis.rules.fingerprints import Fingerprints
from fanous.base.overwrite import replace_file
from fanous.errors import FanousError
from fanous.model.instant import to_iso
from fanous.refdata.fingerprints import (
    SetOrigin,
    about_path,
    accepted_sets,
    decoded,
    described,
    fingerprints,
    read_set,
    write_about,
)

FOLDER = "trial"

LEAST_DIGITS = 32
"""Hex digits of a digest that name a file: 128 bits, for which no second file can be found."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A set on trial.

    Attributes:
        path: its file.
        about: where it came from, and its digest.
        added: each pattern or address that the accepted sets lack, in words.
        removed: each that the accepted set of this name has and this one lacks.
    """

    path: Path
    about: SetOrigin
    added: tuple[str, ...]
    removed: tuple[str, ...]


def on_trial(folder: Path) -> list[Trial]:
    """The sets that wait for a person, in the order of their names.

    Args:
        folder: of the accepted sets.

    Raises:
        FanousError: a file cannot be read, or was changed since the update that brought it.
    """
    trials = []
    for path, about in _pinned(folder):
        new, accepted = _content(path), folder / path.name
        old = _content(accepted) if accepted.exists() else {}
        trials.append(Trial(path, about, _only_in(new, old), _only_in(old, new)))
    return trials


def _pinned(folder: Path) -> list[tuple[Path, SetOrigin]]:
    found = []
    for path, about in described(folder / FOLDER):
        if about is None:
            raise FanousError(
                f"{path} is not the file that an update put on trial; delete it, and run `fanous refdata update` again"
            )
        found.append((path, about))
    return found


def _content(path: Path) -> dict[str, None]:
    """Each pattern and address of a set in words, in its order."""
    reading = read_set(decoded(path.read_bytes(), str(path)), path.name)
    patterns = (
        f"{pattern.id}: {pattern.kind} by {pattern.where}{_within(pattern.countries)}: {pattern.pattern}"
        for pattern in reading.patterns
    )
    addresses = (
        f"{block.address}: address of block pages{_within(block.countries)}" for block in reading.addresses
    )
    return dict.fromkeys([*patterns, *addresses])


def _only_in(those: dict[str, None], others: dict[str, None]) -> tuple[str, ...]:
    return tuple(one for one in those if one not in others)


def _within(countries: Iterable[str]) -> str:
    return f" in {', '.join(sorted(countries))}" if countries else ""


def accept(digests: Sequence[str], folder: Path, by: str) -> list[Trial]:
    """Put the sets with these digests in force, in a person's name; all of them or, if one is unknown, none.

    Args:
        digests: at least ``LEAST_DIGITS`` digits of each.
        folder: of the accepted sets.

    Raises:
        FanousError: no name is given, no set on trial has a digest, or the sets cannot be used together.
    """
    if not by.strip():
        raise FanousError("accepting a set needs a person's name or role: give it with --by")
    waiting = on_trial(folder)
    chosen = [_of_digest(digest.lower(), waiting) for digest in digests]
    fingerprints(
        _in_place(folder, [one.path for one in chosen])
    )  # a set that does not compile would stop every command
    for one in chosen:
        _put_in_force(one, folder / one.path.name, by.strip())
    return chosen


def _of_digest(digest: str, waiting: Sequence[Trial]) -> Trial:
    if len(digest) < LEAST_DIGITS:
        raise FanousError(
            f"{digest}: {len(digest)} digits do not identify a file; give at least {LEAST_DIGITS} of its SHA-256"
        )
    for one in waiting:
        if one.about.sha256.startswith(digest):
            return one
    raise FanousError(
        f"no set on trial has the SHA-256 {digest}: it was accepted already, or an update replaced it. "
        "See what waits: fanous refdata update --list"
    )


def _put_in_force(one: Trial, path: Path, by: str) -> None:
    """A kill on the way leaves the set on trial, to be accepted again."""
    about = replace(one.about, accepted_by=by, accepted_at=to_iso(time.time()))
    try:
        replace_file(path, one.path.read_bytes())
        write_about(path, about)
        drop(one.path)
    except OSError as error:
        raise FanousError(f"{path} cannot be written: {error.strerror}; check the folder") from error


def drop(path: Path) -> None:
    """Take a set off trial.

    Raises:
        OSError: it cannot be removed.
    """
    path.unlink(missing_ok=True)
    about_path(path).unlink(missing_ok=True)


def _in_place(folder: Path, new: Iterable[Path]) -> tuple[Path, ...]:
    """The accepted sets, with ``new`` in place of those of the same names."""
    files = {path.name: path for path in (*accepted_sets(folder), *new)}
    return tuple(files[name] for name in sorted(files))


@lru_cache(maxsize=4)
def trial_fingerprints(folder: Path, keep: Path | None = None) -> Fingerprints | None:
    """The fingerprints as they will be once everything on trial is accepted; ``None`` = nothing is.

    Args:
        keep: as for ``fingerprints``; not the folder of those in force.

    Raises:
        FanousError: a set cannot be read, or was changed.
    """
    waiting = [path for path, _ in _pinned(folder)]
    return fingerprints(_in_place(folder, waiting), keep) if waiting else None
