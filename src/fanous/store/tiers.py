"""Tiers: an archive whose older segments lie in a bucket, the rest in a folder; readers see one archive.

Which bucket stands in a file of the folder, so that whoever opens the store finds all of it.  A segment
leaves the folder only when the bucket has given it back byte for byte; until then it may stand in both.
Names of those that left stand in a list there: who looks for unfinished ones need not list a bucket of years.
"""

import os
import time
from collections.abc import Iterable, Iterator, Set
from heapq import merge
from pathlib import Path

from fanous.errors import FanousError
from fanous.model.record import Record
from fanous.store.archive import COLD, TEMPORARY, Archive, DamagedSegment, tiered
from fanous.store.bucket import BucketArchive
from fanous.store.disk import disk_errors, write_durably
from fanous.store.segment import Segment, parse_name

MOVED = "cold.segments"
"""File of the archive's folder: the list, a name a line.  It may name more than the bucket has, not fewer."""


class TieredArchive(Archive):
    """New segments go to the folder; ``move`` takes them to the bucket."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.cold = BucketArchive(url, folder)

    def is_here(self, segment: Segment) -> bool:
        """Does it stand in the folder?"""
        return (self.folder / segment.path).exists()

    def move(self, segment: Segment) -> None:
        """To the bucket; when this returns it is there and no longer here.  Killed at any point, it stands
        whole in one of them at least, and moving it again completes it.

        Raises:
            DamagedSegment: it is not what was written here, or the bucket gives something else back.
        """
        self._lines(segment)
        packed, at = super()._packed(segment), super().received_at(segment)
        self.cold._write_packed(segment, packed, at)
        if self.cold._packed(segment) != packed and self.cold._lines(segment) != self._lines(segment):
            raise DamagedSegment(f"{self.cold.url} holds another {segment.path}: it stays here as well")
        self._note_moved(segment)
        super().remove(segment)

    def remove(self, segment: Segment) -> None:
        super().remove(segment)
        self.cold.remove(segment)
        self._write_moved(one for one in self._moved() if one != segment)

    def received_at(self, segment: Segment) -> float:
        return super().received_at(segment) if self.is_here(segment) else self.cold.received_at(segment)

    def segments(self) -> Iterator[Segment]:
        return _merged(super().segments(), self.cold.segments())

    def unmarked(self, marked: Set[str]) -> Iterator[Segment]:
        here = (one for one in super().segments() if one.name not in marked)
        there = (one for one in self._moved() if one.name not in marked and self.cold.has(one))
        return _merged(here, there)

    def _note_moved(self, segment: Segment) -> None:
        with disk_errors(f"write to the archive {self.folder}"), self._list().open("a") as file:
            file.write(f"\n{segment.name}\n")  # also behind a line that a crash cut off
            file.flush()
            os.fsync(file.fileno())

    def _moved(self) -> list[Segment]:
        """In order of receipt."""
        names = self._list().read_text().split()
        return sorted({segment for name in names if (segment := parse_name(name))}, key=_place)

    def _list(self) -> Path:
        """Made out of what the bucket has where it is missing."""
        path = self.folder / MOVED
        if not path.exists():
            self._write_moved(self.cold.segments())
        return path

    def _write_moved(self, segments: Iterable[Segment]) -> None:
        text = "".join(f"{one.name}\n" for one in segments)
        with disk_errors(f"write to the archive {self.folder}"):
            write_durably(self.folder / MOVED, text.encode(), TEMPORARY, time.time())

    def records(self, segment: Segment) -> Iterator[Record]:
        return super().records(segment) if self.is_here(segment) else self.cold.records(segment)

    def _lines(self, segment: Segment) -> list[bytes]:
        return super()._lines(segment) if self.is_here(segment) else self.cold._lines(segment)


def _place(segment: Segment) -> str:
    return str(segment.path)


def _merged(here: Iterable[Segment], there: Iterable[Segment]) -> Iterator[Segment]:
    """Both in order, each once."""
    before = None
    for segment in merge(here, there, key=_place):
        if segment != before:
            yield segment
        before = segment


def begin(folder: Path, url: str, at: float) -> None:
    """From now on this bucket has what is moved; before anything is.

    Raises:
        FanousError: another one has some already.
    """
    known = tiered(folder)
    if known and known != url:
        raise FanousError(
            f"older segments of {folder} lie in {known}: name that bucket in [retention], or copy what it "
            f"holds to {url} and write that address into {folder / COLD}"
        )
    if not known:
        with disk_errors(f"write to the archive {folder}"):
            write_durably(folder / COLD, f"{url}\n".encode(), TEMPORARY, at)
