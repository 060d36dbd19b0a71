"""Precedence: the lab's programs go before others on a busy machine - a packet that waits is a false finding.

Linux shares a machine among sessions before it looks at a process' own niceness (sched(7), autogroup), and
every program of the lab has a session of its own.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

NICENESS = -10
"""What a rehearsal needs is less than one core; it gets that from whoever has no such hurry."""


def put_first(pids: Iterable[int]) -> None:
    """As far as the kernel and our rights allow; a rehearsal works without it, where nothing else runs."""
    for pid in pids:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
        with suppress(OSError):
            Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS), encoding="ascii")
