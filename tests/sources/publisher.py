"""A publisher on loopback that behaves and misbehaves as instructed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says once.

    Attributes:
        cut: bytes of the body that are really sent; ``None`` = all.
        trickle: seconds between two bytes; 0 = at once.
    """

    body: bytes = b"{}"
    code: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    trickle: float = 0.0


@dataclass(slots=True)
class Publisher:
    """A running server.

    Attributes:
        asked: path with query of each request, in order; ``headers`` in the same way.
    """

    address: str
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


def _takes_nothing(_path: str, _body: bytes, _headers: dict[str, str]) -> Answer:
    return Answer(b"{}", 405)


@contextmanager
def publishing(
    answer: Callable[[str, int], Answer],
    take: Callable[[str, bytes, dict[str, str]], Answer] = _takes_nothing,
) -> Iterator[Publisher]:
    """A server that answers ``answer(path with query, number of the request from 0)``, and what is posted with
    ``take(path, body, headers)``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = self._noted()
            self._say(answer(self.path, number))

        def do_POST(self) -> None:
            self._noted()
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self._say(take(self.path, body, running.headers[-1]))

        def _noted(self) -> int:
            running.asked.append(self.path)
            running.headers.append({name.lower(): value for name, value in self.headers.items()})
            return len(running.asked) - 1

        def _say(self, told: Answer) -> None:
            self.send_response(told.code)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            _send(self, told)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running = Publisher(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _send(handler: BaseHTTPRequestHandler, told: Answer) -> None:
    body = told.body if told.cut is None else told.body[: told.cut]
    try:
        if not told.trickle:
            handler.wfile.write(body)
            return
        for byte in body:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            sleep(told.trickle)
    except OSError:
        return  # the client went away, as it should
    finally:
        handler.close_connection = True


def always(answer: Answer) -> Callable[[str, int], Answer]:
    return lambda *_: answer


def in_turn(*answers: Answer) -> Callable[[str, int], Answer]:
    """One after the other; the last is repeated."""
    return lambda _, number: answers[min(number, len(answers) - 1)]
