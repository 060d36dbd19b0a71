"""RIS Live: counts routing changes as they arrive, and writes a count per bin to the store.

What was missed while the stream was away is not known: the bins of a gap are not recorded, and routes that
changed in it stay wrong until the next table is loaded.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fanous.errors import FanousError, Rejected
from fanous.log import logline
from fanous.pipeline.series import put_series
from fanous.pipeline.stages import detect_all
from fanous.sources.signals.mrt import country_of, routes
from fanous.sources.signals.ris import SOURCE, apply
from fanous.sources.signals.visibility import STEP, RecordedRoute, Visibility
from fanous.store.protocol import Store

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds before a stream that broke off is asked for again; doubled each time it breaks off at once."""

log = logging.getLogger("fanous.pipeline.ris_live")


def table_of(path: Path, country: str) -> Visibility:
    """The routes of a table to a country's prefixes.

    Raises:
        FanousError: it cannot be read, or holds no route.
    """
    visibility = Visibility(country, country_of)
    for _, _, peer, prefix, origin in routes(path):
        visibility.load(peer, prefix, origin)
    if not visibility.sizes:
        raise FanousError(f"{path}: no route of this table can be read")
    return visibility


@dataclass(slots=True)
class RoutingStream:
    """Counts one country's routes while messages come.

    Attributes:
        networks: that were ever visible.
        bin: beginning of the bin that goes on; ``None`` = none was whole yet.
        rejected: messages that could not be used.
    """

    visibility: Visibility
    networks: set[int] = field(default_factory=set)
    bin: int | None = None
    rejected: int = 0

    def counts(self, messages: Iterable[str | bytes]) -> Iterator[RecordedRoute]:
        """A count at the end of every whole bin.  A stream that begins within a bin leaves that one out."""
        self.bin = None
        for message in messages:
            try:
                at = apply(message, self.visibility)
            except Rejected:
                self.rejected += 1
                continue
            if at is None:
                continue
            start = int(at) // STEP * STEP
            if self.bin is None:
                self.bin = start + STEP
            elif start > self.bin:
                yield self._recorded(self.bin)
                self.bin = start

    def _recorded(self, start: int) -> RecordedRoute:
        count = self.visibility.count()
        self.networks |= count.networks.keys()
        return RecordedRoute(SOURCE, self.visibility.country, {start: count})


def follow(
    store: Store,
    stream: RoutingStream,
    listen: Callable[[], Iterator[str | bytes]],
    *,
    tries: int | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Store and detect at every bin, and connect again where the stream breaks off.

    Args:
        tries: connections after which it ends; ``None`` = never.

    Returns:
        Bins that were stored.
    """
    stored = 0
    pause = FIRST_PAUSE
    connection = 0
    while tries is None or connection < tries:
        connection += 1
        try:
            for recorded in stream.counts(listen()):
                put_series(store, list(recorded.levels(stream.networks)))
                detect_all(store)
                stored += 1
                pause = FIRST_PAUSE
        except FanousError as error:
            log.warning(logline("stream_broke_off", again_in=pause, why=str(error)))
        if tries is None or connection < tries:
            sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
    return stored
