"""Every kind of incident can be packed, and what is packed amounts to the same claim."""

import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import pytest

from fanous.model.incident import Basis, Incident, Kind, Status
from fanous.model.series import SourceSeries
from fanous.monitor.recording import unpack
from fanous.pipeline import detect, ingest, replay
from fanous.pipeline.judge import Ingested
from fanous.pipeline.series import ingest_series
from fanous.publish.evidence import manifest
from fanous.publish.evidence.container import pack_series, read_parts, unpack_series
from fanous.publish.evidence.pack import Packed, gather, pack
from fanous.publish.evidence.verify import Result, Verification, verify
from fanous.publish.signer import make_key
from fanous.sources.connector import About, TableColumns
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous.wording.reasons import reasons_text
from fanous_lab.evaluation.simulate.nettests import Fate, SimulatedVisit, web_measurement
from fanous_lab.evaluation.simulate.records import PAKISTAN, Keeper, SimulatedProbe, X, new_round
from fanous_lab.evaluation.simulate.series import SpeedCountry, speeds
from tests.pipeline.test_outage_story import BINS, CUT, abroad, before, heard
from tests.pipeline.test_outages import blackout, exported

NOW = 1_702_900_000.0
NOON = 1_702_814_400.0


def proved(folder: Path, store: Store, incident: Incident) -> tuple[Packed, Verification]:
    """Packed out of the store, which is closed then, and verified."""
    gathered = gather(store, incident.id)
    store.close()
    packed = pack(gathered, folder / "one.fan", make_key(folder / "key.pem"), NOW)
    return packed, verify(packed.path)


