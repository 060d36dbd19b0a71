"""`fanous refdata update` as a user runs it, with a separate data folder."""

import json
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.refdata.upstreams import installed, outermost
from fanous.refdata.watchlist import watched
from fanous.sources.signals.upstreams import LEAST_PEERS
from tests.commands import document, fanous, program
from tests.refdata.sets import OONI_HEADER, ooni, ooni_file
from tests.refdata.test_figures import OWN
from tests.sources.signals import mrt_files

UPDATE = ("refdata", "update")


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data folder; a proxy that refuses represents a machine without a network."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")


ACCEPT = ("refdata", "accept")


def test_a_file_is_put_on_trial_and_listed(tmp_path: Path) -> None:
    (tmp_path / "fetched.csv").write_text(ooni_file(3) + ooni(scope="galaxy"))
    done = fanous(*UPDATE, "--from", tmp_path / "fetched.csv")
    assert done.stdout.startswith("ooni-http.csv: updated, 3 fingerprints from ")
    assert "; on trial until accepted\n" in done.stdout
    assert "fetched.csv:5: test.one: scope 'galaxy' is not known" in done.stdout
    listed = document(*UPDATE, "--list")
    (entry,) = listed["on_trial"]
    assert (entry["file"], entry["usable"], entry["licence"]) == ("ooni-http.csv", 3, "none stated")
    assert (len(entry["added"]), entry["removed"], listed["sets"]) == (3, [], [])
    assert (tmp_path / "fanous" / "refdata" / "trial" / "ooni-http.csv").is_file()


def test_the_rules_version_shows_which_sets_were_accepted(tmp_path: Path) -> None:
    """As every process that is started afterwards sees them."""
    before = document(*UPDATE, "--list")["rules_version"]
    (tmp_path / "fetched.csv").write_text(OONI_HEADER + ooni())
    (update,) = document(*UPDATE, "--from", tmp_path / "fetched.csv")["updates"]
    assert (update["outcome"], update["on_trial"]) == ("updated", True)
    listed = json.loads(program(*UPDATE, "--list", "--json").stdout)
    assert listed["rules_version"] == before
    (command,) = (line for line in fanous(*UPDATE, "--list").stdout.splitlines() if "To accept" in line)
    words = command.partition(": fanous ")[2].replace("NAME", "editor").split()
    assert "ooni-http.csv: 1 fingerprints count from now on" in program(*words).stdout
    listed = json.loads(program(*UPDATE, "--list", "--json").stdout)
    assert listed["rules_version"].startswith(f"{before}+")
    (entry,) = listed["sets"]
    assert (entry["accepted_by"], listed["on_trial"]) == ("editor", [])


def test_a_set_is_accepted_by_its_digest_and_in_a_name(tmp_path: Path) -> None:
    assert "Missing option '--by'" in fanous(*ACCEPT, "0f" * 32, code=2).stderr
    assert "no set on trial has the SHA-256" in fanous(*ACCEPT, "0f" * 32, "--by", "editor", code=1).stderr


def test_without_a_network_the_way_by_hand_is_offered(tmp_path: Path) -> None:
    done = fanous(*UPDATE, code=1)
    assert "7 of 7 sets could not be updated" in done.stderr
    assert "--from FILE: https://" in done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_file_that_is_no_set_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<!DOCTYPE html>")
    done = fanous(*UPDATE, "--from", tmp_path / "page.html", code=1)
    assert "page.html is not a fingerprint set" in done.stdout
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["page.html"]


def test_user_figures_of_ones_own_are_installed_and_listed(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(OWN)
    (update,) = document(*UPDATE, "--from", tmp_path / "mine.toml")["updates"]
    assert (update["outcome"], update["usable"]) == ("updated", 1)
    first, *_ = document(*UPDATE, "--list")["users"]
    assert (first["kind"], first["countries"], first["date"]) == ("own", ["KE"], "2026")
    (tmp_path / "mine.toml").write_text(OWN.replace("asns", "asn"))
    done = fanous(*UPDATE, "--from", tmp_path / "mine.toml", code=1)
    assert "mine.toml: not updated" in done.stdout and "asn" in done.stdout


def test_ones_own_user_figures_are_taken_back_by_country(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(OWN)
    fanous(*UPDATE, "--from", tmp_path / "mine.toml")
    assert "your user numbers for KE are removed" in fanous(*UPDATE, "--forget", "ke").stdout
    assert [one["kind"] for one in document(*UPDATE, "--list")["users"]] == ["shipped", "shipped"]
    assert "no user numbers of your own for KE" in fanous(*UPDATE, "--forget", "KE", code=1).stderr
    fanous(*UPDATE, "--from", tmp_path / "mine.toml")
    assert document(*UPDATE, "--forget", "KE") == {"forgotten": ["KE"]}


def test_a_list_of_ones_own_lets_readers_see_its_names(tmp_path: Path) -> None:
    assert "news.example.org" not in watched()
    (tmp_path / "own.csv").write_text("url,category_code\nhttps://news.example.org/,NEWS\n")
    assert "own.csv: updated" in fanous("refdata", "lists", "--from", tmp_path / "own.csv").stdout
    assert "news.example.org" in watched()


def test_a_list_that_is_none_or_cannot_be_fetched_replaces_nothing(tmp_path: Path) -> None:
    before = watched()
    (tmp_path / "bad.csv").write_text("nonsense")
    assert "no URL of a site" in fanous("refdata", "lists", "--from", tmp_path / "bad.csv", code=1).stdout
    done = fanous("refdata", "lists", "PK", code=1)
    assert "citizenlab-pk.csv: not updated" in done.stdout
    assert "pass each with --from FILE" in done.stderr
    assert watched() == before


def test_upstreams_are_noted_from_routing_tables_and_replace_those_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        mrt_files, "PEERS", tuple((f"192.0.2.{n}", 64500 + n) for n in range(1, LEAST_PEERS + 1))
    )
    seen = dict.fromkeys(range(LEAST_PEERS), 100)
    (tmp_path / "bview").write_bytes(mrt_files.table(0, {"192.0.2.0/24": seen}, via=(701, 9)))
    done = document("refdata", "upstreams", tmp_path / "bview")
    assert (done["networks"], done["upstreams"]) == (1, 1)
    table = tmp_path / "fanous" / "refdata" / "upstreams.tsv"
    assert table.read_text() == "# bview\nAS100\tAS9\n" and done["path"] == str(table)
    assert outermost(100) == 9
    (tmp_path / "updates").write_bytes(mrt_files.update(60, 1, ("192.0.2.0/24",), origin=100, via=(8,)))
    refused = fanous("refdata", "upstreams", tmp_path / "bview", tmp_path / "updates", code=1)
    assert "give routing tables (bview or rib), not only updates" in refused.stderr
    assert outermost(100) == 9, "nothing changes"
    table.write_text("AS100 9\n")
    installed.cache_clear()
    with pytest.raises(FanousError, match="damaged; remove it, or make it anew"):
        outermost(100)
    installed.cache_clear()
