"""``fanous probe run --via atlas``: a key and the operator's word first, then from a round to an answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fanous.sources.remote import atlas_measurements, client
from tests.commands import document, fanous
from tests.probe.net.authority import Authority
from tests.sources.remote.fake_atlas import FakeAtlas, atlas, handshake, handshake_failed, lookup, probe

X = "https://x.com/"
PROBES = (
    *(probe(101 + n, asn) for n, asn in enumerate((17557, 17557, 45669))),
    *(
        probe(6000 + n, 3333 + n, country=country, tags=("system-anchor",), is_anchor=True)
        for n, country in enumerate(("DE", "US", "SG"))
    ),
)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAtlas]:
    authority = Authority(tmp_path)
    monkeypatch.setattr(client, "ATLAS_BETWEEN", 0.0)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    monkeypatch.setenv("RIPE_ATLAS_KEY", "secret")
    atlas_measurements._roots.cache_clear()
    known: dict[str, str] = {}

    def world(one: Any, kind: str, host: str) -> Any:
        if kind == "dns":
            return [lookup("104.244.42.1", name=host)]
        if (one["country_code"], host) == ("PK", "x.com"):
            return handshake_failed("timeout reading hello")
        if host not in known:
            known[host] = authority.files(host)[0].read_text()
        return handshake(known[host])

    with atlas(probes=PROBES, world=world) as (running, _):
        yield running
    atlas_measurements._roots.cache_clear()


def written(tmp_path: Path, server: FakeAtlas, more: str = "consent = true") -> Path:
    path = tmp_path / "fanous.toml"
    path.write_text(
        f'[sources.atlas-measurements]\ncountries = ["PK"]\nmirror = "{server.address}"\n{more}\n'
    )
    return path


def words(config: Path, *more: str | Path) -> tuple[str | Path, ...]:
    return ("probe", "run", "--via", "atlas", "--country", "PK", "--config", config, *more)


def test_a_round_is_stored_and_told(server: FakeAtlas, tmp_path: Path) -> None:
    config, store = written(tmp_path, server), tmp_path / "store"
    told = document(*words(config, "-i", X, "-i", "https://www.reddit.com/", "--store", store))
    assert (told["via"], told["stored"], told["tests"], told["budget"]) == ("atlas", 6, 3 + 2 * 12, 250)
    assert {(one["target"], one["asn"], one["state"], one["mechanism"]) for one in told["results"]} == {
        ("x", 17557, "blocked", "tls.timeout"),
        ("x", 45669, "blocked", "tls.timeout"),
        ("reddit", 17557, "ok", None),
        ("reddit", 45669, "ok", None),
    }
    text = fanous(*words(config, "-i", X, "--store", store))
    assert "2 blocked (tls.timeout)" in text.stdout
    assert "15 results of the 250 that a round may cost" in text.stderr


def test_a_file_of_a_round_can_be_ingested(server: FakeAtlas, tmp_path: Path) -> None:
    out, config = tmp_path / "round.jsonl", written(tmp_path, server)
    assert document(*words(config, "-i", X, "--out", out))["stored"] is None
    first, again = (
        document("ingest", "atlas-measurements", out, "--store", tmp_path / "store") for _ in "12"
    )
    assert (first["stored"], again["duplicate"]) == (3, 3)


@pytest.mark.parametrize("more", ["", "consent = false"])
def test_without_the_operators_word_nothing_is_asked(server: FakeAtlas, tmp_path: Path, more: str) -> None:
    done = fanous(*words(written(tmp_path, server, more), "--store", tmp_path / "store"), code=1)
    assert "RIPE publishes the results" in done.stderr
    assert "set consent = true" in done.stderr
    assert server.asked == []


def test_without_a_key_nothing_is_asked(
    server: FakeAtlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RIPE_ATLAS_KEY")
    done = fanous(*words(written(tmp_path, server), "--store", tmp_path / "store"), code=1)
    assert "set the environment variable RIPE_ATLAS_KEY" in done.stderr
    assert server.asked == []
