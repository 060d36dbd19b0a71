"""A backup restored where nothing was before gives the same answer, to the byte."""

import json
import shutil
from pathlib import Path

import pytest

from tests.commands import fanous, program
from tests.copies import copy_of

WINDOW = ("--since", "2023-12-17", "--until", "2023-12-18")


def confirmed(store: Path) -> str:
    return fanous("confirm", "PK", *WINDOW, "--json", "--store", store).stdout


@pytest.fixture(scope="module")
def original(small_rally_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of(small_rally_folder, tmp_path_factory.mktemp("original") / "store")


def test_a_copy_of_the_folder_says_the_same(original: Path, tmp_path: Path) -> None:
    shutil.copytree(original, tmp_path / "restored", symlinks=True)
    answer = confirmed(original)
    assert json.loads(answer)["incidents"], "there is something to lose"
    assert confirmed(tmp_path / "restored") == answer


def test_a_copy_that_followed_links_says_what_to_do(original: Path, tmp_path: Path) -> None:
    shutil.copytree(original, tmp_path / "restored")
    ran = program("confirm", "PK", "--store", tmp_path / "restored", code=1)
    assert "copy the store with cp -a" in ran.stderr


def test_archive_and_ledger_are_enough(original: Path, tmp_path: Path) -> None:
    restored = tmp_path / "restored"
    restored.mkdir()
    shutil.copytree(original / "archive", restored / "archive")
    shutil.copy(original / "ledger.sqlite", restored)
    program("rejudge", "--store", restored)
    assert confirmed(restored) == confirmed(original)
    history = ("incidents", "list", "PK", "--json", "--store")
    assert fanous(*history, restored).stdout == fanous(*history, original).stdout
