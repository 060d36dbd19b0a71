"""Parts of bundles for tests."""

from collections.abc import Iterable

from fanous.model.measurement import Record
from fanous.publish.evidence.container import LineWriter


def packed_lines(records: Iterable[Record]) -> bytes:
    """Records as one packed part."""
    writer = LineWriter()
    for record in records:
        writer.add(record)
    return writer.packed()
