"""Several processes detect in one store; one dies in the middle, and the incidents are the same."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fanous.cli.detect import detect
from fanous.errors import FanousError
from fanous.model.incident import Incident
from fanous.model.measurement import Provenance
from fanous.pipeline import ingest
from fanous.pipeline.detect import detect_all
from fanous.pipeline.judge import Ingested
from fanous.store.ledger import Ledger
from fanous.store.local import open_store
from fanous.store.location import StoreLocation, at_urls
from fanous.store.protocol import Store
from tests.children import child_environment
from tests.postgres import postgres, programs
from tests.store.servers import Server, front

EVENTS = {"PK": "12", "IR": "03", "TR": "07"}
"""Country -> month of 2023 in which the event is told of it."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, small_rally: Path) -> Iterator[StoreLocation]:
    """A store on servers with three countries, none of which has been through detection yet."""
    where = programs()
    if where is None:
        pytest.skip("no PostgreSQL on this machine (apt-get install postgresql)")
    folder = tmp_path_factory.mktemp("detect")
    file = folder / "three.jsonl"
    file.write_bytes(b"".join(told_of(small_rally, country, month) for country, month in EVENTS.items()))
    with postgres(where) as ledgers, front(folder / "engine") as port:
        facts = Server(f"127.0.0.1:{port}").new_database()
        location = at_urls(str(folder / "archive"), facts, ledgers.new_database())
        with open_store(location) as store:
            tally = Ingested()
            ingest.bring_in(store, "ooni", [file], tally)
            assert (tally.rejected, tally.duplicate) == (0, 0)
        yield location


def told_of(rally: Path, country: str, month: str) -> bytes:
    """The measurements of Pakistan, as if they had been made elsewhere and in another month."""
    lines = [line for line in rally.read_bytes().splitlines(keepends=True) if b'"probe_cc":"PK"' in line]
    text = b"".join(lines)
    for old, new in ((b'"PK"', f'"{country}"'), (b"_PK_", f"_{country}_"), (b"202312", f"2023{month}")):
        text = text.replace(old, new.encode())
    return text.replace(b"2023-12-", f"2023-{month}-".encode())


def configured(place: StoreLocation, folder: Path) -> Path:
    file = folder / "fanous.toml"
    file.write_text(
        f'[store]\narchive = "{place.archive}"\nfacts = "{place.facts}"\nledger = "{place.ledger}"\n'
    )
    return file


def started(config: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "fanous", "detect", "--config", str(config), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )


def undisturbed(place: StoreLocation, ledger: Path) -> list[Incident]:
    """What one process finds, in a separate ledger."""
    alone = StoreLocation(place.archive, place.facts, f"sqlite:///{ledger}")
    with open_store(alone) as store:
        mark_all(store)
        detect_all(store)
        return store.ledger.incidents()


def mark_all(store: Store) -> None:
    for country in EVENTS:
        span = store.of(Provenance.SYNTHETIC).facts.span(country)
        assert span is not None
        store.ledger.mark_undetected({country: span})


@pytest.mark.matrix
def test_a_worker_that_is_killed_costs_nothing_but_time(place: StoreLocation, tmp_path: Path) -> None:
    config, ledger = configured(place, tmp_path), Ledger(place.ledger)
    assert set(ledger.undetected()) == set(EVENTS)
    doomed = started(config, "--lease", "5")
    while not ledger.leases():
        assert doomed.poll() is None, doomed.communicate()
        time.sleep(0.01)
    ((country, _),) = ledger.leases()
    survivor = started(config, "--lease", "5")
    doomed.kill()
    doomed.communicate()
    assert ledger.undetected().get(country), "it was killed in the middle"
    printed, log = survivor.communicate(timeout=120)
    assert survivor.returncode == 0, log
    assert printed.startswith("detected in 3 countries: "), printed
    assert sorted(printed.split(": ")[1].strip().split(", ")) == sorted(EVENTS)
    assert ledger.undetected() == {}
    assert ledger.leases() == []
    last = ledger.lease(60, "ZZ")
    assert last is not None
    assert last.fence == len(EVENTS) + 2, "one country was taken twice, each other once"
    found = ledger.incidents(None, None, None)
    assert {incident.country for incident in found} == set(EVENTS)
    assert found == undisturbed(place, tmp_path / "alone.sqlite")
    ledger.give_back(last)
    ledger.close()


@pytest.mark.matrix
def test_workers_share_a_year_that_is_detected_again_and_revise_nothing(
    place: StoreLocation, tmp_path: Path
) -> None:
    config = configured(place, tmp_path)
    with open_store(place) as store:
        detect_all(store)  # in case this test runs alone
    ledger = Ledger(place.ledger)
    before = ledger.written()
    ended = started(config, "--workers", "2", "--since", "2023-01-01", "--until", "2024-01-01")
    printed, log = ended.communicate(timeout=120)
    assert (ended.returncode, printed) == (0, ""), log
    assert sorted(line.split("country=")[1] for line in log.splitlines() if "country=" in line) == sorted(
        EVENTS
    )
    assert ledger.undetected() == {}
    assert ledger.written() == before
    ledger.close()


@pytest.mark.matrix
def test_a_worker_that_goes_on_takes_what_comes_and_ends_when_it_is_asked(
    place: StoreLocation, tmp_path: Path
) -> None:
    ledger = Ledger(place.ledger)
    goes_on = started(configured(place, tmp_path), "--every", "0.2")
    ledger.mark_undetected({"IR": (1_679_000_000.0, 1_679_000_000.0)})
    while ledger.undetected():
        assert goes_on.poll() is None, goes_on.communicate()
        time.sleep(0.05)
    goes_on.terminate()
    _, log = goes_on.communicate(timeout=60)
    assert goes_on.returncode == 0, log
    ledger.close()


@pytest.mark.parametrize("options", [{"workers": 2}, {"every": 5.0}])
def test_a_store_of_one_folder_has_one_detection(tmp_path: Path, options: dict[str, float]) -> None:
    given: dict[str, float] = {"workers": 1, "every": 0.0} | options
    with pytest.raises(FanousError, match="only one process can open a store"):
        detect(workers=int(given["workers"]), every=given["every"], store=tmp_path / "store")


@pytest.mark.matrix
def test_in_a_store_of_one_folder_it_detects_what_was_left(
    tmp_path: Path, small_rally: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "store"
    with open_store(where) as store:
        ingest.bring_in(store, "ooni", [small_rally], Ingested())
        assert store.ledger.incidents() == []
    detect(store=where)
    assert capsys.readouterr().out == "detected in 3 countries: AE, IN, PK\n"
    detect(store=where)
    assert capsys.readouterr().out == "detected in 0 countries\n"
    with open_store(where) as store:
        assert {one.country for one in store.ledger.incidents()} == {"PK"}
    with pytest.raises(FanousError, match="no measurements in IR"):
        detect(countries=["IR"], store=where)
