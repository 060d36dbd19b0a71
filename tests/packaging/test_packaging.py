"""What ships with the package is consistent: units, containers, locks, licences, man pages, the site.

No container engine and no running systemd is needed; what only they could show is not shown (docs/limits.md).
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
import yaml  # type: ignore[import-untyped]  # it has no types, and one test's reading is not worth a package
from tools.licences import licences, packages
from tools.man_pages import man_pages

from fanous.cli.main import app
from fanous.collector.stream.address import parse_address
from fanous.config import read_config
from fanous.monitor.settings import read
from fanous.store.location import StoreLocation, store_place
from tests.children import child_environment
from tests.documents import ROOT, label, unknown_words
from tests.jetstream import server

PACKAGING = ROOT / "packaging"
UNITS = sorted((PACKAGING / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
STORE = Path("/var/lib/fanous/store")
EXPOSURE = 2.0
"""The most that `systemd-analyze security` may say of a unit (0 = safest, 10 = all is allowed)."""


def commands(text: str) -> list[str]:
    """Command lines of Fanous in a unit or a Dockerfile."""
    units = re.findall(r"^ExecStart=(?:\S+/flock \S+ )?\S+/(fanous .+)$", text, re.MULTILINE)
    for source in re.findall(r"for source in ([\w ]+);", text):
        script = re.findall(r"/(fanous [^;|]+)", text)
        units += [line.strip().replace('"$$source"', name) for line in script for name in source.split()]
    containers = re.findall(r"^CMD (\[.+\])$", text, re.MULTILINE)
    return units + [" ".join(["fanous", *json.loads(words)]) for words in containers]


@pytest.mark.parametrize("path", [*SERVICES, PACKAGING / "Dockerfile"], ids=label)
def test_every_command_that_is_started_exists_with_its_options(path: Path) -> None:
    found = commands(path.read_text(encoding="utf-8"))
    assert found
    for typed in found:
        assert unknown_words(typed, typer.main.get_command(app)) == []


def option(typed: str, name: str) -> str:
    """The value of ``name`` in a command line; empty = it is not there."""
    words = typed.split()
    return words[words.index(name) + 1] if name in words else ""


def settings(unit: Path) -> dict[str, str]:
    """Each key of a unit, its last value."""
    return dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_unsafe_call_in_the_code_was_looked_at() -> None:
    """The first half of ``make audit``; the second asks a registry."""
    words = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--no-cache",
        "--config",
        "tools/audit.toml",
        "src",
        "lab/src",
    ]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_units_that_share_a_folder_share_its_user() -> None:
    users: dict[str, set[str]] = {}
    for unit in SERVICES:
        said = settings(unit)
        if "StateDirectory" in said:
            users.setdefault(said["StateDirectory"], set()).add(
                said.get("User", f"that of {unit.name} alone")
            )
    alone = {"fanous-inbox": "fanous-collect", "fanous-signer": "fanous-signer"}
    assert users == {"fanous": {"fanous"}} | {folder: {user} for folder, user in alone.items()}


def test_pulls_of_several_countries_take_turns(tmp_path: Path) -> None:
    """The stand-in for Fanous fails as Fanous does if another process has the store."""
    if shutil.which("flock") is None:
        pytest.skip("flock is not here (Debian: apt-get install util-linux)")
    alone = tmp_path / "fanous"
    alone.write_text(f"#!/bin/sh\nexec flock --nonblock {tmp_path}/facts.lock sleep 0.3\n", encoding="utf-8")
    alone.chmod(0o700)
    at_once = [
        subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
        for country in ("PK", "IR")
        for argv in pulls(alone, country, tmp_path)
    ]
    assert [(one.communicate(timeout=60)[1], one.returncode) for one in at_once] == [("", 0)] * len(at_once)


def pulls(program: Path, country: str, folder: Path) -> list[list[str]]:
    """The commands of ``fanous-pull@COUNTRY``, with another program and folder."""
    text = (PACKAGING / "systemd" / "fanous-pull@.service").read_text(encoding="utf-8")
    words = text.replace("/opt/fanous/bin/fanous", str(program)).replace("/var/lib/fanous", str(folder))
    lines = re.findall(r"^ExecStart=(.+)$", words, re.MULTILINE)
    return [shlex.split(line.replace("%i", country).replace("$$", "$")) for line in lines]


def test_a_source_that_fails_keeps_no_other_from_being_pulled_and_the_unit_fails(tmp_path: Path) -> None:
    if shutil.which("flock") is None:
        pytest.skip("flock is not here (Debian: apt-get install util-linux)")
    program = tmp_path / "fanous"
    program.write_text(f'#!/bin/sh\necho "$2 $4" >>{tmp_path}/asked\n[ "$2" != ioda ]\n', encoding="utf-8")
    program.chmod(0o700)
    codes = [
        subprocess.run(argv, timeout=60, check=False).returncode for argv in pulls(program, "PK", tmp_path)
    ]
    assert (tmp_path / "asked").read_text(encoding="utf-8").split("\n") == ["ioda PK", "ripestat PK", ""]
    assert codes == [1]


def test_every_file_that_an_image_copies_exists_and_reaches_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    admitted = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines, "what is not named stays out: .git, .venv"
    for words in re.findall(r"^COPY (?!--from)(.+)$", (PACKAGING / "Dockerfile").read_text(), re.MULTILINE):
        *sources, _target = words.split()
        assert all((ROOT / source).exists() for source in sources), words
        assert {re.sub(r"\w+\.lock$", "*.lock", source) for source in sources} <= admitted


def test_an_image_takes_no_package_without_its_hash() -> None:
    text = (PACKAGING / "Dockerfile").read_text(encoding="utf-8")
    taken = re.findall(r"pip install ([^\n\\&]+)", text)
    assert len(taken) == 5
    assert all(words.startswith(("--require-hashes -r /locks/", "--no-deps --no-index ")) for words in taken)
    assert "pip wheel --no-deps --no-build-isolation" in text
    assert "hatchling" in pinned(PACKAGING / "build.lock")


def test_a_monitor_as_a_service_is_reached_from_its_machine_alone() -> None:
    found = read(PACKAGING / "fanous.toml", STORE)
    assert found.page is not None
    assert {found.page.host, found.door.listen.host} == {"127.0.0.1"}


def test_what_the_doors_unit_fills_the_monitors_unit_drains(tmp_path: Path) -> None:
    (monitor,), (door,) = (
        commands((PACKAGING / "systemd" / f"{name}.service").read_text(encoding="utf-8"))
        for name in ("fanous", "fanous-collect")
    )
    assert option(monitor, "--config") == "/etc/fanous/fanous.toml"
    text = (PACKAGING / "fanous.toml").read_text(encoding="utf-8")
    beside = tmp_path / "fanous.toml"
    beside.write_text(re.sub("^# ((?:on|inbox) = )", r"\1", text, flags=re.M), encoding="utf-8")
    found = read(beside, Path(option(monitor, "--store")))
    assert found.inbox == Path(option(door, "--inbox"))
    assert not found.door.on, "both would listen there"
    assert option(door, "--listen") == f"{found.door.listen.host}:{found.door.listen.port}"


@pytest.mark.parametrize("name", ["fanous.toml", "container.toml"])
def test_the_configuration_that_ships_is_one_that_fanous_reads(name: str) -> None:
    file = PACKAGING / name
    assert set(read_config(file)) == {"store", "run", "web", "collector"}
    assert store_place(None, file) == STORE
    assert read(file, STORE).inbox == STORE.with_name("store.inbox")


def test_an_image_is_healthy_where_its_configuration_answers() -> None:
    dockerfile = (PACKAGING / "Dockerfile").read_text(encoding="utf-8")
    (asked,) = re.findall(r"http://([\d.]+):(\d+)/readyz", dockerfile)
    servers = composed("compose.servers.yaml")["configs"]["fanous"]["content"]
    assert f'status = "{asked[0]}:{asked[1]}"' in servers
    status = read(PACKAGING / "container.toml", STORE).status
    assert status is not None
    assert (status.host, str(status.port)) == asked


def test_a_container_publishes_its_ports_on_this_machine_alone() -> None:
    service = composed("compose.yaml")["services"]["monitor"]
    assert service["ports"] == ["127.0.0.1:8470:8470", "127.0.0.1:8471:8471"]
    assert "./container.toml:/etc/fanous/fanous.toml:ro" in service["volumes"]


def composed(name: str) -> dict[str, Any]:
    """A compose file with the one variable that it asks for filled in."""
    text = (PACKAGING / name).read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{FANOUS_PASSWORD[^}]*\}", "secret1", text))
    return document


@pytest.mark.parametrize("name", ["compose.yaml", "compose.servers.yaml"])
def test_a_compose_file_names_only_what_it_defines_and_commands_that_exist(name: str) -> None:
    document = composed(name)
    targets = re.findall(r" AS (\w+)$", (PACKAGING / "Dockerfile").read_text(), re.MULTILINE)
    for service in document["services"].values():
        assert ("build" in service) != ("image" in service)
        if "build" in service:
            assert service["build"]["target"] in targets
            typed = " ".join(["fanous", *service.get("command", ())])
            assert unknown_words(typed, typer.main.get_command(app)) == []
        assert set(service.get("depends_on", ())) <= set(document["services"])
        assert {one["source"] for one in service.get("configs", ())} <= set(document.get("configs", {}))
        volumes = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert {one for one in volumes if not one.startswith(".")} <= set(document["volumes"])


def test_the_parts_that_are_composed_reach_each_other(tmp_path: Path) -> None:
    document = composed("compose.servers.yaml")
    file = tmp_path / "fanous.toml"
    file.write_text(document["configs"]["fanous"]["content"], encoding="utf-8")
    place = store_place(None, file)
    found = read(file, place)
    assert isinstance(place, StoreLocation)
    assert found.queue is not None
    assert not found.door.on
    filled = document["services"]["collector"]["environment"]["FANOUS_QUEUE"]
    assert parse_address(filled) == found.queue, "what one fills the other takes"
    named = [urlsplit(url).hostname for url in (place.facts, place.ledger, *found.queue.servers)]
    assert named == ["clickhouse", "postgres", "nats"]
    assert set(named) < set(document["services"])


def test_the_servers_configuration_is_one_that_nats_takes(tmp_path: Path) -> None:
    file = tmp_path / "nats.conf"
    file.write_text(composed("compose.servers.yaml")["configs"]["nats"]["content"], encoding="utf-8")
    told = subprocess.run([server(), "-t", "-c", str(file)], capture_output=True, text=True, timeout=30)
    assert told.returncode == 0, told.stderr


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
    assert {"numpy", "tzdata"} <= server.keys()
    assert not {"numpy", "tzdata", "pydantic"} & probe.keys()  # a probe fits in 60 MB


def test_every_package_that_goes_along_has_a_licence_that_allows_it() -> None:
    found = list(licences())
    assert len(found) > 40
    assert len(found) <= len(list(packages()))
    assert [one for one in found if not one.goes_along] == []


def test_every_command_has_a_man_page() -> None:
    pages = dict(man_pages())
    assert {"fanous.1", "fanous-confirm.1", "fanous-probe-run.1"} <= set(pages)
    confirm = pages["fanous-confirm.1"]
    assert "\\-\\-target" in confirm
    assert "$FANOUS_STORE" in confirm


@pytest.mark.matrix
def test_man_can_show_each_page(tmp_path: Path) -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not here (Debian: apt-get install groff)")
    for name, text in man_pages():
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


@pytest.mark.parametrize(
    ("shell", "typed", "offered"),
    [
        ("bash", {"COMP_WORDS": "fanous inc", "COMP_CWORD": "1"}, "incidents"),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "fanous incidents sh"}, '"show"'),
        (
            "fish",
            {"_TYPER_COMPLETE_ARGS": "fanous confirm --sin", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
            "--since",
        ),
    ],
)
def test_a_shell_completes_commands_and_options(shell: str, typed: dict[str, str], offered: str) -> None:
    asked = child_environment() | {"_FANOUS_COMPLETE": f"complete_{shell}"} | typed
    argv = [str(Path(sys.executable).with_name("fanous"))]
    told = subprocess.run(argv, env=asked, capture_output=True, text=True, timeout=60)
    assert offered in told.stdout


def test_make_install_takes_uv_and_what_builds_by_hash() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = text.partition("\n$(STAMP):")[2].partition("\n\n")[0].replace("\\\n", " ")
    installs = [line for line in recipe.splitlines() if re.search(r"\bpip (install|sync)\b", line)]
    assert len(installs) == 3
    for line in installs:
        by_hash = "--require-hashes" in line
        assert by_hash or ("--no-deps" in line and "--no-build-isolation" in line and "-e ." in line), line
