"""Follow: counts a country's routes while RIS Live says how they change, and stores a count a bin.

What was missed while the stream was down is unknown: the bins of a gap are not recorded, and routes that changed in it
stay wrong until the next table is loaded.  Table and stream are read in a confined process (``changes``).
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from fanous.errors import FanousError, Rejected
from fanous.log import logline
from fanous.model.series import SourceSeries
from fanous.pipeline.reader import Send
from fanous.pipeline.series import Bring
from fanous.sources.signals.mrt import country_of, routes
from fanous.sources.signals.ris import Ris, apply, listen
from fanous.sources.signals.visibility import STEP, RecordedRoute, Visibility

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds before reconnecting to a stream; doubled each time the connection fails at once."""

log = logging.getLogger("fanous.pipeline.follow")


def table_of(path: Path, country: str) -> Visibility:
    """The routes of a table to a country's prefixes.

    Raises:
        FanousError: it cannot be read, or holds no route.
    """
    visibility = Visibility(country, country_of)
    for _, _, peer, prefix, origin in routes(path):
        visibility.load(peer, prefix, origin)
    if not visibility.sizes:
        raise FanousError(f"{path}: cannot read any route in this table")
    return visibility


@dataclass(slots=True)
class RoutingStream:
    """Counts one country's routes while messages come.

    Attributes:
        networks: networks that were ever visible.
        bin: beginning of the current bin; ``None`` = no whole bin yet.
    """

    visibility: Visibility
    networks: set[int] = field(default_factory=set)
    bin: int | None = None

    def counts(self, messages: Iterable[str | bytes]) -> Iterator[RecordedRoute]:
        """A count at the end of every whole bin.  A stream that begins within a bin leaves that one out; messages
        that cannot be used count for nothing."""
        self.bin = None
        for message in messages:
            try:
                at = apply(message, self.visibility)
            except Rejected:
                continue
            if at is None:
                continue
            start = int(at) // STEP * STEP
            if self.bin is None:
                self.bin = start + STEP
            elif start > self.bin:
                count = self.visibility.count()
                self.networks |= count.networks.keys()
                yield RecordedRoute(Ris.name, self.visibility.country, {self.bin: count})
                self.bin = start


class Change(NamedTuple):
    """What happened to a stream: a bin is over, or it broke off.

    Attributes:
        series: the counts of that bin.
        broke_off: why; empty = it did not.
        again_in: seconds until the next connection.
    """

    series: tuple[SourceSeries, ...] = ()
    broke_off: str = ""
    again_in: float = 0.0


def changes(send: Send[Change], country: str, table: Path, collector: str, address: str) -> None:
    """Everything that happens; for a confined process, which reaches the table and the internet.

    Raises:
        FanousError: the table cannot be used.
    """
    listening(RoutingStream(table_of(table, country)), lambda: listen(collector, address), send)


def listening(
    stream: RoutingStream,
    listen: Callable[[], Iterator[str | bytes]],
    send: Send[Change],
    *,
    tries: int | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Count, and reconnect if the stream fails.

    Args:
        tries: connections after which it ends; ``None`` = never.
    """
    pause, connection = FIRST_PAUSE, 0
    while tries is None or connection < tries:
        connection += 1
        try:
            for recorded in stream.counts(listen()):
                send(Change(tuple(recorded.levels(stream.networks))))
                pause = FIRST_PAUSE
        except FanousError as error:
            send(Change(broke_off=str(error), again_in=pause))
        if tries is None or connection < tries:
            sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def follow(bring: Bring, stream: Iterable[Change]) -> int:
    """Store and detect at every bin; returns how many were stored.

    Args:
        bring: stores series, and detects (``pipeline.jobs.BringSeries``).
    """
    stored = 0
    for change in stream:
        if change.broke_off:
            log.warning(logline("stream_broke_off", again_in=change.again_in, why=change.broke_off))
        else:
            bring(change.series)
            stored += 1
    return stored
