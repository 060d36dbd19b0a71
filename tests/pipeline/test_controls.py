"""Controls from abroad: pulled where nothing else is lacking, and from where nothing is known to have happened."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any

import pytest

from fanous.model.instant import DAY, HOUR
from fanous.pipeline import detect
from fanous.pipeline.controls import pull_controls, wanted_controls
from fanous.pipeline.pull_ooni import Wanted
from fanous.pipeline.pulls import PullMeasurements
from fanous.sources.ooni.bucket import Bucket
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.pipeline.test_alternatives import EVENT, JAZZ, PTCL, WEEK_BEFORE, measured
from tests.shared_data import shared_file
from tests.sources.ooni.buckets import served, upload_day
from tests.store.cases import NOON


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store", clock=lambda: NOON + DAY) as opened:
        yield opened


def failed(store: Store, country: str, target: str, *networks: int) -> None:
    """It worked for a week, and failed for five hours."""
    for asn in networks:
        before = measured(country, asn, [*WEEK_BEFORE, -3, -2, -1], fails=False, target=target)
        then = measured(country, asn, EVENT, fails=True, target=target)
        store.append([*before, *then], rules_version="1")
    detect.detect(store, country, NOON - HOUR, NOON + 9 * HOUR)


def test_a_messenger_that_may_be_down_is_looked_for_in_the_hours_in_which_it_failed(store: Store) -> None:
    failed(store, "PK", "telegram", PTCL, JAZZ)
    wanted = wanted_controls(store, "PK", NOON - DAY, inf)
    assert {one.country for one in wanted} == {"DE", "US", "IT"}
    assert {one.tests for one in wanted} == {("telegram",)}
    assert {(one.since - NOON) / HOUR for one in wanted} == {-1, 0, 1, 2, 3}, (
        "an hour before each that failed"
    )
    assert {one.until - one.since for one in wanted} == {3 * HOUR}


def test_a_country_in_which_it_fails_too_is_no_control(store: Store) -> None:
    failed(store, "DE", "telegram", 3320, 3209)
    failed(store, "PK", "telegram", PTCL, JAZZ)
    assert {one.country for one in wanted_controls(store, "PK", NOON - DAY, inf)} == {"US", "IT", "BR"}


def test_sites_bring_controls_of_their_own_and_quiet_countries_need_none(store: Store) -> None:
    failed(store, "PK", "x", PTCL, JAZZ)
    assert store.ledger.incidents("PK"), "it is suspected"
    assert wanted_controls(store, "PK", NOON - DAY, inf) == []
    assert wanted_controls(store, "KE", NOON - DAY, inf) == []


def test_a_bucket_that_is_out_of_reach_is_a_failure_and_no_other_is_asked(
    store: Store, tmp_path: Path
) -> None:
    failed(store, "PK", "telegram", PTCL, JAZZ)
    bucket = Bucket("http://127.0.0.1:1", patience=timedelta(seconds=0.1))
    wanted = wanted_controls(store, "PK", NOON - DAY, inf)
    (pulled,) = pull_controls(store, bucket, wanted, tmp_path, lambda: NOON + DAY)
    assert (pulled.objects, pulled.missing) == (0, 1)
    assert "127.0.0.1:1" in pulled.failures[0][1]


@pytest.mark.shared_data
def test_a_monitor_of_one_country_confirms(tmp_path: Path) -> None:
    """Telegram and WhatsApp in Ethiopia in June 2019: only Ethiopia is asked for, and its controls are brought."""
    days: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for name in ("ethiopia_2019-06", "ethiopia_2019-06_made_up_controls"):
        with gzip.open(shared_file(f"ooni/{name}.jsonl.gz"), "rt", encoding="utf-8") as lines:
            for record in map(json.loads, lines):
                key = (record["probe_cc"], record["test_name"], record["measurement_start_time"][:10])
                days.setdefault(key, []).append(record)
    since, until = (datetime(2019, month, day, tzinfo=UTC).timestamp() for month, day in ((5, 1), (6, 20)))
    with served(tmp_path) as address:
        for (_, _, day), records in days.items():
            upload_day(tmp_path, records, datetime.fromisoformat(f"{day}T00:00+00:00"))
        with open_store(tmp_path / "store") as store:
            done = PullMeasurements(Wanted("ET", since, until), address, tmp_path / "cache").perform(store)
            confirmed = [one for one in store.ledger.incidents("ET") if one.confirmed_at is not None]
    assert {one.wanted.country for one in done.controls} == {"DE", "US", "IT"}
    assert 0 < sum(one.tally.stored for one in done.controls) < 200
    assert {target for one in confirmed for target in one.targets} == {"telegram", "whatsapp"}
