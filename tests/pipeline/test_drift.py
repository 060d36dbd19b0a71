"""`fanous doctor --sources`: one small question to each publisher, and in words what differs; against local servers."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fanous.cli.main import app
from fanous.pipeline.drift import BUCKET_LATELY, AnswerState, SourceCheck, check_sources
from fanous.sources.publishers import LIVE_SOURCES, SourceSettings, source_settings
from tests.collector.probe import measurement
from tests.sources.answers import ANSWERS, answer_to
from tests.sources.ooni.buckets import served, upload
from tests.sources.publisher import Answer, Publisher, publishing
from tests.sources.remote.fake_atlas import PROBES, FakeAtlas, atlas, probe
from tests.sources.remote.fake_globalping import FakeProbe, globalping
from tests.sources.remote.worlds import ABROAD, PAKISTAN

KEY = {"CLOUDFLARE_API_TOKEN": "k"}
NOW = 1_764_000_000


OTHERS = frozenset({"ooni", "globalping", "atlas-measurements"})
"""Queried differently from sources of series."""


def buckets(found: "list[SourceCheck]") -> "list[SourceCheck]":
    return [one for one in found if one.source == "ooni"]


@pytest.fixture(autouse=True)
def no_bucket(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Servers without S3 are not asked for a bucket; a separate test asks one with it."""
    if "bucket" not in request.node.name:
        monkeypatch.setattr(
            "fanous.pipeline.drift._bucket_checked", lambda *_: SourceCheck("ooni", "", AnswerState.NOT_ASKED)
        )
    if "vantage" not in request.node.name:
        monkeypatch.setattr(
            "fanous.pipeline.drift._orders_checked",
            lambda source, *_: SourceCheck(source.name, "", AnswerState.NOT_ASKED),
        )


def test_an_object_of_the_bucket_is_read_and_an_empty_hour_is_reported(tmp_path: Path) -> None:
    uploaded = datetime.fromtimestamp(NOW - BUCKET_LATELY, UTC)
    upload(tmp_path / "s3", [measurement(1), measurement(2)], uploaded)
    with served(tmp_path / "s3") as address:
        path = tmp_path / "fanous.toml"
        path.write_text(f'[sources.ooni]\nmirror = "{address}"\n')
        settings = source_settings(path)
        (found,) = buckets(check_sources(settings, "PK", NOW, {}))
        (quiet,) = buckets(check_sources(settings, "IR", NOW, {}))
        (empty,) = buckets(check_sources(settings, "PK", NOW + 9 * 86400, {}))
    assert (found.reached, found.differs, found.why, found.measurements) == (
        AnswerState.AS_EXPECTED,
        (),
        "",
        2,
    ), found
    assert found.about.endswith(".tar.gz")
    assert quiet.reached is AnswerState.AS_EXPECTED and "from other countries" in quiet.why
    assert empty.reached is AnswerState.DIFFERS and "lists no measurement of any country" in empty.why


def test_vantage_points_of_others_are_counted_and_none_is_asked(tmp_path: Path) -> None:
    def checked(address: str, source: str = "globalping") -> SourceCheck:
        path = tmp_path / "fanous.toml"
        tables = (
            f'[sources.{name}]\nmirror = "{address}"\n' for name in ("globalping", "atlas-measurements")
        )
        path.write_text("".join(tables))
        found = check_sources(source_settings(path) | _nowhere(tmp_path), "PK", NOW, {})
        (one,) = [one for one in found if one.source == source]
        return one

    anchor = probe(6000, 3333, country="DE", tags=("system-anchor",), is_anchor=True)
    with atlas(probes=(*PROBES, anchor)) as (running, _):
        told = checked(running.address, "atlas-measurements")
        assert (told.reached, running.orders) == (AnswerState.AS_EXPECTED, [])
        assert told.why == "8 usable in PK, 1 anchors"
    with publishing(lambda *_: Answer(b"[]")) as other:
        assert checked(other.address, "atlas-measurements").reached is AnswerState.DIFFERS
    assert checked("http://127.0.0.1:9", "atlas-measurements").reached is AnswerState.UNREACHED
    with globalping(*PAKISTAN, FakeProbe("PK", 9541), *ABROAD) as server:
        found = checked(server.address)
        assert (found.reached, server.orders) == (AnswerState.AS_EXPECTED, [])
        assert found.why == "4 usable in PK, 250 of 250 tests left in this hour"
    with publishing(lambda *_: Answer(b"[]")) as other:
        assert checked(other.address).reached is AnswerState.DIFFERS
    assert checked("http://127.0.0.1:9").reached is AnswerState.UNREACHED


def _nowhere(folder: Path) -> dict[str, SourceSettings]:
    """The sources of series, at an address where nothing answers."""
    return {
        name: one for name, one in source_settings(settings(folder, None)).items() if name in LIVE_SOURCES
    }


