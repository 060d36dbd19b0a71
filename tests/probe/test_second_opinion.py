"""A browser's ClientHello where ours fails."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fanous.model.verdict import State
from fanous.probe.words import report_lines, state_in_words
from tests.probe.net import servers
from tests.probe.scene import SITE, SITE_IP, Found, measured, scene

URL = f"https://{SITE}/"


def opinions(folder: Path, serve: Any, name: str = SITE) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Handshakes and second opinions in the record, where a server at the site's address does so."""
    keys = found(folder, serve, name).keys
    return keys["tls_handshakes"], keys["x_second_opinions"]


def found(folder: Path, serve: Any, name: str = SITE) -> Found:
    async def play() -> Found:
        async with scene(folder) as place:
            place.routes.names[SITE] = [SITE_IP]
            behind = await place.serve(name, "198.51.45.99", 443, servers.pages())
            await place.put(SITE_IP, 443, serve(behind))
            return await measured(place, URL)

    return asyncio.run(play())


def test_a_censor_who_looks_at_more_than_the_name_is_seen(tmp_path: Path) -> None:
    def keyed(behind: int) -> servers.Serve:
        return servers.reset_unless_greased(SITE.encode(), behind)

    handshakes, seen = opinions(tmp_path, keyed)
    cut = "connection_reset"
    assert [one["failure"] for one in handshakes] == [None, cut, cut, cut]  # once more after the browser's
    assert [one["x_attempt"] for one in handshakes] == [1, 1, 2, 3]
    (opinion,) = seen
    assert (opinion["answer"], opinion["failure"]) == ("server_hello", None)
    assert opinion["ja3"] != handshakes[1]["x_ja3"]
    assert opinion["client_hello_bytes"] != handshakes[1]["x_client_hello_bytes"]
    assert opinion["address"] == f"{SITE_IP}:443" and opinion["server_name"] == SITE


def test_a_censor_of_the_name_cuts_the_browser_too(tmp_path: Path) -> None:
    _, (opinion,) = opinions(tmp_path, lambda behind: servers.reset_on_name(SITE.encode(), behind))
    assert (opinion["answer"], opinion["failure"]) == ("", "connection_reset")


@pytest.mark.parametrize(
    ("serve", "failure"),
    [(servers.say_nothing, "generic_timeout_error"), (servers.close_at_once, "eof_error")],
)
def test_how_it_fails_is_recorded(serve: servers.Serve, failure: str, tmp_path: Path) -> None:
    _, (opinion,) = opinions(tmp_path, lambda _behind: serve)
    assert opinion["failure"] == failure


def test_no_one_is_asked_where_the_handshake_works_or_the_certificate_is_wrong(tmp_path: Path) -> None:
    def honest(behind: int) -> servers.Serve:
        return servers.reset_on_name(b"no such name", behind)

    for name in (SITE, "other.example"):
        folder = tmp_path / name
        folder.mkdir()
        assert opinions(folder, honest, name)[1] == []


@pytest.mark.parametrize(
    ("censor", "browser", "is_said"),
    [(servers.reset_unless_greased, "answered", True), (servers.reset_on_name, "cut", False)],
)
def test_a_person_is_told_where_a_browser_may_still_work(
    censor: Any, browser: str, is_said: bool, tmp_path: Path
) -> None:
    report = found(tmp_path, lambda behind: censor(SITE.encode(), behind)).report
    (outcome,) = report.outcomes
    assert outcome.browser == browser
    assert outcome.mechanism == ("tls.reset.fingerprint" if is_said else "tls.reset.sni")
    assert state_in_words(outcome) == ("partly blocked" if is_said else "blocked")
    assert any("a browser may still work" in line for line in report_lines(report)) == is_said


def test_a_cut_that_ended_by_itself_is_not_taken_for_the_browsers_doing(tmp_path: Path) -> None:
    def cut_twice(behind: int) -> servers.Serve:
        named = iter([True, True])
        return servers.reset_where(lambda hello: SITE.encode() in hello and next(named, False), behind)

    seen = found(tmp_path, cut_twice)
    assert [one["answer"] for one in seen.keys["x_second_opinions"]] == ["server_hello"]
    assert seen.keys["tls_handshakes"][-1]["failure"] is None
    assert (seen.outcome.state, seen.outcome.layers["http"]) == (State.OK, "ok")
