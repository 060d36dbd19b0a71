"""Catalogue: the scenarios included in Fanous, by name; each gives its sources and how it compresses time."""

from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from fanous.errors import FanousError
from fanous.lab.scenario import Scenario
from fanous.lab.script import load_scenario, parse_scenario

FOLDER = "scenarios"


def scenario_names() -> tuple[str, ...]:
    """In the order of the alphabet."""
    found = (one.name for one in (files(__package__) / FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


def scenario_titles() -> dict[str, str]:
    """Name -> title."""
    return {name: shipped(name).title for name in scenario_names()}


def shipped(name: str) -> Scenario:
    """One of ``scenario_names``."""
    return parse_scenario((files(__package__) / FOLDER / f"{name}.toml").read_text("utf-8"), f"{name}.toml")


def scenario(name_or_path: str) -> Scenario:
    """A shipped scenario, or one from a file.

    Raises:
        FanousError: there is none, or it is wrong.
    """
    if name_or_path in scenario_names():
        return shipped(name_or_path)
    path = Path(name_or_path)
    if path.is_file():
        return load_scenario(path)
    near = nearest(name_or_path)
    hint = f"did you mean {near!r}?" if near else "`fanous lab list` shows those that ship"
    raise FanousError(f"there is no scenario {name_or_path!r}, neither shipped nor a file; {hint}")


def nearest(name: str) -> str:
    """The shipped name most like ``name``; empty = none is."""
    return next(iter(get_close_matches(name, scenario_names(), n=1)), "")
