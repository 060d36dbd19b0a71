"""What is sent in addition to a page: little, and only our own."""

import gzip
from importlib.resources import files

import pytest

from fanous.web.templates import asset_addresses

SCRIPTS = sorted(
    file.name for file in (files("fanous.web") / "static").iterdir() if file.name.endswith(".js")
)


def test_all_scripts_together_stay_within_100_kb_compressed() -> None:
    raw = [(files("fanous.web") / "static" / name).read_bytes() for name in SCRIPTS]
    assert sum(len(gzip.compress(one, 9)) for one in raw) <= 100 * 1024


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_names_no_other_host_and_needs_no_looser_policy(name: str) -> None:
    text = (files("fanous.web") / "static" / name).read_text(encoding="utf-8")
    assert [
        line for line in text.splitlines() if "//" in line and "http://www.w3.org/2000/svg" not in line
    ] == []
    assert not any(word in text for word in ("eval(", "new Function", "innerHTML =", 'setAttribute("style"'))


def test_a_file_is_named_after_what_it_holds() -> None:
    addresses = asset_addresses()
    assert addresses["chart.js"].startswith("/static/")
    assert addresses["chart.js"] != addresses["live.js"]
