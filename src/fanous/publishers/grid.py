"""Grid: networks x days of the country's calendar, what was measured of some targets on each.

No data is a state of its own, and never looks like *reachable*.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from fanous.model.incident import Incident, Interval
from fanous.model.votes import Votes
from fanous.refdata.countries import local

DAY = 86400.0


class Cell(StrEnum):
    """One network on one day."""

    NO_DATA = "no data"
    REACHABLE = "reachable"
    SOME_FAILED = "some failed"
    IN_SESSIONS = "cut part of the day"
    CUT = "cut whenever measured"


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows in order of how many measurements failed, then of how many there are.

    Attributes:
        days: columns.
        rows: (ASN, a cell for each day, measurements in all).
    """

    days: tuple[date, ...]
    rows: tuple[tuple[int, tuple[Cell, ...], int], ...]


def network_days(votes: Votes, incidents: Sequence[Incident], country: str) -> Grid:
    """The grid of all votes; a cell is *cut* only where an incident says so."""
    if not len(votes):
        return Grid((), ())
    dates = [local(float(t), country).date() for t in votes.times]
    days = _every_day(min(dates), max(dates))
    made: Counter[tuple[int, date]] = Counter()
    failed: Counter[tuple[int, date]] = Counter()
    for asn, day, seen in zip(votes.asns.tolist(), dates, votes.seen.tolist(), strict=True):
        made[asn, day] += 1
        failed[asn, day] += seen
    cut = _cut_days(incidents, country, days[-1])
    rows = []
    for asn in sorted({asn for asn, _ in made}):
        cells = tuple(_cell(made[asn, day], failed[asn, day], (asn, day) in cut) for day in days)
        rows.append((asn, cells, sum(made[asn, day] for day in days)))
    failures = Counter(asn for (asn, _), n in failed.items() for _ in range(n))
    rows.sort(key=lambda row: (-failures[row[0]], -row[2]))
    return Grid(days, tuple(rows))


def _every_day(first: date, last: date) -> tuple[date, ...]:
    return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))


def _cut_days(incidents: Sequence[Incident], country: str, last: date) -> set[tuple[int, date]]:
    """(ASN, day) on which an incident was seen on the network."""
    cut = set()
    for incident in incidents:
        for network in incident.networks:
            for interval in network.intervals:
                for day in _days_of(interval, country, last):
                    cut.add((int(network.entity.removeprefix("AS")), day))
    return cut


def _days_of(interval: Interval, country: str, last: date) -> tuple[date, ...]:
    end = last if interval.end is None else local(interval.end, country).date()
    return _every_day(local(interval.start, country).date(), min(end, last))


def _cell(made: int, failed: int, cut: bool) -> Cell:
    if not made:
        return Cell.NO_DATA
    if cut and failed:
        return Cell.CUT if failed == made else Cell.IN_SESSIONS
    return Cell.SOME_FAILED if failed else Cell.REACHABLE
