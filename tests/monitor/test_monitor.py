"""``fanous run`` as a real process: a platform is cut and given back, the monitor is killed in between."""

import json
from pathlib import Path
from time import time
from typing import Any

import pytest

from fanous.model.instant import to_iso
from fanous.monitor.clock import Clock
from tests.monitor.lab import ASN, COUNTRY, Monitor, Platform, Volunteers, fanous, free_port, monitor, until

RATE = 900
"""A tick of ten minutes is two thirds of a second; all thresholds are as in production."""

CONFIG = """
[store]
folder = "store"
[run]
listen = "127.0.0.1:0"
every = 0.3
[clock]
rate = {rate}
since = "{since}"
[rounds]
urls = ["{url}"]
country = "{country}"
asn = {asn}
consent = true
health = false
[probe]
allow_private = true
connect_timeout = 1.0
page_timeout = 1.0
endpoint_seconds = 3.0
helper = "http://127.0.0.1:{port}"
[collector]
listen = "127.0.0.1:{port}"
open_to_all = false
lab = true
"""


def rounds(running: Monitor, count: int) -> bool:
    return sum(" round measured=1" in line for line in running.log) >= count


def listed(config: Path) -> list[dict[str, Any]]:
    """What another process gets, whether the monitor is up or not."""
    code, out, err = fanous("incidents", "list", "PK", "--config", str(config), "--json")
    assert (code, err) == (0, "")
    incidents: list[dict[str, Any]] = json.loads(out)["incidents"]
    return incidents


@pytest.mark.timeout(300)
def test_a_cut_is_suspected_confirmed_and_ended_and_a_kill_in_between_changes_nothing(tmp_path: Path) -> None:
    since, port = float(int(time())), free_port()
    with Platform() as platform:
        config = tmp_path / "fanous.toml"
        values = {"rate": RATE, "since": to_iso(since), "url": platform.url, "port": port}
        config.write_text(CONFIG.format(country=COUNTRY, asn=ASN, **values), encoding="utf-8")
        others = Volunteers(Clock(RATE, since), f"http://127.0.0.1:{port}", platform.url)

        def shows(status: str) -> bool:
            return running.statuses() == running.feed() == [status]

        with monitor(config) as running:
            until(lambda: rounds(running, 6), running)
            assert (running.statuses(), running.feed()) == ([], [])
            platform.broken = True  # and one probe sees it
            until(lambda: shows("suspected"), running)
            running.kill()
        with monitor(config) as running:
            assert shows("suspected")
            until(lambda: shows("confirmed"), running, others.measure)  # three see it
            platform.broken = False
            until(lambda: shows("ended"), running, others.measure)
            assert "Lab: the clock here runs 900 times as fast as real time" in running.get()
            (meanwhile,) = listed(config)
            assert running.stop() == 0

        (one,) = listed(config)
        assert (meanwhile["id"], meanwhile["status"]) == (one["id"], one["status"])
        assert (one["status"], one["evidence"]["probes"]) == ("ended", 3)
        assert one["mechanisms"] == ["http.reset.host"]
        assert one["onset"] < one["confirmed_at"] < one["end"]
        assert not list((tmp_path / "store.inbox").rglob("*.jsonl*")), "all that was acknowledged is stored"
