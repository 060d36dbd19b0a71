"""The library gives what the command line gives, as typed answers."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.compute as pc
import pytest

import fanous
import fanous.analysis.incidents.confirm  # binds the package of that name; the question must go on working
from fanous.errors import FanousError
from fanous.monitor.recording import unpack
from fanous.questions.frame import INCIDENT_COLUMNS, INTERVAL_COLUMNS, NETWORK_COLUMNS, IncidentList
from fanous.questions.library import SERIES_COLUMNS, VERDICT_COLUMNS
from tests.children import child_environment
from tests.copies import copy_of

EVENT = "pakistan-2023-12-17"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recording") / "event.jsonl"
    unpack(EVENT, path)
    return path


@pytest.fixture(scope="module")
def store(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator["fanous.Store"]:
    with fanous.Store(copy_of(demo_folder, tmp_path_factory.mktemp("library") / "store")) as opened:
        yield opened


def test_an_incident_is_told_in_words_in_each_language(store: "fanous.Store") -> None:
    (incident, *_) = fanous.incidents(store, "PK")
    said = fanous.sentences(incident)
    assert said[0].startswith("Synthetic: a staged event.")
    assert said[1].startswith("Confirmed; now ended: Instagram and X (Twitter) were blocked")
    assert said[-1].startswith("Rule C2 is met by ")
    assert len(fanous.sentences(incident, "ur")) == len(said)
    with pytest.raises(FanousError, match="no language 'xx'"):
        fanous.sentences(incident, "xx")


def test_the_pakistan_event_is_confirmed_and_each_way_to_ask_agrees(store: "fanous.Store") -> None:
    answer = fanous.confirm(store, "pk")
    confirmed = [incident for incident in answer.incidents if incident.confirmed_at is not None]
    assert confirmed[0].targets == ("facebook", "instagram", "x", "youtube")
    assert fanous.incidents(store, "PK") == list(answer.incidents) == fanous.incidents(store)
    day = fanous.confirm(store, "PK", since="2023-12-17", until=datetime(2023, 12, 18, tzinfo=UTC))
    assert {i.id for i in day.incidents} <= {i.id for i in answer.incidents}
    assert not fanous.confirm(store, "PK", targets=["x"], since=0, until=1).incidents


def test_series_are_one_table_whose_bins_are_measured(store: "fanous.Store") -> None:
    table = fanous.series(store, "PK", signals=["blocked_path"], targets=["x"])
    assert table.schema == SERIES_COLUMNS
    assert table.num_rows > 100
    assert pc.unique(table["target"]).to_pylist() == ["x"]
    assert pc.min(table["count"]).as_py() >= 1
    assert pc.max(table["value"]).as_py() == 1.0
    assert fanous.series(store, "KE").num_rows == 0


def test_what_is_brought_in_again_is_there_already(
    store: "fanous.Store", tmp_path: Path, recording: Path
) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"".join(recording.read_bytes().splitlines(keepends=True)[:3]))
    tally = store.ingest("edge", path)
    assert (tally.stored, tally.duplicate) == (0, 3)


def test_judging_gives_a_row_a_verdict_and_names_what_it_cannot_use(tmp_path: Path, recording: Path) -> None:
    lines = [line for line in recording.read_bytes().splitlines() if b'"https://x.com' in line][:3]
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"\n".join([*lines, b"{no measurement"]))
    judged = fanous.judge(path)
    assert len(judged.measurements) == 3
    assert [(reject.line, bool(reject.why)) for reject in judged.rejects] == [(4, True)]
    table = judged.table()
    assert table.schema == VERDICT_COLUMNS
    assert table.num_rows == sum(len(one.verdicts) for one in judged.measurements) > 0


def closed(store: "fanous.Store") -> "fanous.Store":
    """Another handle of the same store, which was closed."""
    with fanous.Store(store._shared.location, read_only=True) as other:
        return other


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (lambda store: fanous.confirm(store, "Pakisten"), "did you mean Pakistan"),
        (lambda store: fanous.confirm(store, "PK", since="yesterday"), "not a date"),
        (lambda store: fanous.confirm(store, "PK", since=datetime(2023, 12, 17)), "time zone"),
        (lambda store: fanous.series(store, "PK", signals=["blocked"]), "known:"),
        (lambda _store: fanous.judge("nowhere.jsonl"), "nowhere.jsonl"),
        (lambda _store: fanous.incidents("my-store"), "an open store is needed, not 'my-store'"),  # type: ignore[arg-type]  # as people call it
        (lambda _store: fanous.confirm(Path("my-store"), "PK"), "an open store is needed"),  # type: ignore[arg-type]  # as people call it
        (lambda store: fanous.incidents(store, 42), "neither the code nor the name of a country"),  # type: ignore[arg-type]  # as people call it
        (lambda store: fanous.series(closed(store), "PK"), "this store is closed"),
    ],
)
def test_a_question_that_cannot_be_asked_says_why(store: "fanous.Store", question: object, says: str) -> None:
    with pytest.raises(FanousError, match=says):
        question(store)  # type: ignore[operator]  # a lambda of the table above


def test_importing_fanous_alone_imports_none_of_it() -> None:
    look = "import sys, fanous; print(*({'numpy', 'pyarrow', 'chdb'} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.split() == []
    with pytest.raises(AttributeError, match="no attribute 'confirmed'"):
        _ = fanous.confirmed  # type: ignore[attr-defined]  # that is the point


def test_incidents_are_tables_with_lists_and_times(store: "fanous.Store") -> None:
    found = fanous.incidents(store, "PK")
    table = found.table()
    assert table.schema == INCIDENT_COLUMNS
    (first, *_) = table.to_pylist()
    assert first["targets"] == list(found[0].targets)
    assert first["onset"] == datetime.fromtimestamp(int(found[0].onset), UTC)
    published = found[0].first_published_at
    assert published is not None and first["first_published_at"] == datetime.fromtimestamp(
        int(published), UTC
    )
    assert first["provenance"] == "synthetic"
    assert first["sentence"].startswith("Synthetic: ")
    networks = found.networks()
    assert networks.schema == NETWORK_COLUMNS
    assert networks.num_rows == sum(len(one.networks) for one in found) > 3
    intervals = found.intervals()
    assert intervals.schema == INTERVAL_COLUMNS
    whole = [row for row in intervals.to_pylist() if row["entity"] is None]
    assert len(whole) == sum(len(one.intervals) for one in found)
    assert all(row["hours"] > 0 for row in whole)


def test_answers_show_themselves_in_a_notebook(
    store: "fanous.Store", tmp_path: Path, recording: Path
) -> None:
    found = fanous.incidents(store, "PK")
    shown = found._repr_html_()
    assert "<td>PK-2023-0001</td>" in shown
    assert "Synthetic: a staged event." in shown
    assert "<td>PK-2023-0001</td>" in fanous.confirm(store, "PK")._repr_html_()
    bad = replace(found[0], id="<script>alert(1)</script>")
    assert "<script>" not in IncidentList([bad])._repr_html_()
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"".join(recording.read_bytes().splitlines(keepends=True)[:3]))
    assert "<th>state</th>" in fanous.judge(path)._repr_html_()


def test_what_the_library_offers_is_listed() -> None:
    assert {"Store", "confirm", "incidents", "judge", "sentences", "series"} <= set(dir(fanous))


def test_a_store_may_be_read_twice_in_one_process(
    store: "fanous.Store", demo_folder: Path, tmp_path: Path
) -> None:
    place = store._shared.location
    with fanous.Store(place, read_only=True) as again:
        assert fanous.incidents(again, "PK") == fanous.incidents(store, "PK")
    assert fanous.incidents(store, "PK"), "closing the second one leaves the first one open"
    with pytest.raises(FanousError, match="already has the store"):
        fanous.Store(place)


HOLDER = """
import sys, time
from fanous.store.local import open_store
with open_store(sys.argv[1]) as store:
    print("open", flush=True)
    sys.stdin.read()
