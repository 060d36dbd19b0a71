"""Series: the series of public sources, stored bin by bin; a value that arrives again replaces the old one.

There is one insert per call, so a crash leaves all of a call's bins or none; repeating the call completes it.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.series.signals import filling_times
from fanous.model.coverage import SeriesArrival
from fanous.model.measurement import Provenance
from fanous.model.place import Access, Place
from fanous.model.series import BinnedSeries, Floats, Ints, Series, SeriesKey, SourceSeries, Spread
from fanous.store.cache import remembered
from fanous.store.engine import AT_IN_WINDOW, LAST, Columns, FactsPart, ticks, window
from fanous.store.schema import LEVEL_KEY

_SECONDS = "toInt64(toUnixTimestamp64Micro(at) / 1000000)"
# FINAL: of rows with the same key, the one fetched last.
_STORED = f"""
SELECT {LEVEL_KEY}, groupArray({_SECONDS}), groupArray(ifNull(value, nan)), groupArray(provenance),
    groupArray(licence)
FROM levels FINAL
WHERE country = {{country:String}} AND source = {{source:String}} AND {AT_IN_WINDOW}
    {{only}}
GROUP BY {LEVEL_KEY}
"""
_LEVELS = f"""
SELECT {LEVEL_KEY}, groupArray({_SECONDS}), groupArray(value)
FROM levels FINAL
WHERE country = {{country:String}} AND value IS NOT NULL AND {AT_IN_WINDOW}
    {{only}}
GROUP BY {LEVEL_KEY} ORDER BY {LEVEL_KEY}
"""
# Until when the bins of a series cannot change any more: see ``SeriesFacts.levels``.  A row shows that its source was
# asked when it was fetched; in a file, that the file was made no earlier than its own last bin began.
_ASKED = "if(provenance = 'real', fetched, least(fetched, starts))"
_SETTLED = f"""
SELECT {LEVEL_KEY}, groupArrayIf(intDiv(starts, 1000000), is_wanted), groupArrayIf(value, is_wanted),
    max(least(starts + toInt64(step) * 1000000, {_ASKED} - lag)) / 1000000
FROM (
    SELECT {LEVEL_KEY}, toUnixTimestamp64Micro(at) AS starts, toUnixTimestamp64Micro(fetched_at) AS fetched,
        provenance, value, value IS NOT NULL AND {AT_IN_WINDOW} AS is_wanted,
        transform(concat(source, ' ', signal), {{lagging:Array(String)}}, {{lags:Array(Int64)}}, 0) AS lag
    FROM levels FINAL
    WHERE country = {{country:String}} AND at >= fromUnixTimestamp64Micro({{since:Int64}}, 'UTC')
        {{only}}
) GROUP BY {LEVEL_KEY} HAVING countIf(is_wanted) > 0 ORDER BY {LEVEL_KEY}
"""
_LICENCES = f"""
SELECT {LEVEL_KEY}, groupUniqArray(licence) FROM levels FINAL
WHERE country = {{country:String}} AND value IS NOT NULL GROUP BY {LEVEL_KEY}
"""
_KNOWN = """
SELECT country, signal, multiIf(asn != 0, 'network', region != '', 'region', 'country') AS kind,
    toUnixTimestamp64Micro(min(at)) / 1000000, toUnixTimestamp64Micro(max(at)) / 1000000
