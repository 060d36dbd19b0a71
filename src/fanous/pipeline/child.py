"""Child: work on records in a copy of this process, so that a record that ends it costs only itself, and one that takes
it over finds nothing else.

For commands that open no store and have started no thread: the copy is made before what they need is loaded, and takes
some milliseconds.
"""

import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL, Signals
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any, TypeVar, cast

import msgspec

from fanous.base.confine import Grant, confine
from fanous.errors import FanousError
from fanous.sources.connector import Working
from fanous.sources.stream import Book, Slot, noted

T = TypeVar("T")

MOST_DEATHS = 20

OUT_OF_MEMORY = 75
"""Exit code of a child, or a worker, that had too little memory."""

NO_ROOM = 77
"""Exit code of a child that could not write its answer to a temporary file."""

NONSENSE = 78
"""Stands for the exit code of a worker that sent something else than an answer, and was ended for that."""


def ended(code: int) -> str:
    """How a process ended, in words that follow its name."""
    if code == OUT_OF_MEMORY:
        return "ran out of memory"
    if code == NO_ROOM:
        return "could not write to the temporary folder: it is full, or files may not grow that large (`ulimit -f`)"
    if code == NONSENSE:
        return "sent something that is not an answer"
    if code == -SIGKILL:
        return "was killed (SIGKILL), as the system does if memory runs out"
    return f"crashed ({Signals(-code).name})" if code < 0 else f"ended (code {code})"


class _Answer(msgspec.Struct, frozen=True):
    """What a child says: a result, or why there is none.

    Attributes:
        says: the message of an error; as bytes, since names of files may be any.
        number: of an error of the system; 0 = the error is another one.
        is_fault: it is a fault in Fanous.
        permanent: as of ``FanousError``.
    """

    result: Any = None
    says: bytes | None = None
    number: int = 0
    is_fault: bool = False
    permanent: bool = True

    def raised(self) -> None:
        if self.says is None:
            return
        says = self.says.decode("utf-8", "surrogatepass")
        if self.number:
            raise OSError(self.number, says)
        raise RuntimeError(says) if self.is_fault else FanousError(says, permanent=self.permanent)


def in_child(work: Callable[[Working], T], grant: Grant) -> T:
    """What ``work`` returns; a record that ended it twice is rejected the third time.

    Args:
        work: returns what MessagePack can say.
        grant: what it may reach.

    Raises:
        FanousError: raised by ``work``, or it died between two records, or again and again; or no other process can be
            started.
    """
    book, deaths = Book(), 0
    while True:
        with (
            TemporaryFile() as place,
            TemporaryFile() as answer,
            TemporaryDirectory(prefix="fanous-", dir=os.environ.get("SQLITE_TMPDIR")) as scratch,
        ):
            try:
                child = os.fork()
            except OSError as error:
                raise FanousError(
                    f"No process can be started to read these files: {error.strerror}. End some, and try again."
                ) from error
            if not child:
                _be_child(
                    work,
                    replace(grant, scratch=Path(scratch)),
                    Slot(place.fileno(), book, lambda _: None),
                    answer,
                )
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if not code:
                answer.seek(0)
                said = msgspec.msgpack.decode(answer.read(), type=_Answer)
                said.raised()
                return cast(T, said.result)
            note, deaths = noted(place.fileno()), deaths + 1
        if not note.line or deaths > MOST_DEATHS:
            advice = "set TMPDIR to another folder" if code == NO_ROOM else "leave the last file out"
            raise FanousError(f"The process that was reading {ended(code)}: {advice}.")
        book.died(note)


def _be_child(work: Callable[[Working], Any], grant: Grant, slot: Slot, answer: IO[bytes]) -> None:
    """Work, write the answer and end; never returns."""
    code = 1
    try:
        try:
            confine(grant)
            said = _Answer(work(slot))
        except FanousError as error:
            said = _Answer(says=_bytes(str(error)), permanent=error.permanent)
        except MemoryError:
            raise
        except OSError as error:  # what the machine lacks (files, room) is reported in a sentence
            said = _Answer(says=_bytes(error.strerror or str(error)), number=error.errno or 1)
        except Exception:
            said = _Answer(says=_bytes(f"in a child process:\n{traceback.format_exc()}"), is_fault=True)
        answer.write(msgspec.msgpack.encode(said))
        answer.flush()
        code = 0
    except MemoryError:
        code = OUT_OF_MEMORY
    except KeyboardInterrupt:
        code = 130
    except OSError:
        code = NO_ROOM
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
