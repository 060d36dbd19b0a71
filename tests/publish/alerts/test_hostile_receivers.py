"""Receivers that answer slowly, without end or with the address of someone else hold up nothing and learn nothing."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from fanous.publish.alerts import channel
from fanous.publish.alerts.channel import Attempt, Channel
from fanous.publish.alerts.message import Sender
from fanous.publish.alerts.message import test_message as message_of_a_test
from fanous.publish.alerts.senders import SENDERS, apprise
from fanous.publish.alerts.senders.apprise import without_secrets
from fanous.publish.alerts.senders.webhook import new_secret

Talk = Callable[[socket.socket], None]


@contextmanager
def receiving(talk: Talk) -> Iterator[int]:
    """A server's port; each connection is read up to the end of a head, and then answered."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with closing(connection), suppress(OSError):
                        talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def asked(connection: socket.socket) -> None:
    sent = b""
    while b"\r\n\r\n" not in sent and (more := connection.recv(65536)):
        sent += more


def drips(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"H")
        time.sleep(0.05)


def never_ends(connection: socket.socket) -> None:
    asked(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def sent(name: str, address: str) -> Attempt:
    channel = Channel("c", name, address, secret=new_secret())
    message = message_of_a_test("key", 0.0, Sender())
    return asyncio.run(SENDERS[name].send(channel, message, 0.0))


def test_a_webhook_that_drips_is_left_in_time_and_one_without_end_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channel, "ATTEMPT_SECONDS", 0.5)
    with receiving(drips) as port:
        assert sent("webhook", f"http://127.0.0.1:{port}/").why.startswith("no answer within")
    with receiving(never_ends) as port:
        assert sent("webhook", f"http://127.0.0.1:{port}/") == Attempt()


def test_a_service_that_drips_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that waits for it could not be ended, and would be missed by whatever else needs one."""
    monkeypatch.setattr(apprise, "MOST_SECONDS", 3.0)
    before = threading.active_count()
    with receiving(drips) as port:
        attempt = sent("apprise", f"mailto://me:s3cret@127.0.0.1:{port}?to=a@b.example&from=c@d.example")
    assert attempt.why == "the service did not answer in time"
    assert threading.active_count() <= before + 1  # the server's own


def test_a_service_cannot_send_a_message_on_to_someone_else() -> None:
    seen: list[bytes] = []

    def elsewhere(connection: socket.socket) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with receiving(elsewhere) as inside:

        def redirects(connection: socket.socket) -> None:
            asked(connection)
            place = b"Location: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n" % inside
            connection.sendall(b"HTTP/1.1 307 Moved\r\n" + place)

        with receiving(redirects) as port:
            assert "307" in sent("apprise", f"json://127.0.0.1:{port}/").why
    assert seen == []


def test_a_complaint_names_no_secret_of_the_address() -> None:
    address = "slack://bot-name@T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general?token=p%40ssw0rd"
    complaint = "no answer from T1JJ3T3L2 at hooks.example with TIiajkdnlazkcOXrIdevi7FQ and p@ssw0rd"
    shown = without_secrets(complaint, address, "hooks.example")
    assert shown == "no answer from *** at hooks.example with *** and ***"
