"""Generators: made-up events by name, for ``fanous demo``, for corpora and for tests."""

from collections.abc import Callable
from pathlib import Path

from fanous.evaluation.simulate import pakistan
from fanous.evaluation.simulate.pakistan import EventTruth

GENERATORS: dict[str, Callable[[Path, int], EventTruth]] = {
    "pakistan-2023-12-17": pakistan.write,
    "pakistan-quiet": pakistan.write_quiet,
}
"""Name -> writes raw measurements of source ``ooni`` to a file, by seed, and says what it put in."""
