"""Records: the measurements of files, each judged, in the order of the files; no store is opened."""

from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from fanous.analysis.rules import judge
from fanous.errors import FanousError, Rejected
from fanous.model.measurement import Provenance
from fanous.model.noun import changed
from fanous.pipeline.judge import Ingested, known_fingerprints
from fanous.sources.connector import ALL, Divisible, Share
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.values import instant_of
from fanous.store.batch import Judged

if TYPE_CHECKING:
    from fanous.store.processes import Span

OnFile = Callable[[Path, int], None]
"""Called with a file and how many of its bytes have been read."""


def judged_records(
    source: str,
    paths: Sequence[Path],
    tally: Ingested,
    on_progress: OnFile | None = None,
    provenance: Provenance = Provenance.IMPORTED,
    began: "Span | None" = None,
    published: Mapping[Path, str] | None = None,
    *,
    older: bool = False,
    share: Share = ALL,
) -> Generator[Judged]:
    """Every record of the files with its verdicts; unusable records go to ``tally``.

    Args:
        began: only measurements that began from the first of these instants and before the second.
        published: file -> address of the public object that it is a copy of.
        older: whether the store may know them by former names (``Store.holds_older``).
        share: read only these lines of each file; the source must be ``Divisible``.

    Raises:
        FanousError: no such source, or a file that cannot be read at all.
    """
    if source not in MEASUREMENT_SOURCES:
        raise FanousError(f"unknown source {source!r}: use one of {', '.join(sorted(MEASUREMENT_SOURCES))}")
    connector, fingerprints = MEASUREMENT_SOURCES[source], known_fingerprints()
    read = partial(connector.read_share, share=share) if isinstance(connector, Divisible) else connector.read
    for path in paths:
        watch = None if on_progress is None else partial(on_progress, path)
        for record in read(path, partial(tally.reject, str(path)), watch):
            if began is not None and not _began_within(record.data, began):
                tally.outside += record.items
                continue
            try:
                stored, parsed = connector.take(record)
                own = stored.provenance.through(provenance)
                there = "" if published is None else published[path]
                if own is not stored.provenance or there:
                    stored = changed(stored, provenance=own, line=record.line, published=there)
                came = record.data if older else b""
                yield Judged(stored, parsed.without_pages(), judge(parsed, fingerprints), came)
            except Rejected as reason:
                tally.reject(record.file, record.line, str(reason), record.items)
                tally.duplicate += record.duplicates


class _Began(msgspec.Struct):
    measurement_start_time: str | None = None
    test_start_time: str | None = None


_began = msgspec.json.Decoder(_Began)


def _began_within(data: bytes, span: "Span") -> bool:
    """Did it begin within the span?  Also true if a record does not say: it is then judged, and rejected with a
    reason."""
    try:
        told = _began.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return True
    instant = instant_of(told.measurement_start_time or told.test_start_time or "")
    return instant is None or span[0] <= instant < span[1]