def test_an_outage_of_ready_made_series_is_proved_from_them(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        ingest_series(store, "ioda-csv", [exported(tmp_path / "a.csv", blackout, days=12)], About("XK"))
        (incident,) = store.ledger.incidents("XK")
        packed, done = proved(tmp_path, store, incident)
    assert (incident.kind, done.result, packed.differences) == (Kind.OUTAGE, Result.MATCH, [])
    assert (done.records, done.series) == (0, 3)
    assert done.sources["ioda-csv"]["licence"] == "(c) Georgia Tech Research Corporation"


def test_what_two_publishers_show_through_one_mirror_is_proved_to_be_of_one_hand(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        ingest_series(store, "ioda-csv", [exported(tmp_path / "a.csv", blackout, days=12)], About("XK"))
        (known,) = (one for one in store.facts.levels("XK") if one.key.signal == "gtr")
        key = replace(known.key, source="google", signal="google_traffic", subtype="")
        values = known.values * np.random.default_rng(1).uniform(0.95, 1.05, len(known))
        store.facts.put_series([SourceSeries(key, known.step, known.times, values)])
        first, until = float(known.times[0]), float(known.times[-1]) + known.step
        detect.detect(store, "XK", first, until)
        (confirmed,) = store.ledger.incidents("XK")
        assert confirmed.basis is Basis.TWO_HANDS
        for source in ("ioda-csv", "google"):
            store.facts.put_mirrors(source, "XK", ["mirror.example"], first, until)
        detect.detect(store, "XK", first, until)
        (incident,) = store.ledger.incidents("XK")
        _, done = proved(tmp_path, store, incident)
    assert (incident.basis, incident.reported_by) == (Basis.ONE_PUBLISHER, ("mirror.example",))
    assert "Reported by mirror.example" in reasons_text(incident.reasons)
    assert (done.result, done.sources["google"]["mirrors"]) == (Result.MATCH, "mirror.example")


def test_a_fall_in_many_countries_is_proved_with_the_series_of_the_others(tmp_path: Path) -> None:
    table = exported(tmp_path / "a.csv", blackout, days=12)
    with open_store(tmp_path / "store") as store:
        for country in ("PK", "BR", "DE", "KE"):
            ingest_series(store, "ioda-csv", [table], About(country))
        (incident,) = store.ledger.incidents("PK")
        packed, done = proved(tmp_path, store, incident)
    assert "shared.worldwide" in [reason.code for reason in incident.reasons]
    assert (done.result, packed.differences) == (Result.MATCH, []), done.differences
    assert done.series == 4 * 3


def test_a_public_bundle_gives_digests_of_values_that_may_not_be_passed_on(tmp_path: Path) -> None:
    """Anyone who has the same values can recompute it, and no one with others."""
    with open_store(tmp_path / "store") as store:
        ingest_series(store, "ioda-csv", [exported(tmp_path / "a.csv", blackout, days=12)], About("XK"))
        (incident,) = store.ledger.incidents("XK")
        gathered, known = gather(store, incident.id), store.facts.levels("XK")
    assert gathered.closed == ("ioda-csv",)
    file = tmp_path / "public.fan"
    pack(gathered, file, make_key(tmp_path / "key.pem"), NOW, public=True)
    series, withheld = unpack_series(read_parts(file)[manifest.LEVELS], manifest.LEVELS)
    assert (series, len(withheld)) == ([], 3) and all(np.isnan(one.series.values).all() for one in withheld)
    had = [SourceSeries(one.key, one.step, one.times, one.values) for one in known]
    others = [replace(one, values=one.values + 1e-9) for one in had]
    assert [verify(file, "", lambda *_, of=of: of).result for of in ([], others, had)] == [
        Result.WITHHELD,
        Result.WITHHELD,
        Result.MATCH,
    ]


def test_a_public_bundle_has_the_values_of_a_table_under_an_open_licence(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(
        "time,value\n"
        + "".join(
            f"2023-12-{day:02}T{hour:02}:00Z,{9 if (day, hour) > (16, 9) else 300}\n"
            for day in range(1, 18)
            for hour in range(24)
        )
    )
    for licence, closed in (("CC BY 4.0", ()), ("", ("csv",))):
        with open_store(tmp_path / f"store{licence}") as store:
            ingest_series(
                store,
                "csv",
                [table],
                About("XK", TableColumns("time", "value", "ping-slash24", licence=licence)),
            )
            (incident,) = store.ledger.incidents("XK")
            gathered = gather(store, incident.id)
        assert gathered.closed == closed
        assert gathered.sources["csv"]["licence"] == (licence or "not stated")


@pytest.mark.parametrize("over", [pytest.param(False, marks=pytest.mark.matrix), True])
def test_an_outage_by_silence_is_proved_from_looks_of_others_too(tmp_path: Path, over: bool) -> None:
    found_at = 1_702_800_000.0 + (BINS if over else CUT.stop) * 600
    lines = before()
    if over:
        lines += heard((1, 2, 3), CUT, online=False) + heard((1, 2, 3), range(CUT.stop, BINS))
        lines += abroad(range(CUT.stop, BINS))
    looks = tmp_path / "looks.jsonl"
    looks.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open_store(tmp_path / "store", clock=lambda: found_at) as store:
        ingest.bring_in(store, "ooni", [looks], Ingested())
        detect.detect(store, "PK", 1_702_800_000.0, found_at)
        (incident,) = store.ledger.incidents("PK")
        packed, done = proved(tmp_path, store, incident)
    assert incident.status is (Status.ENDED if over else Status.SUSPECTED)
    assert (done.result, packed.differences) == (Result.MATCH, [])
    assert packed.controls > 0


def only_its_beginning(recording: Path) -> None:
    """Three networks of the country and the one abroad, until an hour and a half after it began."""
    kept = []
    for line in recording.read_text(encoding="utf-8").splitlines(keepends=True):
        record = json.loads(line)
        early = record["measurement_start_time"] < "2023-12-17 16:00"
        if early and record["probe_asn"] in ("AS45669", "AS17557", "AS56167", "AS1299"):
            kept.append(line)
    recording.write_text("".join(kept), encoding="utf-8")


@pytest.mark.matrix
@pytest.mark.parametrize("whole", [False, True])
def test_the_recorded_event_of_our_own_probes_is_proved_and_again_after_rejudging(
    tmp_path: Path, whole: bool
) -> None:
    recording = tmp_path / "event.jsonl"
    unpack("pakistan-2023-12-17", recording)
    if not whole:
        only_its_beginning(recording)
    with open_store(tmp_path / "store") as store:
        ingest.ingest(store, "edge", [recording])
        replay.rejudge(store, "PK", everything=True)
        (incident,) = (i for i in store.ledger.incidents("PK") if i.confirmed_at is not None)
        packed, done = proved(tmp_path, store, incident)
    assert incident.kind is Kind.BLOCKING
    assert incident.evidence.families == ("edge",)
    assert done.result is Result.MATCH, done.differences
    from_minutes = "evidence.controls", "parts[3].roles[0].intervals[0].start"
    assert all(line.startswith(from_minutes) for line in packed.differences)  # public rows have no seconds


def test_a_slow_down_is_proved_from_the_speeds(tmp_path: Path) -> None:
    country = SpeedCountry(asns=(45669, 59257, 24499), days=17, slowed=((15 * 24 + 12, 16 * 24, 0.3),))
    tests = speeds(country, "ndt", "ndt", 1)
    levels = [SourceSeries(one.key, one.step, one.times, one.values) for one in tests]
    with open_store(tmp_path / "store") as store:
        store.facts.put_series(levels)
        detect.detect(store, "PK", float(levels[0].times[0]), float(levels[0].times[-1]))
        incident = next(i for i in store.ledger.incidents("PK") if i.kind is Kind.SLOWDOWN)
        _, done = proved(tmp_path, store, incident)
    assert done.result is Result.MATCH, done.differences


def test_series_survive_packing(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        ingest_series(store, "ioda-csv", [exported(tmp_path / "a.csv", blackout)], About("XK"))
        series = store.facts.levels("XK")
    again = unpack_series(pack_series(series), "levels").series
    for one, other in zip(series, again, strict=True):
        assert (one.key, one.step) == (other.key, other.step)
        assert np.array_equal(one.times, other.times) and np.array_equal(one.values, other.values)


def a_bad_line(path: Path) -> None:
    """Sites from four probes of one network, every 40 minutes: from noon on all fail for six hours.

    Four of them are measured only then, so that nothing says that they began to fail with the others.
    """
    chance, sites = (
        Random("a bad line"),
        [replace(X, url=f"https://{n}.example/", host=f"{n}.example") for n in range(7)],
    )
    rounds = [NOON + 2_400 * n for n in range(-12, 12)]
    probes = [SimulatedProbe(number, PAKISTAN[0], Keeper.VOLUNTEER, ipv6=False) for number in range(4)]
    with path.open("w") as lines:
        for at, probe in product(rounds, probes):
            of = new_round(probe, at + 60 * probe.number, chance)
            fate = Fate.TLS_TIMEOUT if NOON <= at < NOON + 6 * 3600 else Fate.FINE
            for n, site in enumerate(sites if fate is Fate.TLS_TIMEOUT else sites[:3]):
                visit = SimulatedVisit(site, of, of.at + 5 * n, fate)
                lines.write(json.dumps(web_measurement(visit, chance)) + "\n")


@pytest.mark.matrix
def test_what_else_failed_on_the_line_goes_along(tmp_path: Path) -> None:
    a_bad_line(tmp_path / "line.jsonl")
    with open_store(tmp_path / "store") as store:
        ingest.ingest(store, "ooni", [tmp_path / "line.jsonl"])
        (incident,) = (one for one in store.ledger.incidents("PK") if len(one.targets) == 3)
        packed, done = proved(tmp_path, store, incident)
    assert incident.confirmed_at is None and incident.reasons[0].code == "line.at_fault"
    assert (done.result, packed.differences) == (Result.MATCH, [])


def a_spared_source(folder: Path) -> dict[str, Path]:
    """X from eight probes on each of three networks, every 20 minutes: from noon on those of volunteers
    are reset for five hours, while those of the operator get through."""
    chance, files = Random("spared"), {"ooni": folder / "ooni.jsonl", "edge": folder / "edge.jsonl"}
    for source, path in files.items():
        keeper = Keeper.VOLUNTEER if source == "ooni" else Keeper.OPERATOR
        probes = [
            SimulatedProbe(10 * n + own, network, keeper, ipv6=False)
            for n, network in enumerate(PAKISTAN[:3])
            for own in range(4)
        ]
        with path.open("w") as lines:
            for at, probe in product([NOON + 1_200 * n for n in range(-36, 24)], probes):
                of = new_round(probe, at + 60 * (probe.number % 10), chance)
                is_cut = source == "ooni" and NOON <= at < NOON + 5 * 3600
                visit = SimulatedVisit(X, of, of.at, Fate.TLS_RESET if is_cut else Fate.FINE)
                lines.write(json.dumps(web_measurement(visit, chance)) + "\n")
    return files


@pytest.mark.matrix
def test_what_sources_disagree_about_is_proved_with_the_measurements_of_both(tmp_path: Path) -> None:
    with open_store(tmp_path / "store", clock=lambda: NOON + 86_400) as store:
        for source, path in a_spared_source(tmp_path).items():
            ingest.bring_in(store, source, [path], Ingested())
        detect.detect(store, "PK", NOON, NOON + 8 * 3600)
        (incident,) = store.ledger.incidents("PK")
        packed, done = proved(tmp_path, store, incident)
    assert incident.confirmed_at is None and incident.reasons[0].code == "disputed"
    assert (done.result, packed.differences) == (Result.MATCH, [])


def a_dropped_site(path: Path) -> None:
    """Two sites of one host from four probes on each of two networks, every 20 minutes: from noon on the first
    network drops connections to one of them for two hours."""
    chance = Random("dropped")
    sites = [
        replace(X, url=f"https://{n}.example/", host=f"{n}.example", v4=(f"104.244.42.{n}",)) for n in (1, 2)
    ]
    probes = [
        SimulatedProbe(10 * n + own, network, Keeper.VOLUNTEER, ipv6=False)
        for n, network in enumerate(PAKISTAN[:2])
        for own in range(4)
    ]
    with path.open("w") as lines:
        for at, probe, site in product([NOON + 1_200 * n for n in range(-36, 18)], probes, sites):
            of = new_round(probe, at + 60 * (probe.number % 10), chance)
            is_dropped = site is sites[0] and probe.number < 10 and NOON <= at < NOON + 2 * 3600
            visit = SimulatedVisit(site, of, of.at, Fate.TCP_TIMEOUT if is_dropped else Fate.FINE)
            made = web_measurement(visit, chance) | {"software_version": f"1.{probe.number}"}
            lines.write(json.dumps(made) + "\n")


@pytest.mark.matrix
def test_that_the_way_to_a_site_is_open_is_proved_with_another_site_of_its_host(tmp_path: Path) -> None:
    a_dropped_site(tmp_path / "dropped.jsonl")
    with open_store(tmp_path / "store", clock=lambda: NOON + 86_400) as store:
        ingest.ingest(store, "edge", [tmp_path / "dropped.jsonl"])
        (incident,) = store.ledger.incidents("PK")
        packed, done = proved(tmp_path, store, incident)
    assert incident.confirmed_at is not None and incident.targets == ("1.example",)
    assert (done.result, packed.differences) == (Result.MATCH, [])


ABROAD = {"IR": 44244, "TR": 9121, "EG": 8452, "DE": 3320, "FR": 3215, "NL": 1136}
FAILED_ABROAD = ("IR", "TR", "EG")


def a_platform_that_partly_failed(path: Path) -> None:
    """X from four probes on two networks and in six countries: time-outs here and in three of them, without helpers."""
    chance = Random("partly")
    places = [("PK", network.asn) for network in PAKISTAN[:2]] + list(ABROAD.items())
    with path.open("w") as lines:
        for number, (country, asn) in enumerate(places):
            for own, hour in product(range(4), (-73, -72, -49, -48, -25, -24, *range(7))):
                probe = SimulatedProbe(10 * number + own, PAKISTAN[0], Keeper.VOLUNTEER, ipv6=False)
                of = new_round(probe, NOON + 3600 * hour + 60 * own, chance)
                cut = 0 <= hour < 5 and country in ("PK", *FAILED_ABROAD)
                visit = SimulatedVisit(X, of, of.at, Fate.TLS_TIMEOUT if cut else Fate.FINE)
                made = web_measurement(visit, chance)
                made["test_keys"] |= {"control": {}, "control_failure": "generic_timeout_error"}
                made |= {"probe_cc": country, "probe_asn": f"AS{asn}"}
                made["software_version"] = f"1.{probe.number}"
                lines.write(json.dumps(made) + "\n")


@pytest.mark.matrix
def test_that_a_platform_failed_in_some_countries_is_proved_with_measurements_from_all_of_them(
    tmp_path: Path,
) -> None:
    a_platform_that_partly_failed(tmp_path / "partly.jsonl")
    with open_store(tmp_path / "store", clock=lambda: NOON + 86_400) as store:
        ingest.ingest(store, "ooni", [tmp_path / "partly.jsonl"])
        (incident,) = store.ledger.incidents("PK")
        packed, done = proved(tmp_path, store, incident)
    assert incident.reasons[0].code == "platform.partly", incident.reasons
    assert (done.result, packed.differences) == (Result.MATCH, []), done.differences
