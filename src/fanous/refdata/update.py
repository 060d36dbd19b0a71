"""Update: installs fingerprint sets, user figures and lists of sites, from where they are published or from files.

A new set goes on trial (``trial``), if it can be read and has not shrunk; the accepted one stays in force.  At every
instant either the old file or the new one is there, whole.  User figures, the user's own or APNIC's table, become one
small file per country.  Downloads are over HTTPS, within limits of size and time.  Nothing here is a measurement: an
error is the operator's to fix, and says how.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx
import msgspec

from fanous import __version__
from fanous.analysis.rules.fingerprints import compile_fingerprints, parse_fingerprints
from fanous.base.exchange import NO_ANSWER, HttpClient, TooLarge, whole
from fanous.base.files import check_regular, make_folder, read_regular
from fanous.base.overwrite import check_file, replace_file
from fanous.config import LOOPBACK
from fanous.errors import FanousError
from fanous.model.instant import to_iso
from fanous.model.threshold import threshold
from fanous.refdata import bytes_of
from fanous.refdata.fingerprints import (
    LARGEST_SET,
    OURS,
    PUBLIC_SETS,
    PublicSet,
    SetOrigin,
    decoded,
    of_this_file,
    public_set,
    read_set,
    sets_in,
    write_about,
)
from fanous.refdata.set_formats import BadRow, SetReading
from fanous.refdata.targets import target_list
from fanous.refdata.trial import FOLDER as TRIAL
from fanous.refdata.trial import drop
from fanous.refdata.users import (
    APNIC_URL,
    FOLDER,
    LARGEST_FIGURES,
    FiguresFile,
    figures_path,
    is_apnic,
    parse_apnic,
    parse_own,
)
from fanous.refdata.watchlist import CITIZEN_LAB, ENDINGS, pulled_file, targets_of

STALL = 20.0
"""Seconds that a server may be silent."""
DEADLINE = 120.0
"""Seconds for the whole file: 0.3 MB at 30 kbit/s, which even a throttled line gives."""
MOST_REDIRECTS = 5
PASSING = (408, 429)
"""Client errors after which another try may succeed (RFC 9110, RFC 6585)."""


def download(
    url: str,
    *,
    largest: int = LARGEST_SET,
    stall: float = STALL,
    deadline: float = DEADLINE,
    loopback: bool = False,
) -> bytes:
    """The file at ``url``, whole.

    Args:
        loopback: also accept http from this machine, for a local mirror and for tests.

    Raises:
        FanousError: it could not be fetched; not ``permanent`` if another try may help.
    """
    at, sent_by, ends = url, "", time.monotonic() + deadline
    with closing(HttpClient({"User-Agent": f"fanous/{__version__}"}, stall)) as client:
        for _ in range(MOST_REDIRECTS):
            parts = urlsplit(at)
            is_local = loopback and parts.scheme == "http" and parts.hostname in LOOPBACK
            if not (parts.scheme == "https" or is_local):
                raise FanousError(
                    f"{at} is not https: without encryption, the data may have been tampered with"
                )
            try:
                with client.asked("GET", at, seconds=ends - time.monotonic(), sent_by=sent_by) as response:
                    if response.next_request is None:
                        _refuse_status(response, at)
                        return whole(response, largest)
                    sent_by, at = at, str(response.next_request.url)
            except TooLarge:
                raise FanousError(f"{at} has more than {largest:,} bytes: too large for this file") from None
            except NO_ANSWER as error:
                why = str(error) or type(error).__name__
                raise FanousError(f"{at} cannot be fetched: {why}", permanent=False) from error
    raise FanousError(f"{url} redirects in a circle")


def _refuse_status(response: httpx.Response, url: str) -> None:
    code = response.status_code
    if code != 200:
        raise FanousError(
            f"{url}: the server answered {code} {response.reason_phrase}",
            permanent=code < 500 and code not in PASSING,
        )


LEAST_LEFT = 0.7
"""A new set with less than this share of the old one's fingerprints is treated as a broken file: of OONI's
revisions of 2022 to 2024, the one that lost most lost a fifth (addresses, 198 to 158 lines)."""

Fetch = Callable[[str], bytes]


class UpdateOutcome(StrEnum):
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Updated:
    """The result for one source.

    Attributes:
        file: the set's name in the folder; of a failed source, the name it would have had.
        source: address or path.
        why: empty = nothing went wrong.
        usable: patterns and addresses that can be used (0 if it failed).
        bad: rows of the new file that cannot be used.
        left_out: reason -> rows that are not used on purpose.
        of: what ``usable`` counts.
        on_trial: it counts only once a person accepts it.
    """

    file: str
    source: str
    outcome: UpdateOutcome
    why: str = ""
    usable: int = 0
    bad: tuple[BadRow, ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)
    of: str = "fingerprints"
    on_trial: bool = False


PARTS = (TRIAL, f"{FOLDER}/own", f"{FOLDER}/apnic")
"""Folders in which something is installed, in that of reference data."""


def update_all(files: Sequence[Path], folder: Path) -> list[Updated]:
    """Install these files, or without any all that is published: fingerprint sets, and the numbers of users."""
    figures = [path for path in files if is_figures(path)]
    sets = [path for path in files if path not in figures]
    updates = update(sets if files else PUBLIC_SETS, folder)
    return updates + [update_users(path, folder) for path in (figures if files else [None])]


def update(sources: Sequence[PublicSet | Path], folder: Path, *, fetch: Fetch = download) -> list[Updated]:
    """Put each source on trial in ``folder``; one that fails changes nothing, and the others go on.

    Args:
        sources: published sets (``PUBLIC_SETS``), which are fetched, and files that the user has.

    Returns:
        One entry per source, in their order, also for those that could not be fetched or used.

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
            _refuse_faulty(name, folder, reading)
        _refuse_shrunk(folder / name, reading, place)
        _refuse_changed(folder / TRIAL / name, data)
    except FanousError as error:
        return Updated(name, place, UpdateOutcome.FAILED, str(error))
    origin = SetOrigin(place, licence, to_iso(time.time()), hashlib.sha256(data).hexdigest(), reading.usable)
    standing = of_this_file(folder / name) if (folder / name).exists() else None
    accepted = None  # the note of the accepted set, found current now, unless the new set is another one
    if standing is not None and standing.sha256 == origin.sha256:
        accepted = replace(origin, accepted_by=standing.accepted_by, accepted_at=standing.accepted_at)
    path = folder / TRIAL / name if accepted is None else folder / name
    same = path.exists() and path.read_bytes() == data
    _install(path, data, accepted or origin)
    if accepted is not None:
        drop(folder / TRIAL / name)  # the publisher took back what was on trial
    return Updated(
        file=name,
        source=place,
        outcome=UpdateOutcome.UNCHANGED if same else UpdateOutcome.UPDATED,
        usable=reading.usable,
        bad=tuple(reading.bad),
        left_out=dict(reading.left_out),
        on_trial=accepted is None,
    )


