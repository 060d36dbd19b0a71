"""A mirror on this machine that misbehaves in one way a path."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.refdata.sets import ooni_file

HUGE = 300_000
GOOD = ooni_file().encode()


class _Mirror(BaseHTTPRequestHandler):
    stop: threading.Event

    def do_GET(self) -> None:
        answers: dict[str, Callable[[], None]] = {
            "/good": lambda: self._send(GOOD),
            "/unsized": lambda: self._send(GOOD, length=-1),
            "/truncated": lambda: self._send(GOOD[:100], length=len(GOOD)),
            "/huge": lambda: self._send(b"x" * HUGE),
            "/huge-unsized": lambda: self._send(b"x" * HUGE, length=-1),
            "/html": lambda: self._send(b"<!DOCTYPE html><title>Log in to the network</title>"),
            "/silent": lambda: self._send(GOOD[:100], length=len(GOOD), hold=True),
            "/drip": self._drip,
            "/moved": lambda: self._move("/good"),
            "/in-circles": lambda: self._move("/in-circles"),
            "/nowhere": lambda: self._move("https://["),
            "/in-clear": lambda: self._move("http://mirror.example.org/good"),
            "/to-a-file": lambda: self._move("file:///etc/hostname"),
            "/odd-length": lambda: self._send(GOOD, length="many"),
        }
        missing = {"/busy": 503, "/too-many": 429}.get(self.path, 404)
        answers.get(self.path, lambda: self._send(b"", status=missing))()

    def _send(
        self, body: bytes, length: int | str | None = None, *, hold: bool = False, status: int = 200
    ) -> None:
        self.send_response(status)
        if length != -1:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        try:
            self.wfile.write(body)
            self.wfile.flush()
        except ConnectionError:
            return  # the client has had enough, as it should
        if hold:
            self.stop.wait(20)

    def _drip(self) -> None:
        self._send(b"", length=-1)
        while not self.stop.wait(0.02):
            try:
                self.wfile.write(b"x")
                self.wfile.flush()
            except ConnectionError:
                return

    def _move(self, where: str) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The tests' output stays clean."""


@contextmanager
def mirror() -> Iterator[str]:
    """Address of a running mirror, without a path."""
    stop = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Mirror", (_Mirror,), {"stop": stop}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        stop.set()
        server.shutdown()
        thread.join()
        server.server_close()
