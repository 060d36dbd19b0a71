"""Fingerprints: the known block pages, compiled, together with the sets that the user installed.

Our patterns are in ``fingerprints.toml``; ``fanous.analysis.rules`` decides how they match.  Compiling what
ships takes a second (bounded gaps grow), loading the compiled form from disk a millisecond.  Its file names
the patterns, the processor family and the release that it is for, and contains its own digest: one that does
not fit is compiled again, never run.

A set is a published collection of fingerprints that a user may install.  To add one: a reader that gives a
``SetReading``, and one ``PublicSet`` below.  Files of the user's own, in the format of ``fingerprints.toml``, may be
installed among them.  A small file next to each set says where it came from, when, under which licence, its digest,
and who accepted it.  Only accepted sets count, and only as they were accepted; ``trial`` holds the others.
"""

import hashlib
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec

from fanous.analysis.rules.fingerprints import (
    BlockAddress,
    Fingerprint,
    Fingerprints,
    Matcher,
    PatternText,
    compile_fingerprints,
    compile_matcher,
    dumped,
    engine,
    loaded,
    parse_fingerprints,
)
from fanous.base.files import check_regular, make_folder
from fanous.base.overwrite import replace_file
from fanous.errors import FanousError
from fanous.refdata import bytes_of, set_formats
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


def sets_in(folder: Path) -> tuple[Path, ...]:
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
        what: what it means if the file is larger, for the message.

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
    """What is known about a set.

    Attributes:
        source: the URL or the path that it was taken from.
        licence: as its makers state it.
        installed_at: RFC 3339, UTC; when it was last found current.
        sha256: hex digest of the file that this describes.
        usable: patterns and addresses that counted then.
        accepted_by: who said that it may count; empty = on trial, or installed before December 2026, when to
            install a set was to accept it.
        accepted_at: RFC 3339, UTC.
    """

    source: str
    licence: str
    installed_at: str
    sha256: str
    usable: int
    accepted_by: str = ""
    accepted_at: str = ""


def about_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.about.json")


def read_about(path: Path) -> SetOrigin | None:
    """The note about the set at ``path``; ``None`` = there is none that can be read."""
    try:
        return msgspec.json.decode(about_path(path).read_bytes(), type=SetOrigin)
    except (OSError, msgspec.MsgspecError):
        return None


def write_about(path: Path, about: SetOrigin) -> None:
    """Write the note next to the set at ``path``.

    Raises:
        OSError: it cannot be written.
    """
    replace_file(about_path(path), msgspec.json.format(msgspec.json.encode(about)) + b"\n")


def described(folder: Path) -> list[tuple[Path, SetOrigin | None]]:
    """Each set in the folder with the note about it; ``None`` if the note is about another file."""
    return [(path, of_this_file(path)) for path in sets_in(folder)]


def of_this_file(path: Path) -> SetOrigin | None:
    """The note about the set at ``path``; ``None`` = someone put it there or changed it."""
    about = read_about(path)
    if about is None or hashlib.sha256(path.read_bytes()).hexdigest() != about.sha256:
        return None
    return about


def accepted_sets(folder: Path) -> tuple[Path, ...]:
    """Files of the sets that count, each as a person accepted it.

    Raises:
        FanousError: a file is not the one that was accepted.
    """
    described_sets = described(folder)
    for path, about in described_sets:
        if about is None:
            raise _not_accepted(path)
    return tuple(path for path, _ in described_sets)


def _not_accepted(path: Path) -> FanousError:
    known = read_about(path)
    what = (
        f"changed after it was installed (its SHA-256 is not {known.sha256[:16]}...)"
        if known is not None
        else "was put there by hand"
    )
    return FanousError(
        f"the fingerprints in {path} {what}, and nothing is judged by what is not accepted. Move the file to "
        "another folder; to use it, install it with `fanous refdata update --from FILE` and accept it as "
        "`fanous refdata update --list` says"
    )


WORTH_KEEPING = 0.3
"""Seconds of compiling from which a person would notice."""