def update_lists(sources: Sequence[str | Path], folder: Path, *, fetch: Fetch = download) -> list[Updated]:
    """Install lists of sites whose names may be published, each whole or not at all.

    Args:
        sources: names of Citizen Lab's lists, which are fetched (``global``, ``PK``), and files that the user has.
    """
    return [_update_list(source, folder, fetch) for source in sources]


def _update_list(source: str | Path, folder: Path, fetch: Fetch) -> Updated:
    if isinstance(source, Path):
        name, place = source.name, str(source)
    else:
        name, place = pulled_file(source), CITIZEN_LAB.format(name=source.lower())
    try:
        if Path(name).suffix not in ENDINGS:
            raise FanousError(f"{place}: a list is a file that ends in {', '.join(ENDINGS)}")
        data = _bytes_of(source) if isinstance(source, Path) else fetch(place)
        usable = _sites_in(name, data, place)
        path = folder / name
        same = path.exists() and path.read_bytes() == data
        make_folder(folder)
        replace_file(path, data)
    except FanousError as error:
        return Updated(name, place, UpdateOutcome.FAILED, str(error), of="sites")
    except OSError as error:
        raise FanousError(f"{folder / name} cannot be written: {error.strerror}; check the folder") from error
    outcome = UpdateOutcome.UNCHANGED if same else UpdateOutcome.UPDATED
    return Updated(name, place, outcome, usable=usable, of="sites")


def _sites_in(name: str, data: bytes, place: str) -> int:
    """How many sites the list names.

    Raises:
        FanousError: it cannot be read, or names none.
    """
    with TemporaryDirectory(prefix="fanous-list-") as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            found = targets_of(target_list(str(path)).urls)
        except FanousError as error:
            raise FanousError(str(error).replace(str(path), place)) from None
    if not found:
        raise FanousError(f"{place} has no URL of a site; a list has a column `url`, or one URL a line")
    return len(found)


def _identity(source: PublicSet | Path, text: str) -> tuple[str, str]:
    """Name in the folder, and licence."""
    if not isinstance(source, Path):
        return source.file, source.licence
    if source.suffix == ".toml":
        return source.name, "the user's own"
    known = public_set(text, source.name)
    return known.file, known.licence


def _bytes_of(path: Path, largest: int = LARGEST_SET) -> bytes:
    check_regular(path)
    try:
        with path.open("rb") as file:
            return file.read(largest + 1)
    except OSError as error:
        raise FanousError(
            f"cannot read {path}: {error.strerror}; give the file that you downloaded"
        ) from error


