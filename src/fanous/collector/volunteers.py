"""Volunteers: on which days a proved pseudonym has measured, and so whether it is that of a known volunteer.

A credential that is a minute old says nothing about its owner (``collector.credentials``); one that has measured on
the same network for weeks had to be prepared before anyone knew what for.  A known volunteer counts for more than a
stranger (``analysis.incidents.confirm``).

What is kept is the keyed digest of each pseudonym and the days on which it measured, for sixty days.  The collector
decides when it receives a measurement and writes the answer into the record, so that those who read it later, in a
bundle too, need no history.
"""

import logging
import os
import re
from contextlib import suppress
from pathlib import Path

from fanous.base.files import disk_errors, make_folder
from fanous.log import logline
from fanous.model.instant import DAY, to_iso

log = logging.getLogger("fanous.collector")

WITHIN = 60
"""Days for which it is known that a pseudonym measured, today not included."""

LEAST_DAYS = 10
"""Days of these on which a known volunteer has measured: one in six, as people do who open an app now and then."""

LEAST_AGE = 30
"""Days since the first of them: an election, a trial or a rally is announced some weeks before."""

FOLDER = ".days"
"""Ending of the folder next to the keys of the credentials; it has one file a day, with a digest in each line."""

_FILE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGEST = re.compile(r"[0-9a-f]{32}")


class Volunteers:
    """The days of each pseudonym; belongs to one event loop.

    Attributes:
        folders: in which it writes: the one, or none if it could not be made.

    Args:
        folder: where they are kept; made if it is missing.
        now: unix seconds, UTC.

    Raises:
        FanousError: those that are there cannot be read.
    """

    def __init__(self, folder: Path, now: float) -> None:
        self._folder = folder
        self._days: dict[str, set[int]] = {}
        self._today = int(now // DAY)
        self._places, self._names = dict[str, str](), dict[str, str]()
        try:
            make_folder(folder)
        except OSError as error:  # the keys may be on a read-only disk
            log.warning(logline("days_not_kept", why=error))
            self.folders: tuple[Path, ...] = ()
            return
        self.folders = (folder,)
        with disk_errors(f"read the volunteers' days in {folder}"):
            for path in folder.iterdir():
                if _FILE.fullmatch(path.name) and path.name < self._file(self._today - WITHIN).name:
                    path.unlink()
            for day in range(self._today - WITHIN, self._today + 1):
                with suppress(FileNotFoundError):
                    for name in _DIGEST.findall(self._file(day).read_text()):
                        self._days.setdefault(name, set()).add(day)

    def has_measured(self, name: str, place: str, now: float) -> bool:
        """Note that a pseudonym measured today, and say whether it is a known volunteer's.

        In a day, a pseudonym counts in one block of addresses, and a block for one pseudonym, whichever came first:
        with several lines one is still one volunteer, and a line on which hundreds were asked for makes one known.

        Args:
            name: digest of the pseudonym, which differs by network.
            place: the sender's block of addresses (/24 or /48), under any name that holds for today.
            now: unix seconds, UTC.
        """
        today = int(now // DAY)
        if today != self._today:
            self._begin(today)
        pair = self._places.setdefault(name, place), self._names.setdefault(place, name)
        if pair != (place, name):
            return False
        days = self._days.setdefault(name, set())
        if today not in days:
            days.add(today)
            self._write(name)
        before = [day for day in days if today - WITHIN <= day < today]
        return len(before) >= LEAST_DAYS and min(before) <= today - LEAST_AGE

    def _begin(self, today: int) -> None:
        """Forget the days that no longer count; a confined process may not list the folder."""
        for day in range(self._today - WITHIN, today - WITHIN)[-2 * WITHIN :]:
            with suppress(OSError):
                self._file(day).unlink()
        self._today, self._places, self._names = today, {}, {}
        counted = {one: {day for day in days if day >= today - WITHIN} for one, days in self._days.items()}
        self._days = {one: days for one, days in counted.items() if days}

    def _write(self, name: str) -> None:
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            with os.fdopen(os.open(self._file(self._today), flags, 0o600), "w") as file:
                file.write(f"{name}\n")
        except OSError as error:  # it costs a volunteer one day
            log.warning(logline("day_not_kept", why=error))

    def _file(self, day: int) -> Path:
        return self._folder / to_iso(day * DAY)[:10]
