"""Delay: a separate program in the core that holds every packet crossing the border for a fixed time.

Many machines lack netem, and without a delay every injector loses its race.  Since the delay is the same for all
packets, they leave in order of arrival, and one message releases many.
"""

import os
import select
import sys
import time
from collections import deque

from fanous_lab.netqueue import Netqueue

QUEUE = 0

SLACK = 0.0005
"""Seconds by which packets may leave early, so that a burst leaves together."""


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
"""Take precedence over other processes: waiting for a processor would lengthen the delay."""

if __name__ == "__main__":
    os.nice(NICENESS)
    hold(Netqueue(QUEUE, with_payload=False), float(sys.argv[1]) / 1000)
