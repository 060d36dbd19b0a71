"""Playlists of HLS and manifests of DASH."""

import time

import pytest

from fanous.probe.stream import NotAManifest, Variant, read_manifest
from tests.each import each

URL = "https://live.example/a/index.m3u8"

MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=426x240,CODECS="avc1.4d,mp4a.40"
low/index.m3u8
#EXT-X-STREAM-INF:RESOLUTION=1280x720,BANDWIDTH=2800000
https://cdn.example/high.m3u8
"""

PLAYLIST = """#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-MAP:URI="init.mp4"
#EXTINF:4.0,
7.m4s
#EXTINF:4.0,
8.m4s
"""

DASH = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>video/</BaseURL><Period>
<AdaptationSet mimeType="audio/mp4"><Representation id="a" bandwidth="64000"><BaseURL>a.mp4</BaseURL>
</Representation></AdaptationSet>
<AdaptationSet mimeType="video/mp4">
{inside}
</AdaptationSet></Period></MPD>"""

NUMBERS = """<SegmentTemplate media="$RepresentationID$/$Number%03d$.m4s" startNumber="5" duration="4"/>
<Representation id="v1" bandwidth="1500000" height="480"/>"""
TIMES = """<SegmentTemplate media="t$Time$.m4s" timescale="1">
<SegmentTimeline><S t="10" d="4" r="1"/><S d="2"/>
</SegmentTimeline></SegmentTemplate><Representation id="v1" bandwidth="1500000" height="480"/>"""
FILE = """<Representation id="v1" bandwidth="1500000" height="480"><BaseURL>whole.mp4</BaseURL>
</Representation>"""


def test_a_list_of_qualities_leads_to_their_playlists() -> None:
    assert read_manifest(MASTER, URL) == [
        Variant(800.0, 240, playlist="https://live.example/a/low/index.m3u8"),
        Variant(2800.0, 720, playlist="https://cdn.example/high.m3u8"),
    ]


def test_a_playlist_has_its_pieces_in_order() -> None:
    (only,) = read_manifest(PLAYLIST, URL)
    assert only.pieces == tuple(f"https://live.example/a/{name}" for name in ("init.mp4", "7.m4s", "8.m4s"))


@pytest.mark.parametrize(
    ("inside", "first", "count"),
    [(NUMBERS, "v1/005.m4s", 30), (TIMES, "t10.m4s", 3), (FILE, "whole.mp4", 1)],
)
def test_a_dash_manifest_has_pieces_of_video(inside: str, first: str, count: int) -> None:
    (only,) = read_manifest(DASH.format(inside=inside), "https://live.example/a/live.mpd")
    assert (only.kbps, only.height, len(only.pieces)) == (1500.0, 480, count)
    assert only.pieces[0] == f"https://live.example/a/video/{first}"


def test_a_timeline_goes_on_where_it_was() -> None:
    (only,) = read_manifest(DASH.format(inside=TIMES), "https://live.example/a/live.mpd")
    assert [piece.rpartition("/")[2] for piece in only.pieces] == ["t10.m4s", "t14.m4s", "t18.m4s"]


@each(
    "text",
    [
        *("", "<html>blocked</html>", "#EXTM3U\n", "<MPD", DASH.format(inside=""), "<MPD></MPD>"),
        *(
            "#EXTM3U\nhttp://[::1",
            '#EXTM3U\n#EXT-X-MAP:URI="//["\na.ts',
            "#EXTM3U\n#EXT-X-STREAM-INF:A=1\n//[",
        ),
        DASH.format(inside="<BaseURL>http://[</BaseURL>"),
    ],
)
def test_an_invalid_manifest_is_reported(text: str) -> None:
    with pytest.raises(NotAManifest):
        read_manifest(text, URL)


def test_a_small_manifest_of_many_long_timelines_takes_no_time() -> None:
    """121 kB took 67 s of processor time, in which no time limit could end the probe."""
    whole = (
        '<MPD><Period><AdaptationSet contentType="video"><SegmentTemplate media="$Time$"><SegmentTimeline>'
        '<S t="0" d="1" r="99999"/></SegmentTimeline></SegmentTemplate>'
        + '<Representation id="a" bandwidth="1"/>' * 3200
        + "</AdaptationSet></Period></MPD>"
    )
    began = time.process_time()
    variants = read_manifest(whole, "https://video.example/a.mpd")
    assert time.process_time() - began < 5
    assert variants[0].pieces[-1] == "https://video.example/9999"
