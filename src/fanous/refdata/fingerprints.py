"""Fingerprints: the known block pages, compiled, together with the sets that the user installed.

Our patterns are in ``fingerprints.toml``; ``fanous.analysis.rules`` decides how they match.  Compiling what
ships takes a second (bounded gaps grow), loading the compiled form from disk a millisecond.  Its file names
the patterns, the processor family and the release that it is for, and contains its own digest: one that does
not fit is compiled again, never run.
"""

import hashlib
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

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
from fanous.errors import FanousError
from fanous.files import check_regular
from fanous.overwrite import replace_file
from fanous.refdata import bytes_of
from fanous.refdata.sets import decoded, installed_sets, read_set

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
                folder.mkdir(parents=True, exist_ok=True)
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
        more: TOML in the format of ours, or published sets (see ``sets``).  Rows of a published set that
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
    """Our patterns and the sets in ``folder``, as they were when the process first asked: one run judges
    everything by the same fingerprints.

    Args:
        keep: as for ``fingerprints``.

    Raises:
        FanousError: an installed set cannot be read.
    """
    return fingerprints(installed_sets(folder), keep)


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
