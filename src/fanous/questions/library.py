"""Library: what ``import fanous`` offers: the main job as typed functions, for notebooks and programs.

It is the command line's own code.  Answers are the model's dataclasses, or Arrow tables if they are long,
with every column's unit in its name or next to it.  An opened store answers questions; ``judge`` needs no
store.  It needs the server parts (``pip install 'fanous[server]'``), as every store does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import pyarrow as pa

from fanous.analysis.series.signals import SIGNALS
from fanous.config import data_folder
from fanous.errors import FanousError
from fanous.model.incident import Incident, Status
from fanous.model.instant import from_iso
from fanous.model.measurement import Measurement
from fanous.model.series import Series, SeriesKey
from fanous.model.verdict import Verdict
from fanous.pipeline import ingest
from fanous.pipeline.interference import TICK
from fanous.pipeline.judge import Ingested, Judgement, Reject, judgements
from fanous.questions import country as query
from fanous.questions.country import CountryAnswer
from fanous.questions.frame import IncidentList, html_table, time_shown
from fanous.sources.publishers import SOURCES, terms
from fanous.store.local import open_store
from fanous.store.location import StoreHeld, StoreLocation, in_folder, snapshot
from fanous.store.protocol import Store as AnyStore
from fanous.wording import narrative
from fanous.wording.language import LANGUAGES, chosen
from fanous.wording.names import country_named, not_a_country, target_wanted

VERDICT_COLUMNS = pa.schema(
    [
        ("measurement_uid", pa.string()),
        ("started_at", pa.timestamp("s", tz="UTC")),
        ("country", pa.string()),
        ("asn", pa.int64()),
        ("target", pa.string()),
        ("layer", pa.string()),
        ("state", pa.string()),
        ("mechanism", pa.string()),
        ("rule_id", pa.string()),
        ("why", pa.string()),
        ("controlled", pa.bool_()),
        ("kbps", pa.float64()),
    ]
)

SERIES_COLUMNS = pa.schema(
    [
        ("time", pa.timestamp("s", tz="UTC")),
        ("step", pa.int64()),
        ("signal", pa.string()),
        ("unit", pa.string()),
        ("country", pa.string()),
        ("region", pa.string()),
        ("asn", pa.int64()),
        ("access", pa.string()),
        ("target", pa.string()),
        ("resolver_asn", pa.int64()),
        ("source", pa.string()),
        ("subtype", pa.string()),
        ("licence", pa.string()),
        ("value", pa.float64()),
        ("count", pa.int64()),
        ("controlled", pa.int64()),
        ("measurements", pa.int64()),
    ]
)
"""``time`` is when a bin of ``step`` seconds begins; a bin that is missing was not measured (never 0)."""


LicencesOfSeries = Mapping[tuple[SeriesKey, int], tuple[str, ...]]
"""Key and step of a series -> the licences that its values came under."""


def series_table(series: Iterable[Series], stated: LicencesOfSeries) -> pa.Table:
    """Series stacked in one table, one row per bin."""
    tables = (_one_series(line, stated.get((line.key, line.step), ())) for line in series)
    return pa.concat_tables([SERIES_COLUMNS.empty_table(), *tables])


def verdict_table(judged: Iterable[tuple[Measurement, tuple[Verdict, ...]]]) -> pa.Table:
    """One row per verdict; ``mechanism`` and ``kbps`` are null if there is none."""
    rows = [_verdict_row(measurement, verdict) for measurement, verdicts in judged for verdict in verdicts]
    return pa.Table.from_pylist(rows, schema=VERDICT_COLUMNS)


def _one_series(series: Series, stated: Sequence[str]) -> pa.Table:
    key, rows = series.key, len(series)
    same: dict[str, Any] = {
        "step": series.step,
        "signal": key.signal,
        "unit": SIGNALS[key.signal].unit if key.signal in SIGNALS else None,
        "country": key.place.country,
        "region": key.place.region or None,
        "asn": key.place.asn or None,
        "access": str(key.access),
        "target": key.target or None,
        "resolver_asn": key.resolver_asn or None,
        "source": key.source or None,
        "subtype": key.subtype or None,
        "licence": terms(key.source, stated).licence if key.source in SOURCES else None,
    }
    columns = {name: pa.repeat(pa.scalar(same[name], SERIES_COLUMNS.field(name).type), rows) for name in same}
    columns |= {
        "time": pa.array(series.times).cast(SERIES_COLUMNS.field("time").type),
        "value": pa.array(series.values, from_pandas=True),  # NaN becomes null
        "count": pa.array(series.counts),
        "controlled": pa.array(series.controlled),
        "measurements": pa.array(series.measurements),
    }
    return pa.table([columns[name] for name in SERIES_COLUMNS.names], schema=SERIES_COLUMNS)


def _verdict_row(measurement: Measurement, verdict: Verdict) -> dict[str, Any]:
    return {
        "measurement_uid": measurement.uid,
        "started_at": datetime.fromtimestamp(int(measurement.started_at), UTC),
        "country": measurement.country,
        "asn": measurement.asn,
        "target": verdict.target,
        "layer": str(verdict.layer),
        "state": str(verdict.state),
        "mechanism": verdict.mechanism or None,
        "rule_id": verdict.rule_id,
        "why": verdict.why,
        "controlled": verdict.controlled,
        "kbps": None if verdict.kbps != verdict.kbps else verdict.kbps,
    }


Instant = datetime | str | float
"""A moment: an aware datetime, RFC 3339 or a date as text (UTC unless it says otherwise), or unix seconds."""


class Store:
    """An opened store; a context manager.  It belongs to the thread that opened it.

    Only one process at a time can write to a store.  If another process has it (``fanous run``, say), ``read_only``
    reads a copy of its present state, which takes little time and space (``fanous.store.location``); open it again
    to see later data.  Within a process, an open store may be opened again for reading.

    Args:
        place: its folder, or the addresses of its three parts; ``None`` = the user's own, as on the command
            line.

    Raises:
        FanousError: another process has it (unless ``read_only``), it is not a store, or it cannot be written.
    """

    def __init__(self, place: str | Path | StoreLocation | None = None, *, read_only: bool = False) -> None:
        where = data_folder() / "store" if place is None else place
        location = where if isinstance(where, StoreLocation) else in_folder(where)
        shared = _OPEN.get(location)
        if shared is not None and read_only:
            self._shared = shared
        else:
            self._shared = _Shared(location, *_open(location, where, read_only=read_only))
            _OPEN[location] = self._shared
        self._shared.users += 1
        self._is_open = True
        self.opened: AnyStore = self._shared.store

    def __dir__(self) -> list[str]:
        return ["close", "ingest", "opened"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Release it to other processes once everyone who opened it here has closed it; a second call does nothing."""
        if self._is_open:
            self._is_open = False
            self._shared.leave()

    def ingest(self, source: str, *paths: str | Path) -> Ingested:
        """Import files, judge them and detect, like ``fanous ingest SOURCE PATH...``.

        Raises:
            FanousError: unknown source, or a file that cannot be read at all.
        """
        return ingest.ingest(_opened(self), source, [Path(path) for path in paths])


