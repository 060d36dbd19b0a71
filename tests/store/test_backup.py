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


def test_a_copy_that_followed_links_or_left_them_out_says_what_to_do(original: Path, tmp_path: Path) -> None:
    followed, without = tmp_path / "followed", tmp_path / "without"
    shutil.copytree(original, followed)
    for link in shutil.copytree(original, without, symlinks=True).rglob("*"):
        if link.is_symlink():
            link.unlink()
    for store in (followed, without):
        ran = fanous("confirm", "PK", "--store", store, code=1)
        assert "copy the store again with cp -a" in ran.stderr and "DB::" not in ran.stderr


def test_a_store_without_facts_is_not_said_to_be_empty(original: Path, tmp_path: Path) -> None:
    store = copy_of(original, tmp_path / "store")
    shutil.rmtree(store / "facts")
    assert "run `fanous rejudge`" in fanous("confirm", "PK", "--store", store, code=1).stderr


def test_archive_and_ledger_are_enough(original: Path, tmp_path: Path) -> None:
    restored = tmp_path / "restored"
    restored.mkdir()
    shutil.copytree(original / "archive", restored / "archive")
    shutil.copy(original / "ledger.sqlite", restored)
    program("rejudge", "--store", restored)
    assert confirmed(restored) == confirmed(original)
    history = ("incidents", "list", "PK", "--json", "--store")
    assert fanous(*history, restored).stdout == fanous(*history, original).stdout
