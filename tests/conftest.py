"""What several test folders share: the generated event, written once for all workers."""

import gc
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from fanous.pipeline import ingest
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous_lab.evaluation.simulate import pakistan
from tests.commands import fanous
from tests.copies import copy_of, once
from tests.demonstration import as_far_as_x
from tests.store.buckets import KEYS, s3

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell that starts the tests in the background has it ignored, by them and by what they start and interrupt."""

settings.register_profile("fanous", deadline=None)  # on a busy machine a deadline says nothing of the code
settings.load_profile("fanous")


@pytest.fixture(scope="session", autouse=True)
def own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fingerprint sets and stores that the developer has installed must not change a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.delenv("FANOUS_STORE", raising=False)
        yield


def fill(folder: Path, measurements: Path) -> None:
    with open_store(folder) as store:
        ingest.ingest(store, "ooni", [measurements])


@pytest.fixture(scope="session")
def rally(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw synthetic measurements of Pakistan, 16-18 December 2023, with the restriction."""
    return once(tmp_path_factory, "rally.jsonl", lambda path: pakistan.write(path, seed=3))


@pytest.fixture(scope="session")
def rally_folder(rally: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds the rally, detected.  Never open it: take a copy (``copy_of``), which costs no seconds."""
    return once(tmp_path_factory, "rally", lambda folder: fill(folder, rally))


@pytest.fixture
def rally_store(rally_folder: Path, tmp_path: Path) -> Iterator[Store]:
    """A store of the test's own that holds the rally, detected."""
    with open_store(copy_of(rally_folder, tmp_path / "rally-store")) as opened:
        yield opened


@pytest.fixture(scope="session")
def small_rally(rally: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rally as far as X, and what was measured abroad: a quarter, of which one nation-wide claim comes."""
    lines = rally.read_bytes().splitlines(keepends=True)
    kept = [one for one in lines if b'"https://twitter.com/"' in one or b'"probe_cc":"PK"' not in one]
    return once(tmp_path_factory, "small-rally.jsonl", lambda path: path.write_bytes(b"".join(kept)))


@pytest.fixture(scope="session")
def real_rally(small_rally: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without marks: what real records of it would look like, for the doors that refuse staged ones."""
    unmarked = small_rally.read_bytes().replace(b'"synthetic":"fanous",', b"")
    return once(tmp_path_factory, "real-rally.jsonl", lambda path: path.write_bytes(unmarked))


@pytest.fixture(scope="session")
def small_rally_folder(small_rally: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds it, detected.  Never open it: take a copy."""
    return once(tmp_path_factory, "small-rally", lambda folder: fill(folder, small_rally))


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of ``fanous demo``, the event that was recorded in the lab.  Never open it: take a copy."""
    return once(tmp_path_factory, "demo", lambda folder: fanous("demo", "--once", "--store", folder))


@pytest.fixture(scope="session")
def demo_of_x_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of the event as far as X.  Never open it: take a copy."""

    def play(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            as_far_as_x(patch)
            fanous("demo", "--once", "--store", folder)

    return once(tmp_path_factory, "demo-of-x", play)


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same days with ordinary trouble only."""
    return once(tmp_path_factory, "quiet.jsonl", lambda path: pakistan.write_quiet(path, seed=3))


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    with s3(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def served(s3_server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """Address of a real S3 server, whose keys are in the environment, and the folder of its bucket."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return s3_server


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes get no names: no one can read them, and gzip's hold the second, in which workers differ."""
    return argname if isinstance(val, bytes) else None


TOGETHER = ("tests/web/browser/", "tests/store/")
"""Folders whose servers cost more than spreading their tests would save: one worker starts them, once."""

LONG = (
    "web/browser/",
    "tests/store/",
    "monitor/test_monitor.py",
    "test_kill.py",
    "evidence/",
    "test_evaluate.py",
    "pipeline/test_ingest.py",
    "cli/test_main.py",
    "monitor/",
    "test_story.py",
    "cli/test_detect.py",
)
"""Files that take long, the longest first: begun last, one worker would go on alone for minutes."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A worker takes a file at a time, or a whole folder of ``TOGETHER``."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    scheduler = LoadFileScheduling(config, log)
    file_of = scheduler._split_scope
    scheduler._split_scope = lambda test: next(filter(test.startswith, TOGETHER), file_of(test))
    return scheduler


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of tests and all modules stay to the end: Python need not look through them for garbage."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those first, all others in their original order."""
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if name in str(item.path)), len(LONG)))
