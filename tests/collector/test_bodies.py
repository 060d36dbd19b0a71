"""What a client sent is decompressed within bounds, or refused with a reason."""

import asyncio
import gzip
import tracemalloc

import pytest
from backports import zstd
from starlette.requests import Request
from starlette.types import Message

from fanous.collector.request import MOST_BYTES, Refused, body_of, plain
from tests.each import each

BODY = b'{"format":"json","content":{}}' * 20


def wide_window() -> bytes:
    """A frame that asks for a window of 128 MiB (2^27), without saying how much is in it."""
    options = {int(zstd.CompressionParameter.window_log): 27}
    compressor = zstd.ZstdCompressor(options=options)
    return compressor.compress(bytes(1 << 20)) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("", BODY),
        ("identity", BODY),
        ("zstd", zstd.compress(BODY)),
        ("Zstd", zstd.compress(BODY)),
        ("gzip", gzip.compress(BODY)),
    ],
)
def test_a_body_is_what_the_client_meant(encoding: str, sent: bytes) -> None:
    assert plain(sent, encoding) == BODY


@each(
    ("encoding", "sent", "status"),
    [
        ("br", BODY, 415),
        ("zstd", BODY, 400),
        ("zstd", zstd.compress(BODY)[:-4], 400),
        ("zstd", zstd.compress(BODY) + b"more", 400),
        ("zstd", wide_window(), 400),
        ("zstd", b"", 400),
        ("gzip", BODY, 400),
        ("gzip", gzip.compress(BODY)[:-4], 400),
        ("gzip", gzip.compress(BODY) + b"more", 400),
    ],
)
def test_what_cannot_be_decompressed_is_refused(encoding: str, sent: bytes, status: int) -> None:
    with pytest.raises(Refused) as refusal:
        plain(sent, encoding)
    assert refusal.value.status == status


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_a_bomb_is_refused_before_it_is_unpacked(encoding: str) -> None:
    huge = bytes(256 << 20)
    bomb = zstd.compress(huge) if encoding == "zstd" else gzip.compress(huge, 6)
    del huge
    assert len(bomb) < 1 << 20
    tracemalloc.start()
    with pytest.raises(Refused) as refusal:
        plain(bomb, encoding)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refusal.value.status == 413
    assert peak < 3 * MOST_BYTES


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_a_small_body_may_not_become_a_large_one(encoding: str) -> None:
    """Two of 31 kB, each 32 MiB when unpacked, kept both decoders busy past the end of the service."""
    text = b'{"a":"0::1"}' * (1 << 20)
    sent = zstd.compress(text) if encoding == "zstd" else gzip.compress(text)
    with pytest.raises(Refused, match="100 times as large") as refusal:
        plain(sent, encoding)
    assert refusal.value.status == 413


def test_a_body_may_be_as_large_as_the_limit_and_no_larger() -> None:
    assert len(plain(zstd.compress(bytes(1000)), "zstd", 1000)) == 1000
    for encoding, sent in (("zstd", zstd.compress(bytes(1001))), ("gzip", gzip.compress(bytes(1001)))):
        with pytest.raises(Refused, match="larger"):
            plain(sent, encoding, 1000)
    with pytest.raises(Refused, match="larger"):
        plain(bytes(1001), "", 1000)


def body(*pieces: tuple[float, int], window: float = 0.2, seconds: float = 10.0) -> bytes:
    """What is read of a body whose pieces, of so many bytes, come after so many seconds each, and which then stops."""
    coming = list(pieces)

    async def receive() -> Message:
        if not coming:
            await asyncio.sleep(60)
        pause, size = coming.pop(0)
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": bytes(size), "more_body": size > 0}

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    return asyncio.run(asyncio.wait_for(body_of(request, 1 << 20, window=window, seconds=seconds), 5))


@each(
    ("pieces", "taken"),
    [
        ([(0.0, 10), (0.0, 0)], 10),
        ([(0.1, 600)] * 5 + [(0.1, 0)], 3000),
        ([(0.1, 250), (0.05, 250), (0.15, 10), (0.0, 0)], 510),
        ([(0.0, 100_000)], None),  # a byte short: what came before it does not count
        ([(0.06, 100)] * 20 + [(0.0, 0)], None),
    ],
)
def test_some_of_a_body_arrives_in_each_window(pieces: list[tuple[float, int]], taken: int | None) -> None:
    if taken is not None:
        assert len(body(*pieces)) == taken
        return
    with pytest.raises(Refused, match="too slowly") as refusal:
        body(*pieces)
    assert refusal.value.status == 408 and refusal.value.closes


def test_a_body_has_arrived_after_so_many_seconds() -> None:
    with pytest.raises(Refused, match="too slowly"):
        body(*[(0.1, 600)] * 20, (0.0, 0), seconds=0.5)


def test_what_is_refused_in_the_middle_of_a_body_ends_the_connection() -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"x", "more_body": True}

    def take(_count: int) -> None:
        raise Refused(429, "too much")

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(Refused) as refusal:
        asyncio.run(body_of(request, 1 << 20, take))
    assert refusal.value.status == 429 and refusal.value.closes
