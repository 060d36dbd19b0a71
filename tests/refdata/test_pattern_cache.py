"""The compiled form on disk: used where it fits, never where it does not."""

from pathlib import Path

import pytest

from fanous.analysis.rules.fingerprints import PatternText
from fanous.refdata.fingerprints import FILE, kept_matcher

PATTERNS = [PatternText("a", "kept"), PatternText("b", "from")]


def test_what_was_compiled_is_found_again(tmp_path: Path) -> None:
    compiler = kept_matcher(tmp_path, worth=0)
    first = compiler(PATTERNS).find(b"kept from you")
    (stored,) = tmp_path.iterdir()
    written = stored.stat().st_mtime_ns
    assert compiler(PATTERNS).find(b"kept from you") == first == [(0, 4), (1, 9)]
    assert stored.stat().st_mtime_ns == written


def test_other_patterns_are_compiled_again(tmp_path: Path) -> None:
    compiler = kept_matcher(tmp_path, worth=0)
    compiler(PATTERNS)
    assert compiler([PatternText("a", "from")]).find(b"kept from you") == [(0, 9)]


@pytest.mark.parametrize("fault", ["cut", "flipped", "empty", "alien"])
def test_a_damaged_form_is_compiled_again(tmp_path: Path, fault: str) -> None:
    compiler = kept_matcher(tmp_path, worth=0)
    compiler(PATTERNS)
    whole = (tmp_path / FILE).read_bytes()
    broken = {
        "cut": whole[:-9],
        "flipped": whole[:-1] + bytes([whole[-1] ^ 1]),
        "empty": b"",
        "alien": b"x" * 99,
    }
    (tmp_path / FILE).write_bytes(broken[fault])
    assert compiler(PATTERNS).find(b"kept") == [(0, 4)]
    assert (tmp_path / FILE).read_bytes() == whole


def test_what_compiles_at_once_is_not_kept(tmp_path: Path) -> None:
    kept_matcher(tmp_path)(PATTERNS)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    kept_matcher(tmp_path / "new" / "cache", worth=0)(PATTERNS)
    assert (tmp_path / "new" / "cache" / FILE).exists()


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert kept_matcher(tmp_path / "file" / "cache", worth=0)(PATTERNS).find(b"kept") == [(0, 4)]
