"""A new monitor: what `fanous init` writes is what `fanous run` reads, and no one's files are replaced."""

import errno
import os
import pty
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import pytest

from fanous.config import load_environment
from fanous.errors import FanousError
from fanous.monitor.settings import read
from fanous.pipeline import configure
from fanous.pipeline.configure import ADMIN_TOKEN, kept_days, offered
from fanous.refdata import update
from tests.commands import fanous

FANOUS = str(Path(sys.executable).with_name("fanous"))


def init(folder: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """In the folder, without a terminal, by a user without any data of Fanous."""
    with pytest.MonkeyPatch.context() as patch, Path(os.devnull).open() as nothing:
        patch.chdir(folder)
        patch.setattr("sys.stdin", nothing)
        patch.setenv("HOME", str(folder / "home"))
        for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "CLOUDFLARE_API_TOKEN"):
            patch.delenv(name, raising=False)
        return fanous("init", *words, code=code)


def test_what_it_writes_is_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = init(tmp_path, "pk", "IN", "--accept", "all", "--days", "7", "--mirror", "ooni=http://127.0.0.1:9")
    assert "next: fanous run" in done.stdout
    path = tmp_path / "fanous.toml"
    written = tomllib.loads(path.read_text())
    assert written["sources"]["ooni"] == {
        "countries": ["PK", "IN"],
        "days": 7,
        "mirror": "http://127.0.0.1:9",
    }
    assert set(written["sources"]) == {one.name for one in offered()}
    monkeypatch.delenv(ADMIN_TOKEN, raising=False)
    assert written["sources"]["atlas-measurements"] == {"countries": ["PK", "IN"], "consent": True}
    for variable in ("CLOUDFLARE_API_TOKEN", "RIPE_ATLAS_KEY"):
        monkeypatch.setenv(variable, "of mine")
    load_environment(tmp_path / "fanous.env")
    configuration = read(path, tmp_path / "store")
    assert len(configuration.sources) == 2 * len(offered())
    assert len(configuration.site.token) == 64
    assert not configuration.rounds.on
    assert not configuration.door.on


def test_the_secrets_are_new_each_time_and_their_owners_alone(tmp_path: Path) -> None:
    told = set()
    for name in ("a", "b"):
        init(tmp_path, "PK", "--config", f"{name}.toml")
        secret = tmp_path / f"{name}.env"
        assert secret.stat().st_mode & 0o777 == 0o600
        told.add(secret.read_text())
    assert len(told) == 2


def test_the_first_one_makes_the_key_that_signs_bundles(tmp_path: Path) -> None:
    """And no other command does it unasked."""
    key = tmp_path / "home" / ".local" / "share" / "fanous" / "evidence-key.pem"
    assert f"{key}: keep a copy of it elsewhere" in init(tmp_path, "PK", "--config", "a.toml").stdout
    before = key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    assert "evidence" not in init(tmp_path, "PK", "--config", "b.toml").stdout
    assert key.read_bytes() == before


def test_every_source_is_listed_with_its_terms_and_only_accepted_ones_are_on(tmp_path: Path) -> None:
    done = init(tmp_path, "PK", "--accept", "tor")
    assert "included" not in done.stderr
    text = (tmp_path / "fanous.toml").read_text()
    assert set(tomllib.loads(text)["sources"]) == {"tor"}
    for one in offered():
        assert f"[sources.{one.name}]" in text
        assert one.licence in text


def test_without_a_terminal_what_needs_no_key_is_included_and_said(tmp_path: Path) -> None:
    done = init(tmp_path, "PK")
    for one in offered():
        assert one.title in done.stderr
    on = set(tomllib.loads((tmp_path / "fanous.toml").read_text())["sources"])
    assert on == {one.name for one in offered() if not one.token}
    assert "ooni" in on
    assert {"ioda", "ripestat", "google"} <= on, "series of three hands, two of which must show an outage"


