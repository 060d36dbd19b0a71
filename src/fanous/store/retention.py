"""Retention: what keeps a store from growing without end (``fanous.pipeline.retain`` decides)."""

from collections.abc import Sequence
from typing import Protocol

from fanous.store.facts import Window
from fanous.store.segment import Segment


class Keeping(Protocol):
    """A part of ``Store``."""

    def observations_before(self, before: float, kept: Sequence[Window]) -> int:
        """Rows of observations that were made before an instant.

        Args:
            kept: country, first and last instant: what lies within them does not count.
        """

    def drop_observations(self, before: float, kept: Sequence[Window]) -> None:
        """Take those rows out.  Measurements, verdicts and raw records stay, so that every conclusion does,
        and ``replace_verdicts`` brings them back."""

    def movable(self, before: float) -> list[Segment]:
        """Whole segments, received before an instant, that lie in a local folder; in order of receipt."""

    def move(self, segment: Segment, url: str) -> None:
        """Take a segment of the local archive to the bucket; it is read from there from then on.

        Raises:
            DamagedSegment: it cannot be read, and stays where it is.
            FanousError: the bucket cannot be written, or another one has older segments already.
        """
