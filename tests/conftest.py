"""What several test folders share: the generated event, written once a session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fanous.testing import pakistan


@pytest.fixture(scope="session", autouse=True)
def own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fingerprint sets and stores that the developer has installed must not change a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.delenv("FANOUS_STORE", raising=False)
        yield


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


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes get no names: nobody can read them, and gzip's hold the second, in which workers differ."""
    return argname if isinstance(val, bytes) else None
