"""Log: one event of a running monitor as one line, ``event key=value key="two words"``."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from logging import INFO, Formatter, Logger, LogRecord, StreamHandler, getLogger
from typing import Any, TextIO

from fanous.base.text import printable, printable_lines

_QUOTED = frozenset(' "=')


def logline(event: str, **facts: object) -> str:
    """The line.  Floats have three digits, ``None`` is left out, and no value breaks the line."""
    return " ".join([event, *(f"{key}={_value(value)}" for key, value in facts.items() if value is not None)])


def _value(value: object) -> str:
    text = f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    text = printable(text)
    if text and not _QUOTED & set(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


INTERVAL = 60.0
"""Seconds for which lines of one kind are counted together."""

MOST_OF_A_KIND = 30
"""Most lines of one kind in an interval.  A monitor of forty countries writes that many at start-up; an attacker
who can cause a line with a request gets at most some 40,000 a day of each kind, instead of filling the disk."""

MOST_KINDS = 500
"""Most kinds counted separately; we have some eighty.  All others count as one kind."""


@dataclass(slots=True)
class _Counted:
    """Lines of one kind in the current interval.

    Attributes:
        since: monotonic seconds at which the interval began.
        written, held_back: lines since then.
    """

    since: float
    written: int = 0
    held_back: int = 0


class SparingHandler(StreamHandler[TextIO]):
    """Writes a limited number of lines of each kind in an interval, then "and N more like this" once it is over.

    A kind is a logger, a level and the first word of the line, which in our lines is the event.  A traceback
    is written with the first line of its kind only.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._clock = clock
        self._kinds: dict[tuple[str, int, str], _Counted] = {}

    def emit(self, record: LogRecord) -> None:
        now = self._clock()
        self._tell_what_was_held_back(now)
        words = str(record.msg).split(None, 1)
        kind = (record.name, record.levelno, words[0][:60] if words else "")
        if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
            kind = ("fanous.log", record.levelno, "other")
        counted = self._kinds.setdefault(kind, _Counted(now))
        if counted.written >= MOST_OF_A_KIND:
            counted.held_back += 1
            return
        counted.written += 1
        super().emit(record if counted.written == 1 else _without_traceback(record))

    def close(self) -> None:
        """Close, after reporting the lines held back so far."""
        self._tell_what_was_held_back(float("inf"))
        super().close()

    def _tell_what_was_held_back(self, now: float) -> None:
        over = [(kind, one) for kind, one in self._kinds.items() if now - one.since >= INTERVAL]
        for kind, one in over:
            del self._kinds[kind]
            if one.held_back:
                name, level, word = kind
                more = f"{word} ... and {one.held_back:,} more like this in {INTERVAL:.0f} s"
                super().emit(LogRecord(name, level, "", 0, more, None, None))


class PrintableFormatter(Formatter):
    """Log lines with the time in UTC.  Text from others, such as what a library quotes from a server, can neither
    control a terminal nor start a line; the lines of a traceback begin with a mark."""

    def __init__(self) -> None:
        super().__init__("%(asctime)sZ %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def formatMessage(self, record: LogRecord) -> str:
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        return "\n".join(f"| {line}" for line in printable_lines(super().formatException(ei)).split("\n"))


def _without_traceback(record: LogRecord) -> LogRecord:
    if not record.exc_info:
        return record
    brief = LogRecord(record.name, record.levelno, "", 0, record.msg, record.args, None)
    brief.created = record.created
    return brief


def log_to_stderr() -> Logger:
    """Log our lines to the current stderr, with the time in UTC; other libraries only from warnings upwards.  Lines of
    one kind are limited in number, since an attacker could otherwise fill the disk with them.
    """
    handler = SparingHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter())
    root = getLogger()
    root.handlers[:] = [handler]
    ours = getLogger("fanous")
    ours.setLevel(INFO)
    # uvicorn warns once for each bad request, so anyone could fill the log.
    getLogger("uvicorn.error").setLevel("ERROR")
    return ours
