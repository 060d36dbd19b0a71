"""Nouns that are cheap to make, and that code which uses them cannot change."""

import os
import subprocess
import sys
from dataclasses import field, replace
from math import nan
from pathlib import Path

from fanous.model.measurement import changed, noun
from tests.documents import ROOT

CHANGES = """
from fanous.model.measurement import Layer, Observation

observation = Observation(layer=Layer.DNS, target="x")
observation.target = "youtube"
"""


@noun
class Sighting:
    place: str
    count: int = 1
    share: float = nan
    told: str = field(default="", compare=False)


def test_the_type_checker_forbids_to_change_one(tmp_path: Path) -> None:
    (tmp_path / "changes.py").write_text(CHANGES)
    # Of Fanous, it reads this module: all that it imports would take twenty times as long.
    modules = ["-m", "changes", "-m", "fanous.model.measurement"]
    command = [sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=skip", *modules]
    environment = os.environ | {"MYPYPATH": str(ROOT / "src")}
    checked = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert 'Property "target" defined in "Observation" is read-only' in checked.stdout


def test_it_has_the_equality_the_hash_and_the_slots_of_a_frozen_dataclass() -> None:
    one, same = Sighting("Lahore"), Sighting("Lahore", told="twice")
    assert one == same
    assert hash(one) == hash(same)
    assert one != Sighting("Lahore", 2)
    assert not hasattr(one, "__dict__")
    assert replace(one, count=3) == changed(one, count=3) == Sighting("Lahore", 3)
    assert one != object()


def test_two_of_which_the_same_is_unknown_are_equal() -> None:
    assert Sighting("Lahore", share=nan) == Sighting("Lahore", share=nan) != Sighting("Lahore", share=0.0)
    assert hash(Sighting("Lahore")) == hash(Sighting("Lahore"))
