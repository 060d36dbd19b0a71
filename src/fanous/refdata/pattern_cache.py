"""Pattern cache: compiled patterns kept on disk, so that commands start without a wait.

Compiling what ships takes a second (bounded gaps grow), loading it a millisecond.  The file says which
patterns, processor family and release it is for and carries its own digest: what does not fit is compiled
again, never run.
"""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fanous.analysis.rules.matcher import Matcher, PatternText, compile_matcher, dumped, engine, loaded
from fanous.refdata.atomic import replace_file

WORTH_KEEPING = 0.3
"""Seconds of compiling that a person notices."""

FILE = "compiled.bin"
_DIGEST = 32


def kept_matcher(folder: Path, worth: float = WORTH_KEEPING) -> Callable[[list[PatternText]], Matcher]:
    """A compiler that keeps its work in ``folder`` where it took longer than ``worth`` seconds."""

    def compile_or_load(patterns: list[PatternText]) -> Matcher:
        path, key = folder / FILE, _key(patterns)
        found = _load(path, key)
        if found is not None:
            return found
        began = time.monotonic()
        matcher = compile_matcher(patterns)
        data = dumped(matcher) if time.monotonic() - began > worth else None
        if data is not None:
            with suppress(OSError):  # a folder that cannot be written costs a second, no more
                folder.mkdir(parents=True, exist_ok=True)
                replace_file(path, key + hashlib.sha256(data).digest() + data)
        return matcher

    return compile_or_load


def _key(patterns: list[PatternText]) -> bytes:
    """Digest of all that decides the compiled form."""
    digest = hashlib.sha256(engine().encode())
    for pattern in patterns:
        expression = pattern.expression.encode()
        digest.update(len(expression).to_bytes(4) + expression)
    return digest.digest()


def _load(path: Path, key: bytes) -> Matcher | None:
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    data = kept[2 * _DIGEST :]
    if kept[: 2 * _DIGEST] != key + hashlib.sha256(data).digest():
        return None
    return loaded(data)
