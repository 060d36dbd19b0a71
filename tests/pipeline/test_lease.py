"""A country is one worker's for as long as it works there, and anybody's afterwards."""

import time
from pathlib import Path

from fanous.pipeline.lease import kept
from fanous.store.local import open_store

SECONDS = 1.5


def test_a_lease_is_held_for_as_long_as_the_work_lasts_and_no_longer(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        store.mark_undetected({"PK": (0.0, 1.0)})
        lease = store.lease(SECONDS)
        assert lease is not None
        with kept(store, lease, SECONDS):
            time.sleep(1.5 * SECONDS)
            assert store.leases() == [("PK", lease.worker)]
        assert store.leases() == []
        assert list(store.undetected()) == ["PK"], "what was not marked as detected waits for the next"