FROM levels WHERE value IS NOT NULL GROUP BY country, signal, kind ORDER BY country, signal, kind
"""
_KEYS = f"""
SELECT DISTINCT {LEVEL_KEY} FROM levels
WHERE country = {{country:String}} AND value IS NOT NULL AND {AT_IN_WINDOW} ORDER BY {LEVEL_KEY}
"""
_REGIONS = """
SELECT DISTINCT region FROM levels WHERE country = {country:String} AND region != '' ORDER BY region
"""
_BINNED = f"""
SELECT {LEVEL_KEY}, groupArray(edge), groupArray(median), groupArray(lowest), groupArray(highest), groupArray(n) FROM (
    SELECT {LEVEL_KEY}, roundDown(toUnixTimestamp64Micro(at), {{edges:Array(Int64)}}) AS edge,
        quantileExactInclusive(0.5)(value) AS median, min(value) AS lowest, max(value) AS highest, count() AS n
    FROM levels FINAL
    WHERE country = {{country:String}} AND value IS NOT NULL AND {AT_IN_WINDOW} AND signal = {{signal:String}}
    GROUP BY {LEVEL_KEY}, edge ORDER BY edge
) GROUP BY {LEVEL_KEY} ORDER BY {LEVEL_KEY}
"""
_FETCHED = """
SELECT source, max(fetched_at_us) / 1000000 FROM (
    SELECT source, toUnixTimestamp64Micro(fetched_at) AS fetched_at_us FROM levels
    WHERE country = {country:String}
) GROUP BY source ORDER BY source
"""
_LATEST = """
SELECT source, toUnixTimestamp64Micro(max(at)) / 1000000 FROM levels
WHERE country = {country:String} AND value IS NOT NULL GROUP BY source ORDER BY source
"""
_ARRIVED = f"""
SELECT source, signal, count(), countIf(at <= newest) FROM (
    SELECT source, signal, at, fetched_at > fromUnixTimestamp64Micro({{after:Int64}}, 'UTC') AS came,
        maxIf(at, NOT came) OVER (PARTITION BY {LEVEL_KEY}) AS newest
    FROM levels FINAL
    WHERE country = {{country:String}} AND value IS NOT NULL
        AND at >= fromUnixTimestamp64Micro({{since:Int64}}, 'UTC')
) WHERE came AND {AT_IN_WINDOW} GROUP BY source, signal ORDER BY source, signal
"""
_PULLED = """
SELECT piece, toUnixTimestamp64Micro(since) / 1000000, toUnixTimestamp64Micro(until) / 1000000,
    max(toUnixTimestamp64Micro(pulled_at)) / 1000000
FROM pulls WHERE source = {source:String} AND country = {country:String}
GROUP BY piece, since, until ORDER BY piece, since
"""
MIRROR = "mirror "
"""Begins the piece that says where a window was fetched, if not from the publisher; the host follows."""
_MIRRORS = """
SELECT source, arraySort(groupUniqArray(substring(piece, length({mirror:String}) + 1)))
FROM pulls WHERE country = {country:String} AND startsWith(piece, {mirror:String})
    AND toUnixTimestamp64Micro(since) < {until:Int64} AND toUnixTimestamp64Micro(until) > {since:Int64}
GROUP BY source ORDER BY source
"""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A stored window of a live source.  Times are unix seconds, UTC.

    Attributes:
        piece: what was requested, in the source's own terms.
        pulled_at: when it was last requested.
    """

    piece: str
    since: float
    until: float
    pulled_at: float


@dataclass(frozen=True, slots=True)
class KnownSignal:
    """Where and when a signal has values.

    Attributes:
        kind: kind of its places: ``country``, ``region`` or ``network``.
        first, last: beginnings of its first and last bin; unix seconds, UTC.
    """

    country: str
    signal: str
    kind: str
    first: float
    last: float


StoredBins = tuple[Ints, Floats, NDArray[np.bool_], NDArray[np.str_]]
"""Times, values, which of them are imported, and their licences."""


