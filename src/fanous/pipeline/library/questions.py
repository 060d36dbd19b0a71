"""Questions: an opened store, and what it can be asked."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

import pyarrow as pa

from fanous.analysis.series.signals import SIGNALS
from fanous.config import data_folder
from fanous.errors import FanousError
from fanous.model.incident import Incident
from fanous.model.instant import from_iso
from fanous.pipeline import query, stages
from fanous.pipeline.interference import TICK
from fanous.pipeline.library.tables import series_table
from fanous.pipeline.query import CountryAnswer
from fanous.pipeline.tally import Ingested
from fanous.refdata.countries import is_country
from fanous.refdata.platforms import target_of
from fanous.store.local import open_store
from fanous.store.location import StoreLocation
from fanous.store.protocol import Store as AnyStore

Instant = datetime | str | float
"""A moment: an aware datetime, RFC 3339 or a date as text (UTC unless it says otherwise), or unix seconds."""


class Store:
    """An opened store; a context manager.  One process at a time has it, reading included.

    Args:
        place: its folder, or the addresses of its three parts; ``None`` = the user's own, as on the command
            line.

    Raises:
        FanousError: another process has it, it is not a store, or it cannot be written.
    """

    def __init__(self, place: str | Path | StoreLocation | None = None, *, read_only: bool = False) -> None:
        self.opened: AnyStore = open_store(
            data_folder() / "store" if place is None else place, read_only=read_only
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Give it up for other processes; a second call does nothing."""
        self.opened.close()

    def ingest(self, source: str, *paths: str | Path) -> Ingested:
        """Bring files in, judge them and detect, as ``fanous ingest SOURCE PATH...``.

        Raises:
            FanousError: no such source, or a file that cannot be read at all.
        """
        return stages.ingest(self.opened, source, [Path(path) for path in paths])


def confirm(
    store: Store,
    country: str,
    *,
    targets: Sequence[str] = (),
    since: Instant | None = None,
    until: Instant | None = None,
) -> CountryAnswer:
    """What is disrupted in a country, as ``fanous confirm CC``.

    Args:
        targets: only these (``x``, ``youtube``, a domain); empty = all.
        since: ``None`` = from the first measurement; ``until`` likewise, to the last.

    Raises:
        FanousError: the store has nothing of this country.
    """
    names = [target_of(name) for name in targets]
    return query.confirm(store.opened, _code(country), names, _seconds(since), _seconds(until))


def incidents(
    store: Store, country: str | None = None, *, since: Instant | None = None, until: Instant | None = None
) -> list[Incident]:
    """Latest revisions that overlap the window, retracted ones included, by onset.

    Args:
        country: ``None`` = all.
    """
    return store.opened.incidents(_code(country) if country else None, _seconds(since), _seconds(until))


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
    """The series of a country as one Arrow table (``SERIES_COLUMNS``): of verdicts, and ready-made ones.

    Args:
        signals: names of ``fanous.analysis.series.signals``; ``None`` = all.
        targets: of the series of verdicts; ``None`` = all.
        step: width of the bins of verdicts, seconds; ready-made series keep their own.

    Raises:
        FanousError: a signal that nobody knows.
    """
    unknown = [name for name in signals or () if name not in SIGNALS]
    if unknown:
        raise FanousError(f"no signal {unknown[0]!r}; known are {', '.join(SIGNALS)}")
    code, span = _code(country), store.opened.span(_code(country))
    if span is None:
        return series_table([])
    first = _seconds(since) if since is not None else span[0] // step * step
    last = _seconds(until) if until is not None else span[1] + 1
    assert first is not None and last is not None
    found = store.opened.series(code, first, last, step, list(targets) if targets is not None else None)
    found += store.opened.levels(code, first, last)
    return series_table(one for one in found if signals is None or one.key.signal in signals)


def _code(country: str) -> str:
    upper = country.upper()
    if not is_country(upper):
        raise FanousError(f"{country!r} is not a country code (ISO 3166-1, such as PK)")
    return upper


def _seconds(moment: Instant | None) -> float | None:
    if moment is None or isinstance(moment, int | float):
        return moment
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise FanousError(f"{moment!r} says no time zone: give an aware datetime, such as one in UTC")
        return moment.timestamp()
    try:
        return from_iso(moment)
    except ValueError:
        raise FanousError(f"{moment!r} is not a date or time: 2023-12-17 or 2023-12-17T15:00Z") from None
