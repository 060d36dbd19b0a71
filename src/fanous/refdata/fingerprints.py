"""Fingerprints: the block pages we know, compiled; further sets may stand in files of the user's own.

The patterns are in ``fingerprints.toml``; how they match is the business of ``fanous.rules``.
"""

from functools import lru_cache
from pathlib import Path

from fanous.errors import FanousError
from fanous.refdata.tables import bytes_of
from fanous.rules.fingerprints import Fingerprints, compile_fingerprints, parse_fingerprints

OURS = "fingerprints.toml"


@lru_cache(maxsize=4)
def fingerprints(more: tuple[Path, ...] = ()) -> Fingerprints:
    """Our patterns and those of the files ``more`` (same format), compiled once a process.

    Raises:
        FanousError: a file is missing, or a pattern in it is wrong; the message names it.
    """
    patterns, addresses = parse_fingerprints(bytes_of(OURS).decode("utf-8"), OURS)
    for path in more:
        added, places = parse_fingerprints(_read(path), str(path))
        patterns, addresses = patterns + added, addresses + places
    return compile_fingerprints(patterns, addresses)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FanousError(f"fingerprints of {path} cannot be read: {error}") from error