def test_it_replaces_nothing(tmp_path: Path) -> None:
    for name in ("fanous.toml", "fanous.env"):
        (tmp_path / name).write_text("mine")
        assert "already there" in init(tmp_path, "PK", code=1).stderr
        assert (tmp_path / name).read_text() == "mine"
        assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == [name]
        (tmp_path / name).unlink()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "name the countries"),
        (("XX1",), "neither the code nor the name of a country"),
        (("PK", "--accept", "nobody"), "is not one of"),
        (("PK", "--mirror", "ooni"), "is not SOURCE=URL"),
        (("PK", "--mirror", "nobody=https://a.example"), "is not SOURCE=URL"),
        (("PK", "--mirror", "ooni=http://a.example"), "needs an address with https"),
        (("PK", "--mirror", "ooni=a.example"), "needs an address with https"),
        (("PK", "--mirror", "ooni=https://["), "needs an address with https"),
        (("PK", "--listen", "nowhere"), "is not HOST:PORT"),
        (("PK", "--listen", "0.0.0.0:99999"), "is not HOST:PORT"),
        (("PK", "--url", "fanous.example"), "is needed"),
        (("PK", "--url", "https://fanous.example/pages"), "without a path"),
    ],
)
def test_wrong_words_are_reported(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    said = " ".join(init(tmp_path, *words, code=2).stderr.replace("│", " ").split())
    assert why in said
    assert not (tmp_path / "fanous.toml").exists()


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(configure, "configuration", full)
    assert "No space left on device" in init(tmp_path, "PK", code=1).stderr
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == []


def test_a_file_that_is_there_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "fanous.toml").write_text("mine")
    done = init(tmp_path, code=1)
    assert "already there" in done.stderr
    assert "Licence" not in done.stderr


def test_lists_of_sites_are_fetched_if_wanted_and_a_missing_one_does_not_stop_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "home/.local/share/fanous/refdata/lists"

    def asked() -> list[str]:
        return (folder / "asked").read_text().split()

    def fetch(url: str) -> bytes:
        with (folder / "asked").open("a") as file:  # by the process that installs
            file.write(url.rpartition("/")[2] + " ")
        if url.endswith("/in.csv"):
            raise FanousError("404")
        return b"url\nhttps://news.example/\n"

    monkeypatch.setattr(update, "update_lists", partial(update.update_lists, fetch=fetch))
    done = init(tmp_path, "PK", "IN", "--lists")
    assert asked() == ["global.csv", "pk.csv", "in.csv"]
    assert "citizenlab-pk.csv: updated, 1 sites" in done.stdout
    assert "not updated: 404" in done.stdout and "`fanous refdata lists PK IN` tries again" in done.stdout
    assert "next: fanous run" in done.stdout
    assert {path.name for path in folder.glob("*.csv")} == {"citizenlab-global.csv", "citizenlab-pk.csv"}
    done = init(tmp_path, "PK", "--config", "b.toml")
    assert len(asked()) == 3, "without a terminal, nothing is fetched unasked"
    assert "withheld from readers; `fanous refdata lists PK`" in done.stdout


def test_at_a_terminal_it_asks_until_it_understands(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [FANOUS, "init"],
        cwd=tmp_path,
        env={name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        | {"HOME": str(tmp_path / "home"), "TERM": "dumb"},
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(theirs)
    os.write(ours, b"Pakistn\nPakistan, in\nooni onion\nooni tor\nhere\n127.0.0.1:8480\nn\n")
    _, said = running.communicate(timeout=60)
    os.close(ours)
    assert running.returncode == 0, said
    assert "Countries to watch" in said
    assert "Sources whose terms you accept" in said
    for why in ("did you mean Pakistan?", "'onion' is not one of", "'here' is not HOST:PORT"):
        assert why in said
    written = tomllib.loads((tmp_path / "fanous.toml").read_text())
    assert written["sources"]["tor"]["countries"] == ["PK", "IN"]
    assert set(written["sources"]) == {"ooni", "tor"}
    assert written["run"]["listen"] == "127.0.0.1:8480"
    assert "Fetch Citizen Lab's lists" in said


def test_run_and_others_read_it_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "fanous.toml").write_text("[sources.ioda]\nnonsense = 1\n")
    done = subprocess.run(
        [FANOUS, "run", "--store", "store"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "nonsense" in done.stderr


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("A=1\n", 0o644, "chmod 600"),
        ("nothing\n", 0o600, "write NAME=VALUE"),
        ("a b=1\n", 0o600, "NAME=VALUE"),
        ("A=1\nB=\0\n", 0o600, "2: write NAME=VALUE"),
    ],
)
def test_a_file_of_secrets_is_read_with_care(tmp_path: Path, text: str, mode: int, why: str) -> None:
    path = tmp_path / "fanous.env"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(FanousError, match=why):
        load_environment(path)
    load_environment(tmp_path / "none.env")


def test_retention_fits_the_disk() -> None:
    assert kept_days(0, 1) == 150
    assert kept_days(10**15, 1) == 3650
    assert kept_days(200 * 10**9, 1) == 2 * kept_days(200 * 10**9, 2) + kept_days(200 * 10**9, 1) % 2