class _Shared:
    """One store that this process has open, and its number of users."""

    def __init__(
        self, location: StoreLocation, store: AnyStore, folder: TemporaryDirectory[str] | None
    ) -> None:
        self.location, self.store, self.folder = location, store, folder
        self.users = 0

    def leave(self) -> None:
        self.users -= 1
        if not self.users:
            _OPEN.pop(self.location, None)
            self.store.close()
            if self.folder is not None:
                self.folder.cleanup()


_OPEN: dict[StoreLocation, _Shared] = {}
"""The engine can have one folder open per process, so readers of the same store share it."""


def _open(
    location: StoreLocation, where: str | Path | StoreLocation, *, read_only: bool
) -> tuple[AnyStore, TemporaryDirectory[str] | None]:
    """The store, or a copy of it (and the copy's folder) if another process has it."""
    try:
        return open_store(where, read_only=read_only), None
    except StoreHeld:
        if not read_only or location in _OPEN:
            raise
    folder = TemporaryDirectory(prefix="fanous-reading-")
    try:
        return open_store(snapshot(location, Path(folder.name)), read_only=True), folder
    except BaseException:
        folder.cleanup()
        raise


def confirm(
    store: Store,
    country: str,
    *,
    targets: Sequence[str] = (),
    since: Instant | None = None,
    until: Instant | None = None,
) -> CountryAnswer:
    """What is disrupted in a country, like ``fanous confirm CC``.

    Args:
        targets: only these (``x``, ``youtube``, a domain); empty = all.
        since, until: ``None`` = from the first measurement, or to the last.

    Raises:
        FanousError: the store has no data about this country.
    """
    names = [target_wanted(name) for name in targets]
    return query.confirm(_opened(store), _code(country), names, _seconds(since), _seconds(until))


