"""Reader: a confined process that answers one question about strangers' bytes.

For everything but imports (``pipeline.workers``): a page or a bundle needs some records of the archive, or someone
checks a bundle.  What is asked about comes through a socket or is a file that the reader is granted; the answer is
decoded into its type, so a reader that was taken over can give a wrong answer and nothing else.
"""

import os
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import IO, Any, TypeVar

import msgspec

from fanous.base.confine import Grant, confine
from fanous.base.forkserver import ForkedChild, NotStarted
from fanous.errors import FanousError
from fanous.model.measurement import Record
from fanous.pipeline.call import decoded, encoded
from fanous.pipeline.child import OUT_OF_MEMORY, ended
from fanous.pipeline.judge import rules_version
from fanous.pipeline.workers import ENDING_SECONDS, LARGEST_FRAME, OTHER_RULES, READERS, end_with, version_of

T = TypeVar("T")

NOTHING = Grant()

OWN_PROCESS = Path("/proc/self")
"""For a reader that computes with a temporary store: the engine looks up there how much stack it has."""

RESULT, ERROR = b"=", b"!"
"""How an answer begins."""


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
        FanousError: raised by ``work``; or its process ended, took too long or could not be started.
        RuntimeError: it ended because of a fault in Fanous.
    """
    with ExitStack() as opened:
        ours, theirs = socket.socketpair()
        opened.enter_context(ours)
        opened.enter_context(theirs)
        ours.settimeout(patience)
        scratch = opened.enter_context(
            TemporaryDirectory(prefix="fanous-", dir=os.environ.get("SQLITE_TMPDIR"))
        )
        try:
            child = _started(theirs.fileno(), replace(grant, scratch=Path(scratch)), work, arguments)
        except NotStarted as why:
            raise FanousError(
                f"No process could be started to read {about}: {why}.", permanent=False
            ) from why
        opened.callback(child.end)
        theirs.close()
        return _decoded(kind, _told(child, ours, records, about, patience), about)


def _started(line: int, grant: Grant, work: Callable[..., T], arguments: Sequence[object]) -> ForkedChild:
    for _ in range(2):  # fingerprints may have been installed since the server began
        child = READERS.start(
            answer, grant, work, arguments, descriptors=[line], keeps_stderr=True, loads=work.__module__
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


def _told(
    child: ForkedChild, line: socket.socket, records: Iterable[bytes], about: str, patience: float | None
) -> bytes:
    """Its answer, once it got everything."""
    late = FanousError(f"The process that was reading {about} took more than {patience} seconds.")
    lines = iter(records)
    try:
        while (record := next(lines, None)) is not None:
            line.sendall(record)
        line.shutdown(socket.SHUT_WR)
        if not child.connection.poll(patience):
            raise late
        return child.connection.recv_bytes(LARGEST_FRAME)
    except TimeoutError:
        raise late from None
    except (EOFError, OSError) as error:
        code = child.wait(ENDING_SECONDS)
        if code == 1:
            raise RuntimeError(f"a process that reads {about} failed:\n{child.said()}") from error
        raise FanousError(f"The process that was reading {about} {ended(code or 0)}.") from error


def _decoded(kind: type[T], data: bytes, about: str) -> T:
    try:
        if data.startswith(ERROR):
            raise FanousError(data[1:].decode("utf-8", "surrogatepass"))
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


def answer(
    connection: Connection,
    descriptors: Sequence[int],
    grant: Grant,
    work: Callable[..., Any],
    arguments: Sequence[object],
) -> None:
    """Be a reader: confine itself, work, and send what came of it."""
    try:
        version = rules_version()
        confine(grant)
        connection.send_bytes(version.encode())
        Thread(target=end_with, args=(connection,), daemon=True).start()
        with os.fdopen(descriptors[0], "rb") as records:
            connection.send_bytes(_said(work, records, arguments))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _said(work: Callable[..., Any], records: IO[bytes], arguments: Sequence[object]) -> bytes:
    try:
        return RESULT + encoded(work(records, *arguments))
    except FanousError as error:
        return ERROR + str(error).encode("utf-8", "surrogatepass")
