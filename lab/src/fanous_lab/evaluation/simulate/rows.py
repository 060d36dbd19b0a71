"""Rows: quiet days of real observation tables in a new order, and rows of blocked targets.

A network's day is drawn whole, so the bursts of failures and the hours at which people measure are preserved.
Repeated draws are the same volunteers' days: more of them give more exposure, not more kinds of failure.

A row of a blocked target is what a measurement would have recorded.  It is written from OONI's data formats
(df-002, df-005, df-006, df-007) and the blocked measurements in its tables; it shares nothing with rules or
detectors.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import TextIOWrapper
from operator import itemgetter
from pathlib import Path
from random import Random

from fanous.model.instant import DAY
from fanous.sources.stream import open_source

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement.

    Attributes:
        at: unix seconds, UTC.
        rows: its distinct rows, as in the table.
    """

    uid: str
    asn: int
    at: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class QuietRows:
    """Measurements of quiet days, by network and day; days on which a network was not measured are empty."""

    columns: tuple[str, ...]
    days: dict[int, list[list[Measured]]]

    @property
    def networks(self) -> list[int]:
        """The most measured first."""
        return sorted(self.days, key=lambda asn: (-sum(map(len, self.days[asn])), asn))

    def replay(self, chance: Random, start: int, days: int, density: float) -> list[Measured]:
        """``days`` days from ``start`` on, each of each network drawn from its quiet ones.

        Args:
            density: how many days are superimposed, on average; below 1, measurements are left out.
        """
        moved: list[Measured] = []
        layers = max(1, round(density))
        for asn in self.networks:
            for day in range(days):
                for layer in range(layers):
                    drawn = chance.choice(self.days[asn])
                    kept = [m for m in drawn if density >= 1 or chance.random() < density]
                    moved += [_moved(m, start + day * DAY, f"{day}-{layer}") for m in kept]
        return sorted(moved, key=lambda m: (m.at, m.uid))


def _moved(measured: Measured, midnight: int, mark: str) -> Measured:
    at = midnight + measured.at % DAY
    uid, when = uid_at(measured.uid, at, mark), f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
    new = {"measurement_uid": uid, "measurement_start_time": when}
    rows = tuple(row | new | {"report_id": f"{row.get('report_id', '')}-{mark}"} for row in measured.rows)
    return replace(measured, uid=uid, at=at, rows=rows)


def uid_at(uid: str, at: float, mark: str) -> str:
    """A uid for a measurement moved to another time.  OONI's begin with the time of receipt."""
    return f"{datetime.fromtimestamp(int(at), UTC):%Y%m%d%H%M%S}{uid[14:]}-{mark}"


def in_country(measured: Measured, country: str) -> Measured:
    """The measurement as if its network were one of ``country``, and distinct from those drawn elsewhere."""
    uid = f"{measured.uid}-{country}"
    rows = tuple(
        row
        | {"measurement_uid": uid, "probe_cc": country, "report_id": f"{row.get('report_id', '')}-{country}"}
        for row in measured.rows
    )
    return replace(measured, uid=uid, rows=rows)


