"""Staged events cannot pass for anything else, and change no conclusion about anything else."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fanous.collector.origin import UNKNOWN
from fanous.collector.submission import new_report_id, receive
from fanous.model.incident import Incident, Kind
from fanous.model.measurement import SET_ASIDE, Provenance, weakest
from fanous.model.place import Place
from fanous.model.series import SeriesKey, SourceSeries
from fanous.pipeline import ingest, replay
from fanous.questions import country as query
from fanous.sources.marks import is_marked, shown_by
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.values import instant_of
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.copies import copy_of
from tests.each import each
from tests.store.cases import incident

REAL, IMPORTED, UNVOUCHED, SYNTHETIC = Provenance


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened


def documents(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def written(folder: Path, name: str, records: list[dict[str, Any]]) -> Path:
    path = folder / name
    path.write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in records))
    return path


@pytest.fixture(scope="session")
def real_folder(real_rally: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store into which it came through the door of real records.  Take a copy."""
    folder = tmp_path_factory.mktemp("real") / "store"
    with open_store(folder) as opened:
        ingest.ingest(opened, "ooni", [real_rally], provenance=REAL)
    return folder


def claims(store: Store, *, synthetic: bool = False) -> list[Incident]:
    return store.ledger.incidents("PK", synthetic=synthetic)


def test_what_is_weakest_decides() -> None:
    assert weakest([REAL]) is REAL and weakest([]) is IMPORTED
    assert weakest([REAL, IMPORTED]) is IMPORTED
    assert weakest([REAL, IMPORTED, UNVOUCHED]) is UNVOUCHED
    assert weakest([SYNTHETIC, REAL, UNVOUCHED]) is SYNTHETIC


@each(
    ("shown", "door", "is_of"),
    [
        *[(guess, door, door) for guess in (REAL, IMPORTED) for door in Provenance],
        *[(UNVOUCHED, door, UNVOUCHED) for door in (REAL, IMPORTED, UNVOUCHED)],
        *[(shown, SYNTHETIC, SYNTHETIC) for shown in (UNVOUCHED, SYNTHETIC)],
        *[(SYNTHETIC, door, SYNTHETIC) for door in (IMPORTED, UNVOUCHED)],
    ],
)
def test_a_record_can_only_count_for_less_than_its_door(
    shown: Provenance, door: Provenance, is_of: Provenance
) -> None:
    assert shown.through(door) is is_of


@each(
    ("record", "marked"),
    [
        ({"annotations": {"synthetic": "fanous"}}, True),
        ({"annotations": {"synthetic": ""}}, True),
        ({"x_recorded": "recorded in the lab"}, True),
        ({"annotations": {}, "test_keys": {"requests": [{"body": '{"x_recorded": 1}'}]}}, False),
        ({"annotations": {"note": '"synthetic"'}}, False),
        ({"test_keys": {"synthetic": True}, "annotations": None}, False),
        ({"annotations": ["synthetic"]}, False),
    ],
)
def test_a_mark_counts_where_it_belongs_and_no_page_can_carry_one(
    record: dict[str, Any], marked: bool
) -> None:
    assert is_marked(json.dumps(record).encode()) is marked


MARKS: list[dict[str, Any]] = [
    {},
    {"annotations": {}},
    {"annotations": {"synthetic": "fanous", "network_type": "wifi"}},
    {"annotations": {"synthetic": ""}},
    {"annotations": {"synthetic": None}},
    {"annotations": ["synthetic"]},
    {"annotations": {"network_type": ["synthetic"], "synthetic": {"by": "Ayesha"}}},
    {"x_recorded": "recorded in the lab"},
    {"x_recorded": False},
    {"x_recorded": None},
]


@each(
    ("marks", "test_name"),
    [(marks, name) for marks in MARKS for name in ("web_connectivity", "telegram", "another")],
)
def test_who_takes_a_record_in_says_that_it_is_marked_where_what_is_stored_of_it_says_so(
    marks: dict[str, Any], test_name: str, tmp_path: Path
) -> None:
    record = {
        "test_name": test_name,
        "measurement_start_time": "2023-12-17 15:00:00",
        "test_keys": {},
    } | marks
    path = written(tmp_path, "one.jsonl", [record])
    (one,) = MEASUREMENT_SOURCES["ooni"].read(path, lambda _line, why: pytest.fail(why))
    stored, _ = MEASUREMENT_SOURCES["ooni"].take(one)
    assert (stored.provenance is SYNTHETIC) is is_marked(stored.data)


