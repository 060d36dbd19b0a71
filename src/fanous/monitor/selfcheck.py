"""Selfcheck: the running monitor looks at itself; what falls ill or recovers is a line in the log."""

import asyncio
import time
from collections.abc import Callable, Sequence
from logging import getLogger
from pathlib import Path

from fanous.collector.inbox import backlogs
from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.spell import Spell
from fanous.pipeline.scheduler import pause
from fanous.pipeline.vitals.ailments import Ailment, find_ailments
from fanous.pipeline.vitals.examine import examine
from fanous.pipeline.vitals.exposition import metrics
from fanous.pipeline.vitals.vitals import Vitals
from fanous.probe.metrics import Metric
from fanous.store.ask import Ask
from fanous.store.protocol import Store

EVERY = 60.0
"""Seconds of the machine between two looks; each takes the store's thread for some tens of milliseconds."""

STALE = 600.0
"""Seconds: without a look for so long the store's thread hangs, or one piece of work holds it."""

log = getLogger("fanous.monitor")


class Selfcheck:
    """Args:
    folders: on the disks that are written to.

    clock: the machine's.

    Attributes:
        ailments: as of the last look.
        feed: of these and of those that ended lately, each with its times, as of the last look.
    """

    def __init__(
        self,
        ask: Ask,
        folders: Sequence[Path],
        inboxes: Sequence[Path],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ask, self._folders, self._inboxes, self._clock = ask, tuple(folders), tuple(inboxes), clock
        self._seen: Vitals | None = None
        self._looked = time.monotonic()
        self.ailments: list[Ailment] = []
        self.feed: list[Spell] = []

    async def watch(self, stop: asyncio.Event) -> None:
        """Until stopped."""
        while not stop.is_set():
            await self.look()
            await pause(stop, EVERY)

    async def look(self) -> None:
        known = self._seen.undetected if self._seen else {}
        machine_at = self._clock()

        def seen(store: Store) -> Vitals:
            return examine(store, self._folders, backlogs(self._inboxes), machine_at, known)

        self._seen = await self._ask(seen)
        self._looked = time.monotonic()
        self._tell(find_ailments(self._seen))
        await self._note()

    async def _note(self) -> None:
        """In the ledger.  A disk that is full is an ailment itself, so that this may be what fails."""
        now = self._clock()
        found = {(one.kind, one.about): (one.says, one.mend) for one in self.ailments}

        def noted(store: Store) -> list[Spell]:
            store.note_ailments(found, now)
            return store.ailments(now)

        try:
            self.feed = await self._ask(noted)
        except FanousError as error:
            log.warning(logline("ailments_not_kept", why=str(error)))

    def unready(self) -> str:
        """Why no work can be given to this monitor now; empty = it can."""
        if self._seen is None:
            return "starting: the store has not answered yet"
        age = time.monotonic() - self._looked
        if age > STALE:
            return f"the store has not answered for {age:.0f} seconds"
        full = next((one for one in self.ailments if one.kind == "disk_low"), None)
        return full.says if full else ""

    def figures(self) -> list[Metric]:
        """For Prometheus; none before the first look."""
        return metrics(self._seen, self.ailments) if self._seen else []

    def _tell(self, ailments: list[Ailment]) -> None:
        before = {(one.kind, one.about) for one in self.ailments}
        now = {(one.kind, one.about) for one in ailments}
        for one in ailments:
            if (one.kind, one.about) not in before:
                log.warning(logline("ailing", kind=one.kind, about=one.about, says=one.says, mend=one.mend))
        for kind, about in sorted(before - now):
            log.info(logline("well_again", kind=kind, about=about))
        self.ailments = ailments
