"""Nothing that answers in a collector's place can hold up, fill or end a round or the sending of a spool."""

import gzip
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from fanous.cli.probe_options import sent_line
from fanous.errors import FanousError
from fanous.probe import orders, upload
from fanous.probe.orders import check_in
from fanous.probe.spool import REFUSED, Spool
from fanous.probe.upload import Sent
from tests.collector.probe import measurement
from tests.each import each
from tests.hostile import HOSTILE, planted
from tests.probe.spool.test_upload import Answer, answering, sent
from tests.publish.alerts.test_hostile_receivers import asked, drips, receiving

FLOOD = 64 << 20
"""Bytes after which a flood ends, so that a test fails, and does not hang, where nothing else ends it."""


def drips_its_body(connection: socket.socket) -> None:
    asked(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    drips(connection)


def interim(connection: socket.socket) -> None:
    asked(connection)
    for _ in range(1000):
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 10)
        time.sleep(0.01)


def large(connection: socket.socket) -> None:
    asked(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(FLOOD >> 16):
        connection.sendall(b" " * 65536)


def bomb(connection: socket.socket) -> None:
    asked(connection)
    body = gzip.compress(b" " * FLOOD)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body))
    connection.sendall(body)


@each("talk", [drips, drips_its_body, interim, large, bomb], ids=lambda talk: talk.__name__)
def test_an_answer_is_left_in_its_time_and_within_its_bytes(
    talk: Callable[[socket.socket], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(upload, "ANSWER_SECONDS", 0.4)
    monkeypatch.setattr(orders, "WHOLE_SECONDS", 0.4)
    spool = Spool(tmp_path)
    spool.put(msgspec.json.encode(measurement(0)))
    with receiving(talk) as port:
        url, began = f"http://127.0.0.1:{port}", time.monotonic()
        assert isinstance(check_in([url], "PK", 17557), str)
        found = sent(spool, url)
        assert (found.acknowledged, found.waiting) == (0, 1) and found.why
        assert time.monotonic() - began < 5


@each("name", ["../../x", "a?b", "a\r\nb", "\x00", "x" * 100_000, "a/b", ""])
def test_a_report_of_any_name_is_not_opened(name: str, tmp_path: Path) -> None:
    """It becomes a part of URLs, and was remembered for all later runs."""
    asked_for: list[str] = []

    def answer(path: str, _body: bytes) -> Answer:
        asked_for.append(path)
        return 200, {}, json.dumps({"report_id": name}).encode()

    spool = Spool(tmp_path)
    spool.put(msgspec.json.encode(measurement(0)))
    with answering(answer) as url:
        assert sent(spool, url).waiting == 1
    assert asked_for == ["/report"]
    (tmp_path / upload.FILE).write_text(
        json.dumps({upload.template_of(spool.waiting()[0].document()).key: name})
    )
    assert upload.Reports(tmp_path).ids() == []


def test_what_a_collector_answers_acts_on_no_terminal_and_is_quoted(tmp_path: Path) -> None:
    def answer(path: str, _body: bytes) -> Answer:
        if path == "/report":
            return 200, {}, b'{"report_id":"r"}'
        return 400, {}, json.dumps({"detail": f'no". All is well. {HOSTILE}'}).encode()

    spool = Spool(tmp_path)
    spool.put(msgspec.json.encode(measurement(0)))
    with answering(answer) as url:
        found = sent(spool, url)
    assert found == Sent(0, 1, 0)
    (why,) = (path.read_text() for path in (tmp_path / REFUSED).glob("*.why"))
    assert planted(why) == [] and planted(sent_line(found)) == []
    assert r"\". All is well." in why


def test_no_message_shows_the_login_of_a_collector_or_a_proxy(tmp_path: Path) -> None:
    """They go to terminals, to the system's log and into the files next to what was refused."""
    spool = Spool(tmp_path)
    spool.put(msgspec.json.encode(measurement(0)))
    with answering(lambda _path, _body: (500, {}, b"")) as url:
        named = url.replace("//", "//me:secret@")
        told = [sent(spool, named).why, str(check_in([named], "PK", 17557))]
    with pytest.raises(FanousError) as refused:
        sent(spool, url, proxy="ftp://me:secret@127.0.0.1:9")
    assert not any("secret" in one for one in (*told, str(refused.value)))
    assert all(url in one for one in told)
