"""Consent before the first packet, and what was spent today."""

from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.probe import consent
from tests.each import each


def test_consent_is_remembered_and_withdrawn(tmp_path: Path) -> None:
    assert not consent.is_given(tmp_path)
    consent.give(tmp_path / "new", 0.0)
    assert consent.is_given(tmp_path / "new")
    assert consent.withdraw(tmp_path / "new")
    assert not consent.is_given(tmp_path / "new")
    assert not consent.withdraw(tmp_path / "new")


@each(
    "content", ["", "[]", "[" * 99_999, "not json", '{"version": 0}', '{"version": 99}', '{"given": "2026"}']
)
def test_only_consent_to_this_text_counts(content: str, tmp_path: Path) -> None:
    consent.consent_file(tmp_path).write_text(content)
    assert not consent.is_given(tmp_path)


def test_a_country_where_it_endangers_people_is_refused() -> None:
    with pytest.raises(FanousError, match="may endanger you"):
        consent.check_country("KP")
    consent.check_country("PK")
    consent.check_country("ZZ")


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FanousError, match="cannot write"):
        consent.give(tmp_path / "file" / "below", 0.0)
