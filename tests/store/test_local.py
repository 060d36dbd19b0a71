import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fanous.errors import FanousError
from fanous.model.measurement import Layer, Observation, Record
from fanous.model.reason import as_written
from fanous.model.verdict import Judged
from fanous.store.engine import Engine
from fanous.store.local import open_store
from fanous.store.location import StoreLocation
from fanous.store.protocol import Store
from tests.builders import measurement, verdict
from tests.store.cases import NOON, incident, judged
from tests.store.servers import EVERYWHERE


@EVERYWHERE
def test_known_measurements_and_repetitions_are_left(store: Store) -> None:
    first, again, other = judged("a"), judged("a"), judged("b")
    found = store.append([first, again, other], rules_version="1")
    assert (found.stored, found.duplicate, found.fresh) == (2, 1, frozenset({id(first), id(other)}))
    found = store.append([judged("b"), judged("c")], rules_version="1")
    assert (found.stored, found.duplicate) == (1, 1)
    assert store.facts.known(["a", "b", "c", "d"]) == {"a", "b", "c"}
    assert len(store.facts.votes("PK", 0, NOON + 1)) == 6


def test_an_empty_batch_changes_nothing(store: Store) -> None:
    assert store.append([], rules_version="1").stored == 0
    assert list(store.archive.segments()) == []


def test_a_measurement_without_facts_is_kept(store: Store) -> None:
    header = measurement("a", started_at=NOON, test_name="riseupvpn")
    one = judged("a")
    store.append(
        [Judged(one.record, replace(one.parsed, measurement=header, observations=()), ())], rules_version="1"
    )
    assert store.facts.known(["a"]) == {"a"}


@EVERYWHERE
def test_many_uids_can_be_asked_for_at_once(store: Store) -> None:
    store.append([judged("a"), judged("z" * 64)], rules_version="1")
    asked = [f"{n:064}" for n in range(5000)]
    assert store.facts.known(["a", *asked, "z" * 64]) == {"a", "z" * 64}


@EVERYWHERE
def test_a_uid_of_any_letters_is_found_among_plain_ones(store: Store) -> None:
    odd = ["it's", "a\\", "`", "tab\t", "line\n", "', '", ""]
    store.append([judged(uid) for uid in ("a", *odd[:-1])], rules_version="1")
    assert store.facts.known(["a", "b", *odd]) == {"a", *odd[:-1]}
    assert store.facts.known(["a", "', '"]) == {"a", "', '"}


