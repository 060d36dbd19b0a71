"""A country belongs to one worker for as long as it works there, and is free afterwards."""

import time
from pathlib import Path

from fanous.pipeline.revise import kept
from fanous.store.local import open_store

SECONDS = 1.5


def test_a_lease_is_held_for_as_long_as_the_work_lasts_and_no_longer(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        store.ledger.mark_undetected({"PK": (0.0, 1.0)})
        lease = store.ledger.lease(SECONDS)
        assert lease is not None
        with kept(store, lease, SECONDS):
            time.sleep(1.5 * SECONDS)
            assert store.ledger.leases() == [("PK", lease.worker)]
        assert store.ledger.leases() == []
        assert list(store.ledger.undetected()) == ["PK"], "what was not marked as detected waits for the next"
