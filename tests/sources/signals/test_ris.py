"""Messages of RIS Live, as ris-live.ripe.net/manual describes them, from a server on loopback."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from fanous.base.confine import Grant
from fanous.errors import FanousError, Rejected
from fanous.pipeline.follow import Change, RoutingStream, changes, follow, listening, table_of
from fanous.pipeline.jobs import BringSeries
from fanous.pipeline.reader import answers
from fanous.sources.signals.ris import apply, listen
from fanous.sources.signals.visibility import STEP, Visibility
from fanous.store.local import open_store
from tests.sources.signals.mrt_files import PEERS, table

T0 = 1_700_006_400
PTCL, JAZZ = "39.32.0.0/16", "119.160.0.0/16"


def message(at: float, peer: int = 0, **told: Any) -> str:
    data = {"timestamp": at, "peer": PEERS[peer][0], "peer_asn": str(PEERS[peer][1]), "type": "UPDATE"} | told
    return json.dumps({"type": "ris_message", "data": data})


def announcement(*prefixes: str) -> dict[str, Any]:
    return {
        "path": [64500, [1, 2], 17557],
        "announcements": [{"next_hop": "192.0.2.1", "prefixes": list(prefixes)}],
    }


@pytest.fixture
def table_file(tmp_path: Path) -> Path:
    routes = {PTCL: dict.fromkeys(range(3), 17557), JAZZ: dict.fromkeys(range(3), 45669)}
    path = tmp_path / "table"
    path.write_bytes(table(T0, routes))
    return path


@pytest.fixture
def visibility(table_file: Path) -> Visibility:
    return table_of(table_file, "PK")


def test_what_is_withdrawn_is_gone_and_what_is_announced_is_back(visibility: Visibility) -> None:
    for peer in range(2):
        assert apply(message(T0 + 1.5, peer, withdrawals=[PTCL]), visibility) == T0 + 1.5
    assert visibility.count().networks == {45669: (1, 0)}
    apply(message(T0 + 2, 0, **announcement(PTCL)), visibility)
    assert visibility.count().networks == {45669: (1, 0), 17557: (1, 0)}


def test_a_peer_that_went_down_is_not_an_outage(visibility: Visibility) -> None:
    for peer in range(2):
        apply(message(T0, peer, type="RIS_PEER_STATE", state="down"), visibility)
    assert visibility.count().v4 == 2


@pytest.mark.parametrize("text", ['{"type": "pong"}', "{}", "[]", '{"type": "ris_subscribe_ok"}'])
def test_what_says_nothing_of_routes_is_passed_over(visibility: Visibility, text: str) -> None:
    assert apply(text, visibility) is None


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        '{"type": "ris_error", "data": {"message": "no"}}',
        message(-1),
        '{"type": "ris_message", "data": 3}',
    ],
)
def test_what_cannot_be_used_is_rejected(visibility: Visibility, text: str) -> None:
    with pytest.raises(Rejected):
        apply(text, visibility)


@pytest.mark.parametrize(
    "told",
    [
        {"withdrawals": "all"},
        {"withdrawals": [None, 3, PTCL * 1000]},
        {"announcements": {"a": 1}},
        {"announcements": [None, {"prefixes": 3}]},
        {"path": "64500", "announcements": [{"prefixes": [PTCL]}]},
        {"path": [True], "announcements": [{"prefixes": ["x"]}]},
    ],
)
def test_odd_fields_do_no_harm(visibility: Visibility, told: dict[str, Any]) -> None:
    assert apply(message(T0, **told), visibility) == T0
    assert visibility.count().v4 == 2


@contextmanager
def ris(*messages: str) -> Iterator[tuple[str, list[str]]]:
    """A server that takes the subscription, says the messages and closes."""
    asked: list[str] = []

    def say(connection: ServerConnection) -> None:
        asked.append(str(connection.recv(timeout=5)))
        for one in messages:
            connection.send(one)

    with serve(say, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def test_a_count_is_stored_at_the_end_of_each_whole_bin(tmp_path: Path, table_file: Path) -> None:
    said = [
        message(T0 + 10),
        message(T0 + STEP, 0, withdrawals=[PTCL]),
        message(T0 + STEP + 1, 1, withdrawals=[PTCL]),
        "rubbish",
        message(T0 + 2 * STEP + 5),
        message(T0 + 3 * STEP),
    ]
    with ris(*said) as (address, asked), open_store(tmp_path / "store") as store:
        stream = answers(
            Change,
            changes,
            *("PK", table_file, "rrc06", address),
            about="a table",
            grant=Grant(reads=(table_file,), internet=True),
        )
        with closing(stream):
            happened = list(islice(stream, 3))
        stored = follow(lambda series: BringSeries(tuple(series)).perform(store), happened)
        levels = {(str(s.key.place), s.key.signal): s for s in store.facts.levels("PK")}
    assert json.loads(asked[0])["data"]["host"] == "rrc06"
    assert stored == 2 and "RIS Live failed" in happened[2].broke_off
    assert levels["PK", "prefixes_v4"].values.tolist() == [1, 1]
    assert levels["PK", "prefixes_v4"].times.tolist() == [T0 + STEP, T0 + 2 * STEP]


def test_a_table_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"\0" * 40)
    grant = Grant(reads=(wrong,), internet=True)
    with pytest.raises(FanousError, match="wrong"):
        next(answers(Change, changes, "PK", wrong, "rrc06", "ws://127.0.0.1:1", about="a table", grant=grant))


def test_a_stream_that_breaks_off_is_asked_again_later_and_later(visibility: Visibility) -> None:
    slept: list[float] = []
    sent: list[Change] = []

    def broken() -> Iterator[str]:
        yield message(T0)
        raise FanousError("the connection to RIS Live failed", permanent=False)

    listening(RoutingStream(visibility), broken, sent.append, tries=4, sleep=slept.append)
    assert slept == [5, 10, 20]
    assert [(change.series, change.again_in) for change in sent] == [((), 5), ((), 10), ((), 20), ((), 40)]


def test_a_server_that_is_not_there_or_says_nothing_is_reported() -> None:
    with ris() as (address, _):
        pass
    with pytest.raises(FanousError, match="RIS Live failed"):
        list(listen("rrc06", address))

    def silent(connection: ServerConnection) -> None:
        connection.recv(timeout=5)
        done.wait(5)

    done = threading.Event()
    with serve(silent, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with pytest.raises(FanousError, match="no message"):
            list(listen("rrc06", f"ws://127.0.0.1:{server.socket.getsockname()[1]}", silence=0.3))
        done.set()
        server.shutdown()
        thread.join()
