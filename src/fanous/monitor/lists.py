"""Lists: says which published lists of sites a monitor lacks, and renews those that its operator has fetched.

Readers see no name of a site that is on no list, so a monitor without lists shows hardly any.  Their licence is the
operator's to accept, so what was never fetched is only offered.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from logging import getLogger
from pathlib import Path

from fanous.base.confine import Grant
from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.instant import DAY
from fanous.pipeline.reader import Send, asking
from fanous.pipeline.scheduler import pause
from fanous.refdata.update import Updated, UpdateOutcome, download, update_lists
from fanous.refdata.watchlist import CITIZEN_LAB, lists_folder, pulled_file, pulled_lists

RENEWED_AFTER = 7 * DAY
"""Seconds after which a list is fetched again: the newest outlets are on no old one."""

log = getLogger("fanous.monitor")


def fetched(names: Sequence[str], folder: Path) -> list[Updated]:
    """The named lists, fetched by this process, and read and installed by one that reaches only their folder."""
    addresses = {CITIZEN_LAB.format(name=name) for name in names}

    def get(address: str) -> bytes:
        if address not in addresses:
            raise FanousError(f"{address} is none of the lists that were asked for")
        return download(address)

    grant = Grant(reads=(folder,), writes=(folder,), keeps_user=True)
    return list(asking(Updated, install, get, names, folder, about="lists of sites", wanted=str, grant=grant))


def install(get: Callable[[str], bytes], send: Send[Updated], names: Sequence[str], folder: Path) -> None:
    """Install the named lists; for a confined process."""
    for updated in update_lists(names, folder, fetch=get):
        send(updated)


class SiteLists:
    """Keeps the installed lists as they are published.

    Args:
        countries: that the monitor watches.
        now: the machine's clock, which dates files.
    """

    def __init__(self, countries: Collection[str], now: Callable[[], float] = time.time) -> None:
        self._countries, self._now = countries, now

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
            for done in fetched(due, folder) if due else ():
                line = log.warning if done.outcome is UpdateOutcome.FAILED else log.info
                line(logline("list_renewed", list=done.file, outcome=done.outcome, why=done.why or None))
        except (FanousError, OSError) as error:
            log.warning(logline("list_renewed", why=str(error)))
