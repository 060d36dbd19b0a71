"""Code of a stranger, for a reader to run: it tries to reach what a monitor must keep from it.

It loads little: a process with threads, as numpy starts them, cannot be confined.
"""

import gc
import json
import os
import pickle
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import msgspec

from fanous.errors import FanousError, Rejected
from fanous.model.measurement import Record
from fanous.model.verdict import Judged
from fanous.pipeline.call import decoded
from fanous.pipeline.judge import Ingested, OnFile
from fanous.pipeline.reader import record_in
from fanous.pipeline.workers import Frame, Useless
from fanous.sources.connector import Working
from fanous.sources.remote.client import RemoteRequest, RemoteResponse
from fanous.sources.stream import Slot

REACHED, REFUSED = "reached", "refused"
SECRET = "FANOUS_ADMIN_TOKEN"


def attempts(known: dict[str, Any]) -> Iterator[tuple[str, Callable[[], object]]]:
    """What a stranger's code would try; it knows where everything is."""
    loopback, pid, folder = "127.0.0.1", known["pid"], Path(known["folder"])
    yield "the signing key", Path(known["key"]).read_bytes
    yield "the ledger", Path(known["ledger"]).read_bytes
    yield "another's record in the inbox", Path(known["inbox"]).read_bytes
    yield "another's record in the archive", Path(known["archive"]).read_bytes
    yield "the names of files", lambda: next(folder.iterdir())
    yield "a new file", lambda: (folder / "left-behind").write_bytes(b"x")
    yield "the environment of the monitor", Path(f"/proc/{pid}/environ").read_bytes
    yield "a secret in its own environment", lambda: os.environ[SECRET]
    yield "a connection", lambda: socket.create_connection((loopback, known["tcp"]), 5)
    yield "a datagram", lambda: _datagram().sendto(b"x", (loopback, known["udp"]))
    yield "the monitor's control socket", lambda: _connected(known["control"])
    yield "a signal", lambda: os.kill(pid, 0)
    yield "another program", _program


def _datagram() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def _connected(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as connecting:
        connecting.connect(path)


def _program() -> None:
    child = os.fork()
    if not child:
        with suppress(OSError):
            os.execv("/bin/true", ["true"])
        os._exit(1)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise PermissionError


def outcomes(known: dict[str, Any]) -> dict[str, str]:
    found = {}
    for name, attempt in attempts(known):
        try:
            attempt()
            found[name] = REACHED
        except (OSError, KeyError):
            found[name] = REFUSED
    return found


def hostile(
    paths: Sequence[Path], tally: Ingested, _watch: OnFile | None, *, share: range, working: Working
) -> Generator[Judged]:
    """Stands for a parser that a record took over; runs inside the reader of a real import."""
    del share, working
    for n, (name, outcome) in enumerate(outcomes(json.loads(paths[0].read_bytes())).items(), 1):
        tally.reject(str(paths[0]), n, f"{name}: {outcome}")
    yield from ()


def hostile_judge(known: dict[str, Any], _record: Record) -> Any:
    """Stands for the parser of a record of the archive; in the reader that judges again."""
    raise Rejected(json.dumps(outcomes(known)))


def silent(
    _judge: object,
    _paths: Sequence[Path],
    _tally: Ingested,
    _watch: object,
    *,
    share: range,
    working: Working,
) -> Generator[Judged]:
    """Says nothing of the records of the archive."""
    del share, working
    yield from ()


def hostile_records(records: IO[bytes]) -> Any:
    """The same, in the reader of a page or a bundle; its record says where everything is."""
    raise FanousError(json.dumps(outcomes(json.loads(record_in(records.read()).data))))


def hostile_pieces(get: Callable[[str], bytes], *_asked: object) -> Any:
    """The same, in the reader of what a publisher answers."""
    raise FanousError(json.dumps(outcomes(json.loads(get("https://api.ioda.inetintel.cc.gatech.edu/v2/")))))


def hostile_round(get: Callable[[RemoteRequest], bytes], *_asked: object) -> Any:
    """The same, in the reader of a round of other people's vantage points."""
    (_, _, _, content) = decoded(get(RemoteRequest("GET", "/v1/probes")), RemoteResponse)
    raise FanousError(json.dumps(outcomes(json.loads(content))))


def hostile_lists(_send: object, known: str, *_asked: object) -> Any:
    """The same, in the reader of a bucket's lists."""
    raise FanousError(json.dumps(outcomes(json.loads(known))))


def hostile_files(_send: object, _source: str, paths: Sequence[Path], *_told: object) -> Any:
    """The same, in the reader of files of series."""
    raise FanousError(json.dumps(outcomes(json.loads(paths[0].read_bytes()))))


def hostile_lines(_send: object, _source: str, path: Path, _wanted: object) -> Any:
    """The same, in the reader of an object that is fetched again."""
    raise FanousError(json.dumps(outcomes(json.loads(path.read_bytes()))))


def hostile_recomputed(_records: IO[bytes], gathered: SimpleNamespace, _shares: object) -> Any:
    """The same, in the reader that computes a bundle's incident."""
    raise FanousError(json.dumps(outcomes(gathered.known)))


def hostile_outcome(_records: IO[bytes], path: Path, _signer: str, _series: object) -> Any:
    """Stands for the parser of a bundle that someone checks."""
    raise FanousError(json.dumps(outcomes(json.loads(path.read_bytes()))))


def work_of(_records: IO[bytes], work: Callable[..., object]) -> Any:
    return work(3600) if work is time.sleep else work()


def unconfined(connection: Connection, _descriptors: Sequence[int], record: Path) -> None:
    os.environ[SECRET] = "as if it had been inherited"
    connection.send(outcomes(json.loads(record.read_bytes())))


class Bomb:
    """Makes whoever unpickles it write a file."""

    def __init__(self, place: Path) -> None:
        self._place = str(place)

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self._place,)


def lying(
    paths: Sequence[Path], tally: Ingested, _watch: OnFile | None, *, share: range, working: Working
) -> Generator[Judged]:
    """Sends what its record names, in place of an answer, and stays."""
    del tally, share
    if paths[0].stem == "place":
        assert isinstance(working, Slot)
        working.turn_to(999)  # a file that no one asked for
        os.kill(os.getpid(), signal.SIGSEGV)
    gc.unfreeze()  # what a worker froze is not listed
    (line,) = (one for one in gc.get_objects() if isinstance(one, Connection))
    if paths[0].stem == "pickle":
        line.send_bytes(pickle.dumps(Bomb(paths[0].with_name("exploded"))))
    elif paths[0].stem == "another-file":
        useless = Useless(1, 1.0, b"not yours", 1, 1)
        line.send_bytes(msgspec.msgpack.encode(Frame([useless], {}, 0, 0, [], (1, 1.0), is_last=True)))
    else:
        line.send_bytes(b"rubbish")
    threading.Event().wait()
    yield from ()
