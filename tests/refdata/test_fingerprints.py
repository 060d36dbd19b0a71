"""The patterns that ship, and files of the user's own beside them."""

from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.refdata.fingerprints import fingerprints

OWN = """
[[pattern]]
id = "own.notice"
where = "body"
kind = "blockpage"
pattern = "this page is kept from you"
source = "a test"
"""


def test_what_ships_compiles_and_says_its_source() -> None:
    ours = fingerprints()
    assert len(ours.patterns) >= 40
    assert [pattern.id for pattern in ours.patterns if not pattern.source] == []
    assert fingerprints() is ours


def test_a_file_of_the_users_own_is_added(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    both = fingerprints((tmp_path / "own.toml",))
    assert len(both.patterns) == len(fingerprints().patterns) + 1
    assert both.patterns[-1].id == "own.notice"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match=r"missing\.toml cannot be read"):
        fingerprints((tmp_path / "missing.toml",))
