"""The first page of a new monitor: for this machine, with the code from its terminal, once."""

import os
import re
import subprocess
import sys
import tomllib
from html import escape
from pathlib import Path

import httpx
import pytest

from fanous.config import load_environment
from fanous.monitor.settings import read
from fanous.pipeline.configure import kept_days, offered, terms_of
from fanous.publish.signer import KEY_FILE, signing_key
from fanous.sources.publishers import SOURCES
from fanous.web.settings import is_passphrase
from fanous.web.setup import MOST_TRIES, SetUp, new_code
from fanous.wording.language import LANGUAGES
from tests.web.deskhand import Deskhand

CODE = "abcdefghjk"
WORDS = "lantern over the river"
FILLED = {
    "code": CODE,
    "countries": "pk, IN",
    "listen": "127.0.0.1:8470",
    "url": "",
    "accept_ooni": "1",
    "passphrase": WORDS,
    "again": WORDS,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fanous.toml"


def hand(path: Path, url: str = "http://127.0.0.1:8470") -> Deskhand:
    return Deskhand(SetUp(path, CODE, "127.0.0.1:8470").app(), url)


def test_it_writes_what_init_writes_and_only_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(path.parent / "data"))
    setting = hand(path)
    answer = setting.post("/", **FILLED)
    assert "the monitor is starting" in answer.text
    assert WORDS not in answer.text
    written = tomllib.loads(path.read_text())
    assert set(written["sources"]) == {"ooni"}
    assert written["sources"]["ooni"]["countries"] == ["PK", "IN"]
    beside = path.with_suffix(".env")
    assert beside.stat().st_mode & 0o777 == 0o600
    for line in beside.read_text().splitlines():
        if not line.startswith("#"):
            monkeypatch.setenv(*line.split("=", 1))
    site = read(path, path.parent / "store").site
    assert len(site.token) == 64
    assert is_passphrase(WORDS, site.passphrase)
    assert signing_key(path.parent / "data" / "fanous" / KEY_FILE)
    kept = path.stat(), beside.read_text()
    again = setting.post("/", **(FILLED | {"listen": "127.0.0.1:1"}))  # a button pressed twice
    assert "the monitor is starting" in again.text and "http://127.0.0.1:8470/desk" in again.text
    assert (path.stat(), beside.read_text()) == kept


def test_countries_have_names_too(path: Path) -> None:
    hand(path).post("/", **(FILLED | {"countries": "South Korea, پاکستان, in"}))
    assert tomllib.loads(path.read_text())["sources"]["ooni"]["countries"] == ["KR", "PK", "IN"]


def test_a_passphrase_that_was_typed_is_asked_for_again(path: Path) -> None:
    field = r'<input type="password" name="{name}" required'
    answer = hand(path).post("/", **(FILLED | {"countries": "XX"}))
    assert all(field.format(name=name) in answer.text for name in ("passphrase", "again"))
    assert field.format(name="again") not in hand(path).get("/").text


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"code": "abcdefghjz"}, "not the code"),
        ({"code": ""}, "not the code"),
        ({"countries": " "}, "at least one country"),
        ({"countries": "XX"}, "XX is not the name or the code of a country"),
        ({"listen": '127.0.0.1:1"\n[rounds]'}, "is not a host and a port"),
        ({"listen": "127.0.0.1:99999"}, "is not a host and a port"),
        ({"url": 'https://a.example/"x'}, "not a web address"),
        ({"url": "ftp://a.example"}, "not a web address"),
        ({"again": "another one of them"}, "differ"),
        ({"passphrase": "short", "again": "short"}, "12 to 1,024 characters"),
        ({"accept_radar": "1"}, "type the key of your account there"),
        (
            {"accept_radar": "1", "key_CLOUDFLARE_API_TOKEN": "a\nFANOUS_ADMIN_TOKEN=mine"},
            "a key has no spaces",
        ),
        ({"accept_radar": "1", "key_CLOUDFLARE_API_TOKEN": "a b"}, "a key has no spaces"),
        ({"days": "0"}, "a number from 1"),
        ({"days": "٣"}, "a number from 1"),
        ({"days": "99999"}, "a number from 1"),
    ],
)
def test_what_makes_no_sense_writes_nothing(path: Path, changed: dict[str, str], why: str) -> None:
    answer = hand(path).post("/", **(FILLED | changed))
    assert (answer.status_code, why in answer.text) == (422, True)
    assert list(path.parent.iterdir()) == []


def test_what_is_wrong_is_said_in_the_language_of_the_page(path: Path) -> None:
    answer = hand(path).post("/?lang=ur", **(FILLED | {"countries": "XX"}))
    assert "کسی ملک کا نام یا کوڈ نہیں" in answer.text


def test_files_that_exist_are_left_alone(path: Path) -> None:
    path.write_text("mine")
    assert hand(path).post("/", **FILLED).status_code == 422
    assert path.read_text() == "mine"


