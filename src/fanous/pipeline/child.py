"""Child: work on records in a copy of this process, so that a record that ends it costs only itself.

For commands that open no store and have started no thread: the copy is made before what they need is loaded, and takes
some milliseconds.
"""

import os
import pickle
import sys
import threading
import traceback
from collections.abc import Callable
from signal import SIGKILL, Signals
from tempfile import TemporaryFile
from typing import Any, TypeVar, cast

from fanous.errors import FanousError
from fanous.sources.connector import UNWATCHED, Working
from fanous.sources.stream import Book, Slot, noted

T = TypeVar("T")

MOST_DEATHS = 20

OUT_OF_MEMORY = 75
"""Exit code of a child, or a worker, that had too little memory."""

NO_ROOM = 77
"""Exit code of a child that could not write its answer to a temporary file."""


def ended(code: int) -> str:
    """How a process ended, in words that follow its name."""
    if code == OUT_OF_MEMORY:
        return "ran out of memory"
    if code == NO_ROOM:
        return "could not write to the temporary folder: it is full, or files may not grow that large (`ulimit -f`)"
    if code == -SIGKILL:
        return "was killed (SIGKILL), as the system does if memory runs out"
    return f"crashed ({Signals(-code).name})" if code < 0 else f"ended (code {code})"


def in_child(work: Callable[[Working], T]) -> T:
    """What ``work`` returns; a record that ended it twice is rejected the third time.

    Where no other process can be started, this one does the work.

    Raises:
        FanousError: raised by ``work``, or it died between two records, or again and again.
    """
    book, deaths = Book(), 0
    while True:
        with TemporaryFile() as place, TemporaryFile() as answer:
            try:
                child = os.fork() if threading.active_count() == 1 else None
            except OSError:
                child = None
            if child is None:
                return work(UNWATCHED)
            if not child:
                _be_child(work, Slot(place.fileno(), book, lambda _: None), answer)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if not code:
                answer.seek(0)
                result = pickle.load(answer)
                if isinstance(result, Exception):
                    raise result
                return cast(T, result)
            note, deaths = noted(place.fileno()), deaths + 1
        if not note.line or deaths > MOST_DEATHS:
            advice = "set TMPDIR to another folder" if code == NO_ROOM else "leave the last file out"
            raise FanousError(f"The process that was reading {ended(code)}: {advice}.")
        book.died(note)


def _be_child(work: Callable[[Working], Any], slot: Slot, answer: Any) -> None:
    """Work, write the answer and end; never returns."""
    code = 1
    try:
        try:
            result = work(slot)
        except FanousError as error:
            result = FanousError(str(error), permanent=error.permanent)
        except Exception as error:
            if isinstance(error, MemoryError):
                raise
            # An error about what the machine lacks (files, room) stays one, so that it is reported in a sentence.
            lacks = isinstance(error, OSError)
            result = error if lacks else RuntimeError(f"in a child process:\n{traceback.format_exc()}")
        pickle.dump(result, answer)
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
