"""Refetch: records that are kept by reference, fetched again from their publisher and read in a confined process."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from fanous.base.confine import Grant
from fanous.errors import FanousError, Rejected
from fanous.pipeline.reader import Send, answers
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.store.archive import Reference, VanishedObject, digest_of


def refetched(references: Sequence[Reference], source: str) -> dict[Reference, bytes]:
    """The records, as they were kept; each object is fetched once.

    Args:
        source: the source that reads them.

    Raises:
        VanishedObject: an object is gone, or holds something else.
        FanousError: it cannot be reached now.
    """
    by_object: dict[str, list[Reference]] = defaultdict(list)
    for reference in references:
        by_object[reference.object].append(reference)
    found: dict[Reference, bytes] = {}
    for address, inside in by_object.items():
        found |= _of_object(address, inside, source)
    return found


def _of_object(address: str, inside: Sequence[Reference], source: str) -> dict[Reference, bytes]:
    from fanous.sources.ooni.bucket import fetch_object  # what it needs of the network takes long to load

    wanted = {reference.line: reference for reference in inside}
    with TemporaryDirectory(prefix="fanous-object-") as folder:
        try:
            path = fetch_object(address, Path(folder))
        except FanousError as error:
            if error.permanent:
                raise VanishedObject(
                    f"{error}; {len(inside):,} records were kept there by reference"
                ) from error
            raise
        lines = answers(
            KeptLine, read_lines, source, path, frozenset(wanted), about=address, grant=Grant(reads=(path,))
        )
        found = {
            wanted[line.number]: line.data
            for line in lines
            if line.number in wanted and digest_of(line.data) == wanted[line.number].digest
        }
    lost = [reference for reference in inside if reference not in found]
    if lost:
        raise VanishedObject(
            f"{address} no longer has what was taken from it (line {lost[0].line} and {len(lost) - 1:,} more): it was "
            "rewritten, or this version keeps other fields of it"
        )
    return found


class KeptLine(NamedTuple):
    """What is kept of a record."""

    number: int
    data: bytes


def read_lines(send: Send[KeptLine], source: str, path: Path, wanted: frozenset[int]) -> None:
    """The wanted lines of an object, or its members; for a confined process.

    Raises:
        FanousError: it cannot be read.
    """
    reader = MEASUREMENT_SOURCES[source]
    for record in reader.read(path, lambda _line, _why: None):
        if record.line not in wanted:
            continue
        try:
            kept, _ = reader.take(record)
        except Rejected:
            continue
        send(KeptLine(record.line, kept.data))