@pytest.mark.parametrize(
    "data", [b'"synthetic"', b'{"annotations": {"synthetic"', b'["x_recorded"]', b"\xff"]
)
def test_what_cannot_be_read_bears_no_mark(data: bytes) -> None:
    assert not is_marked(data)


@pytest.mark.parametrize("provenance", [IMPORTED, pytest.param(REAL, marks=pytest.mark.matrix)])
def test_an_incident_has_the_provenance_of_the_door_its_records_came_through(
    provenance: Provenance, real_rally: Path, store: Store
) -> None:
    ingest.ingest(store, "ooni", [real_rally], provenance=provenance)
    (claim,) = claims(store)
    assert claim.provenance is provenance
    (segment, *_) = store.archive.segments()
    assert f".{provenance}." in segment.name
    assert next(store.archive.records(segment)).provenance is provenance


def test_a_file_of_marked_records_is_synthetic_and_so_is_all_that_is_said_of_it(
    small_rally: Path, store: Store
) -> None:
    ingest.ingest(store, "ooni", [small_rally])
    assert claims(store) == []
    (claim,) = claims(store, synthetic=True)
    assert claim.provenance is SYNTHETIC
    assert store.facts.countries() == []
    assert store.facts.votes("PK", 0, 2e9).uids.tolist() == []


def test_through_the_doors_of_real_records_nothing_marked_comes_in(small_rally: Path, store: Store) -> None:
    tally = ingest.ingest(store, "ooni", [small_rally], provenance=REAL)
    assert tally.stored == 0
    assert tally.rejected == tally.read == len(documents(small_rally))
    assert {reject.why for reject in tally.rejects} == {SET_ASIDE}
    assert list(store.archive.segments()) == []


@pytest.mark.parametrize("door", [IMPORTED, pytest.param(REAL, marks=pytest.mark.matrix)])
@pytest.mark.parametrize(
    "working",
    [True, pytest.param(False, marks=pytest.mark.matrix)],
    ids=["saying that it works", "saying that it fails"],
)
def test_marked_records_amid_a_real_event_change_nothing(
    working: bool, door: Provenance, real_folder: Path, real_rally: Path, quiet: Path, tmp_path: Path
) -> None:
    """Otherwise anyone who may send records could switch a claim off, or make one."""
    source = documents(quiet if working else real_rally)
    staged = [
        one | {"annotations": one["annotations"] | {"synthetic": "x"}, "measurement_uid": f"{n}"}
        for n, one in enumerate(source[::3])
    ]
    with open_store(copy_of(real_folder, tmp_path / "store")) as store:
        before = claims(store), query.confirm(store, "PK", [], None, None).insufficient
        ingest.ingest(store, "ooni", [written(tmp_path, "staged.jsonl", staged)], provenance=door)
        replay.rejudge(store, everything=True)
        answer = query.confirm(store, "PK", [], None, None)
        assert (claims(store), answer.insufficient) == before
        assert [one for one in answer.incidents if one.provenance is not SYNTHETIC] == before[0]
        assert [one.provenance for one in answer.incidents] == sorted(
            (one.provenance for one in answer.incidents), key=list(Provenance).index
        ), "staged ones come last"


def test_a_staged_record_of_the_same_name_keeps_no_real_one_out(
    real_rally: Path, small_rally: Path, store: Store
) -> None:
    ingest.ingest(store, "ooni", [small_rally])
    tally = ingest.ingest(store, "ooni", [real_rally], provenance=REAL)
    assert (tally.duplicate, tally.stored) == (0, len(documents(real_rally)))
    (real,), (staged,) = claims(store), claims(store, synthetic=True)
    assert replace(staged, id=real.id, provenance=REAL) == real
    again = ingest.ingest(store, "ooni", [real_rally], provenance=REAL)
    assert again.stored == 0