class SeriesFacts(FactsPart):
    """The series of public sources, and which windows of them were pulled."""

    @remembered(60)
    def levels(
        self,
        country: str,
        since: float = -inf,
        until: float = inf,
        signals: Sequence[str] | None = None,
        entities: Sequence[Place] | None = None,
        *,
        settled: bool = False,
    ) -> list[Series]:
        """Quantity series of a country, its regions and its networks; one for each key and step.

        The key names ``source`` and ``subtype``.  ``counts`` are 1, ``controlled`` and ``measurements`` 0.
        Bins in which the source has no value are not listed.  Bins begin where the source says, which need not be
        a multiple of ``step``.

        Args:
            signals: names in ``fanous.analysis.series.signals``; ``None`` = all.
            entities: ``None`` = the country and every place in it.
            settled: without bins that their publishers may still have been filling when they were last asked.  A bin
                counts as soon as one at or after it was fetched, and its publisher had had its usual delay by then
                (``analysis.series.signals.LAGS``).  When a file was made is not known: no earlier than its newest bin
                began.
        """
        only, parameters = _only(country, signals, entities)
        if settled:
            lags = {f"{source} {name}": ticks(lag) for (source, name), lag in filling_times().items()}
            parameters |= {"lagging": list(lags), "lags": list(lags.values())}
        sql = (_SETTLED if settled else _LEVELS).replace("{only}", only)
        rows = self.engine.rows(sql, country=country, **window(since, until), **parameters)
        if not settled:
            return [_series(row) for row in rows]
        found = ((_series(row[:-1]), row[-1]) for row in rows)
        whole = (series.where(series.times + series.step <= end) for series, end in found)
        return [series for series in whole if len(series)]

    def series_licences(self, country: str) -> dict[tuple[SeriesKey, int], tuple[str, ...]]:
        """Key and step -> licences of the values at the time they came in."""
        rows = self.engine.rows(_LICENCES, country=country)
        return {_key(row): tuple(sorted(row[-1])) for row in rows}

    @remembered(300)
    def known_signals(self) -> list[KnownSignal]:
        """The signals of every country, by the kind of place that they are about."""
        return [KnownSignal(*row) for row in self.engine.rows(_KNOWN)]

    def series_keys(self, country: str, since: float, until: float) -> list[SeriesKey]:
        """The series of a country, its regions and its networks that have values in a window; cheap."""
        rows = self.engine.rows(_KEYS, country=country, **window(since, until))
        return list(dict.fromkeys(_key(row)[0] for row in rows))

    @remembered(300)
    def known_regions(self, country: str) -> list[str]:
        """The regions of a country that have series (``Place.region``)."""
        return [region for (region,) in self.engine.rows(_REGIONS, country=country)]

    def binned(self, country: str, signal: str, edges: Sequence[float]) -> list[BinnedSeries]:
        """The series of a signal for all places in a country, in steps.

        Args:
            edges: unix seconds, ascending, at which steps begin, and the end of the last.
        """
        rows = self.engine.rows(
            _BINNED,
            country=country,
            signal=signal,
            edges=[ticks(edge) for edge in edges[:-1]],
            **window(edges[0], edges[-1]),
        )
        series = []
        for row in rows:
            key, step = _key(row)
            spreads = zip(row[9], *row[10:], strict=True)
            bins = {edge // 1_000_000: Spread(*spread) for edge, *spread in spreads}
            series.append(BinnedSeries(key, step, bins))
        return series

    @remembered(60)
    def series_fetched(self, country: str) -> dict[str, float]:
        """Source -> when one of its values was last new or changed."""
        return dict(self.engine.rows(_FETCHED, country=country))

    @remembered(60)
    def series_latest(self, country: str) -> dict[str, float]:
        """Source -> the beginning of its latest bin with a value, whenever that arrived."""
        return dict(self.engine.rows(_LATEST, country=country))

    def series_arrived(
        self, country: str, since: float, until: float | None, after: float
    ) -> list[SeriesArrival]:
        """Bins of the window that arrived, or arrived with another value, after an instant, by signal."""
        span = window(since, inf if until is None else until)
        rows = self.engine.rows(_ARRIVED, country=country, after=ticks(after), **span)
        return [SeriesArrival(*row) for row in rows]

    def pulled(self, source: str, country: str) -> list[Pulled]:
        """Windows of a live source that are in the store, by piece and time."""
        return [Pulled(*row) for row in self.engine.rows(_PULLED, source=source, country=country)]

    def mirrors(self, country: str, since: float, until: float) -> dict[str, tuple[str, ...]]:
        """Source -> hosts that gave values of a window in its publisher's place."""
        rows = self.engine.rows(_MIRRORS, country=country, mirror=MIRROR, **window(since, until))
        return {source: tuple(hosts) for source, hosts in rows}

    def put_mirrors(
        self, source: str, country: str, hosts: Iterable[str], since: float, until: float
    ) -> None:
        """Remember which hosts give a window; done before its values, so that a crash leaves none that say nothing."""
        self.put_pulled(source, country, [Pulled(f"{MIRROR}{host}", since, until, until) for host in hosts])

    def put_series(
        self,
        batch: Sequence[SourceSeries],
        provenance: Provenance | None = None,
        *,
        fetched_at: float | None = None,
    ) -> list[NDArray[np.bool_]]:
        """Store quantity series; on disk when it returns, all of the batch or none.

        A bin already stored with the same value is left alone, unless it now comes from a more trusted
        origin, or under another licence; one with another value is replaced, so that late corrections win (of two
        calls the one with the later ``fetched_at``).

        Args:
            batch: each bin of a key and step at most once.
            provenance: ``None`` = imported; synthetic where these facts are.
            fetched_at: when the values were fetched; ``None`` = now.

        Returns:
            For each of the batch, bool, shape (n,): which of its bins are new or replaced.
        """
        self.may_write()
        check_series(batch)
        provenance = provenance or (Provenance.SYNTHETIC if self.synthetic else Provenance.IMPORTED)
        if provenance.is_synthetic is not self.synthetic:
            raise ValueError(f"{provenance} series go into the facts of {provenance} records")
        changed = [
            _differs(s, provenance, stored) for s, stored in zip(batch, self._stored(batch), strict=True)
        ]
        at = time.time() if fetched_at is None else fetched_at
        self.engine.insert("levels", _columns(batch, provenance, changed, at))
        return changed

    def put_pulled(self, source: str, country: str, pulled: Iterable[Pulled]) -> None:
        """Remember which windows of a live source are in the store; done after their levels."""
        self.may_write()
        rows = list(pulled)
        columns: Columns = {
            "source": [source] * len(rows),
            "country": [country] * len(rows),
            "piece": [row.piece for row in rows],
            "since": [ticks(row.since) for row in rows],
            "until": [ticks(row.until) for row in rows],
            "pulled_at": [ticks(row.pulled_at) for row in rows],
        }
        self.engine.insert("pulls", columns)

    def _stored(self, batch: Sequence[SourceSeries]) -> list[StoredBins]:
        """For each of the batch: its stored bins in the span of its own times, ascending."""
        asked: dict[tuple[str, str], list[SourceSeries]] = {}
        for one in batch:
            if len(one):
                asked.setdefault((one.key.place.country, one.key.source), []).append(one)
        stored: dict[tuple[SeriesKey, int], StoredBins] = {}
        for (country, source), own in asked.items():
            # Other places of a table of 300,000 networks must not be read again for each batch.
            signals, places = {series.key.signal for series in own}, {series.key.place for series in own}
            only, parameters = _only(country, sorted(signals), list(places))
            rows = self.engine.rows(
                _STORED.replace("{only}", only),
                country=country,
                source=source,
                **parameters,
                **window(
                    min(int(series.times.min()) for series in own),
                    max(int(series.times.max()) for series in own) + 1,
                ),
            )
            stored.update({_key(row): _stored_bins(*row[-4:]) for row in rows})
        nothing = _stored_bins([], [], [], [])
        return [stored.get((series.key, series.step), nothing) for series in batch]


def _only(
    country: str, signals: Sequence[str] | None, entities: Sequence[Place] | None
) -> tuple[str, dict[str, Any]]:
    """Conditions on signals and places, in columns of the sort key, so that the engine skips the rest."""
    sql = ""
    parameters: dict[str, Any] = {}
    if signals is not None:
        sql += " AND signal IN {signals:Array(String)}"
        parameters["signals"] = list(signals)
    if entities is not None:
        places = [place for place in entities if place.country == country]
        sql += (
            " AND region IN {regions:Array(String)} AND asn IN {asns:Array(UInt32)}"
            " AND has({places:Array(String)}, concat(region, '/', toString(asn)))"
        )
        parameters["regions"] = [place.region for place in places]
        parameters["asns"] = [place.asn for place in places]
        parameters["places"] = [f"{place.region}/{place.asn}" for place in places]
    return sql, parameters


def _differs(source_series: SourceSeries, provenance: Provenance, stored: StoredBins) -> NDArray[np.bool_]:
    """Which bins are not stored, or with another value or licence, or now come from a more trusted origin."""
    times, values, imported, licences = stored
    if not len(times):
        return np.ones(len(source_series), np.bool_)
    at = np.minimum(np.searchsorted(times, source_series.times), len(times) - 1)
    is_stored = times[at] == source_series.times
    same = (values[at] == source_series.values) | (np.isnan(values[at]) & np.isnan(source_series.values))
    stronger = imported[at] & (provenance is Provenance.REAL)
    relicensed = (
        licences[at] != source_series.licence
        if source_series.licence
        else np.zeros(len(source_series), np.bool_)
    )
    return np.asarray(~(is_stored & same) | stronger | relicensed)


def _columns(
    batch: Sequence[SourceSeries],
    provenance: Provenance,
    chosen: Sequence[NDArray[np.bool_]],
    fetched_at: float,
) -> Columns:
    columns: dict[str, list[Any]] = {}
    for series, which in zip(batch, chosen, strict=True):
        count = int(which.sum())
        values = series.values[which]
        for name, value in _heading(series, provenance, fetched_at).items():
            columns.setdefault(name, []).extend([value] * count)
        columns.setdefault("at", []).extend((series.times[which] * 1_000_000).tolist())
        columns.setdefault("value", []).extend(None if v != v else v for v in values.tolist())
    return columns or {"at": []}


def _heading(source_series: SourceSeries, provenance: Provenance, fetched_at: float) -> dict[str, Any]:
    from fanous.sources.publishers import SOURCES  # loads every reader, which no query needs

    key = source_series.key
    return {
        "source": key.source,
        "licence": source_series.licence or SOURCES[key.source].licence,
        "country": key.place.country,
        "region": key.place.region,
        "asn": key.place.asn,
        "access": str(key.access),
        "target": key.target,
        "signal": key.signal,
        "subtype": key.subtype,
        "step": source_series.step,
        "fetched_at": ticks(fetched_at),
        "provenance": str(provenance),
        "synthetic": provenance.is_synthetic,
    }


def _key(row: tuple[Any, ...]) -> tuple[SeriesKey, int]:
    """The key of a series, and its step, from a row that begins with ``LEVEL_KEY``."""
    country, signal, source, region, asn, access, target, subtype, step = row[:9]
    place = Place(country, asn, region)
    return SeriesKey(place, target, signal, Access(access), 0, source, subtype), step


def _stored_bins(
    times: list[int], values: list[float], provenances: list[str], licences: list[str]
) -> StoredBins:
    bins = np.array(times, np.int64)
    order = np.argsort(bins)
    imported = np.array([provenance == Provenance.IMPORTED for provenance in provenances], np.bool_)
    return (
        bins[order],
        np.array(values, np.float64)[order],
        imported[order],
        np.array(licences, np.str_)[order],
    )


def _series(row: tuple[Any, ...]) -> Series:
    key, step = _key(row)
    bins = np.array(row[-2], np.int64)
    order = np.argsort(bins)
    times, values = bins[order], np.array(row[-1], np.float64)[order]
    ones, zeros = np.ones(len(times), np.int64), np.zeros(len(times), np.int64)
    return Series(key, step, times, values, counts=ones, controlled=zeros, measurements=zeros)


def check_series(batch: Sequence[SourceSeries]) -> None:
    """Refuse series that no source may produce.

    Raises:
        ValueError: a bug in a connector.
    """
    from fanous.sources.publishers import has_series

    for series in batch:
        if not has_series(series.key.source):
            raise ValueError(f"levels of an unknown source: {series.key.source!r}")
        if len(np.unique(series.times)) != len(series):
            raise ValueError(f"a bin comes twice in {series.key}")
        if len(series) and not (series.times.min() >= 0 and series.times.max() < LAST):
            raise ValueError(f"a bin lies outside the times that can be stored in {series.key}")