FILE = "compiled.bin"
_DIGEST = 32


def kept_matcher(folder: Path, worth: float = WORTH_KEEPING) -> Callable[[list[PatternText]], Matcher]:
    """A compiler that saves its work in ``folder`` if it took longer than ``worth`` seconds."""

    def compile_or_load(patterns: list[PatternText]) -> Matcher:
        path, key = folder / FILE, _key(patterns)
        found = _load(path, key)
        if found is not None:
            return found
        began = time.monotonic()
        matcher = compile_matcher(patterns)
        data = dumped(matcher) if time.monotonic() - began > worth else None
        if data is not None:
            with suppress(OSError):  # an unwritable folder costs only a second
                make_folder(folder)
                replace_file(path, key + hashlib.sha256(data).digest() + data)
        return matcher

    return compile_or_load


def _key(patterns: list[PatternText]) -> bytes:
    """Digest of everything that determines the compiled form."""
    digest = hashlib.sha256(engine().encode())
    for pattern in patterns:
        expression = pattern.expression.encode()
        digest.update(len(expression).to_bytes(4) + expression)
    return digest.digest()


def _load(path: Path, key: bytes) -> Matcher | None:
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    data = kept[2 * _DIGEST :]
    if kept[: 2 * _DIGEST] != key + hashlib.sha256(data).digest():
        return None
    return loaded(data)


OURS = "fingerprints.toml"


@lru_cache(maxsize=4)
def fingerprints(more: tuple[Path, ...] = (), keep: Path | None = None) -> Fingerprints:
    """Our patterns and those of the files ``more``, compiled once per process.

    Args:
        more: TOML in the format of ours, or published sets.  Rows of a published set that
            cannot be used are left out silently: ``update`` has named them.
        keep: a folder for the compiled form; ``None`` = compile anew.

    Raises:
        FanousError: a file cannot be read, or a pattern in a TOML file is wrong; the message names it.
    """
    patterns, addresses = parse_fingerprints(bytes_of(OURS).decode("utf-8"), OURS)
    added: list[Fingerprint] = []
    places: list[BlockAddress] = []
    for path in more:
        reading = read_set(decoded(_read(path), str(path)), path.name)
        added += reading.patterns
        places += reading.addresses
    return compile_fingerprints(
        (*patterns, *added),
        _joined((*addresses, *places)),
        kept_matcher(keep) if keep is not None else compile_matcher,
        _version(added, places),
    )


@lru_cache(maxsize=4)
def installed_fingerprints(folder: Path, keep: Path | None = None) -> Fingerprints:
    """Our patterns and the accepted sets in ``folder``, as they were when the process first asked: one run judges
    everything by the same fingerprints.

    Args:
        keep: as for ``fingerprints``.

    Raises:
        FanousError: a set cannot be read, or is not the file that was accepted.
    """
    return fingerprints(accepted_sets(folder), keep)


def _joined(addresses: Iterable[BlockAddress]) -> list[BlockAddress]:
    """One entry per address, which counts wherever any of the sets says so."""
    joined: dict[str, BlockAddress] = {}
    for one in addresses:
        known = joined.get(one.address, one)
        everywhere = not (known.countries and one.countries)
        countries = frozenset() if everywhere else known.countries | one.countries
        joined[one.address] = BlockAddress(one.address, countries, known.source, known.names | one.names)
    return list(joined.values())


def _version(patterns: Iterable[Fingerprint], addresses: Iterable[BlockAddress]) -> str:
    """Changes with everything that can change a verdict, and with nothing else in the files."""
    facts = [
        (p.id, p.where, p.kind, p.pattern, sorted(p.countries), p.literal, p.origin, p.any_length)
        for p in patterns
    ]
    places = [(a.address, sorted(a.countries), sorted(a.names)) for a in addresses]
    if not facts and not places:
        return ""
    return "+" + hashlib.sha256(repr((facts, places)).encode()).hexdigest()[:8]


def _read(path: Path) -> bytes:
    check_regular(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise FanousError(f"cannot read the fingerprints in {path}: {error}") from error
