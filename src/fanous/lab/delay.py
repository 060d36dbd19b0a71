"""Delay: holds every packet that crosses the border for a fixed time; a program of its own, in the core.

There is no netem on many machines, and without a delay every injector loses its race.  Since the delay is the
same for all packets, they leave in the order in which they came, and one message releases many.
"""

import os
import select
import sys
import time
from collections import deque

from fanous.lab.netqueue import Netqueue

QUEUE = 0

SLACK = 0.0005
"""Seconds by which packets may leave early, so that those of one burst leave together."""


def hold(queue: Netqueue, seconds: float) -> None:
    """Run until the process is ended."""
    waiting: deque[tuple[float, int]] = deque()
    patience: float | None = None
    while True:
        select.select([queue], [], [], patience)
        now = time.monotonic()
        due = now + seconds
        waiting.extend((due, packet.number) for packet in queue.received())
        last = -1
        while waiting and waiting[0][0] <= now + SLACK:
            last = waiting.popleft()[1]
        if last >= 0:
            queue.accept_up_to(last)
        patience = max(waiting[0][0] - time.monotonic(), 0) if waiting else None


NICENESS = -15
"""Before what else the machine does: a delay that waits for a processor is a longer one."""

if __name__ == "__main__":
    os.nice(NICENESS)
    hold(Netqueue(QUEUE, with_payload=False), float(sys.argv[1]) / 1000)
