"""References: raw records of a public source that only its publisher still has.

For each record that came from a published object, the archive notes the object, the line and a digest of what was kept.
If nothing rests on a record, retention replaces it by that note.  When the record is needed again, it is
fetched, and it counts only if it is what was stored.  An object that has vanished, or has been rewritten, is named
in the error.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from fanous.errors import FanousError, Rejected

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL = 9
"""zstd level: an object's address is repeated in every line."""


class Reference(msgspec.Struct, frozen=True, array_like=True):
    """Where a record is published.

    Attributes:
        object: its address.
        line: 1-based line or member in it.
        digest: SHA-256 in hex of the record as it was kept here.
    """

    object: str
    line: int
    digest: str


Entry = bytes | Reference
"""An entry of a thinned segment: a record that is still here, or where it is published."""


class VanishedObject(FanousError):
    """A published object no longer gives the record that was taken from it."""


def digest_of(data: bytes) -> str:
    return sha256(data).hexdigest()


def pack_entries(entries: Iterable[Entry | None]) -> bytes:
    """As a file; None = the record came from no published object."""
    lines = (one if isinstance(one, bytes) else msgspec.json.encode(one) for one in entries)
    return zstd.compress(b"".join(line + b"\n" for line in lines), level=LEVEL)


def unpack_entries(packed: bytes) -> list[Entry | None]:
    """What ``pack_entries`` packed.

    Raises:
        FanousError: it is damaged.
    """
    try:
        return [_entry(line) for line in zstd.decompress(packed).split(b"\n")[:-1]]
    except (zstd.ZstdError, msgspec.MsgspecError) as error:
        raise FanousError(f"{error}") from error


def _entry(line: bytes) -> Entry | None:
    """A record is a JSON object, a reference an array."""
    return line if line.startswith(b"{") else msgspec.json.decode(line, type=Reference | None)


def fetched(references: Iterable[Reference], source: str) -> dict[Reference, bytes]:
    """The records, as they were kept; each object is fetched once.

    Args:
        source: the source that reads them.

    Raises:
        VanishedObject: an object is gone, or holds something else.
        FanousError: it cannot be reached now.
    """
    by_object: dict[str, list[Reference]] = defaultdict(list)
    for one in references:
        by_object[one.object].append(one)
    found: dict[Reference, bytes] = {}
    for address, own in by_object.items():
        found |= _of_object(address, own, source)
    return found


def _of_object(address: str, own: list[Reference], source: str) -> dict[Reference, bytes]:
    from fanous.sources.measurements import MEASUREMENT_SOURCES  # not needed for writing
    from fanous.sources.ooni.bucket import fetch_object

    wanted = {one.line: one for one in own}
    found: dict[Reference, bytes] = {}
    with TemporaryDirectory(prefix="fanous-object-") as folder:
        try:
            path = fetch_object(address, Path(folder))
        except FanousError as error:
            if error.permanent:
                raise VanishedObject(f"{error}; {len(own):,} records were kept there by reference") from error
            raise
        reader = MEASUREMENT_SOURCES[source]
        for record in reader.read(path, lambda _line, _why: None):
            one = wanted.get(record.line)
            if one is None:
                continue
            try:
                data = reader.take(record)[0].data
            except Rejected:
                continue
            if digest_of(data) == one.digest:
                found[one] = data
    lost = [one for one in own if one not in found]
    if lost:
        raise VanishedObject(
            f"{address} no longer has what was taken from it (line {lost[0].line} and {len(lost) - 1:,} more): it was "
            "rewritten, or this version keeps other fields of it"
        )
    return found
