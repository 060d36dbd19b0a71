"""Slowness: which probe is slow for its own line, from downloads through the store to a general slow-down."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import exp, nan
from pathlib import Path

import numpy as np
import pytest

from fanous.analysis.series.slowness import slowness, speed_series
from fanous.model.incident import Incident, Kind, Scope, Status
from fanous.model.place import Access, NetworkWeight, UserWeights
from fanous.model.series import Rate
from fanous.pipeline import ingest
from fanous.pipeline.interference import find_interference
from fanous.pipeline.judge import Ingested
from fanous.store.local import open_store
from fanous.store.protocol import Store

START = 1_702_800_000 // 86400 * 86400
MINUTES = 5
SHARES = UserWeights(
    "PK", tuple(NetworkWeight(asn, 0.3, Access.FIXED, f"AS{asn}") for asn in (1, 2, 3)), 0.1, "a test"
)


@dataclass(frozen=True)
class Town:
    """Lines that share pipes with people who come home in the evening; rates in physical terms.

    Attributes:
        rush: share of a line's rate that is lost at nine in the evening.
        choke: (from, to) in hours since the beginning, share of its rate that a line keeps, networks.
        named: the same for the downloads next to one target alone.
        every: minutes from one round of a probe to the next; if it is longer than usual, probes take turns.
    """

    days: float = 1.0
    rush: float = 0.0
    choke: tuple[float, float, float, tuple[int, ...]] | None = None
    named: tuple[float, float, float] | None = None
    targets: tuple[str, ...] = ("x", "youtube")
    seed: int = 1
    every: int = MINUTES


def rates(town: Town) -> list[Rate]:
    """Three networks with two probes each, and one abroad; each measures next to all targets in turn."""
    found = []
    places = [("PK", asn, probe) for asn in (1, 2, 3) for probe in "ab"] + [("SE", 9, "c")]
    for country, asn, probe in places:
        chance = np.random.default_rng([town.seed, asn, ord(probe)])
        line = 8000 * exp(float(chance.normal(0, 0.8)))
        turn = MINUTES * "c-ab".index(probe) % town.every
        for minute in range(turn, int(town.days * 1440), town.every):
            hour = minute / 60
            people = exp(-((((hour % 24) - 21 + 12) % 24 - 12) ** 2) / 8) if country == "PK" else 0.0
            kept = 1 - town.rush * people
            if town.choke and asn in town.choke[3] and town.choke[0] <= hour < town.choke[1]:
                kept *= town.choke[2]
            for target in town.targets:
                own = kept
                if town.named and target == town.targets[0] and town.named[0] <= hour < town.named[1]:
                    own *= town.named[2] if country == "PK" else 1.0
                kbps = line * own * exp(float(chance.normal(0, 0.35)))
                at = START + 60.0 * minute + 7
                uid = f"{asn}{probe}{minute}{target}"
                found.append(
                    Rate(
                        uid,
                        country,
                        asn,
                        Access.FIXED,
                        f"{asn}{probe}",
                        at,
                        kbps,
                        40.0,
                        target,
                        "edge",
                        at,
                        True,
                    )
                )
    return found


def record(rate: Rate) -> str:
    """A measurement of our own probe with one pair of downloads."""
    at = datetime.fromtimestamp(rate.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    host = {"x": "x.com", "youtube": "www.youtube.com", "telegram": "telegram.org"}[rate.beside]
    download = {"failure": None, "t0": 1.0, "bytes": 400_000, "seconds": 1.0, "largest_gap": 0.1}
    pair = [
        download | {"role": role, "url": f"https://{name}/", "kbps": rate.kbps, "kbps_late": rate.kbps}
        for role, name in (("target", host), ("control", "example.com"))
    ]
    connect = {
        "ip": "192.0.2.9",
        "port": 443,
        "status": {"success": True, "failure": None},
        "t0": 0,
        "t": 0.04,
    }
    return json.dumps(
        {
            "test_name": "web_connectivity",
            "test_version": "0.5.28",
            "data_format_version": "0.2.0",
            "input": f"https://{host}/",
            "measurement_start_time": at,
            "test_start_time": at,
            "probe_cc": rate.country,
            "probe_asn": f"AS{rate.asn}",
            "report_id": rate.probe,
            "annotations": {},
            "test_keys": {"x_transfers": pair, "tcp_connect": [connect]},
        }
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened


def found(store: Store, folder: Path, told: Sequence[Rate]) -> list[Incident]:
    path = folder / "rates.jsonl"
    path.write_text("\n".join(map(record, told)) + "\n", encoding="utf-8")
    ingest.bring_in(store, "edge", [path], Ingested())
    last = max(rate.at for rate in told)
    return [
        incident
        for incident in find_interference(
            store, "PK", START, last + 1, SHARES, store.facts.rates("PK", START, last + 1)
        )
        if incident.kind is Kind.SLOWDOWN
    ]


CHOKED = Town(days=0.5, choke=(8.0, 11.0, 0.3, (1, 2, 3)))


def test_a_national_slow_down_is_confirmed_within_half_an_hour_by_our_own_downloads(
    store: Store, tmp_path: Path
) -> None:
    (incident,) = found(store, tmp_path, rates(CHOKED))
    begun = START + 8 * 3600
    assert (incident.scope, incident.rule, incident.status) == (Scope.NATION, "C2", Status.ENDED)
    assert incident.mechanisms == ("slowdown.general",)
    assert incident.confirmed_at is not None and begun < incident.confirmed_at <= begun + 1800
    assert abs(incident.onset - begun) <= 900
    assert incident.end is not None and abs(incident.end - (START + 11 * 3600)) <= 900
    assert incident.level is not None and incident.level.mean == pytest.approx(0.3, abs=0.06)
    assert incident.evidence.families == ("edge",) and incident.evidence.probes == 6
    assert incident.reasons[0].params["control"] == "networks_not_slow"


def test_probes_that_take_turns_are_controls_to_each_other(store: Store, tmp_path: Path) -> None:
    """No other probe measures in the same five minutes as the one abroad, nor in the five after."""
    (incident,) = found(store, tmp_path, rates(Town(days=0.5, choke=(6.0, 9.0, 0.3, (1, 2, 3)), every=20)))
    assert (incident.scope, incident.rule) == (Scope.NATION, "C2")
    assert incident.confirmed_at is not None and incident.confirmed_at <= START + 7 * 3600


def test_one_network_is_slow_alone(store: Store, tmp_path: Path) -> None:
    told = rates(Town(days=0.5, choke=(8.0, 11.0, 0.25, (2,))))
    incidents = found(store, tmp_path, told)
    assert [i.entities for i in incidents] in ([("AS2",)], [])  # two probes: a suspicion at the most
    assert all(i.confirmed_at is None for i in incidents)


@pytest.mark.parametrize(
    "town",
    [
        pytest.param(Town(days=2, rush=0.5), marks=pytest.mark.matrix),
        pytest.param(Town(days=4, rush=0.5), marks=pytest.mark.matrix),
        # The first evening with measurements:
        pytest.param(Town(days=1, rush=0.5, seed=2), marks=pytest.mark.matrix),
        # The address of one target:
        pytest.param(Town(days=0.6, named=(8.0, 12.0, 0.1)), marks=pytest.mark.matrix),
        Town(
            days=0.6, choke=(8.0, 12.0, 0.3, (1, 2, 3)), targets=("x",)
        ),  # one target says nothing of others
        Town(days=0.6, choke=(8.0, 12.0, 0.3, (1, 2, 3, 9))),  # abroad too: the far end
        pytest.param(
            Town(days=0.6, choke=(8.0, 12.0, 0.3, (1, 2, 3, 9)), every=20), marks=pytest.mark.matrix
        ),
        Town(days=0.6, choke=(8.04, 12.0, 0.3, (1, 2, 3, 9)), every=20),  # abroad was well a moment ago
    ],
    ids=[
        "evenings",
        "more evenings",
        "first evening",
        "one address",
        "one target",
        "far end",
        "in turns",
        "before",
    ],
)
def test_what_is_no_general_slow_down_is_not_confirmed(town: Town, store: Store, tmp_path: Path) -> None:
    told = rates(town)
    assert all(i.confirmed_at is None for i in found(store, tmp_path, told))


def test_slowness_does_not_enter_what_is_ordinary() -> None:
    told = slowness(rates(Town(days=3, choke=(24.0, 71.0, 0.3, (1, 2, 3)))), "PK")
    (first, *_) = told.series
    late = first.values[first.times >= START + 60 * 3600]
    assert late[: 11 * 12].mean() > 0.8


def test_speeds_are_levels_of_each_network() -> None:
    series = {(s.key.place.asn, s.key.signal): s for s in speed_series(rates(Town(days=0.2)), "PK")}
    assert sorted(series) == [(n, s) for n in (1, 2, 3) for s in ("transfer_kbps", "transfer_rtt_ms")]
    one = series[1, "transfer_kbps"]
    assert one.step == 300 and set(one.counts.tolist()) == {2} and one.key.source == "edge"


def test_an_unknown_round_trip_is_no_level() -> None:
    told = [
        Rate(str(n), "PK", 1, Access.ANY, "p", at, 900.0, nan, "x", "edge", at, True)
        for n in range(4)
        for at in [START + 300.0 * n]
    ]
    assert [s.key.signal for s in speed_series(told, "PK")] == ["transfer_kbps"]


def test_the_store_has_the_control_of_each_download(store: Store, tmp_path: Path) -> None:
    told = rates(Town(days=0.05))
    found(store, tmp_path, told)
    kept = store.facts.rates("PK", START, START + 86400)
    assert len(kept) == len(told)
    assert {(r.country, r.asn, r.beside) for r in kept} == {(r.country, r.asn, r.beside) for r in told}
    assert {round(r.rtt_ms) for r in kept} == {40}
    assert sorted(round(r.kbps, 3) for r in kept) == sorted(round(r.kbps, 3) for r in told)
    assert store.facts.rates("FR", START, START + 86400) == []