def quiet_rows(paths: Sequence[Path], since: float, until: float, always_quiet: Iterable[int]) -> QuietRows:
    """The quiet measurements of tables of OONI observations.

    Args:
        since, until: when all networks were quiet; unix seconds.
        always_quiet: networks that were quiet throughout the tables.
    """
    columns: dict[str, None] = {}
    gathered: dict[str, dict[str, Row]] = defaultdict(dict)
    for path in paths:
        for row in _table(path):
            columns |= dict.fromkeys(row)
            gathered[row["measurement_uid"]][repr(row)] = row
    spared, days = set(always_quiet), defaultdict[int, dict[int, list[Measured]]](lambda: defaultdict(list))
    for uid, rows in gathered.items():
        distinct = tuple(rows.values())
        at = datetime.fromisoformat(distinct[0]["measurement_start_time"][:19]).replace(tzinfo=UTC)
        measurement = Measured(uid, int(float(distinct[0]["probe_asn"])), int(at.timestamp()), distinct)
        if since <= measurement.at < until or measurement.asn in spared:
            days[measurement.asn][measurement.at // DAY].append(measurement)
    return QuietRows(
        tuple(columns),
        {asn: [own.get(day, []) for day in range(min(own), max(own) + 1)] for asn, own in days.items()},
    )


def _table(path: Path) -> Iterator[Row]:
    with open_source(path) as source, TextIOWrapper(source.stream, "utf-8", newline="") as file:
        yield from csv.DictReader(file)


def write_rows(path: Path, columns: Sequence[str], measurements: Iterable[Measured]) -> None:
    """Write measurements as a table of OONI observations."""
    blank = dict.fromkeys(columns, "")
    fields = itemgetter(*columns)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for measurement in measurements:
            writer.writerows(fields(blank | row) for row in measurement.rows)


TIMEOUT, RESET, GONE = "generic_timeout_error", "connection_reset", "dns_nxdomain_error"
BOGON = "10.11.12.13"

_OF_TLS = "tls_"
_OF_TCP = ("tcp_success", "tcp_failure")


def cut_addresses(row: Row) -> Row:
    """Packets to the target's addresses are dropped: no connection, so nothing after it either."""
    if _connects(row):
        return _without_tls(row) | {"tcp_success": "0.0", "tcp_failure": TIMEOUT}
    return _failed_request(row, TIMEOUT)


def reset_names(row: Row) -> Row:
    """Handshakes and requests that name the target are reset; connections are made, bare addresses answer."""
    if row["tls_handshake_time"] or row["tls_failure"]:
        return _without_tls(row) | {"tls_failure": RESET, "tls_success": "1"}
    named = row["http_request_url"] and any(c.isalpha() for c in _host(row))
    return _failed_request(row, RESET) if named else row


def deny_names(row: Row) -> Row | None:
    """The resolver says that there is no such name; ``None`` = the step is not taken then."""
    if row["dns_engine"]:
        gone = {"dns_failure": GONE, "dns_answer": "", "ip": "", "port": ""}
        return _without_tls(row) | dict.fromkeys(_OF_TCP, "") | gone
    if _connects(row) and row["hostname"] and any(c.isalpha() for c in row["hostname"]):
        return None
    named = row["http_request_url"] and any(c.isalpha() for c in _host(row))
    return _failed_request(row, GONE) if named else row


def forge_answers(row: Row) -> Row | None:
    """The resolver answers with a private address, where nothing answers."""
    if row["dns_engine"] and ":" in row["dns_answer"]:
        return None
    if row["dns_engine"]:
        wrong = {"dns_answer": BOGON, "ip": BOGON, "ip_asn": "", "ip_as_org_name": ""}
        failed = {"tcp_success": "0.0", "tcp_failure": TIMEOUT} if _connects(row) else {}
        return _without_tls(row) | wrong | failed
    named = row["http_request_url"] and any(c.isalpha() for c in _host(row))
    return _failed_request(row, TIMEOUT) if named else row


TECHNIQUES: dict[str, Callable[[Row], Row | None]] = {
    "tcp.timeout": cut_addresses,
    "tls.reset": reset_names,
    "dns.nxdomain": deny_names,
    "dns.bogon": forge_answers,
}
"""Name of what is done to the traffic -> what becomes of a row."""


def blocked(measured: Measured, technique: str) -> Measured:
    """The measurement as it would have been."""
    changed = TECHNIQUES[technique]
    return replace(measured, rows=tuple(new for row in measured.rows if (new := changed(row)) is not None))


def _connects(row: Row) -> bool:
    return any(row[name] for name in _OF_TCP)


def _host(row: Row) -> str:
    return row["http_request_url"].partition("://")[2].partition("/")[0].partition(":")[0]


def _without_tls(row: Row) -> Row:
    return {name: "" if name.startswith(_OF_TLS) else value for name, value in row.items()}


def _failed_request(row: Row, failure: str) -> Row:
    if not row["http_request_url"]:
        return row
    return row | {"http_failure": failure, "http_runtime": ""}
