"""A bundle from a store that keeps what OONI publishes by reference: the same as before, while the objects exist."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fanous.errors import FanousError
from fanous.model.instant import DAY, HOUR
from fanous.pipeline.pull_ooni import Wanted, pull
from fanous.pipeline.retain import Retention, carry_out, plan
from fanous.publish.evidence.pack import Gathered, gather, pack
from fanous.publish.evidence.verify import Result, verify
from fanous.publish.signer import make_key
from fanous.sources.ooni.bucket import Bucket
from fanous.store.local import open_store
from fanous_lab.evaluation.simulate import pakistan
from tests.sources.ooni.buckets import NAME, served, upload

NOW = datetime(2024, 3, 1, tzinfo=UTC).timestamp()
POLICY = Retention(references_days=0)


def began(row: dict[str, Any]) -> datetime:
    return datetime.strptime(row["measurement_start_time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def fill(folder: Path) -> None:
    """The generated event as OONI would have published it, a few hours in each object."""
    event = folder / "event.jsonl"
    pakistan.write(event)
    objects: dict[tuple[datetime, str, str], list[dict[str, Any]]] = {}
    for line in event.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        row.pop("measurement_uid", None)
        at = began(row)
        uploaded = at.replace(minute=0, second=0, hour=at.hour // 6 * 6) + timedelta(hours=6)
        objects.setdefault((uploaded, row["probe_cc"], row["test_name"]), []).append(row)
    for (uploaded, _, _), rows in objects.items():
        upload(folder, rows, uploaded, kinds=("tar",))


@pytest.mark.matrix
def test_a_bundle_from_a_thinned_store_is_that_of_the_whole_one(tmp_path: Path) -> None:
    """Stores are closed before a bundle is packed: packing computes in a store of its own."""
    (tmp_path / NAME).mkdir()
    fill(tmp_path)
    key = make_key(tmp_path / "key.pem")
    asked = Wanted("PK", NOW - 90 * DAY, NOW)

    def packed(gathered: Gathered, name: str) -> bytes:
        pack(gathered, tmp_path / name, key, NOW)
        return (tmp_path / name).read_bytes()

    clock = [NOW]
    with served(tmp_path) as address, open_store(tmp_path / "store", clock=lambda: clock[0]) as store:
        assert not pull(store, Bucket(address), asked, tmp_path / "fetched", now=lambda: NOW).failures
        (incident,) = store.ledger.incidents("PK")
        before = gather(store, incident.id)
        clock[0] += 2 * HOUR  # the age of a segment is known once its hour is over
        due = plan(store, POLICY)
        assert sum(map(len, due.needed.values())) > 0
        assert carry_out(store, due).referenced > 0
        after = gather(store, incident.id)
        # What nothing protects: every record is fetched again, and where that is impossible, it is said.
        carry_out(store, replace(plan(store, POLICY), needed={}))
        from_publisher = gather(store, incident.id)
        shutil.rmtree(tmp_path / NAME)
        with pytest.raises(FanousError, match=r"tar.gz.* no longer has it; .* kept there by reference"):
            gather(store, incident.id)
    whole = packed(before, "whole.fan")
    assert packed(after, "thinned.fan") == whole
    assert packed(from_publisher, "fetched.fan") == whole
    assert verify(tmp_path / "fetched.fan").result is Result.MATCH
