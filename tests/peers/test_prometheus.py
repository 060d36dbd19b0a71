"""Prometheus, promtool and Alertmanager as Debian has them: our metrics, our exporter, our alerts."""

import asyncio
import json
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fanous.publish.alerts.channel import Channel
from fanous.publish.alerts.message import Message
from fanous.publish.alerts.senders.alertmanager import ALERTMANAGER
from tests.children import child_environment
from tests.collector.probe import REPORT_ID, body
from tests.collector.server import client, collector
from tests.peers.programs import free_port, program, running
from tests.probe.net import servers

pytestmark = pytest.mark.peers


def promtool_accepts(figures: bytes) -> None:
    tool = program("promtool", "promtool")
    done = subprocess.run([tool, "check", "metrics"], input=figures, capture_output=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, b"", b"")


def got(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())


def test_promtool_accepts_what_a_collector_counts(tmp_path: Path) -> None:
    program("promtool", "promtool")
    status = f"127.0.0.1:{free_port()}"
    with collector("--inbox", str(tmp_path / "inbox"), "--status", status) as running_collector:
        with client(running_collector) as probe:
            probe.post(f"/report/{REPORT_ID}", json=body()).raise_for_status()
            assert probe.post(f"/report/{REPORT_ID}", content=b"?").status_code == 400
        promtool_accepts(got(f"http://{status}/metrics"))


@contextmanager
def site(serve: servers.Serve) -> Iterator[int]:
    """A server on loopback, in a separate thread."""
    loop, ready, port = asyncio.new_event_loop(), threading.Event(), [0]
    stop = asyncio.Event()

    async def play() -> None:
        async with servers.tcp_server(serve) as bound:
            port[0] = bound
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(play(),))
    thread.start()
    assert ready.wait(20)
    try:
        yield port[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def hangs(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


def exporter(port: int, folder: Path) -> list[str]:
    settings = folder / "probe.toml"
    settings.write_text("allow_private = true\n")
    (folder / "blackbox.yml").write_text("modules:\n  quick:\n    prober: http\n    timeout: 5s\n")
    words = ["probe", "serve", "--yes", "--port", str(port), "--settings", str(settings)]
    return [sys.executable, "-m", "fanous", *words, "--modules", str(folder / "blackbox.yml")]


PROMETHEUS = """
global: {scrape_interval: 2s, scrape_timeout: 1500ms}
scrape_configs:
  - job_name: fanous
    metrics_path: /probe
    params: {module: [http_2xx]}
    static_configs:
      - targets: ["http://127.0.0.1:%(good)d/", "http://127.0.0.1:%(hanging)d/"]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: "127.0.0.1:%(exporter)d"}
"""


def test_prometheus_scrapes_a_site_that_works_and_one_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scrape of a site that hangs succeeds, and says so: ``up`` is 1, ``probe_success`` 0."""
    prometheus, tool = program("prometheus", "prometheus"), program("promtool", "promtool")
    for name, value in child_environment().items():
        monkeypatch.setenv(name, value)
    port, web = free_port(), free_port()
    with site(servers.pages()) as good, site(hangs) as hanging:
        config = tmp_path / "prometheus.yml"
        config.write_text(PROMETHEUS % {"good": good, "hanging": hanging, "exporter": port})
        assert (
            subprocess.run(
                [tool, "check", "config", str(config)], capture_output=True, check=False
            ).returncode
            == 0
        )
        words = [
            f"--config.file={config}",
            f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{web}",
        ]
        with (
            running(
                exporter(port, tmp_path), tmp_path / "exporter.log", f"http://127.0.0.1:{port}/-/healthy"
            ),
            running([prometheus, *words], tmp_path / "prometheus.log", f"http://127.0.0.1:{web}/-/ready"),
        ):
            for module in ("http_2xx", "icmp", "quick"):
                target = "127.0.0.1" if module == "icmp" else f"http://127.0.0.1:{good}/"
                figures = got(f"http://127.0.0.1:{port}/probe?module={module}&target={target}")
                assert b"\nprobe_success 1" in figures
                promtool_accepts(figures)
            wanted = {
                ("up", good): 1.0,
                ("up", hanging): 1.0,
                ("probe_success", good): 1.0,
                ("probe_success", hanging): 0.0,
            }
            until = time.monotonic() + 40
            while (found := _values(web, wanted)) != wanted and time.monotonic() < until:
                time.sleep(0.5)
            assert found == wanted


def _values(web: int, wanted: dict[tuple[str, int], float]) -> dict[tuple[str, int], float]:
    found = {}
    for name, port in wanted:
        query = urllib.parse.quote(f'{name}{{instance="http://127.0.0.1:{port}/"}}')
        told: Any = json.loads(got(f"http://127.0.0.1:{web}/api/v1/query?query={query}"))
        for one in told["data"]["result"]:
            found[name, port] = float(one["value"][1])
    return found


def test_alertmanager_takes_an_alert_and_its_end(tmp_path: Path) -> None:
    manager = program("prometheus-alertmanager", "prometheus-alertmanager")
    web, config = free_port(), tmp_path / "alertmanager.yml"
    config.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    words = [f"--config.file={config}", f"--storage.path={tmp_path}/data", "--cluster.listen-address="]
    address = f"http://127.0.0.1:{web}"
    with running(
        [manager, *words, f"--web.listen-address=127.0.0.1:{web}"], tmp_path / "log", f"{address}/-/ready"
    ):
        channel = Channel(name="ops", means="alertmanager", address=address)
        for ended, active in ((None, 1), (time.time() - 5, 0)):
            message = Message(
                *(
                    "k1",
                    "confirmed",
                    "PK-2023-0001",
                    1,
                    "X blocked in Pakistan",
                    "Connections to X were reset.",
                ),
                *("https://monitor.example/incidents/PK-2023-0001", "en", "PK", time.time() - 600, ended),
                {"status": "confirmed", "kind": "blocking", "scope": "nation"},
            )
            attempt = asyncio.run(ALERTMANAGER.send(channel, message, time.time()))
            assert attempt.why == ""
            alerts = json.loads(got(f"{address}/api/v2/alerts?active=true"))
            assert len(alerts) == active, alerts
            for one in alerts:
                assert one["labels"]["alertname"] == "InternetDisruption"
                assert one["labels"]["country"] == "PK"
