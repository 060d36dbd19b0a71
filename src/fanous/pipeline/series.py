"""Series: imports series from files into the store.

    file -> series, read in a confined process -> store

The countries concerned are marked, and ``pipeline.detect.detect_all`` does the rest.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path

import msgspec
import numpy as np

from fanous.analysis.series.artefacts import is_scaled, on_known_scale
from fanous.base.confine import Grant
from fanous.errors import FanousError
from fanous.model.claim import Claim
from fanous.model.measurement import Provenance
from fanous.model.series import Ints, SourceSeries
from fanous.pipeline.detect import detect_all
from fanous.pipeline.judge import Ingested
from fanous.pipeline.reader import Send, answers
from fanous.pipeline.replay import finish_interrupted, remarks
from fanous.sources.claims import same
from fanous.sources.connector import WHOLE_FILE, About, PublishedClaim, SeriesFiles
from fanous.sources.publishers import SERIES_FILES
from fanous.store.database import spans_of
from fanous.store.facts import Facts
from fanous.store.protocol import Store

BATCH = 200
"""Series written at once."""

Bring = Callable[[Sequence[SourceSeries]], object]
"""Stores series as they come, and detects (``pipeline.jobs.BringSeries``)."""


def ingest_series(
    store: Store,
    source: str,
    paths: Sequence[Path],
    about: About,
    on_progress: Callable[[Path, int], None] | None = None,
) -> Ingested:
    """Import files of quantity series into the store, and detect where they changed something.

    Counts are in lines of the files.  Repeating it changes nothing; a line whose value differs from the
    stored one counts as stored, and replaces it.

    Raises:
        FanousError: unknown source, or a file that cannot be read at all.
    """
    if source not in SERIES_FILES:
        raise FanousError(f"unknown source of series {source!r}: use one of {', '.join(SERIES_FILES)}")
    tally = Ingested()
    tally.remarks += remarks(finish_interrupted(store))
    found = answers(
        FromFile,
        read_files,
        *(source, tuple(paths), about, on_progress is not None),
        about=f"files of {source}",
        grant=Grant(reads=tuple(paths)),
    )
    sayings: list[PublishedClaim] = []
    lines = [(set[int](), set[int]()) for _ in paths]
    for batch in _batches(_told(found, paths, tally, on_progress, sayings)):
        written = put_series(store, [one.levels for one in batch], Provenance.IMPORTED)
        for one, which in zip(batch, written, strict=True):
            seen, fresh = lines[one.file]
            seen.update(one.lines.tolist())
            fresh.update(one.lines[which[one.bins]].tolist())
            tally.by_test[one.levels.key.signal] += int(which.sum())
    new = put_claims(store, [saying.claim for saying in sayings])
    if new:
        tally.by_test["claims"] += new
    tally.stored += sum(len(fresh) for _, fresh in lines) + new
    tally.duplicate += sum(len(seen - fresh) for seen, fresh in lines) + len(sayings) - new
    detect_all(store)
    return tally


def _told(
    found: Iterable["FromFile"],
    paths: Sequence[Path],
    tally: Ingested,
    on_progress: Callable[[Path, int], None] | None,
    sayings: list[PublishedClaim],
) -> Iterator["SeriesOfFile"]:
    """The series among what is found; the rest goes where it belongs."""
    for one in found:
        path = paths[one.file]
        for line, why in one.rejects:
            if line == WHOLE_FILE:
                tally.notes.append(f"{path}: {why}")
            else:
                tally.reject(str(path), line, why)
        tally.duplicate += one.repeats
        if one.consumed is not None and on_progress is not None:
            on_progress(path, one.consumed)
        if one.claim is not None:
            sayings.append(one.claim)
        if one.series is not None:
            yield one.series


def put_claims(store: Store, claims: Sequence[Claim]) -> int:
    """Record what sources say about outages, each once; returns how many were new."""
    known = {country: store.ledger.claims(country) for country in {claim.country for claim in claims}}
    new = 0
    for claim in claims:
        before = known[claim.country]
        if not any(same(claim, other) for other in before):
            before.append(store.ledger.add_claim(claim))
            new += 1
    return new


def put_series(
    store: Store, batch: Sequence[SourceSeries], provenance: Provenance = Provenance.REAL
) -> list[np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Mark the countries of series, then store the series: in this order, a crash loses none."""
    ends = ((one, at) for one in batch if len(one) for at in (one.times.min(), one.times.max()))
    store.ledger.mark_undetected(spans_of((one.key.place.country, float(at)) for one, at in ends))
    provenance = Provenance.SYNTHETIC if store.staged else provenance
    facts = store.of(provenance).facts
    return list(facts.put_series([_on_known_scale(facts, one) for one in batch], provenance))


def _on_known_scale(facts: Facts, one: SourceSeries) -> SourceSeries:
    if not is_scaled(one) or not len(one):
        return one
    place, ends = one.key.place, (float(one.times.min()), float(one.times.max()) + one.step)
    for known in facts.levels(place.country, *ends, [one.key.signal], [place]):
        if (known.key, known.step) == (one.key, one.step):
            return replace(one, values=on_known_scale(one.times, one.values, known.times, known.values))
    return one


def _batches(found: Iterable["SeriesOfFile"]) -> Iterator[list["SeriesOfFile"]]:
    """No batch has the same series twice: a file has each once."""
    for _, of_file in groupby(found, attrgetter("file")):
        while batch := list(islice(of_file, BATCH)):
            yield batch


# --- in a confined process ----------------------------------------------------------------------------------


class SeriesOfFile(msgspec.Struct):
    """One series, and the lines of a file that it was read from (``Reading``).

    Attributes:
        file: number of the file.
    """

    file: int
    levels: SourceSeries
    lines: Ints
    bins: Ints


class FromFile(msgspec.Struct):
    """What a reader came across in a file.

    Attributes:
        rejects: lines that cannot be used, and why.
        repeats: lines that repeat an earlier one exactly.
        consumed: bytes of the file that have been read; ``None`` = it does not say.
    """

    file: int
    series: SeriesOfFile | None = None
    claim: PublishedClaim | None = None
    rejects: list[tuple[int, str]] = msgspec.field(default_factory=list)
    repeats: int = 0
    consumed: int | None = None


def read_files(
    send: Send[FromFile], source: str, paths: Sequence[Path], about: About, tells_progress: bool
) -> None:
    """What is in files of a source of series.

    Raises:
        FanousError: a file cannot be read at all.
    """
    files = SERIES_FILES[source].begin()
    for number, path in enumerate(paths):
        _read_file(send, files, number, path, about, tells_progress)


def _read_file(
    send: Send[FromFile], files: SeriesFiles, number: int, path: Path, about: About, tells_progress: bool
) -> None:
    rest = FromFile(number)

    def on_repeat(_: int) -> None:
        rest.repeats += 1

    def on_progress(consumed: int) -> None:
        send(FromFile(number, consumed=consumed))

    def on_reject(line: int, why: str) -> None:
        rest.rejects.append((line, why))

    watch = on_progress if tells_progress else None
    for read in files.read(path, about, on_reject, on_repeat, watch):
        if isinstance(read, PublishedClaim):
            send(FromFile(number, claim=read))
        else:
            send(FromFile(number, SeriesOfFile(number, read.levels, read.lines, read.bins)))
    send(rest)
