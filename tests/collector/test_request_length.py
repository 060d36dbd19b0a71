"""Shapes in which a request hides another behind a proxy: one answer, and the connection is closed."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fanous.collector.door import Policy
from tests.collector.threads import connected, door, read_all

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: c\r\n\r\n"


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with door(tmp_path_factory.mktemp("inbox"), Policy(window=0.5)) as client:
        yield client


@pytest.mark.parametrize("line", [b"POST /report", b"POST /", b"GET /", b"POST /nowhere"])
@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nContent-Length: 50\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Content-Length : 5\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: +5\r\n",
    ],
)
def test_a_request_of_two_lengths_is_refused_and_what_follows_is_not_read(
    line: bytes, lengths: bytes, probe: httpx.Client
) -> None:
    with connected(probe) as connection:
        connection.sendall(line + b" HTTP/1.1\r\nHost: c\r\n" + lengths + b"\r\n0\r\n\r\n" + HIDDEN)
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_body_in_chunks_alone_is_read(tmp_path: Path) -> None:
    with door(tmp_path, Policy()) as client:
        answer = client.post("/", content=iter([b'{"http_', b'request":"http://10.0.0.1/"}']))
    assert "not on the public internet" in answer.json()["detail"]


def test_a_bomb_in_the_body_is_never_whole_in_memory(tmp_path: Path) -> None:
    from backports import zstd

    bomb = zstd.compress(b'{"content":"' + b"a" * (64 << 20) + b'"}')
    with door(tmp_path, Policy()) as client:
        path = "/api/v1/submit_measurement"
        answer = client.post(path, content=bomb, headers={"content-encoding": "zstd"})
    assert len(bomb) < 10_000 and answer.status_code == 413
