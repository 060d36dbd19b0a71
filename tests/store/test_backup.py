"""A backup restored where nothing was before gives the same answer, to the byte."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WINDOW = ("--since", "2023-12-17", "--until", "2023-12-18")


def fanous(*words: str) -> str:
    ran = subprocess.run([sys.executable, "-m", "fanous", *words], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def confirmed(store: Path) -> str:
    return fanous("confirm", "PK", *WINDOW, "--json", "--store", str(store))


@pytest.fixture(scope="module")
def original(rally: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("original") / "store"
    fanous("ingest", "ooni", str(rally), "--store", str(store))
    return store


def test_a_copy_of_the_folder_says_the_same(original: Path, tmp_path: Path) -> None:
    shutil.copytree(original, tmp_path / "restored", symlinks=True)
    answer = confirmed(original)
    assert json.loads(answer)["incidents"], "there is something to lose"
    assert confirmed(tmp_path / "restored") == answer


def test_a_copy_that_followed_links_says_what_to_do(original: Path, tmp_path: Path) -> None:
    shutil.copytree(original, tmp_path / "restored")
    words = ["confirm", "PK", "--store", str(tmp_path / "restored")]
    ran = subprocess.run([sys.executable, "-m", "fanous", *words], capture_output=True, text=True)
    assert ran.returncode == 1
    assert "copy the store with cp -a" in ran.stderr


def test_archive_and_ledger_are_enough(original: Path, tmp_path: Path) -> None:
    restored = tmp_path / "restored"
    restored.mkdir()
    shutil.copytree(original / "archive", restored / "archive")
    shutil.copy(original / "ledger.sqlite", restored)
    fanous("rejudge", "--store", str(restored))
    assert confirmed(restored) == confirmed(original)
    history = ("incidents", "list", "PK", "--json", "--store")
    assert fanous(*history, str(restored)) == fanous(*history, str(original))
