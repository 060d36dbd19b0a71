"""A stream from servers on loopback."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from fanous.model.measurement import Record
from fanous.probe.stream import MOST_BYTES, Watchable, stream_record, watchable
from fanous.probe.trace import ProbeVantage
from fanous.sources.measurements import MEASUREMENT_SOURCES
from tests.probe.net import servers
from tests.probe.net.routes import RoutedNetwork
from tests.probe.scene import SITE, SITE_IP, scene

MASTER = (
    "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9000000,RESOLUTION=1920x1080\nfull.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=2800000,RESOLUTION=1280x720\nhigh.m3u8\n"
)
PIECES = "#EXTM3U\n" + "".join(f"#EXTINF:4,\n{n}.ts\n" for n in range(6))


def site(pieces: bytes, *, kbps: float = 0.0, playlist: str = PIECES) -> servers.Serve:
    """A media server that stays open; with ``kbps`` it sends what is no playlist at that rate."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            path = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1]
            texts = {"/index.m3u8": MASTER, "/high.m3u8": playlist}
            whole = servers.response(texts[path].encode() if path in texts else pieces)
            step = int(kbps * 125 / 20) if kbps and path not in texts else len(whole)
            for begin in range(0, len(whole), step):
                writer.write(whole[begin : begin + step])
                await writer.drain()
                await asyncio.sleep(0.05 if step < len(whole) else 0)

    return serve


def streamed(folder: Path, path: str, serve: servers.Serve) -> tuple[dict[str, Any], Watchable]:
    async def play() -> bytes:
        async with scene(folder) as place:
            place.routes.names[SITE] = [SITE_IP]
            await place.serve(SITE, SITE_IP, 443, serve)
            network = RoutedNetwork(place.routes)
            settings = place.settings(stream_seconds=2.5)
            return await stream_record(network, settings, f"https://{SITE}{path}", ProbeVantage("PK", 17557))

    line = asyncio.run(play())
    record = json.loads(line)
    assert record["test_name"] == "fanous_stream"
    assert MEASUREMENT_SOURCES["ooni"].parse(Record("ooni", line)).bogus == ()
    return record["test_keys"]["x_stream"], watchable("it", line)


def test_a_fast_stream_can_be_watched_as_sharp_as_it_comes(tmp_path: Path) -> None:
    keys, seen = streamed(tmp_path, "/index.m3u8", site(b"x" * 1_200_000))
    assert (keys["kind"], keys["chosen_kbps"]) == ("hls", 2800.0)
    assert keys["variants"] == [{"kbps": 9000.0, "height": 1080}, {"kbps": 2800.0, "height": 720}]
    assert keys["media"]["url"] == f"https://{SITE}/0.ts" and keys["media"]["requests"] == 4
    assert keys["media"]["bytes"] > MOST_BYTES
    assert [one.watchable for one in seen.levels.values()] == [True, True, True]


def test_a_slow_one_can_be_watched_in_little(tmp_path: Path) -> None:
    keys, seen = streamed(tmp_path, "/index.m3u8", site(b"x" * 600_000, kbps=600.0))
    assert keys["media"]["failure"] == "generic_timeout_error"  # the ordinary end
    assert [one.watchable for one in seen.levels.values()] == [True, False, False]
    assert "240p yes, 480p no" in seen.sentence


def test_any_large_file_of_the_media_host_will_do(tmp_path: Path) -> None:
    keys, seen = streamed(tmp_path, "/large", site(b"x" * 500_000))
    assert keys["kind"] == "file" and keys["media"]["requests"] == 9
    assert seen.levels["720p"].watchable


@pytest.mark.parametrize(
    ("path", "serve", "why"),
    [
        ("/small", site(b"x" * 900), "no file large enough"),
        ("/other.m3u8", site(b"<html>"), "neither an HLS playlist nor a DASH"),
        ("/index.m3u8", site(b"", playlist="#EXTM3U\nhttps://10.0.0.1/7.ts\n"), "not fetched"),
        ("/index.m3u8", servers.reset_at_once, "did not arrive: connection_reset"),
    ],
)
def test_where_nothing_can_be_told_it_says_why(
    path: str, serve: servers.Serve, why: str, tmp_path: Path
) -> None:
    _, seen = streamed(tmp_path, path, serve)
    assert why in seen.why and why in seen.sentence
    assert seen.levels == {}
