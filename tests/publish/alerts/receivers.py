"""Receivers: a web server and a mail server on loopback that keep what they are sent."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any


@dataclass
class Receiver:
    """Attributes:
    status: what it answers, in turn; the last one is repeated.
    headers: of its answers.
    on_arrival: called when a message is whole, before anything is answered.
    posts: (path, headers by lower-case name, body).
    mails: as they came.
    """

    status: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    on_arrival: Callable[[], None] = lambda: None
    posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def web_server(receiver: Receiver | None = None) -> Iterator[Receiver]:
    got = receiver or Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.posts.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            got.on_arrival()
            status = got.status.pop(0) if len(got.status) > 1 else got.status[0]
            try:
                self.send_response(status)
                for name, value in got.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()
            except OSError:
                pass  # the sender is dead, as the test wanted

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        got.port = server.server_address[1]
        with _serving(server):
            yield got


@contextmanager
def mail_server() -> Iterator[Receiver]:
    """As much of RFC 5321 as smtplib speaks."""
    got = Receiver()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # as above
                self._talk()

        def _talk(self) -> None:
            self.wfile.write(b"220 test\r\n")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    got.mails.append(self._mail())
                    got.on_arrival()
                elif word == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                self.wfile.write(b"250 fine\r\n")

        def _mail(self) -> EmailMessage:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b"."))
            return message_from_bytes(b"".join(lines), policy=policy.default)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        got.port = server.server_address[1]
        with _serving(server):
            yield got


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(10)


def is_genuine(secret: str, headers: dict[str, str], body: bytes, now: float) -> bool:
    """The check that docs/api.md gives to receivers, at this time."""
    shown = (Path(__file__).parents[3] / "docs/api.md").read_text()
    code = next(part for part in shown.split("```") if "def is_genuine" in part).removeprefix("python")
    told: dict[str, Any] = {}
    exec(code, told)
    told["time"] = SimpleNamespace(time=lambda: now)
    return bool(told["is_genuine"](secret, headers, body))
