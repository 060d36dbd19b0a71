"""A store of its own for each test.

The in-process engine hosts one store a process at a time and opens another in 40 ms after ``close``.  A
test that needs two at once, or a kill, starts processes.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fanous.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened
