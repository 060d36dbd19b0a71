"""What a machine lacks is asked of what the installed Fanous declares, so that the list cannot go stale."""

import re
import shutil
import tomllib
from collections import namedtuple
from pathlib import Path

import pytest

from fanous.pipeline.doctor import LEAST_FREE, WITHOUT, examine, packages_of
from tests.documents import ROOT
from tests.each import each

Usage = namedtuple("Usage", "total used free")
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["server"]


def test_every_package_of_the_server_has_what_does_not_work_without_it() -> None:
    names = {re.split(r"[^\w-]", entry)[0] for entry in DECLARED}
    assert set(WITHOUT) == names


@each(
    ("requirement", "wanted"),
    [
        ("numpy>=2.1; extra == 'server'", ["numpy"]),
        ("psycopg[binary]>=3.2 ; extra == 'server'", ["psycopg"]),
        ('chdb<5,>=4.4; extra == "server"', ["chdb"]),
        ("backports-zstd>=1.1; (python_version < '3.99') and extra == 'server'", ["backports-zstd"]),
        ("backports-zstd>=1.1; (python_version < '3.1') and extra == 'server'", []),
        ("httpx>=0.28", []),
        ("x; extra == 'other'", []),
    ],
)
def test_a_requirement_is_read(requirement: str, wanted: list[str]) -> None:
    assert packages_of("server", [requirement]) == wanted


def test_what_is_declared_and_not_installed_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        "fanous.pipeline.doctor.requires",
        lambda _: ["jinja2; extra == 'server'", "nosuch-thing>=1; extra == 'server'"],
    )
    found = {need.name: need.found for need in examine(tmp_path) if need.part == "server"}
    assert (found["jinja2"], found["nosuch-thing"]) == (True, False)


def test_what_a_machine_cannot_have_is_lacking_and_named_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("fanous.pipeline.doctor._is_installed", lambda name: name != "ooniauth-py")
    (need,) = [one for one in examine(tmp_path) if one.name == "ooniauth-py"]
    assert (need.found, need.is_vital) == (False, False)
    assert "x86-64 Linux" in need.mend and "credentials" in need.without


def test_the_disk_is_that_of_the_store_also_where_it_is_not_there_yet(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Path] = []

    def usage(place: Path) -> Usage:
        asked.append(place)
        return Usage(2 * LEAST_FREE, LEAST_FREE + 1, LEAST_FREE - 1)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    (need,) = [one for one in examine(tmp_path / "not" / "yet") if "1 GB" in one.name]
    assert asked == [tmp_path]
    assert not need.found
    assert str(tmp_path) in need.name