def _refuse_faulty(name: str, folder: Path, own: SetReading) -> None:
    """Take the user's own file completely or not at all: an error found later would stop every command."""
    compile_fingerprints(own.patterns)
    there = (*sets_in(folder), *sets_in(folder / TRIAL))
    others = [other for other in there if other.suffix == ".toml" and other.name != name]
    for other in ((OURS, bytes_of(OURS)), *((str(each), each.read_bytes()) for each in others)):
        known, _ = parse_fingerprints(decoded(other[1], other[0]), other[0])
        twice = {p.id for p in known} & {p.id for p in own.patterns}
        if twice:
            raise FanousError(f"{name}: fingerprint {min(twice)} is in {other[0]} too; give it another id")


def _refuse_shrunk(path: Path, new: SetReading, place: str) -> None:
    try:
        old = read_set(decoded(path.read_bytes(), str(path)), path.name).usable
    except (FileNotFoundError, NotADirectoryError, FanousError):
        return  # nothing usable is installed, so any set is better
    except OSError as error:
        raise FanousError(f"{path} cannot be read: {error.strerror}; repair or delete it") from error
    if new.usable < LEAST_LEFT * old:
        raise FanousError(
            f"{place} has {new.usable:,} usable fingerprints and the installed set has {old:,}, so that is "
            f"kept; if the new one is right, delete {path} and update again"
        )


def _refuse_changed(path: Path, data: bytes) -> None:
    """Refuse to replace a set that someone put there or changed; a damaged download may be replaced."""

    def is_ours(there: Path) -> bool:
        same = of_this_file(there) is not None or there.read_bytes() == data
        if same or there.suffix == ".toml":
            return same
        try:
            return not read_set(decoded(there.read_bytes(), str(there)), there.name).usable
        except FanousError:
            return True

    if path.parent.is_dir():
        check_file(path, is_ours)


def _install(path: Path, data: bytes, about: SetOrigin) -> None:
    """Install the file, whole or not at all, and then the note about it."""
    try:
        make_folder(path.parent)
        replace_file(path, data)
        write_about(path, about)
    except OSError as error:
        raise FanousError(f"{path} cannot be written: {error.strerror}; check the folder") from error


LEAST_COUNTRIES = threshold(
    "refdata.update_countries_share",
    0.7,
    "Share of the countries in the installed table: a new table with fewer is a broken file.",
)

APNIC_FILE = "APNIC's users by network"


def fetch_apnic(url: str) -> bytes:
    return download(url, largest=LARGEST_FIGURES)


LARGEST_FILE = max(LARGEST_FIGURES, LARGEST_SET)


def is_figures(path: Path) -> bool:
    """Does a user's file contain user figures, rather than fingerprints?"""
    try:
        text = read_regular(path, LARGEST_FILE, "fingerprints or user figures").decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    return is_apnic(text) or (path.suffix == ".toml" and "users_m" in text)


def update_users(
    source: Path | None, folder: Path, *, fetch: Callable[[str], bytes] = fetch_apnic
) -> Updated:
    """Install the figures of ``source``; if it fails, nothing changes.

    Args:
        source: ``None`` = APNIC's table, fetched.
        folder: of reference data.
    """
    name, place = (APNIC_FILE, APNIC_URL) if source is None else (source.name, str(source))
    try:
        data = fetch(APNIC_URL) if source is None else _bytes_of(source, LARGEST_FILE)
        text = decoded(data, place, LARGEST_FIGURES, "these are not user figures")
        told = parse_apnic(text, place) if is_apnic(text) or source is None else parse_own(text, place)
        changed = _update_users_install(told, folder)
    except FanousError as error:
        return Updated(name, place, UpdateOutcome.FAILED, str(error), of="countries' users")
    outcome = UpdateOutcome.UPDATED if changed else UpdateOutcome.UNCHANGED
    return Updated(name, place, outcome, usable=len(told.countries), of="countries' users")


def forget_users(country: str, folder: Path) -> bool:
    """Remove the user's own figures for a country, so that the included ones count again; returns whether there were
    any."""
    path = figures_path(folder, "own", country)
    there = path.exists()
    path.unlink(missing_ok=True)
    return there


def _update_users_install(told: FiguresFile, folder: Path) -> bool:
    """Install each country's file; returns whether any changed."""
    kind = folder / FOLDER / told.kind
    standing = {path.stem for path in kind.glob("*.json")} if told.kind == "apnic" else set()
    if len(told.countries) < LEAST_COUNTRIES * len(standing):
        raise FanousError(
            f"it covers {len(told.countries)} countries; the installed table covers {len(standing)} and is kept. If "
            f"the new one is right, remove {kind} and update again"
        )
    changed = False
    try:
        make_folder(kind)
        for country, figures in told.countries.items():
            path, data = figures_path(folder, told.kind, country), msgspec.json.encode(figures)
            if not path.exists() or path.read_bytes() != data:
                replace_file(path, data)
                changed = True
    except OSError as error:
        raise FanousError(f"{kind} cannot be written: {error.strerror}; check the folder") from error
    return changed