def incidents(
    store: Store, country: str | None = None, *, since: Instant | None = None, until: Instant | None = None
) -> IncidentList:
    """Latest revisions that overlap the window, retracted ones included, by onset.

    Args:
        country: ``None`` = all.
    """
    return IncidentList(
        _opened(store).ledger.incidents(_code(country) if country else None, _seconds(since), _seconds(until))
    )


def sentences(incident: Incident, language: str = "en") -> list[str]:
    """An incident in words: that it was staged, the lede, the details, and why it has its status.

    Args:
        language: ``en``, ``ur``, ``fa``, ``ar``, ``fr`` or ``es``.

    Raises:
        FanousError: there is no such language.
    """
    wording = chosen(language)
    if wording is None:
        raise FanousError(f"no language {language!r}: use one of {', '.join(LANGUAGES)}")
    lines = narrative.sentences(incident, {}, wording)
    why = [] if incident.status is Status.RETRACTED else narrative.because(incident, wording)
    return [line.text for line in (*lines, *why)]


def series(
    store: Store,
    country: str,
    *,
    signals: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    step: int = TICK,
) -> pa.Table:
    """The series of a country as one Arrow table (``SERIES_COLUMNS``): from verdicts, and from public
    sources.

    Args:
        signals: names of ``fanous.analysis.series.signals``; ``None`` = all.
        targets: targets of series computed from verdicts; ``None`` = all.
        step: bin width of series computed from verdicts, in seconds; series of public sources keep their own.

    Raises:
        FanousError: an unknown signal.
    """
    unknown = [name for name in signals or () if name not in SIGNALS]
    if unknown:
        raise FanousError(f"unknown signal {unknown[0]!r}; known: {', '.join(SIGNALS)}")
    code = _code(country)
    facts = _opened(store).about(code).facts
    span = facts.span(code)
    if span is None:
        return series_table([], {})
    first = _seconds(since) if since is not None else span[0] // step * step
    last = _seconds(until) if until is not None else span[1] + 1
    assert first is not None and last is not None
    every = facts.series(code, first, last, step, list(targets) if targets is not None else None)
    every += facts.levels(code, first, last)
    chosen = (line for line in every if signals is None or line.key.signal in signals)
    return series_table(chosen, facts.series_licences(code))


def _opened(store: Store) -> AnyStore:
    if not isinstance(store, Store):
        raise FanousError(f"an open store is needed, not {store!r}: with fanous.Store(...) as store")
    if not store._is_open:
        raise FanousError("this store is closed: open it again with fanous.Store(...)")
    return store.opened


def _code(country: str) -> str:
    if isinstance(country, str) and (code := country_named(country)):
        return code
    raise FanousError(not_a_country(str(country)))


def _seconds(moment: Instant | None) -> float | None:
    if moment is None or isinstance(moment, int | float):
        return moment
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise FanousError(f"{moment!r} has no time zone: give an aware datetime, such as one in UTC")
        return moment.timestamp()
    try:
        return from_iso(moment)
    except ValueError:
        raise FanousError(
            f"{moment!r} is not a date or time such as 2023-12-17 or 2023-12-17T15:00Z"
        ) from None


@dataclass(frozen=True, slots=True)
class Judgements:
    """All measurements of some files in order, and what could not be used, with place and reason."""

    measurements: tuple[Judgement, ...]
    rejects: tuple[Reject, ...]

    def table(self) -> pa.Table:
        """One row per verdict (``VERDICT_COLUMNS``)."""
        return verdict_table((judgement.measurement, judgement.verdicts) for judgement in self.measurements)

    def _repr_html_(self) -> str:
        rows = [
            (
                time_shown(judgement.measurement.started_at),
                judgement.measurement.country,
                f"AS{judgement.measurement.asn}",
                v.target,
                v.state,
                v.mechanism,
                v.why,
            )
            for judgement in self.measurements
            for v in judgement.verdicts
        ]
        return html_table(("time", "country", "network", "target", "state", "mechanism", "why"), rows)


def judge(*paths: str | Path) -> Judgements:
    """Judge the measurements of OONI files (``.jsonl``, ``.jsonl.gz``, ``.tar.gz``); no store is needed.

    Raises:
        FanousError: a file that cannot be read at all.
    """
    tally = Ingested()
    judged = tuple(judgements([Path(path) for path in paths], tally))
    return Judgements(judged, tuple(tally.rejects))


__all__ = [
    "SERIES_COLUMNS",
    "VERDICT_COLUMNS",
    "IncidentList",
    "Instant",
    "Judgement",
    "Judgements",
    "Store",
    "confirm",
    "incidents",
    "judge",
    "series",
]
