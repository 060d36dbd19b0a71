"""Log: one event of a running monitor as one line, ``event key=value key="two words"``."""

import sys
import time
from logging import INFO, Formatter, Logger, StreamHandler, getLogger

from fanous.text import printable

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


def log_to_stderr() -> Logger:
    """Log our lines to the current stderr, with the time in UTC; other libraries only from warnings
    upwards.
    """
    formatter = Formatter("%(asctime)sZ %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = getLogger()
    root.handlers[:] = [handler]
    ours = getLogger("fanous")
    ours.setLevel(INFO)
    # uvicorn warns once for each bad request, so anyone could fill the log.
    getLogger("uvicorn.error").setLevel("ERROR")
    return ours
