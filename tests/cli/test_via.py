"""``fanous probe run --via globalping``: from a round to an answer, and what others' vantage points never do."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fanous.sources.remote import client
from fanous.store.local import open_store
from tests.commands import document, fanous
from tests.sources.remote.fake_globalping import FakeGlobalping, FakeProbe, failed, globalping, sound
from tests.sources.remote.worlds import ABROAD, PAKISTAN, X, lines_of

BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
NETWORKS = (17557, 45669, 9541)
"""Two vantage points each."""
CUT = range(30, 48)
"""Hours in which X is cut."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "GLOBALPING_BETWEEN", 0.0)


@pytest.fixture
def server() -> Iterator[FakeGlobalping]:
    with globalping(*PAKISTAN, *ABROAD) as running:
        yield running


@pytest.fixture
def config(tmp_path: Path, server: FakeGlobalping) -> Path:
    path = tmp_path / "fanous.toml"
    path.write_text(f'[sources.globalping]\ncountries = ["PK"]\nmirror = "{server.address}"\n')
    return path


def run(config: Path, *words: str | Path) -> Any:
    return document("probe", "run", "--via", "globalping", "--country", "PK", "--config", config, *words)


def test_a_round_is_stored_and_told(server: FakeGlobalping, config: Path, tmp_path: Path) -> None:
    def world(probe: FakeProbe, kind: str, target: str) -> Any:
        cut = (probe.country, kind, target) == ("PK", "http", "x.com")
        return failed("read ECONNRESET") if cut else sound(probe, kind, target)

    server.world = world
    told = run(config, "-i", X, "-i", "https://www.reddit.com/", "--store", tmp_path / "store")
    assert (told["stored"], told["tests"], told["country"]) == (6, 3 + 2 * 12, "PK")
    assert {(one["target"], one["asn"], one["state"]) for one in told["results"]} == {
        ("x", 17557, "blocked"),
        ("x", 45669, "blocked"),
        ("reddit", 17557, "ok"),
        ("reddit", 45669, "ok"),
    }
    text = fanous(
        *("probe", "run", "--via", "globalping", "--country", "PK", "--config", config, "-i", X),
        *("--store", tmp_path / "store"),
    )
    assert "X (Twitter)" in text.stdout
    assert "2 blocked (tls.reset)" in text.stdout
    assert "asking 3 vantage points on 2 networks in PK for 1 target" in text.stderr


def test_without_a_list_the_configurations_are_measured_and_the_rest_is_named(
    config: Path, tmp_path: Path
) -> None:
    told = run(config, "--out", tmp_path / "round.jsonl")
    assert len({one["target"] for one in told["results"]}) == 16
    assert "https://api.x.com/: x is measured by https://x.com/" in told["left_out"]
    assert told["stored"] is None


