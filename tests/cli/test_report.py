"""A report is sent to others, so its links must lead where they can follow."""

from pathlib import Path

import pytest

from tests.commands import fanous
from tests.copies import copy_of

HERE = "http://127.0.0.1:8470"


@pytest.mark.parametrize("said_by", ["nothing", "the option", "the configuration"])
def test_links_that_only_this_machine_can_open_are_not_passed_over(
    said_by: str, small_rally_folder: Path, tmp_path: Path
) -> None:
    store, out = copy_of(small_rally_folder, tmp_path / "store"), tmp_path / "report"
    config = tmp_path / "fanous.toml"
    config.write_text(
        '[web]\nurl = "https://monitor.example"\n' if said_by == "the configuration" else "", "utf-8"
    )
    more = ("--url", "https://monitor.example/") if said_by == "the option" else ()
    done = fanous(
        "incidents", "report", "PK-2023-0001", "-o", out, "--store", store, "--config", config, *more
    )
    post = "".join(path.read_text("utf-8") for path in out.glob("*.txt"))
    if said_by == "nothing":
        assert HERE in post and HERE in done.stderr and "--url" in done.stderr
    else:
        assert "https://monitor.example/PK/PK-2023-0001" in post and HERE not in post
        assert done.stderr == ""
