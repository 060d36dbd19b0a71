"""Lease: lets one process at a time work on a country, and renews its hold while it does."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from logging import getLogger

from fanous.errors import FanousError
from fanous.log import logline
from fanous.store.leases import LEASE_SECONDS, Lease, LeaseLost
from fanous.store.protocol import Store

RENEWALS = 3
"""In the time that a lease lasts: two may fail before it is lost."""

WAIT = 120.0
"""Seconds that a person waits for a country which a worker has: longer than the slowest country took."""

POLL = 0.2

log = getLogger("fanous.detect")


@contextmanager
def kept(store: Store, lease: Lease, seconds: float = LEASE_SECONDS) -> Iterator[None]:
    """Renew a lease for as long as the work goes on, and write only under it.

    It is given back at the end, unless it was marked as detected.
    """
    ended = threading.Event()
    renewing = threading.Thread(
        target=_renew, args=(store, lease, seconds, ended), name="renewing", daemon=True
    )
    renewing.start()
    try:
        with store.holding(lease):
            yield
    finally:
        ended.set()
        renewing.join()
        store.give_back(lease)


def _renew(store: Store, lease: Lease, seconds: float, ended: threading.Event) -> None:
    while not ended.wait(seconds / RENEWALS):
        try:
            store.renew(lease, seconds)
        except LeaseLost:
            log.warning(logline("lease_lost", country=lease.country, worker=lease.worker))
            return  # its next write says so to who works
        except FanousError as error:
            log.warning(logline("not_renewed", country=lease.country, why=str(error)))


@contextmanager
def alone_with(store: Store, country: str) -> Iterator[Lease]:
    """No worker detects in the country meanwhile; waits for the one that does.

    Raises:
        FanousError: it takes too long.
    """
    until = time.monotonic() + WAIT
    while (lease := store.lease(country=country)) is None:
        if time.monotonic() > until:
            who = dict(store.leases()).get(country, "another process")
            raise FanousError(
                f"{country} is being detected by {who} all the time: try again", permanent=False
            )
        time.sleep(POLL)
    with kept(store, lease):
        yield lease
