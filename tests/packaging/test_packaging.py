"""What ships beside the package holds together: units, containers, locks, licences, man pages, the site.

No container engine and no running systemd is needed; what only they could show is not shown (docs/limits.md).
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from tools.licences import licences, packages
from tools.man_pages import man_pages

from fanous.cli import app
from fanous.config import read_config
from tests.documents import ROOT, label, unknown_words

PACKAGING = ROOT / "packaging"
UNITS = sorted((PACKAGING / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
EXPOSURE = 2.0
"""The most that `systemd-analyze security` may say of a unit (0 = safest, 10 = all is allowed)."""


def commands(text: str) -> list[str]:
    """Command lines of Fanous in a unit or a Dockerfile."""
    units = re.findall(r"^ExecStart=\S+/(fanous .+)$", text, re.MULTILINE)
    containers = re.findall(r"^CMD (\[.+\])$", text, re.MULTILINE)
    return units + [" ".join(["fanous", *json.loads(words)]) for words in containers]


@pytest.mark.parametrize("path", [*SERVICES, PACKAGING / "Dockerfile"], ids=label)
def test_every_command_that_is_started_exists_with_its_options(path: Path) -> None:
    found = commands(path.read_text(encoding="utf-8"))
    assert found
    for typed in found:
        assert unknown_words(typed, typer.main.get_command(app)) == []


def test_every_file_that_an_image_copies_exists() -> None:
    for words in re.findall(r"^COPY (?!--from)(.+)$", (PACKAGING / "Dockerfile").read_text(), re.MULTILINE):
        *sources, _target = words.split()
        assert all((ROOT / source).exists() for source in sources), words


def test_the_configuration_that_ships_is_one_that_fanous_reads() -> None:
    assert set(read_config(PACKAGING / "fanous.toml")) == {"store", "run", "collector"}


@pytest.mark.parametrize("unit", UNITS, ids=label)
def test_systemd_takes_each_unit_and_finds_the_services_confined(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here (Debian: apt-get install systemd)")
    text = unit.read_text(encoding="utf-8").replace("/opt/fanous/bin/fanous", sys.executable)
    for other in UNITS:
        (tmp_path / other.name).write_text(text if other == unit else other.read_text(encoding="utf-8"))
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (told.returncode, told.stderr.count(unit.name)) == (0, 0), told.stderr
    if unit.suffix == ".service":
        look = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(tmp_path / unit.name)]
        said = subprocess.run(look, capture_output=True, text=True, timeout=60).stdout
        assert float(re.findall(r"exposure level for \S+: ([\d.]+)", said)[0]) <= EXPOSURE


def pinned(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE))


def test_what_ships_is_pinned_as_it_was_tested() -> None:
    tested = pinned(ROOT / "requirements.lock")
    probe, server = (pinned(PACKAGING / f"{name}.lock") for name in ("probe", "server"))
    assert {**probe, **server}.items() <= tested.items()
    assert probe.items() <= server.items()
    assert "numpy" not in probe
    assert "numpy" in server


def test_every_package_that_goes_along_has_a_licence_that_allows_it() -> None:
    found = list(licences())
    assert len(found) > 40
    assert len(found) <= len(list(packages()))
    assert [one for one in found if not one.goes_along] == []


def test_every_command_has_a_man_page_that_man_can_show(tmp_path: Path) -> None:
    pages = dict(man_pages())
    assert {"fanous.1", "fanous-confirm.1", "fanous-probe-run.1"} <= set(pages)
    confirm = pages["fanous-confirm.1"]
    assert "\\-\\-target" in confirm
    assert "$FANOUS_STORE" in confirm
    if shutil.which("groff") is None:
        return
    for name, text in pages.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        argv = ["groff", "-man", "-ww", "-z", "-Tutf8", "-Kutf8", str(tmp_path / name)]
        told = subprocess.run(argv, capture_output=True, text=True, timeout=30)
        assert (told.returncode, told.stderr) == (0, ""), name


def test_the_documentation_builds_without_a_broken_link_and_fetches_nothing(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    zensical = Path(sys.executable).with_name("zensical")
    built = subprocess.run(
        [zensical, "build", "--strict"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert built.returncode == 0, built.stdout + built.stderr
    pages = list((tmp_path / "build" / "site").rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        fetched = re.findall(
            r"<(?:script|link|img)[^>]+(?:src|href)=\"(https?://[^\"]+)", page.read_text("utf-8")
        )
        assert [address for address in fetched if "canonical" not in address] == [], page
