"""``fanous run`` tells what became of incidents, and the commands of alerts see it."""

import json
import time
from pathlib import Path

from fanous.model.incident import Interval
from fanous.store.local import open_store
from tests.charts.events import SUSPECTED, incident
from tests.monitor.lab import fanous, in_the_process, monitor
from tests.monitor.test_run import QUIET, written
from tests.publish.alerts.outbox import SECRET
from tests.publish.alerts.receivers import Receiver, web_server


def configured(folder: Path, receiver: Receiver) -> Path:
    channel = f'[alerts.channels.desk]\nwebhook = "{receiver.url}"\nsecret = "{SECRET}"\n'
    return written(folder, f'{QUIET}{channel}[[alerts.rules]]\nchannels = ["desk"]\ncountries = ["PK"]\n')


def claimed(folder: Path) -> None:
    onset = time.time() - 3600
    times = {"onset": onset, "onset_earliest": onset, "onset_latest": onset}
    claim = incident(**(SUSPECTED | times | {"intervals": (Interval(onset, None),)}))
    with open_store(folder / "store") as store:
        store.ledger.put(claim, claim.reasons)


def test_the_monitor_sends_alerts_while_commands_see_them(tmp_path: Path) -> None:
    claimed(tmp_path)
    with web_server() as receiver:
        config = configured(tmp_path, receiver)
        with monitor(config) as running:
            deadline = time.monotonic() + 60
            while not receiver.posts and time.monotonic() < deadline:
                time.sleep(0.05)
            while '"sent"' not in in_the_process("alerts", "list", "--config", str(config), "--json")[1]:
                assert time.monotonic() < deadline
            _, _, err = fanous("alerts", "send", "--config", str(config))
            assert running.stop() == 0
    assert len(receiver.posts) == 1
    assert json.loads(receiver.posts[0][2])["title"].startswith(
        "Suspected: X (Twitter) may have been blocked"
    )
    assert "sends alerts itself" in err
    assert any(" alert_sent " in line for line in running.log)


def test_a_timer_does_without_the_monitor(tmp_path: Path) -> None:
    claimed(tmp_path)
    with web_server(Receiver(status=[404, 200])) as receiver:
        config = configured(tmp_path, receiver)
        options = ("--config", str(config))
        assert in_the_process("alerts", "send", *options)[:2] == (
            0,
            "0 sent, 0 failed and waiting to be retried, 1 given up\n",
        )
        code, out, _ = in_the_process("alerts", "list", "--state", "dead", *options, "--json")
        (dead,) = json.loads(out)["deliveries"]
        assert (code, dead["why"]) == (0, "it answered 404")
        assert "1 deliveries queued again" in in_the_process("alerts", "retry", dead["key"], *options)[1]
        assert in_the_process("alerts", "send", *options)[1].startswith("1 sent")
        assert in_the_process("alerts", "list", *options)[1].startswith(f"{dead['key']}  sent")
    assert len(receiver.posts) == 2


def test_channels_can_be_tried(tmp_path: Path) -> None:
    with web_server(Receiver(status=[200, 500])) as receiver:
        config = configured(tmp_path, receiver)
        assert in_the_process("alerts", "test", "--config", str(config))[:2] == (
            0,
            "desk (webhook): accepted\n",
        )
        code, out, _ = in_the_process("alerts", "test", "desk", "--config", str(config), "--json")
        assert (code, json.loads(out)["tests"][0]["why"]) == (1, "it answered 500")
        assert in_the_process("alerts", "test", "nobody", "--config", str(config))[0] == 1
    assert [json.loads(body)["type"] for _, _, body in receiver.posts] == ["test", "test"]
