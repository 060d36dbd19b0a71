from pathlib import Path

import pytest

from fanous.errors import FanousError, Rejected
from fanous.model.measurement import ParsedMeasurement, Record
from fanous.model.verdict import Judged, State, Verdict
from fanous.pipeline.replay import recover, rejudge_segments
from fanous.store.archive import Archive, Received
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.builders import verdict
from tests.store.cases import NOON, judge, judged
from tests.store.servers import EVERYWHERE


def archived_only(folder: Path, *uids: str, country: str = "PK") -> None:
    """What a kill leaves between the archive and the facts."""
    batch = [judged(uid) for uid in uids]
    Archive(folder / "archive").append([Received(one.record, country, "ndt") for one in batch], NOON + 5.5)


def refuse_a(record: Record) -> tuple[ParsedMeasurement, tuple[Verdict, ...]]:
    if b'"a"' in record.data:
        raise Rejected("too odd")
    return judge(record)


def now_blocked(record: Record) -> tuple[ParsedMeasurement, tuple[Verdict, ...]]:
    """Other rules."""
    return judge(record)[0], (verdict(State.BLOCKED), verdict(State.OK))


def states(store: Store, uid: str) -> list[str]:
    return [said.state.value for said in store.facts.verdicts(uid)]


def test_what_a_crash_left_is_finished_once(tmp_path: Path) -> None:
    archived_only(tmp_path, "a", "b")
    archived_only(tmp_path, "c", country="IR")
    with open_store(tmp_path) as store:
        steps = recover(store, judge, rules_version="1")
        assert [(len(step.segments), step.measurements) for step in steps] == [(2, 3)]
        assert steps[0].spans == {"PK": (NOON, NOON)}
        assert store.facts.known(["a", "b", "c"]) == {"a", "b", "c"}
        found = store.facts.measurement("b")
        assert found is not None
        assert (found.received_at, store.archive.read(found.location)) == (
            NOON + 5.5,
            judged("b").record.data,
        )
        assert recover(store, judge, rules_version="1") == []
    with open_store(tmp_path) as store:
        assert list(store.unfinished()) == []


def test_what_is_twice_in_the_archive_counts_once(tmp_path: Path) -> None:
    """As where a kill fell between writing the rest of a segment and removing the segment."""
    archived_only(tmp_path, "a", "b")
    archived_only(tmp_path, "b", "c")
    with open_store(tmp_path) as store:
        assert sum(step.measurements for step in recover(store, judge, rules_version="1")) == 3
        assert store.facts.known(["a", "b", "c"]) == {"a", "b", "c"}
        assert len(store.facts.observations("b")) == 2


def test_nothing_is_appended_before_a_crash_is_finished(tmp_path: Path) -> None:
    archived_only(tmp_path, "a")
    with open_store(tmp_path) as store:
        with pytest.raises(FanousError, match="finish it first"):
            store.append([judged("a")], rules_version="1")
        recover(store, judge, rules_version="1")
        assert store.append([judged("a"), judged("b")], rules_version="1").stored == 1


def test_a_segment_half_written_to_the_facts_is_written_again(store: Store) -> None:
    store.append([judged("a"), judged("b")], rules_version="1")
    (segment,) = store.archive.segments()
    whole = [Judged(record, *judge(record)) for record in store.archive.records(segment)]
    store.finish(segment, whole[1:], rules_version="1")
    assert store.facts.known(["a", "b"]) == {"b"}
    store.finish(segment, whole, rules_version="1")
    assert len(store.facts.votes("PK", NOON, NOON + 1)) == 4
    assert [len(store.facts.observations(uid)) for uid in "ab"] == [2, 2]


def test_a_damaged_segment_is_named_and_the_others_are_finished(tmp_path: Path) -> None:
    archived_only(tmp_path, "a")
    archived_only(tmp_path, "b", country="IR")
    with open_store(tmp_path) as store:
        bad, _ = store.archive.segments()
        content = (tmp_path / "archive" / bad.path).read_bytes()
        (tmp_path / "archive" / bad.path).write_bytes(b"rubbish")
        (step,) = recover(store, judge, rules_version="1")
        assert (step.measurements, [segment for segment, _ in step.damaged]) == (1, [bad])
        assert [segment for segment, _ in store.facts.damaged()] == [bad]
        assert store.append([judged("c")], rules_version="1").stored == 1  # it stops nothing
        (tmp_path / "archive" / bad.path).write_bytes(content)  # restored from a copy
        rejudge_segments(store, judge, rules_version="1")
        assert store.facts.damaged() == []
        assert store.facts.known(["a", "b", "c"]) == {"a", "b", "c"}


def test_a_record_that_this_version_cannot_use_is_named(tmp_path: Path) -> None:
    archived_only(tmp_path, "a", "b")
    with open_store(tmp_path) as store:
        (step,) = recover(store, refuse_a, rules_version="1")
        assert step.rejected == (f"{step.segments[0].name}:1: too odd",)
        assert store.facts.known(["a", "b"]) == {"b"}
        found = store.facts.measurement("b")
        assert found is not None
        assert found.location.position == 1


@EVERYWHERE
def test_rejudging_replaces_verdicts_and_duplicates_nothing(store: Store) -> None:
    store.append([judged("a"), judged("b")], rules_version="1")
    (step,) = rejudge_segments(store, now_blocked, rules_version="2")
    assert step.measurements == 2
    assert states(store, "a") == ["blocked", "ok"]
    assert len(store.facts.observations("a")) == 2
    assert rejudge_segments(store, judge, rules_version="2") == []
    assert len(rejudge_segments(store, judge, rules_version="2", everything=True)) == 1
    assert states(store, "a") == ["ok"]


def test_one_country_can_be_rejudged_alone(store: Store) -> None:
    store.append([judged("a"), judged("b", country="IR")], rules_version="1")
    rejudge_segments(store, now_blocked, rules_version="2", country="PK")
    assert states(store, "a") == ["blocked", "ok"]
    assert states(store, "b") == ["ok"]
    assert [segment.country for segment in store.facts.judged_otherwise("2")] == ["IR"]


def test_an_interrupted_rejudge_is_completed_by_running_it_again(store: Store) -> None:
    for n in range(3):
        store.append([judged(f"m{n}")], rules_version="1", received_at=NOON + 3600 * n)
    first, second, third = store.archive.segments()
    store.finish(first, [Judged(r, *now_blocked(r)) for r in store.archive.records(first)], rules_version="2")
    store.facts.remove([second])  # and here the process was killed
    assert list(store.unfinished()) == [second]
    assert list(store.facts.judged_otherwise("2")) == [third]
    recover(store, now_blocked, rules_version="2")
    rejudge_segments(store, now_blocked, rules_version="2")
    assert [states(store, f"m{n}") for n in range(3)] == [["blocked", "ok"]] * 3


def test_facts_stay_where_their_segment_is_damaged(store: Store) -> None:
    store.append([judged("a")], rules_version="1")
    (segment,) = store.archive.segments()
    assert isinstance(store.archive, Archive)
    (store.archive.folder / segment.path).write_bytes(b"rubbish")
    (step,) = rejudge_segments(store, now_blocked, rules_version="2")
    assert [bad for bad, _ in step.damaged] == [segment]
    assert states(store, "a") == ["ok"]