"""
READER = """
import sys, fanous
from fanous.errors import FanousError
with fanous.Store(sys.argv[1], read_only=True) as store:
    found = fanous.incidents(store, "PK")
    print(len(found), fanous.series(store, "PK").num_rows)
try:
    fanous.Store(sys.argv[1])
except FanousError as error:
    print("refused:", error)
"""


def test_a_store_that_another_process_has_open_can_be_read(demo_folder: Path, tmp_path: Path) -> None:
    place = copy_of(demo_folder, tmp_path / "store")
    before = {path: path.stat().st_mtime_ns for path in sorted(place.rglob("*.bin"))}
    command = [sys.executable, "-c", HOLDER, str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdin
        assert holder.stdout.readline() == "open\n"
        read = subprocess.run(
            [sys.executable, "-c", READER, str(place)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=child_environment() | {"TMPDIR": str(tmp_path)},
        )
        holder.stdin.close()
        assert holder.wait(60) == 0
    assert read.returncode == 0, read.stderr
    counts, refused = read.stdout.splitlines()
    assert int(counts.split()[0]) >= 1
    assert int(counts.split()[1]) > 100
    assert refused.startswith("refused: cannot open the store")
    assert not list(tmp_path.glob("fanous-reading-*")), "the copy is removed"
    assert {path: path.stat().st_mtime_ns for path in before} == before
