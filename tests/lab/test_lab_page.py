"""docs/lab.md describes every technique, and says which are no interference."""

import re

from fanous_lab.censors import TECHNIQUES
from tests.documents import ROOT, rows, section, text_of


def test_every_technique_is_described() -> None:
    table = rows(section(text_of(ROOT / "docs" / "lab.md"), "## What can happen"))
    named = [cells[0].strip("`") for cells in table]
    assert sorted(named) == sorted(TECHNIQUES)
    harmless = {cells[0].strip("`") for cells in table if "no interference" in cells[2]}
    assert harmless | {"none"} == {one.name for one in TECHNIQUES.values() if not one.is_interference}


def test_no_name_occurs_twice() -> None:
    text = text_of(ROOT / "lab" / "src" / "fanous_lab" / "censors" / "__init__.py")
    names = re.findall(r'(?:Technique|_on_everything|_mishap)\(\s*"(\w+)"', text)
    assert len(names) == len(set(names)) == len(TECHNIQUES)
