"""Facts: writing what was taken from a segment so that all of it counts, once, or none of it.

A segment's rows count when its marker is in the table ``segments``.  Rows go in first and the marker last;
before a segment is written again its marker goes first, then its rows.  So a crash at any point leaves a
segment either whole or without a marker, and one without a marker is simply written again.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fanous.store.batch import Placed
from fanous.store.columns import Columns, measurement_columns, observation_columns, ticks, verdict_columns
from fanous.store.engine import Engine
from fanous.store.schema import FACTS
from fanous.store.segment import Segment, parse_name

Window = tuple[str, float, float]
"""Country, first and last instant (unix seconds, UTC; half-open)."""

_UIDS_A_QUERY = 2000
"""A query's text is limited to 256 KiB and a uid has up to 64 characters."""


class Facts:
    """The write path of the facts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def known(self, uids: Iterable[str], *, settled: bool = False) -> set[str]:
        """Those of ``uids`` that are stored.

        Args:
            settled: only in segments that are whole (a crash leaves rows without their marker).
        """
        asked = list(dict.fromkeys(uids))
        found: set[str] = set()
        whole = " AND segment IN (SELECT segment FROM segments)" if settled else ""
        for start in range(0, len(asked), _UIDS_A_QUERY):
            rows = self._engine.rows(
                f"SELECT DISTINCT uid FROM measurements WHERE uid IN {{uids:Array(String)}}{whole}",
                uids=[_plain(uid) for uid in asked[start : start + _UIDS_A_QUERY]],
            )
            found.update(row[0] for row in rows)
        return {uid for uid in asked if _plain(uid) in found}

    def add(self, placed: Sequence[Placed], records: Mapping[Segment, int], version: str) -> None:
        """Write the rows of whole segments, then their markers.

        Args:
            records: the segments, and how many of ``placed`` lie in each (it may be none).
        """
        self._engine.insert("observations", observation_columns(placed))
        self._engine.insert("verdicts", verdict_columns(placed, version))
        self._engine.insert("measurements", measurement_columns(placed))
        self._mark(records, version, "")

    def mark_damaged(self, segment: Segment, why: str) -> None:
        """Its rows go, and the marker says why there are none."""
        self.remove([segment])
        self._mark({segment: 0}, "", why)

    def _mark(self, records: Mapping[Segment, int], version: str, damage: str) -> None:
        count = len(records)
        columns: Columns = {
            "segment": [segment.name for segment in records],
            "country": [segment.country for segment in records],
            "records": list(records.values()),
            "rules_version": [version] * count,
            "damage": [damage] * count,
            "committed_at": [ticks(time.time())] * count,
        }
        self._engine.insert("segments", columns)

    def observations_before(self, before: float, kept: Sequence[Window]) -> int:
        """Rows, as ``drop_observations`` takes them out."""
        where, values = _older(before, kept)
        ((count,),) = self._engine.rows(f"SELECT count() FROM observations WHERE {where}", **values)
        return int(count)

    def drop_observations(self, before: float, kept: Sequence[Window]) -> None:
        """Of measurements made before an instant and in none of the windows."""
        where, values = _older(before, kept)
        self._engine.remove("observations", where, **values)

    def remove(self, segments: Sequence[Segment]) -> None:
        """Take segments out: the markers, then the rows."""
        names = [segment.name for segment in segments]
        for table in ("segments", *FACTS):
            self._engine.remove(table, "segment IN {names:Array(String)}", names=names)

    def marked(self) -> set[str]:
        """Names of the segments whose rows are all in, or that were set aside as damaged."""
        return {row[0] for row in self._engine.rows("SELECT segment FROM segments")}

    def damaged(self) -> list[tuple[Segment, str]]:
        """Segments set aside, and why."""
        rows = self._engine.rows("SELECT segment, damage FROM segments WHERE damage != '' ORDER BY segment")
        return [(segment, why) for name, why in rows if (segment := parse_name(name))]

    def judged_otherwise(self, version: str, country: str | None) -> Iterator[Segment]:
        """Segments whose verdicts are of other rules than ``version``, in order of receipt; those that were
        set aside are among them, since their file may have been restored."""
        where = " AND country = {country:String}" if country else ""
        rows = self._engine.rows(
            f"SELECT segment FROM segments WHERE rules_version != {{version:String}}{where} ORDER BY segment",
            version=version,
            country=country or "",
        )
        return (segment for (name,) in rows if (segment := parse_name(name)))


def _older(before: float, kept: Sequence[Window]) -> tuple[str, dict[str, Any]]:
    """A condition, and the values of its parameters."""
    at = "toUnixTimestamp64Micro(started_at)"
    texts = [f"{at} < {{before:Int64}}"]
    values: dict[str, Any] = {"before": ticks(before)}
    for n, (country, first, last) in enumerate(kept):
        texts.append(f"NOT (country = {{c{n}:String}} AND {at} >= {{a{n}:Int64}} AND {at} < {{b{n}:Int64}})")
        values |= {f"c{n}": country, f"a{n}": ticks(first), f"b{n}": ticks(last)}
    return " AND ".join(texts), values


def _plain(uid: str) -> str:
    """As the table has it (``columns.mend``)."""
    return uid.encode("utf-8", "replace").decode()
