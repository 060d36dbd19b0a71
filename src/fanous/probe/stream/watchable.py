"""Watchable: what a record of ``fanous_stream`` means for the person in front of the screen."""

from dataclasses import dataclass

import msgspec
from msgspec import Struct

from fanous.probe.stream.playback import LEVELS, Playback, play


class _Media(Struct):
    failure: str | None
    seconds: float
    reads: list[tuple[float, int]]
    kbps: float | None = None
    kbps_late: float | None = None


class _Stream(Struct):
    kind: str
    why: str
    media: _Media | None


class _Keys(Struct):
    x_stream: _Stream


class _Record(Struct):
    test_keys: _Keys


_record = msgspec.json.Decoder(_Record)


@dataclass(frozen=True, slots=True)
class Watchable:
    """One stream.

    Attributes:
        kind: ``hls``, ``dash`` or ``file``.
        failure: df-007 of what broke the download off; a time-out is its ordinary end.
        why: why nothing can be said; empty = ``levels`` say it.
    """

    url: str
    kind: str
    kbps: float | None
    failure: str | None
    why: str
    levels: dict[str, Playback]

    @property
    def sentence(self) -> str:
        if self.why:
            return f"{self.url}: cannot tell, {self.why}"
        rate = f" at {self.kbps:,.0f} kbit/s" if self.kbps is not None else ""
        words = {True: "yes", False: "no", None: "too little came to tell"}
        each = ", ".join(f"{name} {words[one.watchable]}" for name, one in self.levels.items())
        return f"{self.url}: could a live video be watched{rate}? {each}"


def watchable(url: str, line: bytes) -> Watchable:
    """Out of the record as it was written."""
    stream = _record.decode(line).test_keys.x_stream
    media = stream.media
    if media is None:
        return Watchable(url, stream.kind, None, None, stream.why, {})
    levels = {
        name: play(media.reads, media.seconds, kbps, was_cut_off=media.failure is not None)
        for name, kbps in LEVELS.items()
    }
    kbps = media.kbps_late or media.kbps
    return Watchable(url, stream.kind, kbps, media.failure, stream.why, {} if stream.why else levels)
