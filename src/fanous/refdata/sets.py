"""Sets: the published collections of fingerprints that Fanous can read, and those that are installed.

To add one: a reader that gives a ``SetReading``, and one ``PublicSet`` below.  Files of the user's own, in the format
of ``fingerprints.toml``, may be installed among them.  A small file next to each installed set says where it came
from, when, and under which licence.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from fanous.analysis.rules.fingerprints import parse_fingerprints
from fanous.errors import FanousError
from fanous.overwrite import replace_file
from fanous.refdata import set_formats
from fanous.refdata.set_formats import SetReading

LARGEST_SET = 8 << 20
"""Bytes.  The largest today has 0.3 MB."""


@dataclass(frozen=True, slots=True)
class PublicSet:
    """One published file.

    Attributes:
        file: its name once installed.
        title: its name for people.
        url: where its makers publish it.
        licence: as its makers state it.
    """

    file: str
    title: str
    url: str
    licence: str
    read: Callable[[str], SetReading]


_GITHUB = "https://raw.githubusercontent.com"
_ANALYSIS = f"{_GITHUB}/censoredplanet/censoredplanet-analysis/master/pipeline/metadata/data"
_ANNOTATIONS = f"{_GITHUB}/citizenlab/filtering-annotations/master/data/v1"
_BLOCKING = f"{_GITHUB}/ooni/blocking-fingerprints/main"
_UNSTATED = "none stated"

OONI_HTTP = PublicSet(
    "ooni-http.csv",
    "OONI blocking fingerprints, pages",
    f"{_BLOCKING}/fingerprints_http.csv",
    _UNSTATED,
    set_formats.read_ooni,
)
OONI_DNS = PublicSet(
    "ooni-dns.csv",
    "OONI blocking fingerprints, addresses",
    f"{_BLOCKING}/fingerprints_dns.csv",
    _UNSTATED,
    set_formats.read_ooni,
)
CITIZENLAB_HTTP = PublicSet(
    "citizenlab-http.csv",
    "Citizen Lab filtering annotations, pages",
    f"{_ANNOTATIONS}/http.csv",
    "BSD-3-Clause",
    set_formats.read_citizenlab,
)
CITIZENLAB_DNS = PublicSet(
    "citizenlab-dns.csv",
    "Citizen Lab filtering annotations, addresses",
    f"{_ANNOTATIONS}/dns.csv",
    "BSD-3-Clause",
    set_formats.read_citizenlab,
)
BLOCKPAGES = PublicSet(
    "censoredplanet-blockpages.jsonl",
    "Censored Planet block pages",
    f"{_ANALYSIS}/blockpage_signatures.json",
    "Apache-2.0",
    set_formats.read_blockpages,
)
FALSE_POSITIVES = PublicSet(
    "censoredplanet-false-positives.jsonl",
    "Censored Planet false positives",
    f"{_ANALYSIS}/false_positive_signatures.json",
    "Apache-2.0",
    set_formats.read_false_positives,
)

PUBLIC_SETS = (OONI_HTTP, OONI_DNS, CITIZENLAB_HTTP, CITIZENLAB_DNS, BLOCKPAGES, FALSE_POSITIVES)

_BY_FILE = {one.file: one for one in PUBLIC_SETS}


def installed_sets(folder: Path) -> tuple[Path, ...]:
    """Files of sets in the folder, in the order of their names; a missing folder has none.

    Raises:
        FanousError: it may not be read, so that verdicts would differ from those of its owner.
    """
    try:
        return tuple(sorted(p for p in folder.iterdir() if p.name in _BY_FILE or p.suffix == ".toml"))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise FanousError(
            f"cannot read the folder of installed reference data, {folder}: {error.strerror}; give this user "
            f"permission, or set HOME or XDG_DATA_HOME to a folder that it owns"
        ) from error


def public_set(text: str, name: str) -> PublicSet:
    """Which set a file is, by its content.

    Raises:
        FanousError: it is not one that Fanous knows.
    """
    if name in _BY_FILE:
        return _BY_FILE[name]
    first = next((line for line in text.splitlines() if line.strip()), "")
    columns = set_formats.columns_of(first)
    if columns >= set_formats.OONI_COLUMNS:
        rows = text.splitlines()[1:]
        return OONI_DNS if rows and all(",dns," in row for row in rows[:20]) else OONI_HTTP
    if columns >= set_formats.DNS_COLUMNS:
        return CITIZENLAB_DNS
    if columns >= set_formats.HTTP_COLUMNS:
        return CITIZENLAB_HTTP
    if set_formats.is_signature(first):
        return BLOCKPAGES if set_formats.are_blockpages(text) else FALSE_POSITIVES
    raise _unknown(first, name)


def read_set(text: str, name: str) -> SetReading:
    """Patterns and addresses of a file: a published set, or TOML of the user's own.

    Raises:
        FanousError: nothing in it can be used; the message says why.
    """
    if name.endswith(".toml"):
        reading = SetReading("")
        patterns, addresses = parse_fingerprints(text, name)
        reading.patterns.extend(patterns)
        reading.addresses.extend(addresses)
    else:
        known = public_set(text, name)
        if not _has_its_form(text, known):
            raise _unknown(text[:200], name)
        reading = known.read(text)
    if not reading.usable:
        first = f" (line {reading.bad[0].line}: {reading.bad[0].why})" if reading.bad else ""
        raise FanousError(f"{name}: no fingerprint in it can be used{first}; fetch the file again")
    return reading


def decoded(
    data: bytes, name: str, largest: int = LARGEST_SET, what: str = "this is not a fingerprint set"
) -> str:
    """The text of a file.

    Args:
        what: what a larger file tells.

    Raises:
        FanousError: it is too large, or not UTF-8.
    """
    if len(data) > largest:
        raise FanousError(f"{name} has more than {largest >> 20} MiB: {what}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FanousError(f"{name} is not UTF-8 ({error}); fetch the file again") from error


def _has_its_form(text: str, known: PublicSet) -> bool:
    """Does a file with the name of a set have its format?"""
    first = next((line for line in text.splitlines() if line.strip()), "")
    if known.file.endswith(".jsonl"):
        return set_formats.is_signature(first)
    columns = set_formats.columns_of(first)
    wanted = {
        OONI_HTTP.file: set_formats.OONI_COLUMNS,
        OONI_DNS.file: set_formats.OONI_COLUMNS,
        CITIZENLAB_HTTP.file: set_formats.HTTP_COLUMNS,
        CITIZENLAB_DNS.file: set_formats.DNS_COLUMNS,
    }
    return columns >= wanted[known.file]


def _unknown(first: str, name: str) -> FanousError:
    return FanousError(
        f"{name} is not a fingerprint set that Fanous can read (it begins {first[:60]!r}); known: OONI's "
        "and Citizen Lab's CSV, Censored Planet's JSON lines, and TOML with [[pattern]] tables"
    )


@dataclass(frozen=True, slots=True)
class SetOrigin:
    """What is known about an installed set.

    Attributes:
        source: the URL or the path that it was taken from.
        licence: as its makers state it.
        installed_at: RFC 3339, UTC; when it was last found current.
        sha256: hex digest of the file that this describes.
        usable: patterns and addresses that counted then.
    """

    source: str
    licence: str
    installed_at: str
    sha256: str
    usable: int


def about_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.about.json")


def read_about(path: Path) -> SetOrigin | None:
    """The note about the set at ``path``; ``None`` = there is none that can be read."""
    try:
        noted = json.loads(about_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(noted, dict) or not {f.name for f in fields(SetOrigin)} <= noted.keys():
        return None
    source, licence, at, sha256 = (
        str(noted[name]) for name in ("source", "licence", "installed_at", "sha256")
    )
    return (
        SetOrigin(source, licence, at, sha256, noted["usable"]) if isinstance(noted["usable"], int) else None
    )


def write_about(path: Path, about: SetOrigin) -> None:
    """Write the note next to the set at ``path``.

    Raises:
        OSError: it cannot be written.
    """
    text = json.dumps(asdict(about), indent=2, ensure_ascii=False)
    replace_file(about_path(path), f"{text}\n".encode())


def installed(folder: Path) -> list[tuple[Path, SetOrigin | None]]:
    """Each installed set with the note about it; ``None`` if the note is about another file."""
    return [(path, of_this_file(path)) for path in installed_sets(folder)]


def of_this_file(path: Path) -> SetOrigin | None:
    """The note about the set at ``path``; ``None`` = someone put it there or changed it."""
    about = read_about(path)
    if about is None or hashlib.sha256(path.read_bytes()).hexdigest() != about.sha256:
        return None
    return about
