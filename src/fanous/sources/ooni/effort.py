"""Effort: how much work one record may take before it is rejected as too costly.

Anyone can upload a record.  What reads one must end, so every kind of work that a record can ask for is either linear
in its bytes or counted here.  What is stored is limited by counts, so that a replay of the archive rejects what was
rejected before, on every machine; each count stands for about a second or two of work, and is more than ten times
what the largest real records need.  Only the search for addresses, which no replay repeats, also has a limit in
seconds.
"""

from collections.abc import Iterable, Iterator

from fanous.errors import Rejected
from fanous.model.measurement import Observation

MOST_STEPS = 2_000
"""Steps (lookups, connections, handshakes, requests, downloads) of one record, the helper's included.  Rules compare
each with all others, at 0.3 µs a pair.  The most in OONI's records that we have is 137."""

MOST_EVENTS_READ = 2_000_000
"""Network events that are looked at, once for each step of their transaction: 2 s.  Downloads have some thousands."""

MOST_REPAIRS = 20_000
"""Values of another type than their field's that are taken apart one by one, at 60 µs each."""

MOST_ANSWERS = 20_000
"""Addresses that all lookups of one record answered with: 2 s of rules.  The longest real answers have some dozens."""

MOST_LOOKUPS = 5_000_000
"""Texts shaped like an address that are looked up, at 0.5 to 3 µs each; real records have one for each ten bytes at
most, and the largest have 20 MB."""

MOST_SECONDS = 10.0
"""Processor time for the addresses of one record: three times what 20 MB of pages take on a laptop."""

DOOR_SECONDS = 2.0
"""The same where strangers send records and others wait behind them."""

MOST_ROWS_BYTES = 64 << 20
"""Bytes of all rows of one measurement in a table, as of one record in JSON."""


class TooCostly(Rejected):
    """The record asks for more work than any real one."""

    def __init__(self, why: str) -> None:
        super().__init__(f"too costly: {why}")


class Effort:
    """What one record has cost so far."""

    def __init__(self) -> None:
        self._steps = self._events = 0

    def steps(self, count: int) -> None:
        """So many further steps of a probe."""
        self._steps += count
        if self._steps > MOST_STEPS:
            raise TooCostly(f"it has more than {MOST_STEPS:,} steps, more than any real measurement")

    def events(self, count: int) -> None:
        """So many network events are looked at."""
        self._events += count
        if self._events > MOST_EVENTS_READ:
            raise TooCostly("its steps refer to more network events than those of any real measurement")


def bounded(steps: Iterable[Observation]) -> Iterator[Observation]:
    """The same steps.

    Raises:
        TooCostly: there are more than ``MOST_STEPS``, or more than ``MOST_ANSWERS`` in them.
    """
    answers = 0
    for count, one in enumerate(steps, 1):
        answers += len(one.answers)
        if count > MOST_STEPS:
            raise TooCostly(f"it has more than {MOST_STEPS:,} steps, more than any real measurement")
        if answers > MOST_ANSWERS:
            raise TooCostly(
                f"it has more than {MOST_ANSWERS:,} addresses in its lookups, more than any real measurement"
            )
        yield one
