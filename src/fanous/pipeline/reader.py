"""Reader: a confined process that answers a question about strangers' bytes.

For everything but imports of measurements (``pipeline.workers``): a page or a bundle needs some records of the archive,
a publisher has answered, someone checks a bundle.  What is asked about comes through a socket or is a file that the
reader is granted; an answer is decoded into its type, so a reader that was taken over can give a wrong answer and
nothing else.
"""

import os
import socket
import struct
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import IO, Any, NamedTuple, TypeVar

import msgspec

from fanous.base.confine import Grant, confine
from fanous.base.forkserver import ForkedChild, NotStarted
from fanous.errors import FanousError, Rejected
from fanous.model.measurement import Record
from fanous.pipeline.call import decoded, encoded
from fanous.pipeline.child import OUT_OF_MEMORY, ended
from fanous.pipeline.judge import rules_version
from fanous.pipeline.workers import ENDING_SECONDS, LARGEST_FRAME, OTHER_RULES, READERS, end_with, version_of

T = TypeVar("T")
Q = TypeVar("Q")

NOTHING = Grant()

OWN_PROCESS = Path("/proc/self")
"""For a reader that computes with a temporary store: the engine looks up there how much stack it has."""

RESULT, ERROR, WANTED, END = b"=", b"!", b"?", b"."
"""How a message of a reader begins: an answer, why there is none, what to fetch, the end of several answers."""

_SIZE = struct.Struct("=Q")
"""Before a reply to ``WANTED``: its bytes."""

Send = Callable[[T], None]
"""Sends one of several answers."""


def answered(
    kind: type[T],
    work: Callable[..., T],
    *arguments: object,
    about: str,
    records: Iterable[bytes] = (),
    grant: Grant = NOTHING,
    patience: float | None = None,
) -> T:
    """What ``work(records, *arguments)`` returns in a confined process.

    Args:
        kind: type of the answer, as MessagePack can say it (``pipeline.call``).
        work: a public function of a module; it gets a file of lines.
        arguments: ours, not strangers'.
        about: what is read, for errors.
        records: the lines, with their ends.
        patience: seconds for the answer; ``None`` = any time.

    Raises:
        FanousError: ``work`` raised it or ``Rejected``; or its process ended, took too long or could not be started.
        RuntimeError: it ended because of a fault in Fanous.
    """
    with _reading(of_records, work, arguments, about, grant, patience) as reader:
        return _decoded(kind, reader.message(partial(reader.give_all, records)), about)


def answers(
    kind: type[T], work: Callable[..., None], *arguments: object, about: str, grant: Grant = NOTHING
) -> Generator[T]:
    """What ``work(send, *arguments)`` sends in a confined process, as it comes; otherwise as ``answered``."""
    with _reading(of_files, work, arguments, about, grant) as reader:
        while (message := reader.message()) != END:
            yield _decoded(kind, message, about)


def asking(
    kind: type[T],
    work: Callable[..., None],
    get: Callable[[Q], bytes],
    *arguments: object,
    about: str,
    wanted: type[Q],
    grant: Grant = NOTHING,
) -> Generator[T]:
    """What ``work(get, send, *arguments)`` sends in a confined process, which reaches nothing but what ``get`` fetches.

    Args:
        get: must ask no other host than the publisher's (``sources.fetch``): the process may be anyone's.
        wanted: type of what it is given.
    """
    with _reading(of_publisher, work, arguments, about, grant) as reader:
        message = reader.message()
        while message != END:
            if message.startswith(WANTED):
                question = _decoded(wanted, message, about)
                message = reader.message(partial(reader.give, _fetched(get, question)))
            else:
                yield _decoded(kind, message, about)
                message = reader.message()


class _Reply(NamedTuple):
    """What came of a question, or why nothing did.

    Attributes:
        is_rejected: was it ``Rejected``, not a ``FanousError``?
        permanent: as of ``FanousError``.
    """

    document: bytes = b""
    why: str = ""
    is_rejected: bool = False
    permanent: bool = True


def _fetched(get: Callable[[Q], bytes], question: Q) -> bytes:
    try:
        return encoded(_Reply(get(question)))
    except FanousError as error:
        return encoded(_refused(error))


def _refused(error: FanousError) -> _Reply:
    why = str(error).encode("utf-8", "replace").decode()
    return _Reply(b"", why, isinstance(error, Rejected), error.permanent)


