"""Pakistan, 17 December 2023: raw measurements as probes would have made them on the evening of the rally.

What is known (NetBlocks, Business Recorder, ISOC Pulse): X, Facebook, Instagram and YouTube were restricted
nationwide from shortly before 20:00 PKT (15:00 UTC) for about seven hours, around an online rally that began at 21:00.
The mechanism was not published; here each provider has its own, as in other years. Everything except these facts is
made up: times to the minute, mechanisms and every single record.  The records hold raw facts only, marked
``"synthetic": "fanous"``; nothing in them says what was blocked.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

from fanous.model.instant import from_iso
from fanous_lab.evaluation.simulate.nettests import (
    Fate,
    SimulatedVisit,
    messenger_measurement,
    telegram_measurement,
    web_measurement,
    whatsapp_measurement,
)
from fanous_lab.evaluation.simulate.records import (
    CHOOSY,
    DOMESTIC,
    ELSEWHERE,
    PAKISTAN,
    PLATFORMS,
    SICK,
    WIKIPEDIA,
    Flaw,
    Keeper,
    Round,
    SimulatedPage,
    SimulatedProbe,
    Span,
    new_round,
    rounds_of,
)

SINCE, UNTIL = from_iso("2023-12-16T00:00Z"), from_iso("2023-12-19T00:00Z")
WATCH = (from_iso("2023-12-17T13:00Z"), from_iso("2023-12-17T23:00Z"))
"""The rally had been announced: an organisation's probes measure more often around it."""

SICK_FOR = (from_iso("2023-12-17T16:00Z"), from_iso("2023-12-17T19:00Z"))
PORTAL_FOR = (from_iso("2023-12-16T06:00Z"), from_iso("2023-12-16T14:00Z"))

HIT = 0.93
"""Share of visits that a restriction catches; boxes fail open, and flows take other routes."""

DROPPED = 0.4
"""Where a provider throttles: share of connections that it cuts altogether (a modeller's guess)."""

TRANSIENT = 0.012
"""Share of ordinary visits that fail by chance; .005-.01 in real records."""

BAD = 0.5
"""That share within a bad half hour: failures come in bursts."""

CONTROL_LOST = 0.02
"""Share of measurements whose outside helper did not answer."""

