"""The main job end to end: raw measurements in, incidents out."""

import gc
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fanous.analysis import rules
from fanous.cli.main import GARBAGE
from fanous.errors import FanousError
from fanous.model.incident import Incident, Kind, Scope, Status
from fanous.model.measurement import AHEAD, Provenance, Record
from fanous.model.place import UserWeights
from fanous.model.reason import Reason, as_written
from fanous.pipeline import detect, ingest, judge, replay
from fanous.pipeline.interference import TICK
from fanous.pipeline.judge import Ingested, known_fingerprints
from fanous.questions import country as query
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous_lab.evaluation.simulate import pakistan
from tests.copies import copy_of

FOUR = {"facebook", "instagram", "x", "youtube"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened


def sample(file: Path, into: Path, every: int) -> Path:
    """One in so many of a file's measurements."""
    into.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[::every]))
    return into


@pytest.fixture(scope="module")
def some(rally: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quarter of the rally, in which the same incident is found."""
    return sample(rally, tmp_path_factory.mktemp("some") / "some.jsonl", 4)


@pytest.fixture(scope="module")
def some_folder(some: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds this quarter, detected; never opened, but copied."""
    folder = tmp_path_factory.mktemp("some") / "store"
    with open_store(folder) as store:
        ingest.ingest(store, "ooni", [some])
    return folder


def claims(store: Store) -> list[Incident]:
    """What is claimed, without labels."""
    return [replace(incident, id="") for incident in store.ledger.incidents("PK")]


def test_a_judged_record_holds_no_page_that_the_rules_have_read(rally: Path) -> None:
    records = [Record("ooni", line) for line in rally.read_bytes().splitlines()[:40]]
    parsed = [MEASUREMENT_SOURCES["ooni"].parse(record) for record in records]
    assert any(one.body and one.headers for bundle in parsed for one in bundle.observations)
    for record, bundle in zip(records, parsed, strict=True):
        kept, verdicts = judge.judge_record(record)
        assert not any(one.body or one.headers for one in kept.observations)
        assert (kept, verdicts) == (bundle, rules.judge(bundle, known_fingerprints())), (
            "else they are the same"
        )


def test_the_rally_is_one_confirmed_nation_wide_incident(rally_store: Store, rally: Path) -> None:
    store = rally_store
    uids = {json.loads(line)["measurement_uid"] for line in rally.read_bytes().splitlines()}
    assert store.of(Provenance.SYNTHETIC).facts.known(uids) == uids, "none was rejected"
    (incident,) = store.ledger.incidents("PK")
    assert incident.status is Status.ENDED
    assert incident.confirmed_at is not None
    assert incident.rule == "C2"
    assert incident.scope is Scope.NATION
    assert set(incident.targets) == FOUR
    assert {n.entity for n in incident.networks} == {f"AS{asn}" for asn in pakistan.RESTRICTIONS}
    assert "tls.reset" in incident.mechanisms
    first = min(r.start for r in pakistan.RESTRICTIONS.values())
    last = max(r.end for r in pakistan.RESTRICTIONS.values())
    assert abs(incident.onset - first) <= 3600
    assert incident.end is not None
    assert abs(incident.end - last) <= 3600
    assert incident.confirmed_at - first <= 2 * 3600
    assert incident.kbps is not None
    assert 100 <= incident.kbps.mean <= 170
    assert store.ledger.incidents("IN") == store.ledger.incidents("AE") == []


@pytest.mark.parametrize("place", [{"probe_asn": "AS0"}, {"probe_asn": None}, {"probe_cc": "ZZ"}])
def test_what_names_no_network_or_country_has_no_voice(
    place: dict[str, str | None], store: Store, rally: Path, tmp_path: Path
) -> None:
    lines = [json.dumps(json.loads(line) | place) for line in rally.read_text().splitlines()[:2000:10]]
    (tmp_path / "placeless.jsonl").write_text("\n".join(lines))
    tally = ingest.ingest(store, "ooni", [tmp_path / "placeless.jsonl"])
    assert tally.stored == len(lines)
    for country in ("PK", "ZZ"):
        assert store.ledger.incidents(country) == []
        assert len(store.of(Provenance.SYNTHETIC).facts.votes(country, 0, 2e9)) == 0
        assert store.of(Provenance.SYNTHETIC).facts.series(country, 0, 2e9) == []


def test_ordinary_trouble_is_not_an_incident(store: Store, quiet: Path) -> None:
    ingest.ingest(store, "ooni", [quiet])
    assert [i for i in store.ledger.incidents() if i.status is not Status.RETRACTED] == []


def test_without_the_rules_nothing_is_found(
    store: Store, some: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_rules(*_: object) -> tuple[()]:
        return ()

    def here(_jobs: int, read: Any, paths: Any, tally: Any, *_: object) -> Any:
        return read(paths, tally)

    monkeypatch.setattr(ingest, "judge", no_rules)
    monkeypatch.setattr(ingest, "judged_by", here)  # a reader of its own would have the rules
    assert ingest.ingest(store, "ooni", [some]).stored
    assert store.ledger.incidents() == []


def test_bringing_a_file_in_again_changes_nothing(store: Store, some: Path) -> None:
    first = ingest.ingest(store, "ooni", [some])
    assert (first.rejected, first.duplicate) == (0, 0)
    before = store.ledger.incidents()
    again = ingest.ingest(store, "ooni", [some])
    assert (again.stored, again.duplicate, again.read) == (0, first.stored, first.read)
    assert store.ledger.incidents() == before
    assert len(store.ledger.revisions(before[0].id)) == 1
    ingest.ingest(store, "ooni", [some], detects=False)
    assert store.ledger.undetected() == {}, "what was stored already starts no detection"


def test_the_order_in_which_files_come_does_not_matter(some: Path, some_folder: Path, tmp_path: Path) -> None:
    lines = some.read_bytes().splitlines(keepends=True)
    early, late = tmp_path / "early.jsonl", tmp_path / "late.jsonl"
    early.write_bytes(b"".join(lines[::2]))
    late.write_bytes(b"".join(lines[1::2]))
    with open_store(tmp_path / "store") as store:
        ingest.ingest(store, "ooni", [late])
        half = claims(store)
        ingest.ingest(store, "ooni", [early])
        two_steps = claims(store)
        (label,) = {incident.id for incident in store.ledger.incidents("PK", *pakistan.WATCH)}
        assert len(store.ledger.revisions(label)) == 2, (
            "late measurements are a revision of the same incident"
        )
    with open_store(copy_of(some_folder, tmp_path / "at once")) as at_once:
        assert claims(at_once) == two_steps != half


def test_judging_again_gives_the_same_answer(some: Path, some_folder: Path, tmp_path: Path) -> None:
    with open_store(copy_of(some_folder, tmp_path / "store")) as store:
        before = store.ledger.incidents()
        votes = store.of(Provenance.SYNTHETIC).facts.votes("PK", pakistan.SINCE, pakistan.UNTIL)
        replayed = replay.rejudge(store, everything=True)
        assert sum(step.measurements for step in replayed) == len(some.read_bytes().splitlines())
        assert store.ledger.incidents() == before
        after = store.of(Provenance.SYNTHETIC).facts.votes("PK", pakistan.SINCE, pakistan.UNTIL)
    assert after.uids.tolist() == votes.uids.tolist()
    assert after.seen.tolist() == votes.seen.tolist()


def test_a_claim_that_the_data_do_not_bear_out_is_taken_back_in_public(
    rally_store: Store, quiet: Path, tmp_path: Path
) -> None:
    store = rally_store
    (incident,) = store.ledger.incidents("PK")
    wrong = replace(incident, id="", parts=(replace(incident.parts[0], target="wikipedia"),))
    label = store.ledger.put(wrong, as_written("a mistake")).id
    assert ingest.ingest(store, "ooni", [sample(quiet, tmp_path / "some.jsonl", 10)]).stored
    taken_back = store.ledger.incident(label)
    assert taken_back is not None
    assert taken_back.status is Status.RETRACTED
    assert [r.incident.status for r in store.ledger.revisions(label)] == [incident.status, Status.RETRACTED]


def test_the_answer_covers_the_window_and_names_what_was_not_measured(rally_store: Store) -> None:
    answer = query.confirm(rally_store, "PK", ["x", "vimeo"], None, None)
    assert [set(i.targets) for i in answer.incidents] == [FOUR]
    assert ("vimeo", Reason("coverage.none")) in answer.insufficient
    day_before = query.confirm(rally_store, "PK", [], pakistan.SINCE, pakistan.SINCE + 86400)
    assert day_before.incidents == []
    assert query.confirm(rally_store, "PK", ["wikipedia"], None, None).incidents == []


def test_a_country_without_measurements_is_an_error_that_says_what_there_is(rally_store: Store) -> None:
    with pytest.raises(FanousError, match=r"no measurements of Kenya .*AE, IN, PK"):
        query.confirm(rally_store, "KE", [], None, None)


def test_a_country_of_which_nothing_can_be_used_is_an_error_that_says_so(tmp_path: Path) -> None:
    record = {
        "test_name": "web_connectivity",
        "probe_cc": "PK",
        "probe_asn": "AS0",
        "input": "https://x.com/",
        "measurement_start_time": "2023-12-17 15:00:00",
        "test_start_time": "2023-12-17 15:00:00",
        "report_id": "20231217T150000Z_webconnectivity_PK_0_n1_a",
        "test_keys": {"requests": []},
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    with open_store(tmp_path / "store") as store:
        assert ingest.ingest(store, "ooni", [tmp_path / "a.jsonl"]).stored == 1
        with pytest.raises(FanousError, match="no measurement of Pakistan in this store can be used"):
            query.confirm(store, "PK", [], None, None)


def test_the_most_severe_kind_names_the_incident(rally_store: Store) -> None:
    (incident,) = rally_store.ledger.incidents("PK")
    assert incident.kind is Kind.BLOCKING
    assert {part.kind for part in incident.parts} <= {Kind.BLOCKING, Kind.THROTTLING}


def dated(file: Path, into: Path, moment: str) -> Path:
    """One measurement of ``file``, as if made at another time."""
    one = json.loads(file.read_bytes().splitlines()[0])
    one |= {"measurement_start_time": moment, "test_start_time": moment, "measurement_uid": ""}
    into.write_text(json.dumps(one) + "\n", encoding="utf-8")
    return into


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """The windows in which was detected, of any country."""
    seen: list[tuple[float, float]] = []
    real = detect.find_incidents

    def watched(
        store: Store, country: str, since: float, until: float, shares: UserWeights | None = None
    ) -> list[Incident]:
        seen.append((since, until))
        return real(store, country, since, until, shares)

    monkeypatch.setattr(detect, "find_incidents", watched)
    return seen


def test_what_comes_by_itself_from_years_back_is_kept_and_starts_no_detection(
    some: Path, tmp_path: Path, windows: list[tuple[float, float]]
) -> None:
    old = dated(some, tmp_path / "old.jsonl", "2015-03-01 12:00:00")
    with open_store(tmp_path / "store", clock=lambda: pakistan.UNTIL) as store:
        tally = ingest.ingest(store, "ooni", [old, some], late=ingest.LATE)
        (said,) = ingest.out_of_reach(tally)
        assert said.startswith("1 measurement is older than 60 days: stored")
        assert len(windows) >= 1
        assert min(since for since, _ in windows) >= pakistan.SINCE - detect.HISTORY
        assert len(store.ledger.incidents("PK")) == 1
        ingest.ingest(store, "ooni", [dated(some, tmp_path / "chosen.jsonl", "2015-03-02 12:00:00")])
        assert windows[-1][0] < pakistan.SINCE - 8 * 365 * 86_400, "an operator's file is looked at"


def test_detection_begins_long_before_what_goes_on_and_takes_in_the_newest_bin(
    rally_store: Store, windows: list[tuple[float, float]]
) -> None:
    store = rally_store
    (found,) = store.ledger.incidents("PK")
    assert found.end is not None
    detect.detect(store, "PK", found.end - 1, found.end)
    newest = store.of(Provenance.SYNTHETIC).facts.span("PK")
    assert newest is not None
    assert windows[-1] == (found.onset - detect.HISTORY, newest[1] + TICK)


def test_a_clock_that_is_ahead_stretches_no_window(
    rally: Path, tmp_path: Path, windows: list[tuple[float, float]]
) -> None:
    ahead = dated(rally, tmp_path / "ahead.jsonl", "2031-03-01 12:00:00")
    few = sample(rally, tmp_path / "few.jsonl", 40)
    with open_store(tmp_path / "store", clock=lambda: pakistan.UNTIL) as store:
        assert ingest.ingest(store, "ooni", [ahead]).ahead == 1
        assert (windows, store.ledger.undetected()) == ([], {})
        tally = ingest.ingest(store, "ooni", [few])
        assert (tally.late, tally.ahead, ingest.out_of_reach(tally)) == (0, 0, [])
        replay.rejudge(store)
        latest = pakistan.UNTIL + AHEAD + TICK
        assert max(until for _, until in windows) <= latest
        assert query.confirm(store, "PK", [], None, None).until <= latest


def test_what_cannot_be_used_is_named_once() -> None:
    step = replay.Replayed((), 0, {}, ("segment:1: no JSON",), ())
    assert replay.remarks([step, step]) == ["segment:1: no JSON"]


def test_a_process_that_ingests_again_and_again_still_collects_its_garbage(
    store: Store, some: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Pausing, freezing or emptying the young generations puts the collector's counts back: a monitor never collected
    its oldest generation, and grew."""
    few = sample(some, tmp_path / "few.jsonl", 100)
    request.addfinalizer(partial(gc.set_threshold, *gc.get_threshold()))
    request.addfinalizer(gc.freeze)  # as the suite had
    gc.unfreeze()
    gc.set_threshold(GARBAGE)
    gc.collect()
    before = gc.get_stats()[2]["collections"]
    for _ in range(15):
        ingest.bring_in(store, "ooni", [few], Ingested())
    assert gc.isenabled()
    assert gc.get_stats()[2]["collections"] > before