def test_a_file_of_one_round_takes_the_next_and_can_be_ingested(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "rounds.jsonl"
    for _ in range(2):
        run(config, "-i", X, "--out", out)
    first, again = (document("ingest", "globalping", out, "--store", tmp_path / "store") for _ in range(2))
    assert (first["read"], first["stored"]) == (6, 6)
    assert (again["read"], again["duplicate"]) == (6, 6)


@pytest.mark.parametrize(
    "words",
    [
        ["--every", "10m"],
        ["--asn", "17557"],
        ["--collector", "https://collector.example"],
        ["--localise"],
        ["--mobile"],
        ["--no-health"],
    ],
)
def test_what_is_for_measuring_from_here_is_refused(words: list[str]) -> None:
    fanous("probe", "run", "--via", "globalping", "--country", "PK", *words, code=2)


def test_a_store_is_for_others_vantage_points(tmp_path: Path) -> None:
    fanous("probe", "run", "--store", tmp_path / "store", code=2)
    fanous("probe", "run", "--via", "globalping", code=2)


def test_the_configuration_in_the_current_folder_is_no_option_that_was_given(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `fanous init`, `fanous probe run` was refused because of the file that it had written."""
    monkeypatch.chdir(config.parent)
    told = fanous("probe", "run", "--country", "TM", code=1)
    assert "measuring from TM is disabled" in told.stderr
    assert "--via" in fanous("probe", "run", "--config", config, code=2).stderr


def test_a_dangerous_country_and_a_sensitive_target_are_refused(config: Path) -> None:
    told = fanous("probe", "run", "--via", "globalping", "--country", "TM", "--config", config, code=1)
    assert "measuring from TM is disabled" in told.stderr
    told = fanous(
        *("probe", "run", "--via", "globalping", "--country", "PK", "--config", config),
        *("--list", "circumvention"),
        code=1,
    )
    assert "other people's lines" in told.stderr


# --- what it counts for ---------------------------------------------------------------------------------


def block(store: Path, tmp_path: Path, *, how: str = "globalping", asns: tuple[int, ...] = NETWORKS) -> None:
    """Hourly rounds in which X is cut on these networks for eighteen hours."""
    probes = [FakeProbe("PK", asn) for asn in asns for _ in range(2)]
    hour = 0

    def world(probe: FakeProbe, kind: str, target: str) -> Any:
        cut = (probe.country, kind, target) == ("PK", "http", "x.com") and hour in CUT
        return failed("read ECONNRESET") if cut else sound(probe, kind, target)

    out = tmp_path / f"{how}.jsonl"
    with globalping(*probes, *ABROAD, world=world, slow=0, prefix=how) as server:
        for hour in range(60):
            server.remaining = server.limit
            server.now = f"{BEGIN + timedelta(hours=hour):%Y-%m-%dT%H:%M:%S}.000Z"
            with out.open("ab") as file:
                file.writelines(
                    # the organisation's own probe has its own report
                    line.replace(b"globalping AS", how.encode() + b" AS").replace(
                        b'"report_id":"', b'"report_id":"%d' % number
                    )
                    + b"\n"
                    for number, line in enumerate(lines_of(server))
                )
    fanous("ingest", how, out, "--store", store)


def confirmed(store: Path) -> Any:
    return document("confirm", "PK", "--since", "2026-11-20", "--until", "2026-11-23", "--store", store)[
        "incidents"
    ]


def heard(folder: Path) -> tuple[list[Any], list[Any]]:
    """Signs of life, in which silence is looked for."""
    first, last = BEGIN.timestamp(), (BEGIN + timedelta(days=3)).timestamp()
    with open_store(folder) as store:
        return store.facts.volume("PK", first, last), store.facts.heard(first, last)


@pytest.mark.matrix
def test_alone_it_stays_a_suspicion(tmp_path: Path) -> None:
    """Six vantage points on three networks with controls of their own for eighteen hours: of an organisation's own
    probes, C2."""
    block(tmp_path / "store", tmp_path)
    (incident,) = confirmed(tmp_path / "store")
    assert (incident["targets"], incident["status"], incident["confirmed_at"]) == (["x"], "ended", None)
    assert (incident["evidence"]["families"], incident["evidence"]["probes"]) == (["remote"], 6)
    assert heard(tmp_path / "store") == ([], [])
    block(tmp_path / "own", tmp_path, how="edge")
    assert all(heard(tmp_path / "own"))
    (own,) = confirmed(tmp_path / "own")
    assert own["confirmed_at"] is not None


@pytest.mark.matrix
def test_it_seconds_what_another_family_found(tmp_path: Path) -> None:
    """Two probes of an organisation are too few for C2; two vantage points of others on their network make C1."""
    store, one = tmp_path / "store", NETWORKS[:1]
    block(store, tmp_path, how="edge", asns=one)
    assert [incident["confirmed_at"] for incident in confirmed(store)] in ([], [None])
    block(store, tmp_path, asns=one)
    (incident,) = confirmed(store)
    assert incident["evidence"]["families"] == ["edge", "remote"]
    assert incident["confirmed_at"] is not None
