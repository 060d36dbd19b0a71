"""Lists: says which published lists of sites a monitor lacks, and renews those that its operator has fetched.

Readers see no name of a site that is on no list, so a monitor without lists shows hardly any.  Their licence is the
operator's to accept, so what was never fetched is only offered.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from logging import getLogger

from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.instant import DAY
from fanous.pipeline.scheduler import pause
from fanous.refdata.update import Updated, UpdateOutcome, update_lists
from fanous.refdata.watchlist import lists_folder, pulled_file, pulled_lists

RENEWED_AFTER = 7 * DAY
"""Seconds after which a list is fetched again: the newest outlets are on no old one."""

log = getLogger("fanous.monitor")


class SiteLists:
    """Keeps the installed lists as they are published.

    Args:
        countries: that the monitor watches.
        now: the machine's clock, which dates files.
        update: fetches and installs lists.
    """

    def __init__(
        self,
        countries: Collection[str],
        now: Callable[[], float] = time.time,
        update: Callable[..., list[Updated]] = update_lists,
    ) -> None:
        self._countries, self._now, self._update = countries, now, update

    async def keep(self, stop: asyncio.Event) -> None:
        """Run until stopped."""
        while not stop.is_set():
            await asyncio.to_thread(self.renew)
            await pause(stop, DAY)

    def offer(self) -> None:
        """Say which lists were never fetched."""
        wanted = {"global", *(country.lower() for country in self._countries)}
        if lacking := sorted(wanted - set(pulled_lists(lists_folder()))):
            command = " ".join(("fanous refdata lists", *sorted(self._countries)))
            why = f"names on no list are withheld from readers; `{command}` fetches them"
            log.warning(logline("lists_missing", lists=",".join(lacking), why=why))

    def renew(self) -> None:
        """Fetch again what was fetched long ago; a list that cannot be fetched stays as it is."""
        folder = lists_folder()
        try:
            due = [
                name
                for name in pulled_lists(folder)
                if self._now() - (folder / pulled_file(name)).stat().st_mtime > RENEWED_AFTER
            ]
            for done in self._update(due, folder):
                line = log.warning if done.outcome is UpdateOutcome.FAILED else log.info
                line(logline("list_renewed", list=done.file, outcome=done.outcome, why=done.why or None))
        except (FanousError, OSError) as error:
            log.warning(logline("list_renewed", why=str(error)))
