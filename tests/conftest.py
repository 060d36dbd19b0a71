"""What several test folders share: the generated event, written once a session."""

from pathlib import Path

import pytest

from fanous.testing import pakistan


@pytest.fixture(scope="session")
def rally(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw synthetic measurements of Pakistan, 16-18 December 2023, with the restriction."""
    path = tmp_path_factory.mktemp("rally") / "rally.jsonl"
    pakistan.write(path, seed=3)
    return path


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same days with ordinary trouble only."""
    path = tmp_path_factory.mktemp("quiet") / "quiet.jsonl"
    pakistan.write_quiet(path, seed=3)
    return path