def test_the_code_cannot_be_guessed(path: Path) -> None:
    setting = hand(path)
    for _ in range(MOST_TRIES):
        assert setting.post("/", **(FILLED | {"code": "wrong"})).status_code == 422
    shut = setting.post("/", **FILLED)
    assert (shut.status_code, "start it again" in shut.text) == (403, True)
    assert not path.exists()
    assert len({new_code() for _ in range(100)}) == 100


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.5:8470", "fanous"])
def test_a_name_elsewhere_that_leads_here_is_refused(path: Path, host: str) -> None:
    setting = hand(path)
    assert setting.get("/", host=host).status_code == 403
    assert setting.post("/", {"host": host}, **FILLED).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}], ids=str
)
def test_a_form_of_another_site_is_refused(path: Path, headers: dict[str, str]) -> None:
    assert hand(path).post("/", headers, **FILLED).status_code == 403
    assert not path.exists()


def test_a_source_with_a_key_is_pulled_with_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled = FILLED | {"accept_radar": "1", "key_CLOUDFLARE_API_TOKEN": "K3y=of#mine", "days": "90"}
    answer = hand(path).post("/", **filled)
    assert "the monitor is starting" in answer.text
    assert "K3y" not in answer.text
    load_environment(path.with_suffix(".env"))
    for name in ("FANOUS_ADMIN_TOKEN", "FANOUS_DESK_PASSPHRASE"):
        monkeypatch.setenv(name, os.environ[name])  # and taken back afterwards
    variable = SOURCES["radar"].token
    assert os.environ[variable] == "K3y=of#mine"
    monkeypatch.setenv(variable, os.environ[variable])
    written = tomllib.loads(path.read_text())
    assert set(written["sources"]) == {"ooni", "radar"}
    assert written["sources"]["ooni"]["days"] == 90
    assert {one.source for one in read(path, path.parent / "store").sources} == {"ooni", "radar"}


def test_a_key_of_a_source_that_is_not_chosen_is_not_kept(path: Path) -> None:
    hand(path).post("/", **FILLED, key_CLOUDFLARE_API_TOKEN="mine")
    assert "mine" not in path.with_suffix(".env").read_text()


def test_observations_are_kept_as_long_as_the_disk_allows(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fanous.web.setup.free_bytes", lambda: 300_000_000_000)
    setting = hand(path)
    days = kept_days(300_000_000_000, 2)
    assert f"for {kept_days(300_000_000_000, 1):,} days" in without_marks(setting.get("/").text)
    setting.post("/", **FILLED)
    assert tomllib.loads(path.read_text())["retention"]["observations_days"] == days


def without_marks(text: str) -> str:
    return re.sub("[\u2066-\u2069]", "", text)


def test_the_page_has_every_source_with_its_terms_and_a_field_for_its_key_in_every_language(
    path: Path,
) -> None:
    for code, language in LANGUAGES.items():
        answer = hand(path).get(f"/?lang={code}")
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "script" not in answer.headers["content-security-policy"]
        assert language.say("Set up this monitor") in answer.text
        for source in offered():
            assert f'name="accept_{source.name}"' in answer.text
            assert answer.text.count(f'name="key_{source.token}"') == bool(source.token)
            for text, values in terms_of(source):
                known = {name: language.known(value) for name, value in values.items()}
                assert str(escape(language.say(text, **known))) in answer.text
        if code != "en":
            for english in ("page terms", "RIPE publishes", "its events and alerts"):
                assert english not in answer.text


def test_a_new_machine_is_set_up_in_the_browser_and_the_monitor_runs(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    running = subprocess.Popen(
        [sys.executable, "-m", "fanous", "run", "--port", "0", "--no-probe"],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert running.stderr is not None
        running.stderr.readline()
        told = re.search(r"(http://127\.0\.0\.1:\d+)/ .* code: (\w+)", running.stderr.readline())
        assert told is not None
        with httpx.Client(base_url=told[1], timeout=60) as client:
            assert client.get("/").status_code == 200
            filled = FILLED | {"code": told[2], "accept_ooni": "", "countries": "PK"}
            assert "the monitor is starting" in client.post("/", data=filled).text
        pages = ""
        while not pages:
            line = running.stderr.readline()
            assert line, "the monitor ended"
            found = re.search(r" pages url=(\S+)", line)
            pages = found[1] if found else ""
        with httpx.Client(base_url=pages, headers={"user-agent": "Firefox"}, timeout=60) as client:
            assert client.get("/desk").headers["location"] == "/desk/login"
            assert client.post("/desk/login", data={"secret": WORDS}).status_code == 303
            text = client.get("/desk/health").text
            assert "Collector" in text
    finally:
        running.terminate()
        running.communicate(timeout=60)
    assert running.returncode == 0
