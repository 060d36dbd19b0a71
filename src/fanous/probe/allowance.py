"""Allowance: how much data a probe may use in a day, and how often it measures.

All processes of a probe share one budget.  A process reserves a block on disk before it spends it, and
returns what is left when it ends.  A killed process has counted up to one block too much, never too little.

Rounds are repeated with jitter.  Around an announced event an organisation's own vantage points speed up; a
volunteer's never do: no one should be put at risk by an announcement, and a crowd of volunteers measuring an
event would be noticed.
"""

import fcntl
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec

from fanous.base.files import make_folder, read_regular
from fanous.errors import FanousError
from fanous.model.event import AnnouncedEvent
from fanous.probe.net.network import Meter, OverCap

BLOCK = 262_144
"""Bytes reserved at once: a fortieth of a mobile line's daily cap; a fixed line's has 200 such blocks."""

UNKNOWN = 1 << 62
"""Bytes counted for a day on which the count could not be read: more than any cap, so that none is exceeded."""

LARGEST = 1 << 10
"""Bytes that the file with the count may have; it has some forty."""


class DayMeter(Meter):
    """A meter whose count all processes of a probe share.

    Args:
        folder: the probe's.
        most: bytes a day; ``None`` = usage is counted but never refused.
        now: unix seconds, UTC; everything spent counts for this day.
    """

    def __init__(self, folder: Path, most: int | None, now: float) -> None:
        self._folder, self._day = folder, day_of(now)
        self._own = self._aside = 0
        super().__init__(most, _counted(folder, self._day))
        if self.spent >= UNKNOWN:
            self._set_aside(0)  # so that the file can be read again tomorrow

    def check(self) -> None:
        if self.most is not None and self.spent >= UNKNOWN:
            raise OverCap(
                f"{_place(self._folder)} could not be read, so it is not known how much data was used today: all of "
                "the data cap counts as used; measuring continues tomorrow"
            )
        super().check()

    def spend(self, count: int) -> None:
        self._own += count
        self.spent += count
        if self._own > self._aside:
            self._set_aside(self._own - self._aside + BLOCK)
        self.check()

    def give_back(self) -> None:
        """Return what was reserved and not spent.  Called at the end, however it came about."""
        if self._aside:
            self._set_aside(self._own - self._aside)

    def _set_aside(self, count: int) -> None:
        with _alone(self._folder):
            if self._day != day_of(time.time()) == _read(self._folder)[0]:
                return  # midnight has passed, and another process counts for the new day
            before = _counted(self._folder, self._day)
            _write(self._folder, self._day, before + count)
        others = before - self._aside
        self._aside += count
        self.spent = max(self.spent, others + self._own)


@contextmanager
def day_meter(folder: Path, most: int | None, now: float) -> Iterator[DayMeter]:
    """A context in which everything spent counts for the day.

    Raises:
        FanousError: the folder cannot be written, so no cap could be enforced.
    """
    meter = DayMeter(folder, most, now)
    try:
        yield meter
    finally:
        meter.give_back()


def day_of(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")


def _place(folder: Path) -> Path:
    return folder / "used.json"


def _counted(folder: Path, day: str) -> int:
    of, count = _read(folder)
    return count if of == day or not of else 0


class _Count(msgspec.Struct):
    day: str
    bytes: Annotated[int, msgspec.Meta(ge=0)]


def _read(folder: Path) -> tuple[str, int]:
    """The day being counted, and its bytes; a count that cannot be read may be of any day."""
    try:
        count = msgspec.json.decode(read_regular(_place(folder), LARGEST, "a count"), type=_Count)
    except FileNotFoundError:
        return "", 0
    except (OSError, FanousError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return "", UNKNOWN
    return count.day, count.bytes


def _write(folder: Path, day: str, count: int) -> None:
    place = _place(folder)
    fresh = place.with_suffix(".new")
    try:
        fresh.write_bytes(msgspec.json.encode(_Count(day, count)))
        fresh.replace(place)
    except OSError as error:
        raise FanousError(
            f"cannot write {place}, so the data cap cannot be enforced: {error.strerror}"
        ) from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keeps other processes from counting at the same time."""
    try:
        make_folder(folder)
        descriptor = os.open(folder / "used.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise FanousError(
            f"cannot write {folder}, so the data cap cannot be enforced: {error.strerror}"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


VOLUNTEER_LEAST = 600.0
"""Fewest seconds between two measurements of one target from a volunteer's line."""

ORGANISATION_LEAST = 60.0
"""The same for an organisation's own vantage point."""

JITTER = 0.2
"""Share of the interval by which a round may come early or late, so that many probes do not measure in step."""


def least_interval(*, organisation: bool) -> float:
    """Fewest seconds between two rounds."""
    return ORGANISATION_LEAST if organisation else VOLUNTEER_LEAST


def check_interval(seconds: float, *, organisation: bool) -> None:
    """Refuse an interval that is not safe.

    Raises:
        FanousError: it is too short.
    """
    least = least_interval(organisation=organisation)
    if seconds < least:
        hint = "" if organisation else "; use --organisation on an organisation's own vantage point"
        raise FanousError(f"a round every {seconds:.0f} s is too fast: at least {least:.0f} s here{hint}")


def pause(seconds: float, least: float, chance: random.Random) -> float:
    """Seconds until the next round; jitter never makes it faster than ``least``."""
    return max(least, seconds * chance.uniform(1 - JITTER, 1 + JITTER))


def repeat(
    one_round: Callable[[int], None],
    seconds: float | Callable[[], float],
    least: float,
    *,
    rounds: int = 0,
    chance: random.Random | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Call ``one_round`` with its number, from 0; ``rounds`` 0 = until interrupted.

    ``seconds`` may be a function, called before each pause.  The pause begins when a round ends, so a long
    round is never followed by the next one at once.
    """
    number, dice = 0, chance or random.Random()
    while True:
        one_round(number)
        number += 1
        if number == rounds:
            return
        sleep(pause(seconds() if callable(seconds) else seconds, least, dice))


BEFORE = 12 * 3600.0
"""Seconds before an event at which a probe speeds up: a restriction may begin before the event it targets."""

AFTER = 6 * 3600.0
"""Seconds after its end until which it stays fast: the end of a restriction is a finding too."""


def cadence(
    ordinary: float, now: float, events: Iterable[AnnouncedEvent], *, organisation: bool, country: str = ""
) -> float:
    """Seconds until the next round.

    Args:
        ordinary: the interval far from any event, in seconds.
        now: unix seconds.
        country: the probe's; events in other countries change nothing.  Empty = unknown: every event counts.
    """
    least = least_interval(organisation=organisation)
    if not organisation:
        return max(ordinary, least)
    is_near = any(
        event.start - BEFORE <= now < event.end + AFTER and country in ("", event.country) for event in events
    )
    return max(least, min(ordinary, ORGANISATION_LEAST)) if is_near else max(ordinary, least)
