"""A platform that fails everywhere is never called blocked, and old blocks or liars hide no new one."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fanous.analysis.explanations import service
from fanous.model.score import WorldScore
from fanous_lab.evaluation.corpus import Corpus, SimulatedWorld, WorldEvent, load_corpus
from fanous_lab.evaluation.evaluate import replayed
from fanous_lab.evaluation.replays import FailurePlay, gathered_failures, plays

HEAD = """
[corpus]
title = "A test"
since = 2023-10-15
until = 2023-10-25
files = [{ source = "ooni-csv", path = "rows.csv" }]

[world]
countries = ["KE", "UG", "TZ", "GH", "ZA", "MA"]
targets = ["telegram"]
technique = "tcp.timeout"
hours = [24]
density = 1
days = 12
times = 1
"""
COLUMNS = (
    *("report_id", "test_name", "test_version", "measurement_uid", "probe_cc", "probe_asn", "network_type"),
    *("measurement_start_time", "hostname", "ip", "port", "resolver_asn", "dns_engine", "dns_failure"),
    *("dns_answer", "tcp_success", "tcp_failure", "tls_handshake_time", "tls_success", "tls_failure"),
    *("http_request_url", "http_failure", "http_runtime"),
)
NETWORKS = (64496, 64497, 64498)


def _rows() -> Iterator[str]:
    """Ten quiet days of a measurement an hour on three networks, two access points of Telegram's each."""
    midnight = int(datetime(2023, 10, 15, tzinfo=UTC).timestamp())
    for asn in NETWORKS:
        for n in range(10 * 24):
            at = datetime.fromtimestamp(midnight + n * 3600 + asn % 7 * 60, UTC)
            uid = f"{at:%Y%m%d%H%M%S}.000000_KE_telegram_{asn}"
            report = f"{at:%Y%m%dT%H%M%SZ}_telegram_KE_{asn}_n1_x"
            head = [report, "telegram", "0.2.0", uid, "KE", str(asn), "wifi", f"{at:%Y-%m-%d %H:%M:%S}"]
            for ip in ("149.154.175.50", "149.154.167.51"):
                for port in ("80", "443"):
                    yield ",".join([*head, "", ip, port, "15169", "", "", "", "1.0", "", *[""] * 6])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("world")
    (folder / "events.toml").write_text(HEAD)
    (folder / "rows.csv").write_text("\n".join([",".join(COLUMNS), *_rows()]) + "\n")
    return load_corpus(folder)


def world(corpus: Corpus) -> SimulatedWorld:
    assert corpus.world is not None
    return corpus.world


@pytest.fixture(scope="module")
def played(corpus: Corpus) -> dict[WorldEvent, FailurePlay]:
    return {play.happening: play for play in plays(corpus, world(corpus), [corpus.folder / "rows.csv"])}


def failing(play: FailurePlay) -> Counter[str]:
    """Country -> measurements in which no connection was made."""
    return Counter(m.rows[0]["probe_cc"] for m in play.measurements if m.rows[0]["tcp_failure"])


@pytest.mark.parametrize(
    ("happening", "where"),
    [
        (WorldEvent.FAILS, {"KE", "UG", "TZ", "GH", "ZA", "MA"}),
        (WorldEvent.BLOCKED, {"KE"}),
        (WorldEvent.TWO, {"KE", "UG"}),
        (WorldEvent.AMID, {"KE", "UG", "TZ", "GH", "ZA"}),
    ],
)
def test_each_happening_fails_where_it_says(
    played: dict[WorldEvent, FailurePlay], happening: WorldEvent, where: set[str]
) -> None:
    play = played[happening]
    found = failing(play)
    assert set(found) == where
    assert 0.85 * 72 < found["KE"] <= 75
    labelled = {event.country for event in play.corpus.events}
    assert labelled == (set() if happening is WorldEvent.FAILS else where & {"KE", "UG"} - _always(happening))
    assert {quiet.country for quiet in play.corpus.quiet} == set(world_of(play)) - labelled - _always(
        happening
    )


def _always(happening: WorldEvent) -> set[str]:
    return {"UG", "TZ"} if happening is WorldEvent.AMID else set()


def world_of(play: FailurePlay) -> set[str]:
    return {m.rows[0]["probe_cc"] for m in play.measurements}


def test_a_liar_is_one_device_and_lies_only_during_the_event(played: dict[WorldEvent, FailurePlay]) -> None:
    play = played[WorldEvent.AMID]
    lies = [m for m in play.measurements if "lie" in m.uid]
    assert {(m.rows[0]["probe_cc"], m.rows[0]["report_id"]) for m in lies} == {
        (cc, next(m.rows[0]["report_id"] for m in lies if m.rows[0]["probe_cc"] == cc)) for cc in ("GH", "ZA")
    }
    ((span,),) = {tuple(event.networks[NETWORKS[0]]) for event in play.corpus.events}
    assert all(span.start <= m.at < (span.end or 0) for m in lies)


def score(play: FailurePlay, folder: Path) -> WorldScore:
    (score,) = gathered_failures("a test", replayed([play], folder)).worlds
    return score


@pytest.mark.matrix
def test_the_failure_of_a_platform_is_taken_back(
    played: dict[WorldEvent, FailurePlay], tmp_path: Path
) -> None:
    found = score(played[WorldEvent.FAILS], tmp_path)
    assert (found.times, found.confirmed) == (1, None)
    assert found.false_confirmed == found.false_suspected == 0
    assert found.retracted >= 6


@pytest.mark.matrix
def test_without_that_rule_it_would_be_six_false_claims(
    played: dict[WorldEvent, FailurePlay], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "NEW_COUNTRIES", 99)
    assert score(played[WorldEvent.FAILS], tmp_path).false_confirmed == 6


@pytest.mark.matrix
@pytest.mark.parametrize("happening", [WorldEvent.AMID, WorldEvent.TWO])
def test_blocks_next_to_others_and_amid_liars_are_confirmed(
    played: dict[WorldEvent, FailurePlay], happening: WorldEvent, tmp_path: Path
) -> None:
    found = score(played[happening], tmp_path)
    assert (found.confirmed, found.false_confirmed) == (1.0, 0)