@dataclass(frozen=True, slots=True)
class _Reader:
    """A process that reads, and the socket through which it gets what it reads."""

    child: ForkedChild
    line: socket.socket
    about: str
    patience: float | None

    def message(self, first: Callable[[], None] = lambda: None) -> bytes:
        """Its next message, once ``first`` was done."""
        late = FanousError(
            f"The process that was reading {self.about} took more than {self.patience} seconds."
        )
        try:
            first()
            if not self.child.connection.poll(self.patience):
                raise late
            return self.child.connection.recv_bytes(LARGEST_FRAME)
        except TimeoutError:
            raise late from None
        except (EOFError, OSError) as error:
            code = self.child.wait(ENDING_SECONDS)
            if code == 1:
                raise RuntimeError(
                    f"a process that reads {self.about} failed:\n{self.child.said()}"
                ) from error
            raise FanousError(f"The process that was reading {self.about} {ended(code or 0)}.") from error

    def give_all(self, records: Iterable[bytes]) -> None:
        for record in records:
            self.line.sendall(record)
        self.line.shutdown(socket.SHUT_WR)

    def give(self, reply: bytes) -> None:
        self.line.sendall(_SIZE.pack(len(reply)) + reply)


@contextmanager
def _reading(
    way: Callable[..., None],
    work: Callable[..., object],
    arguments: Sequence[object],
    about: str,
    grant: Grant = NOTHING,
    patience: float | None = None,
) -> Iterator[_Reader]:
    with ExitStack() as opened:
        ours, theirs = socket.socketpair()
        opened.enter_context(ours)
        opened.enter_context(theirs)
        ours.settimeout(patience)
        scratch = opened.enter_context(
            TemporaryDirectory(prefix="fanous-", dir=os.environ.get("SQLITE_TMPDIR"))
        )
        try:
            child = _started(theirs.fileno(), replace(grant, scratch=Path(scratch)), way, work, arguments)
        except NotStarted as why:
            raise FanousError(
                f"No process could be started to read {about}: {why}.", permanent=False
            ) from why
        opened.callback(child.end)
        theirs.close()
        yield _Reader(child, ours, about, patience)


def _started(
    line: int,
    grant: Grant,
    way: Callable[..., None],
    work: Callable[..., object],
    arguments: Sequence[object],
) -> ForkedChild:
    for _ in range(2):  # fingerprints may have been installed since the server began
        child = READERS.start(
            read, grant, way, work, arguments, descriptors=[line], keeps_stderr=True, loads=work.__module__
        )
        try:
            if version_of(child) == rules_version():
                return child
        except NotStarted:
            child.end()
            raise
        child.end()
        READERS.stop()
    raise NotStarted(OTHER_RULES)


def _decoded(kind: type[T], data: bytes, about: str) -> T:
    try:
        if data.startswith(ERROR):
            reply = decoded(data[1:], _Reply)
            raise FanousError(reply.why, permanent=reply.permanent)
        return decoded(data[1:], kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise FanousError(
            f"The process that was reading {about} sent something that is not an answer."
        ) from error


def line_of(record: Record) -> bytes:
    """A record as a reader gets it: the name of its source, and its data."""
    return b"%b %b\n" % (record.source.encode(), record.data)


def record_in(line: bytes, number: int = 0) -> Record:
    """The record in what ``line_of`` wrote."""
    source, _, data = line[:-1].partition(b" ")
    return Record(source.decode(), data, line=number)


# --- in the reader ------------------------------------------------------------------------------------------


def read(
    connection: Connection,
    descriptors: Sequence[int],
    grant: Grant,
    way: Callable[..., None],
    work: Callable[..., Any],
    arguments: Sequence[object],
) -> None:
    """Be a reader: confine itself, work, and send what came of it.

    Args:
        way: one of those below.
    """
    try:
        version = rules_version()
        confine(grant)
        connection.send_bytes(version.encode())
        Thread(target=end_with, args=(connection,), daemon=True).start()
        with os.fdopen(descriptors[0], "rb") as line:
            try:
                way(work, line, connection, arguments)
            except FanousError as error:
                connection.send_bytes(ERROR + encoded(_refused(error)))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def of_records(
    work: Callable[..., Any], line: IO[bytes], connection: Connection, given: Sequence[object]
) -> None:
    """See ``answered``."""
    _send(connection, work(line, *given))


def of_files(work: Callable[..., Any], _: IO[bytes], connection: Connection, given: Sequence[object]) -> None:
    """See ``answers``."""
    work(partial(_send, connection), *given)
    connection.send_bytes(END)


def of_publisher(
    work: Callable[..., Any], line: IO[bytes], connection: Connection, given: Sequence[object]
) -> None:
    """See ``asking``."""
    work(partial(_get, connection, line), partial(_send, connection), *given)
    connection.send_bytes(END)


def _send(connection: Connection, answer: object) -> None:
    connection.send_bytes(RESULT + encoded(answer))


def _get(connection: Connection, line: IO[bytes], question: object) -> bytes:
    connection.send_bytes(WANTED + encoded(question))
    (size,) = _SIZE.unpack(line.read(_SIZE.size))
    reply = decoded(line.read(size), _Reply)
    if reply.is_rejected:
        raise Rejected(reply.why)
    if reply.why:
        raise FanousError(reply.why, permanent=reply.permanent)
    return reply.document