def test_a_missing_bucket_is_reported_within_seconds(tmp_path: Path) -> None:
    path = tmp_path / "fanous.toml"
    path.write_text('[sources.ooni]\nmirror = "http://127.0.0.1:9"\n')
    (found,) = buckets(check_sources(source_settings(path), "PK", NOW, {}))
    assert found.reached is AnswerState.UNREACHED and "127.0.0.1:9" in found.why


def publisher(
    change: Callable[[str, bytes], Answer | None] = lambda *_: None,
) -> Callable[[str, int], Answer]:
    """All publishers at one address, which answer as the typed answers do unless ``change`` says otherwise."""

    connections = FakeAtlas(list(PROBES), [])

    def answer(path: str, number: int) -> Answer:
        is_of_atlas = path.startswith("/api/v2/")
        body = connections.answer(path, number).body if is_of_atlas else ANSWERS[answer_to(path)]
        return change(path, body) or Answer(body)

    return answer


def settings(folder: Path, server: Publisher | None) -> Path:
    address = server.address if server else "http://127.0.0.1:9"
    path = folder / "fanous.toml"
    path.write_text("".join(f'[sources.{name}]\nmirror = "{address}"\n' for name in LIVE_SOURCES))
    return path


def test_answers_as_expected_are_said_to_be(tmp_path: Path) -> None:
    with publishing(publisher()) as server:
        found = check_sources(source_settings(settings(tmp_path, server)), "PK", NOW, KEY)
    found = [one for one in found if one.source not in OTHERS]
    assert {one.source for one in found} == set(LIVE_SOURCES)
    assert [(one.source, one.about, one.differs, one.why) for one in found if one.differs or one.why] == []
    assert {one.reached for one in found} == {AnswerState.AS_EXPECTED}
    assert all(one.values or one.claims for one in found)
    of_country = ("PK", "pk", "probe_ids=1,2,3")
    assert all(any(part in path for part in of_country) for path in server.asked)


def test_what_differs_is_said_in_words(tmp_path: Path) -> None:
    def renamed(path: str, body: bytes) -> Answer | None:
        if "signals/raw" in path:
            return Answer(body.replace(b'"values"', b'"points"'))
        if "country-resource-stats" in path:
            return Answer(body.replace(b'"5m"', b'"1d"'))
        return Answer(code=404) if "userstats-bridge" in path else None

    with publishing(publisher(renamed)) as server:
        path = settings(tmp_path, server)
        result = CliRunner().invoke(app, ["doctor", "--sources", "--config", str(path)], env=KEY)
    assert result.exit_code == 1
    lines = [line.strip() for line in result.output.splitlines()]
    assert "a series of bgp: Object missing required field `values`" in lines
    assert "bins of 1d, though 5m were asked for: coarser than we need" in lines
    assert [line for line in lines if line.startswith("tor ") and "not reached" in line and "404" in line]
    assert [line for line in lines if line.startswith("google ") and "as expected" in line]


def test_an_empty_answer_is_told_and_a_country_with_few_probes_is_as_expected(tmp_path: Path) -> None:
    def changed(path: str, body: bytes) -> Answer | None:
        if "signals/raw" in path:
            return Answer(ANSWERS["ioda_signals.json"].partition(b'"data"')[0] + b'"data": []}')
        if path.startswith("/api/v2/probes"):
            return Answer(
                json.dumps(json.loads(body) | {"results": json.loads(body)["results"][:2]}).encode()
            )
        return None

    with publishing(publisher(changed)) as server:
        every = check_sources(source_settings(settings(tmp_path, server)), "PK", NOW, KEY)
    found = {one.source: one for one in every}
    assert found["ioda"].reached is AnswerState.DIFFERS and "holds no series" in found["ioda"].why
    assert found["atlas"].reached is AnswerState.AS_EXPECTED and "a series needs" in found["atlas"].why


def test_without_a_key_a_source_is_not_asked_and_without_a_network_that_is_reported(tmp_path: Path) -> None:
    path = settings(tmp_path, None)
    words = ["doctor", "--sources", "--config", str(path)]
    result = CliRunner().invoke(app, words, env={"CLOUDFLARE_API_TOKEN": ""})
    assert result.exit_code == 1
    assert "no internet connection" in result.output
    assert (
        "radar          not asked: it needs a key in the environment variable CLOUDFLARE_API_TOKEN"
        in result.output
    )
    told = json.loads(CliRunner().invoke(app, [*words, "--json", "--country", "ir"], env=KEY).output)
    assert told["country"] == "IR"
    assert {one["reached"] for one in told["sources"] if one["source"] not in OTHERS} == {"unreached"}


@pytest.mark.parametrize("body", [b"<html>Please log in</html>", b"", b"[]", b"{}"])
def test_a_login_page_is_not_an_answer_by_any_publisher(body: bytes, tmp_path: Path) -> None:
    with publishing(publisher(lambda *_: Answer(body))) as server:
        found = check_sources(source_settings(settings(tmp_path, server)), "PK", NOW, KEY)
    found = [one for one in found if one.source not in OTHERS]
    assert {one.reached for one in found} == {AnswerState.DIFFERS}
    assert all(one.why for one in found), [one for one in found if not one.why]