MESSENGERS = 0.3
"""Share of a volunteer's rounds in which the messengers are tried too."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """What one provider did.  Unix seconds, UTC; half-open."""

    asn: int
    start: float
    end: float
    fate: Fate


@dataclass(frozen=True, slots=True)
class EventTruth:
    """What was put into the file, to compare with what is found.

    Attributes:
        targets: restricted on each of ``networks``; empty = nothing was.
        networks: by ASN; a network of the country that is not here was not restricted.
        measurements: records written.
        probes: devices behind them.
    """

    country: str
    targets: tuple[str, ...]
    networks: Mapping[int, Restriction]
    measurements: int
    probes: int
    seed: int


def _on_the_17th(asn: int, start: str, end: str, fate: Fate) -> Restriction:
    day = "2023-12-17T"
    return Restriction(asn, from_iso(f"{day}{start}Z"), from_iso(f"{day}{end}Z"), fate)


RESTRICTIONS: dict[int, Restriction] = {
    restriction.asn: restriction
    for restriction in (
        _on_the_17th(24499, "14:35", "22:05", Fate.TLS_TIMEOUT),
        _on_the_17th(17557, "14:38", "22:00", Fate.THROTTLED),
        _on_the_17th(45669, "14:40", "21:50", Fate.THROTTLED),
        _on_the_17th(23674, "14:42", "21:58", Fate.TLS_TIMEOUT),
        _on_the_17th(59257, "14:45", "21:55", Fate.TLS_RESET),
        _on_the_17th(56167, "14:50", "21:40", Fate.TLS_RESET),
        _on_the_17th(38193, "14:55", "21:45", Fate.TLS_RESET),
        _on_the_17th(9541, "15:05", "22:20", Fate.DNS_BOGON),
    )
}
"""Wateen (AS38264) did nothing."""


def write(path: Path, seed: int = 7) -> EventTruth:
    """Write all records to ``path``, one JSON document a line in the order of time; ``.gz`` compresses.

    The same seed gives the same bytes.
    """
    return _write(path, seed, RESTRICTIONS)


def write_quiet(path: Path, seed: int = 7) -> EventTruth:
    """The same country, probes and ordinary failures on the same days, without any restriction."""
    return _write(path, seed, {})


def _write(path: Path, seed: int, restrictions: Mapping[int, Restriction]) -> EventTruth:
    probes = list(_probes())
    days = _Days(restrictions, seed)
    records = sorted(
        (r for probe in probes for r in days.records(probe)),
        key=lambda record: str(record["measurement_uid"]),
    )
    with path.open("wb") as raw:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
                _write_lines(packed, records)
        else:
            _write_lines(raw, records)
    targets = tuple(PLATFORMS) if restrictions else ()
    return EventTruth("PK", targets, restrictions, len(records), len(probes), seed)


@dataclass(frozen=True, slots=True)
class _Days:
    """Three days in Pakistan and its neighbours, probe by probe."""

    restrictions: Mapping[int, Restriction]
    seed: int

    def records(self, probe: SimulatedProbe) -> Iterator[dict[str, Any]]:
        """All records of one probe; its chance is its own, so that adding a probe changes no other."""
        chance = Random(f"{self.seed}/{probe.network.asn}/{probe.number}")
        bad_times = _bad_times(probe, chance)
        restriction = self.restrictions.get(probe.network.asn)
        trouble = (
            None if restriction is None or probe.flaw is Flaw.VPN else (restriction.start, restriction.end)
        )
        for at in rounds_of(probe, (SINCE, UNTIL), WATCH, trouble, chance):
            yield from self._round(new_round(probe, at, chance), bad_times, chance)

    def _round(self, of: Round, bad_times: list[Span], chance: Random) -> Iterator[dict[str, Any]]:
        began = of.at
        # An organisation's probe measures only the platforms and a control; a volunteer's list is longer.
        pages = [*PLATFORMS.values(), WIKIPEDIA]
        if of.probe.keeper is Keeper.VOLUNTEER:
            pages += [DOMESTIC, chance.choice([SICK, CHOOSY])]
        chance.shuffle(pages)
        for page in pages:
            bad = any(start <= began < end for start, end in bad_times)
            fate = self._fate(page, of.probe, began, bad, chance)
            control = chance.random() >= CONTROL_LOST
            kbps = chance.gauss(130.0, 6.0)
            record = web_measurement(SimulatedVisit(page, of, began, fate, control, kbps), chance)
            yield record
            began += record["test_runtime"] + chance.uniform(1, 5)
        if of.probe.keeper is Keeper.VOLUNTEER and chance.random() < MESSENGERS:
            restriction = self._in_force(of.probe, began)
            lied_to = restriction is not None and restriction.fate is Fate.DNS_BOGON
            yield telegram_measurement(of, began, chance)
            yield whatsapp_measurement(of, began + 20, chance)
            yield messenger_measurement(of, began + 40, chance, lied_to=lied_to)

    def _fate(self, page: SimulatedPage, probe: SimulatedProbe, at: float, bad: bool, chance: Random) -> Fate:
        """What becomes of a visit: faults of the probe come first, then of the site, then the censor."""
        if probe.flaw is Flaw.PORTAL and PORTAL_FOR[0] <= at < PORTAL_FOR[1]:
            return Fate.PORTAL
        if page is SICK and SICK_FOR[0] <= at < SICK_FOR[1]:
            return Fate.DOWN
        restriction = self._in_force(probe, at)
        if restriction and page in PLATFORMS.values() and chance.random() < HIT:
            cut = restriction.fate is Fate.THROTTLED and chance.random() < DROPPED
            return Fate.TLS_TIMEOUT if cut else restriction.fate
        if chance.random() < (BAD if bad else TRANSIENT):
            return chance.choice([Fate.TCP_TIMEOUT, Fate.TLS_TIMEOUT, Fate.TLS_RESET, Fate.HTTP_TIMEOUT])
        return Fate.FINE

    def _in_force(self, probe: SimulatedProbe, at: float) -> Restriction | None:
        """The restriction that the probe meets; a probe that tunnels out of the country meets none."""
        restriction = self.restrictions.get(probe.network.asn)
        if restriction is None or probe.flaw is Flaw.VPN or not restriction.start <= at < restriction.end:
            return None
        return restriction


def _probes() -> Iterator[SimulatedProbe]:
    number = 0
    for network in (*PAKISTAN, *ELSEWHERE):
        for keeper, count in (
            (Keeper.OPERATOR, network.vantage_points),
            (Keeper.VOLUNTEER, network.volunteers),
        ):
            for nth in range(count):
                number += 1
                # The last volunteer of three networks is not like the others.
                last = keeper is Keeper.VOLUNTEER and nth == network.volunteers - 1
                flaws = {17557: Flaw.VPN, 24499: Flaw.PORTAL, 59257: Flaw.LOSSY}
                yield SimulatedProbe(
                    number,
                    network,
                    keeper,
                    ipv6=number % 3 == 0,
                    flaw=flaws.get(network.asn, Flaw.NONE) if last else Flaw.NONE,
                )


def _bad_times(probe: SimulatedProbe, chance: Random) -> list[Span]:
    """Half hours in which many attempts fail; a lossy line has several a day, others one a week."""
    a_day = 4.0 if probe.flaw is Flaw.LOSSY else 1 / 7
    times, at = [], SINCE
    while (at := at + chance.expovariate(a_day / 86_400)) < UNTIL:
        times.append((at, at + 1800))
    return times


def _write_lines(file: BinaryIO | gzip.GzipFile, records: list[dict[str, Any]]) -> None:
    for record in records:
        file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n")


GENERATORS: dict[str, Callable[[Path, int], EventTruth]] = {
    "pakistan-2023-12-17": write,
    "pakistan-quiet": write_quiet,
}
"""Name -> writes raw measurements of source ``ooni`` to a file, by seed, and returns what it put in."""
