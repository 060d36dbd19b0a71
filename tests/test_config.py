"""Where the data of a user are kept."""

from pathlib import Path

import pytest

from fanous.config import data_folder
from fanous.errors import FanousError


@pytest.mark.parametrize("relative", ["", "data", "./data"])
def test_a_relative_data_folder_is_ignored(
    relative: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", relative)
    assert data_folder() == tmp_path / ".local" / "share" / "fanous"


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_entry() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_entry)
    with pytest.raises(FanousError, match="has no home folder: set HOME or XDG_DATA_HOME"):
        data_folder()
