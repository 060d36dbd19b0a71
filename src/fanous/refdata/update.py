"""Update: bring larger sets of fingerprints in, from where they are published or from files.

A set that stands is replaced only by one that can be read and has not shrunk; at every instant there is
either the old file or the new one, whole.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from fanous.analysis.rules.fingerprints import compile_fingerprints, parse_fingerprints
from fanous.errors import FanousError
from fanous.refdata.about import SetOrigin, write_about
from fanous.refdata.atomic import replace_file
from fanous.refdata.download import download
from fanous.refdata.fingerprints import OURS
from fanous.refdata.set_rows import BadRow, SetReading
from fanous.refdata.sets import LARGEST_SET, PublicSet, decoded, installed_sets, public_set, read_set
from fanous.refdata.tables import bytes_of

LEAST_LEFT = 0.7
"""A new set with less than this share of the old one's fingerprints is taken for a broken file: of OONI's
revisions of 2022 to 2024 the one that lost most lost a fifth (addresses, 198 to 158 lines)."""

Fetch = Callable[[str], bytes]


class UpdateOutcome(StrEnum):
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Updated:
    """What became of one source.

    Attributes:
        file: the set's name in the folder; of a failed source, what it was to be.
        source: address or path.
        why: empty = nothing went wrong.
        usable: patterns and addresses that count now (0 where it failed).
        bad: rows of the new file that cannot be used.
        left_out: reason -> rows that are not used on purpose.
        of: what ``usable`` counts.
    """

    file: str
    source: str
    outcome: UpdateOutcome
    why: str = ""
    usable: int = 0
    bad: tuple[BadRow, ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)
    of: str = "fingerprints"


def update(sources: Sequence[PublicSet | Path], folder: Path, *, fetch: Fetch = download) -> list[Updated]:
    """Install each source in ``folder``; one that fails leaves what stands, and the others go on.

    Args:
        sources: published sets (``PUBLIC_SETS``), which are fetched, and files that the user has.

    Returns:
        One entry a source, in their order; a source that cannot be had or used is an entry as well.

    Raises:
        FanousError: the folder cannot be written.
    """
    return [_update(source, folder, fetch) for source in sources]


def _update(source: PublicSet | Path, folder: Path, fetch: Fetch) -> Updated:
    name, place = (source.name, str(source)) if isinstance(source, Path) else (source.file, source.url)
    try:
        data = _bytes_of(source) if isinstance(source, Path) else fetch(source.url)
        text = decoded(data, place)
        name, licence = _identity(source, text)
        reading = read_set(text, name)
        if name.endswith(".toml"):
            _refuse_faulty(folder / name, reading)
        _refuse_shrunk(folder / name, reading, place)
    except FanousError as error:
        return Updated(name, place, UpdateOutcome.FAILED, str(error))
    digest = hashlib.sha256(data).hexdigest()
    same = (folder / name).exists() and (folder / name).read_bytes() == data
    about = SetOrigin(
        place, licence, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), digest, reading.usable
    )
    _install(folder / name, data, about)
    return Updated(
        file=name,
        source=place,
        outcome=UpdateOutcome.UNCHANGED if same else UpdateOutcome.UPDATED,
        usable=reading.usable,
        bad=tuple(reading.bad),
        left_out=dict(reading.left_out),
    )


def _identity(source: PublicSet | Path, text: str) -> tuple[str, str]:
    """Name in the folder, and licence."""
    if not isinstance(source, Path):
        return source.file, source.licence
    if source.suffix == ".toml":
        return source.name, "the user's own"
    known = public_set(text, source.name)
    return known.file, known.licence


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_SET + 1)
    except OSError as error:
        raise FanousError(
            f"{path} cannot be read: {error.strerror}; give the file that you fetched"
        ) from error


def _refuse_faulty(path: Path, own: SetReading) -> None:
    """A file of the user's own is taken whole or not at all: a fault found later would stop every command."""
    compile_fingerprints(own.patterns)
    others = [other for other in installed_sets(path.parent) if other.suffix == ".toml" and other != path]
    for other in ((OURS, bytes_of(OURS)), *((str(each), each.read_bytes()) for each in others)):
        known, _ = parse_fingerprints(decoded(other[1], other[0]), other[0])
        twice = {p.id for p in known} & {p.id for p in own.patterns}
        if twice:
            raise FanousError(
                f"{path.name}: fingerprint {min(twice)} is in {other[0]} too; give it another id"
            )


def _refuse_shrunk(path: Path, new: SetReading, place: str) -> None:
    try:
        old = read_set(decoded(path.read_bytes(), str(path)), path.name).usable
    except (FileNotFoundError, NotADirectoryError, FanousError):
        return  # nothing stands there, or nothing that works: any set is better
    except OSError as error:
        raise FanousError(f"{path} cannot be read: {error.strerror}; mend or remove it") from error
    if new.usable < LEAST_LEFT * old:
        raise FanousError(
            f"{place} has {new.usable:,} usable fingerprints and the set that stands has {old:,}, so it is "
            f"kept; if the new one is right, remove {path} and update again"
        )


def _install(path: Path, data: bytes, about: SetOrigin) -> None:
    """Put the file in its place, whole or not at all; what is said about it comes after it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)
        write_about(path, about)
    except OSError as error:
        raise FanousError(f"{path} cannot be written: {error.strerror}; mend the folder") from error
