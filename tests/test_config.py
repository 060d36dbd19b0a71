"""Where the data of a user are kept."""

from pathlib import Path

import pytest

from fanous.config import data_folder


@pytest.mark.parametrize("relative", ["", "data", "./data"])
def test_a_relative_data_folder_is_ignored(
    relative: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", relative)
    assert data_folder() == tmp_path / ".local" / "share" / "fanous"