def test_a_segment_of_which_some_rows_are_gone_is_unfinished(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append([judged("a")], rules_version="1")
    (segment,) = store.archive.segments()
    remove, left = Engine.remove, iter([True])

    def crash_at_the_second(engine: Engine, table: str, condition: str, **parameters: Any) -> None:
        if not next(left, False):
            raise KeyboardInterrupt
        remove(engine, table, condition, **parameters)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "remove", crash_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            store.replace_verdicts({segment: []}, rules_version="2")
    assert list(store.unfinished()) == [segment]


def test_what_is_stored_is_there_after_reopening(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        store.append([judged("a")], rules_version="1")
        claimed = store.ledger.put(incident(), as_written("because"))
    with open_store(tmp_path / "store") as store:
        assert store.facts.known(["a"]) == {"a"}
        assert store.ledger.incidents() == [claimed]
        assert store.ledger.incident(claimed.id) == claimed
        assert [revision.n for revision in store.ledger.revisions(claimed.id)] == [1]
        assert store.ledger.retract(claimed.id, as_written("an error")).reasons == as_written("an error")


def test_one_store_after_another_in_one_process(tmp_path: Path) -> None:
    for name in ("first", "second", "first"):
        with open_store(tmp_path / name) as store:
            store.append([judged(name)], rules_version="1")
            assert store.facts.known(["first", "second"]) == {name}


def test_two_stores_at_once_in_one_process_are_refused_in_words(tmp_path: Path) -> None:
    with open_store(tmp_path / "first"):
        with pytest.raises(FanousError, match="this process has another store open"):
            open_store(tmp_path / "second")
        with pytest.raises(FanousError, match="this process already has"):
            open_store(tmp_path / "first")
    with open_store(tmp_path / "second") as store:  # the refusal left nothing locked
        assert store.facts.countries() == []


def test_closing_twice_does_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    store.close()
    store.close()


def test_a_store_from_three_places_is_one_store(tmp_path: Path) -> None:
    location = StoreLocation(
        tmp_path / "a" / "archive", f"chdb://{tmp_path}/b/engine", f"sqlite:///{tmp_path}/ledger.sqlite"
    )
    with open_store(location) as store:
        store.append([judged("a")], rules_version="1")
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "ledger.sqlite"}
    assert (tmp_path / "b" / "engine.lock").exists()


def test_a_store_that_is_only_read_is_not_made_and_not_written(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="no store"):
        open_store(tmp_path / "store", read_only=True)
    assert not (tmp_path / "store").exists()
    with open_store(tmp_path / "store") as store:
        store.append([judged("a")], rules_version="1")
    with open_store(tmp_path / "store", read_only=True) as store:
        assert store.facts.known(["a"]) == {"a"}
        with pytest.raises(FanousError, match="opened read-only"):
            store.append([judged("b")], rules_version="1")


def test_a_path_with_odd_characters_is_a_path(tmp_path: Path) -> None:
    with open_store(tmp_path / "یک store #1 100% 'x'") as store:
        store.append([judged("a")], rules_version="1")
        assert store.facts.known(["a"]) == {"a"}


def test_a_path_that_the_engine_cannot_open_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="question mark"):
        open_store(tmp_path / "what?")


@EVERYWHERE
def test_odd_values_do_not_stop_a_batch(store: Store) -> None:
    odd = Observation(
        Layer.DNS,
        "x",
        hostname="half \ud800 character",
        port=10**9,
        answer_asns=(2**40, -1),
        answers=("\udfff",),
        body_length=10**30,
        status_code=-(10**12),
    )
    strange = judged("b", verdict(why="\ud800"), observations=(odd,), started_at=1e300, asn=2**33)
    store.append([judged("a"), strange], rules_version="1")
    assert store.facts.known(["a", "b"]) == {"a", "b"}
    (found,) = store.facts.observations("b")
    assert (found.hostname, found.answers) == ("half ? character", ("?",))
    assert (found.port, found.answer_asns, found.body_length) == (2**16 - 1, (2**32 - 1, 0), 2**63 - 1)
    assert store.facts.observations("a")[0].hostname == "x.com"


@pytest.mark.parametrize("at", [float("nan"), float("-inf"), float("inf"), -1.0])
def test_an_invalid_time_does_not_stop_a_batch(store: Store, at: float) -> None:
    store.append([judged("a", started_at=at)], rules_version="1")
    assert store.facts.known(["a"]) == {"a"}


def test_an_odd_uid_is_known_again(store: Store) -> None:
    for uid in ("a'b\\c\n\t", "half \ud800", ""):
        one = replace(judged("a"), record=Record("ooni", uid.encode("utf-8", "replace").hex().encode()))
        one = replace(one, parsed=replace(one.parsed, measurement=measurement(uid, started_at=NOON)))
        assert store.append([one], rules_version="1").stored == 1
        assert store.append([one], rules_version="1").stored == 0


def test_opening_leaves_the_working_directory_as_it_was(tmp_path: Path) -> None:
    code = (
        "import os, sys; before = os.getcwd(); from fanous.store.local import open_store\n"
        "with open_store(sys.argv[1]): assert os.getcwd() == before\n"
        "assert os.getcwd() == before"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "store")], check=True, cwd=tmp_path)


def test_a_folder_of_something_else_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(FanousError, match="is not a store"):
        open_store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
