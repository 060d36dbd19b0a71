"""Killed between sending and writing it down: sent again under the same key, lost never."""

import json
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from fanous.model.alert import AlertState
from fanous.model.instant import HOUR
from tests.charts.events import ONGOING, incident
from tests.children import child_environment
from tests.publish.alerts.outbox import SECRET, Told, configured
from tests.publish.alerts.receivers import Receiver, mail_server, web_server


def send(folder: Path, receiver: Receiver, *, die: bool) -> int:
    """One process that sends what is due; killed where the receiver has the whole message, if ``die``."""
    words = [sys.executable, "-m", "tests.publish.alerts.sender", str(folder)]
    child = subprocess.Popen(words, env=child_environment())
    receiver.on_arrival = child.kill if die else lambda: None
    return child.wait(60)


def test_a_webhook_is_sent_again_under_the_same_key(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        channel = f'[alerts.channels.desk]\nwebhook = "{receiver.url}"\nsecret = "{SECRET}"\n'
        configured(tmp_path, channel)
        told.put(incident(**ONGOING))
        assert send(tmp_path, receiver, die=True) == -9
        (begun,) = told.ledger.outbox.deliveries()
        assert (begun.state, begun.attempts) == (AlertState.WAITING, 1)
        assert send(tmp_path, receiver, die=False) == 0
        assert send(tmp_path, receiver, die=False) == 0
    assert len(receiver.posts) == 2
    assert len({headers["webhook-id"] for _, headers, _ in receiver.posts}) == 1
    assert [one.state for one in told.ledger.outbox.deliveries()] == [AlertState.SENT]


def test_a_message_about_several_is_sent_again_with_the_same_alerts(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with web_server() as receiver:
        channel = f'[alerts.channels.desk]\nwebhook = "{receiver.url}"\nsecret = "{SECRET}"\n'
        alerting = configured(tmp_path, channel)
        for target in ("x", "youtube"):
            told.put(incident(**ONGOING, targets=(target,)))
        assert send(tmp_path, receiver, die=True) == -9
        told.put(incident(**ONGOING, targets=("telegram",)))
        assert send(tmp_path, receiver, die=False) == 0
        told.now_is += HOUR
        assert told.look(alerting).sent == 1
    bodies = [json.loads(body) for _, _, body in receiver.posts]
    again = [one for one in bodies if one["id"] == bodies[0]["id"]]
    assert again == [bodies[0]] * 2
    alone = [one["incident"]["targets"] for one in bodies if one["incident"]]
    assert (len(bodies[0]["alerts"]), alone) == (2, [["telegram"]])
    assert {one.state for one in told.ledger.outbox.deliveries()} == {AlertState.SENT}


@pytest.mark.matrix
def test_a_mail_is_sent_again_and_says_that_it_is_the_same(tmp_path: Path) -> None:
    told = Told(tmp_path)
    with mail_server() as receiver:
        address = f"mailto://127.0.0.1:{receiver.port}/?from=a@example.org&to=b@example.org&mode=insecure"
        configured(tmp_path, f'[alerts.channels.desk]\napprise = "{address}"\n')
        told.put(incident(**ONGOING))
        assert send(tmp_path, receiver, die=True) == -9
        assert send(tmp_path, receiver, die=False) == 0
    assert len(receiver.mails) == 2
    assert len({key_of(mail) for mail in receiver.mails}) == 1
    assert [one.state for one in told.ledger.outbox.deliveries()] == [AlertState.SENT]


def key_of(mail: EmailMessage) -> str:
    return str(mail["X-Fanous-Alert"])


@pytest.mark.parametrize("step", ["insert", "commit"])
def test_a_revision_and_its_news_are_written_together_or_not_at_all(step: str, tmp_path: Path) -> None:
    told = Told(tmp_path)
    script = f"""
import os
from pathlib import Path
from fanous.store.database import Connection
from tests.publish.alerts.outbox import Told
from tests.charts.events import ONGOING, incident
told = Told(Path({str(tmp_path)!r}))
run = Connection.run
def dying(connection, sql, **values):
    if "{step}" == "commit" and sql == "COMMIT":
        os.kill(os.getpid(), 9)
    run(connection, sql, **values)
    if "INSERT INTO outbox" in sql:
        os.kill(os.getpid(), 9)
Connection.run = dying
told.put(incident(**ONGOING))
"""
    assert subprocess.run([sys.executable, "-c", script], env=child_environment()).returncode == -9
    assert told.ledger.incidents(None, None, None) == []
    assert told.ledger.outbox.next_news() is None