@pytest.fixture
def few(real_rally: Path, small_rally: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The first hundred of them without marks, and the same as they were staged."""
    real, staged = (written(tmp_path, path.name, documents(path)[:100]) for path in (real_rally, small_rally))
    return real, staged


def test_what_a_probe_withdraws_goes_on_both_sides(few: tuple[Path, Path], store: Store) -> None:
    real, staged = few
    ingest.ingest(store, "ooni", [staged])
    ingest.ingest(store, "ooni", [real], provenance=REAL)
    report = documents(real)[0]["report_id"]
    own = sum(one["report_id"] == report for one in documents(real))
    assert replay.forget(store, [report]).measurements == 2 * own


def test_imported_records_among_real_ones_weaken_what_they_bear_out(
    real_rally: Path, store: Store, tmp_path: Path
) -> None:
    every = documents(real_rally)
    ingest.ingest(store, "ooni", [written(tmp_path, "a.jsonl", every[::2])], provenance=REAL)
    assert {claim.provenance for claim in claims(store)} <= {REAL}
    ingest.ingest(store, "ooni", [written(tmp_path, "b.jsonl", every[1::2])])
    assert {claim.provenance for claim in claims(store)} == {IMPORTED}


def test_a_store_that_stages_holds_nothing_else(real_rally: Path, tmp_path: Path) -> None:
    with open_store(tmp_path / "store", staged=True) as store:
        ingest.ingest(store, "ooni", [real_rally], provenance=REAL)
        assert claims(store) == []
        assert {claim.provenance for claim in claims(store, synthetic=True)} == {SYNTHETIC}


def test_a_country_is_shown_as_it_is_and_as_it_was_staged_only_where_nothing_else_is_known(
    few: tuple[Path, Path], store: Store
) -> None:
    real, staged = few
    assert not store.about("PK").is_synthetic
    ingest.ingest(store, "ooni", [staged])
    assert store.about("PK").is_synthetic and store.about().is_synthetic
    ingest.ingest(store, "ooni", [real], provenance=REAL)
    assert not store.about("PK").is_synthetic and not store.about().is_synthetic


# --- what strangers send -------------------------------------------------------------------------------


def through_a_collector(records: list[dict[str, Any]], sender: str) -> list[dict[str, Any]]:
    """As a collector keeps them; ``sender`` empty = its operator answers for whoever sent them."""
    found = []
    for one in records:
        asn = one["probe_asn"]
        now = (instant_of(one["measurement_start_time"]) or NOW) + 60
        report = new_report_id(one["test_name"], one["probe_cc"], asn, now, b"0123456789ab")
        content = one | {"x_collector": {"vouched": True}, "probe_id": "a name of one's own"}
        body = json.dumps({"format": "json", "content": content}).encode()
        found.append(json.loads(receive(report, body, "203.0.113.7", UNKNOWN, now, sender).line))
    return found


NOW = 1_702_900_000.0

NOTES: list[tuple[dict[str, Any], bool]] = [
    ({}, False),
    ({"x_collector": None}, False),
    ({"x_collector": {"vouched": True}}, False),
    ({"x_collector": {"received": "2026-11-01T00:00:00Z"}}, True),
    ({"x_collector": {"vouched": False}}, True),
    ({"x_collector": {"vouched": None}}, True),
    ({"x_collector": {}}, True),
    ({"test_keys": {"x_collector": {}}}, False),
    ({"x_collector": {}, "annotations": {"synthetic": "fanous"}}, False),
]


@each(("note", "unvouched"), NOTES)
def test_only_a_collector_that_answers_for_the_sender_makes_a_record_count_as_ours(
    note: dict[str, Any], unvouched: bool, tmp_path: Path
) -> None:
    record = {
        "test_name": "telegram",
        "measurement_start_time": "2023-12-17 15:00:00",
        "test_keys": {},
    } | note
    (one,) = MEASUREMENT_SOURCES["edge"].read(
        written(tmp_path, "one.jsonl", [record]), lambda _line, why: pytest.fail(why)
    )
    stored, _ = MEASUREMENT_SOURCES["edge"].take(one)
    assert (stored.provenance is UNVOUCHED) is unvouched
    assert (
        (shown_by(stored.data) is UNVOUCHED)
        is (shown_by(json.dumps(record).encode()) is UNVOUCHED)
        is unvouched
    )


@each(
    ("sender", "door", "provenance"),
    [
        ("A" * 16, REAL, UNVOUCHED),
        ("A" * 16, IMPORTED, UNVOUCHED),
        ("", REAL, REAL),
        ("", IMPORTED, IMPORTED),
    ],
)
def test_what_a_stranger_sent_is_unvouched_whichever_way_it_comes_in(
    sender: str, door: Provenance, provenance: Provenance, real_rally: Path, tmp_path: Path
) -> None:
    records = through_a_collector(documents(real_rally)[:20], sender)
    with open_store(tmp_path / f"{sender}{door}") as store:
        ingest.ingest(store, "edge", [written(tmp_path, f"{sender}{door}.jsonl", records)], provenance=door)
        assert {segment.provenance for segment in store.archive.segments()} == {provenance}
        for table in ("measurements", "verdicts", "observations"):
            assert store.facts.engine.rows(f"SELECT DISTINCT provenance FROM {table}") == [(provenance,)]


def test_a_marked_record_of_a_stranger_is_set_aside(small_rally: Path, store: Store, tmp_path: Path) -> None:
    records = through_a_collector(documents(small_rally)[:20], "A" * 16)
    tally = ingest.ingest(store, "edge", [written(tmp_path, "a.jsonl", records)], provenance=REAL)
    assert (tally.stored, {reject.why for reject in tally.rejects}) == (0, {SET_ASIDE})


def test_what_a_segment_is_called_cannot_make_a_strangers_record_ours(
    real_rally: Path, store: Store, tmp_path: Path
) -> None:
    """As a collector's records are called that an earlier version kept."""
    records = through_a_collector(documents(real_rally)[:20], "A" * 16)
    ingest.ingest(store, "edge", [written(tmp_path, "a.jsonl", records)], provenance=REAL)
    for path in (tmp_path / "store" / "archive").rglob("*.unvouched.*"):
        path.rename(path.with_name(path.name.replace(".unvouched.", ".real.")))
    for segment in store.archive.segments():
        assert segment.provenance is REAL
        assert {record.provenance for record in store.archive.records(segment)} == {UNVOUCHED}
    replay.rejudge(store, everything=True)
    assert store.facts.provenances("PK", 0, 2e9) == {UNVOUCHED}


def test_an_incident_that_rests_on_strangers_is_unvouched(
    real_rally: Path, store: Store, tmp_path: Path
) -> None:
    every = documents(real_rally)
    ingest.ingest(store, "ooni", [written(tmp_path, "a.jsonl", every[::2])], provenance=REAL)
    assert {claim.provenance for claim in claims(store)} == {REAL}
    sent = through_a_collector(every[1::2], "A" * 16)
    ingest.ingest(store, "edge", [written(tmp_path, "b.jsonl", sent)], provenance=REAL)
    assert {claim.provenance for claim in claims(store)} == {UNVOUCHED}


def test_strangers_weaken_no_outage_that_only_public_series_show(store: Store) -> None:
    """Otherwise one upload would do so to every outage of its country."""
    known = {REAL, UNVOUCHED}
    for families, provenance in ((("routing",), REAL), (("routing", "edge"), UNVOUCHED), ((), UNVOUCHED)):
        one = incident(kind=Kind.OUTAGE, parts=(), networks=())
        one = replace(one, evidence=replace(one.evidence, families=families))
        assert store.facts.provenance_of(one, known) is provenance, families


# --- series ------------------------------------------------------------------------------------------


def series(*values: float) -> SourceSeries:
    key = SeriesKey(Place("PK"), "", "active_24s", source="ioda")
    times = 1_702_828_800 + 600 * np.arange(len(values))
    return SourceSeries(key, 600, times, np.array(values))


def stored(store: Store) -> list[list[float]]:
    return [one.values.tolist() for one in store.facts.levels("PK")]


def test_staged_series_take_the_place_of_no_other(store: Store) -> None:
    staged = store.of(SYNTHETIC)
    store.facts.put_series([series(10, 11)], REAL)
    staged.facts.put_series([series(1, 2, 3)])
    assert (stored(store), stored(staged)) == ([[10, 11]], [[1, 2, 3]])
    store.facts.put_series([series(9)], REAL)
    assert (stored(store), stored(staged)) == ([[9, 11]], [[1, 2, 3]])
    with pytest.raises(ValueError, match="synthetic series go into the facts of synthetic records"):
        store.facts.put_series([series(1)], SYNTHETIC)


def test_a_bin_that_a_file_gave_is_real_once_its_source_says_the_same(store: Store) -> None:
    def known() -> set[Provenance]:
        return store.facts.provenances("PK", 0, 2e9)

    (new,) = store.facts.put_series([series(10, 11)], IMPORTED)
    assert (new.tolist(), known()) == ([True, True], {IMPORTED})
    (new,) = store.facts.put_series([series(10, 11)], REAL)
    assert (new.tolist(), known()) == ([True, True], {REAL})
    (new,) = store.facts.put_series([series(10, 11)], IMPORTED)
    assert (new.tolist(), known()) == ([False, False], {REAL})
