"""A client against a publisher that misbehaves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from fanous.errors import FanousError
from fanous.sources import fetch
from fanous.sources.connector import Source
from fanous.sources.fetch import TRIES, Polite, Waits
from fanous.sources.publishers import SOURCES
from tests.each import each
from tests.sources.publisher import Answer, Publisher, always, in_turn, publishing

URL = "https://stat.ripe.net/data/x.json?a=1"
RIPESTAT = SOURCES["ripestat"]
NOW = 1_700_000_000.0


@dataclass
class Clock:
    """Time that passes by sleeping only."""

    time: float = NOW
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    @property
    def waits(self) -> Waits:
        return Waits(clock=self, sleep=self.sleep, now=self, stall=2.0)


@contextmanager
def asking(
    answer: Callable[[str, int], Answer], source: Source = RIPESTAT, **options: Any
) -> Iterator[tuple[Polite, Publisher]]:
    with publishing(answer) as server, Polite(source, mirror=server.address, **options) as client:
        yield client, server


def test_a_document_comes_whole_and_the_client_says_who_it_is() -> None:
    with publishing(always(Answer(b'{"a": 1}'))) as server, Polite(RIPESTAT, mirror=server.address) as client:
        assert client.get(URL) == b'{"a": 1}'
    assert server.asked == ["/data/x.json?a=1"]
    assert server.headers[0]["user-agent"].startswith("fanous/")


def test_an_allowance_that_is_used_up_is_waited_for_before_the_next_question() -> None:
    clock = Clock()
    spent, left = ({"X-RateLimit-Remaining": count} for count in ("0", "7"))
    answers = in_turn(Answer(b"a", headers=left), Answer(b"b", headers=spent), Answer(b"c", headers=left))
    with asking(answers, waits=clock.waits) as (client, _):
        assert [client.get(f"{URL}?{n}") for n in range(2)] == [b"a", b"b"]
        assert clock.slept == []
        assert [client.get(f"{URL}?{n}") for n in range(2, 4)] == [b"c", b"c"]
        assert clock.slept == [60]


@each("code", sorted(fetch.PASSING))
def test_a_refusal_that_may_pass_is_tried_again_later_and_later(code: int) -> None:
    clock = Clock()
    refusal = Answer(code=code)
    with asking(in_turn(refusal, refusal, Answer(b"ok")), waits=clock.waits) as (client, _):
        assert client.get(URL) == b"ok"
    assert clock.slept == ([60, 120] if code == 429 else [2, 4])


@pytest.mark.parametrize("told", ["7", format_datetime(datetime.fromtimestamp(NOW + 7, UTC), usegmt=True)])
def test_it_waits_as_long_as_it_is_told(told: str) -> None:
    clock = Clock()
    with asking(
        in_turn(Answer(code=429, headers={"Retry-After": told}), Answer(b"ok")), waits=clock.waits
    ) as (client, _):
        assert client.get(URL) == b"ok"
    assert clock.slept == [7]


def test_who_says_tomorrow_is_left_alone_until_then() -> None:
    clock = Clock()
    with (
        asking(always(Answer(code=503, headers={"Retry-After": "86400"})), waits=clock.waits) as (
            client,
            server,
        ),
        pytest.raises(FanousError, match="come back after") as refusal,
    ):
        client.get(URL)
    assert not refusal.value.permanent
    assert clock.slept == [] and len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(code=500), "500"),
        (Answer(b"x" * 100, cut=10), "cannot be fetched"),
        (Answer(code=429, headers={"Retry-After": "soon"}), "429"),
    ],
)
def test_it_gives_up_after_some_tries_and_says_why(answer: Answer, why: str) -> None:
    clock = Clock()
    with (
        asking(always(answer), waits=clock.waits) as (client, server),
        pytest.raises(FanousError, match=why) as refusal,
    ):
        client.get(URL)
    assert not refusal.value.permanent
    assert len(server.asked) == TRIES


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
def test_a_refusal_that_stays_is_not_tried_again(code: int) -> None:
    with (
        asking(always(Answer(code=code)), waits=Clock().waits) as (client, server),
        pytest.raises(FanousError, match=str(code)) as refusal,
    ):
        client.get(URL)
    assert refusal.value.permanent
    assert len(server.asked) == 1


def test_a_refused_key_names_the_variable() -> None:
    source = copy(SOURCES["radar"])
    source.address = URL
    with (
        asking(always(Answer(code=401)), source) as (client, _),
        pytest.raises(FanousError, match="CLOUDFLARE_API_TOKEN"),
    ):
        client.get(URL)


def test_a_trickle_does_not_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "TRIES", 1)
    waits = replace(Clock().waits, clock=Waits().clock, deadline=0.2)
    with (
        asking(always(Answer(b"x" * 200, trickle=0.01)), waits=waits) as (client, _),
        pytest.raises(FanousError, match="too slow"),
    ):
        client.get(URL)


def test_silence_does_not_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "TRIES", 1)
    waits = replace(Clock().waits, stall=0.2)
    with (
        asking(always(Answer(b"xx", trickle=1.0)), waits=waits) as (client, _),
        pytest.raises(FanousError, match="cannot be fetched"),
    ):
        client.get(URL)


def test_an_endless_document_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "LARGEST", 1000)
    with (
        asking(always(Answer(b"x" * 2000))) as (client, _),
        pytest.raises(FanousError, match="too large"),
    ):
        client.get(URL)


def test_what_has_not_changed_does_not_come_again(tmp_path: Path) -> None:
    def answer(path: str, number: int) -> Answer:
        asked = server.headers[-1]
        if asked.get("if-none-match") == '"v1"' and asked.get("if-modified-since") == "yesterday":
            return Answer(b"", code=304)
        return Answer(b"one", headers={"ETag": '"v1"', "Last-Modified": "yesterday"})

    with publishing(answer) as server:
        for _ in range(2):  # another process, the same folder
            with Polite(RIPESTAT, tmp_path, mirror=server.address) as client:
                assert client.get(URL) == b"one"
        assert client.counts.unchanged == 1


def test_what_has_changed_takes_the_place_of_what_was_kept(tmp_path: Path) -> None:
    answers = [Answer(word, headers={"ETag": word.decode()}) for word in (b"one", b"two")]
    with publishing(in_turn(*answers)) as server, Polite(RIPESTAT, tmp_path, mirror=server.address) as client:
        assert [client.get(URL), client.get(URL), client.get(URL)] == [b"one", b"two", b"two"]
    assert server.headers[2]["if-none-match"] == "two"


def test_a_damaged_cache_costs_a_fetch(tmp_path: Path) -> None:
    with asking(always(Answer(b"one", headers={"ETag": "1"})), RIPESTAT, cache=tmp_path) as (client, _):
        client.get(URL)
        for damage in (b"rubbish", b"\x81\xa3url\xa1\xff"):
            for file in tmp_path.iterdir():
                file.write_bytes(damage)
            assert client.get(URL) == b"one"


def test_the_budget_is_kept() -> None:
    clock = Clock()
    with asking(always(Answer()), waits=replace(clock.waits, a_minute=3)) as (client, _):
        for _ in range(7):
            client.get(URL)
    assert clock.slept == [60, 60]


def test_a_redirect_is_followed_but_not_out_of_https_nor_in_a_circle() -> None:
    def answer(path: str, number: int) -> Answer:
        if path.startswith("/data"):
            return Answer(code=302, headers={"Location": "/there"})
        if path == "/there":
            return Answer(b"here")
        target = "/circle" if path.startswith("/circle") else "http://example.org/"
        return Answer(code=301, headers={"Location": target})

    with publishing(answer) as server, Polite(RIPESTAT, mirror=server.address) as client:
        assert client.get(URL) == b"here"
        with pytest.raises(FanousError, match="circle"):
            client.get("https://stat.ripe.net/circle")
        with pytest.raises(FanousError, match="not https"):
            client.get("https://stat.ripe.net/out")


@each(
    "target",
    [
        "",
        "//",
        "mailto:x",
        "http://[::1",
        "https:///x",
        "https://exa mple/",
        "https://a:99999/",
        "https://xn--/",
        "https://..",
        f"https://{'a' * 5000}/",
    ],
)
def test_a_redirect_to_an_address_that_is_none_is_no_bug(target: str) -> None:
    answer = always(Answer(code=302, headers={"Location": target}))
    with asking(answer, waits=Clock().waits) as (client, _), pytest.raises(FanousError):
        client.get(URL)


def test_a_page_may_name_an_address_that_is_none_as_its_next() -> None:
    with asking(always(Answer())) as (client, _), pytest.raises(FanousError, match="is not an address"):
        client.get("http://[::1")


def test_a_state_that_no_header_can_name_costs_a_fetch_and_no_more(tmp_path: Path) -> None:
    odd = Answer(b"1", headers={"ETag": '"\xe9"', "Last-Modified": "yesterday\xe9"})
    with asking(always(odd), cache=tmp_path) as (client, server):
        assert [client.get(URL), client.get(URL)] == [b"1", b"1"]
    assert len(server.asked) == 2


def test_a_key_does_not_go_to_another_host() -> None:
    elsewhere = Answer(code=302, headers={"Location": "https://elsewhere.example/"})
    with (
        asking(always(elsewhere), headers={"Authorization": "Bearer k"}) as (client, _),
        pytest.raises(FanousError, match="must not see our key"),
    ):
        client.get(URL)


@pytest.mark.parametrize("url", ["http://stat.ripe.net/x", "ftp://stat.ripe.net/x", "file:///etc/passwd"])
def test_nothing_is_fetched_unencrypted(url: str) -> None:
    source = copy(RIPESTAT)
    source.address = url
    with Polite(source) as client, pytest.raises(FanousError, match="not https"):
        client.get(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/x",
        "https://stat.ripe.net.example/x",
        "http://stat.ripe.net/x",
        "https://127.0.0.1/",
    ],
)
def test_no_other_host_is_asked_whatever_an_answer_says(url: str) -> None:
    with asking(always(Answer(b"1"))) as (client, server):
        with pytest.raises(FanousError, match="is not an address of RIPEstat"):
            client.get(url)
        assert client.get(URL) == b"1" and len(server.asked) == 1


def test_a_server_that_is_not_there_is_reported() -> None:
    with publishing(always(Answer())) as server:
        address = server.address
    client = Polite(RIPESTAT, mirror=address, waits=Clock().waits)
    with client, pytest.raises(FanousError, match="cannot be fetched") as refusal:
        client.get(URL)
    assert not refusal.value.permanent
