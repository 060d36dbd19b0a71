"""Event streams, and replies that a crowd shares."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from fanous.collector.origin import trusted_proxies
from fanous.model.reason import as_written
from fanous.web import answers as shelf_module
from fanous.web import live
from fanous.web.answers import Answers, Reply, Shelf, Site
from fanous.web.limits import STREAMS_OF_ONE, ReaderLimits
from fanous.web.live import Live
from tests.charts.events import ONGOING, incident
from tests.web.small_store import SmallStore
from tests.web.visits import NOW


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "POLL_SECONDS", 0.01)


def watching(store: SmallStore) -> Live:
    return Live(Answers(store.ask, Site(clock=lambda: NOW)))


async def next_state(events: AsyncIterator[str]) -> str:
    async for event in events:
        if event.startswith("event: state"):
            return event
    raise AssertionError("the stream ended")


def test_a_stream_says_its_state_at_once_and_then_only_what_changes() -> None:
    store = SmallStore()

    async def watch() -> list[str]:
        events = watching(store)._events()
        said = [await next_state(events)]
        store.facts.known = [incident(**ONGOING)]
        said.append(await next_state(events))
        return said

    first, second = asyncio.run(asyncio.wait_for(watch(), 20))
    assert first != second


def test_a_revision_of_what_was_over_years_ago_is_a_change_like_any_other() -> None:
    store = SmallStore(known=[incident()])
    one = Live(Answers(store.ask, Site(clock=lambda: NOW + 3 * 365 * 86_400)))

    async def revised() -> list[str]:
        said = [await one.state()]
        store.ledger.retract(store.facts.known[0].id, as_written("the platform itself was down"))
        await asyncio.sleep(0.02)
        return [*said, await one.state()]

    first, second = asyncio.run(revised())
    assert first != second


def test_all_who_listen_ask_the_store_once() -> None:
    store = SmallStore()

    async def many() -> None:
        one = watching(store)
        await asyncio.gather(*(one.state() for _ in range(50)))

    asyncio.run(many())
    assert store.questions == 1


def test_more_streams_than_there_is_room_for_are_asked_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "MOST_STREAMS", 0)

    async def ask() -> tuple[int, str]:
        answer = await watching(SmallStore()).stream(Request({"type": "http"}))
        return answer.status_code, answer.headers["retry-after"]

    answers = [asyncio.run(ask()) for _ in range(20)]
    assert {status for status, _ in answers} == {503}
    later = {int(seconds) for _, seconds in answers}
    assert min(later) >= 45 and max(later) <= 90 and len(later) > 3, "not all at the same moment"


def test_pages_whose_stream_is_cut_do_not_all_come_back_at_once() -> None:
    async def first() -> str:
        events = watching(SmallStore())._events()
        try:
            return await anext(events)
        finally:
            await events.aclose()  # type: ignore[attr-defined]  # it is a generator

    waits = {asyncio.run(first()) for _ in range(20)}
    assert len(waits) > 3
    assert all(3000 <= int(wait.removeprefix("retry: ")) <= 8000 for wait in waits)


def test_a_reply_begun_before_a_change_is_not_kept_after_it() -> None:
    made: list[int] = []

    async def use() -> None:
        shelf = Shelf(fresh_seconds=60)
        going = asyncio.Event()

        async def slow() -> Reply:
            await going.wait()
            made.append(1)
            return Reply.of("old", "text/plain")

        async def quick() -> Reply:
            made.append(2)
            return Reply.of("new", "text/plain")

        early = asyncio.ensure_future(shelf.get("page", slow))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        shelf.empty()
        going.set()
        await early
        assert (await shelf.get("page", quick)).body == b"new"
        assert (await shelf.get("page", slow)).body == b"new"

    asyncio.run(use())
    assert made == [1, 2]


def test_a_reply_that_just_went_stale_is_given_while_the_next_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shelf_module, "WORK_SHARE", 0)

    async def use() -> list[bytes]:
        shelf = Shelf(fresh_seconds=0)
        bodies = iter(["first", "second", "third"])

        async def make() -> Reply:
            return Reply.of(next(bodies), "text/plain")

        said = [(await shelf.get("page", make)).body for _ in range(2)]
        await asyncio.sleep(0.01)
        return [*said, (await shelf.get("page", make)).body]

    assert asyncio.run(use()) == [b"first", b"first", b"second"]


def test_the_shelf_is_limited_by_the_bytes_of_its_replies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf_module, "MOST_BYTES", 100_000)

    async def use() -> list[int]:
        shelf, made = Shelf(fresh_seconds=60), list[int]()

        def maker(number: int) -> Callable[[], Awaitable[Reply]]:
            async def make() -> Reply:
                made.append(number)
                return Reply.of(random.Random(number).randbytes(40_000), "image/png")

            return make

        for number in (1, 2, 1, 3, 1, 2):
            await shelf.get(number, maker(number))
        return made

    assert asyncio.run(use()) == [1, 2, 3, 2]


def test_what_cannot_be_made_is_tried_again() -> None:
    async def use() -> bytes:
        shelf = Shelf()

        async def broken() -> Reply:
            raise RuntimeError("no")

        async def sound() -> Reply:
            return Reply.of("yes", "text/plain")

        with pytest.raises(RuntimeError):
            await shelf.get("page", broken)
        return (await shelf.get("page", sound)).body

    assert asyncio.run(use()) == b"yes"


def test_a_reply_that_took_long_is_kept_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf_module, "WORK_SHARE", 10_000)

    async def use() -> list[bytes]:
        shelf = Shelf(fresh_seconds=0)
        bodies = iter(["first", "second"])

        async def make() -> Reply:
            await asyncio.sleep(0.01)
            return Reply.of(next(bodies), "text/plain")

        return [(await shelf.get("page", make)).body for _ in range(3)]

    assert asyncio.run(use()) == [b"first"] * 3


def test_one_address_gets_so_many_streams_and_is_told_when_to_ask_for_another() -> None:
    limits = ReaderLimits(trusted=trusted_proxies(["127.0.0.1"]))
    asked = Live(Answers(SmallStore().ask, Site(clock=lambda: NOW, limits=limits)))

    def request(reader: str) -> Request:
        headers = [(b"x-forwarded-for", reader.encode())]
        return Request({"type": "http", "headers": headers, "client": ("127.0.0.1", 1)})

    async def main() -> list[int]:
        kept, codes = [], []
        for reader in ["203.0.113.7"] * (STREAMS_OF_ONE + 1) + ["203.0.113.8"]:
            answer = await asked.stream(request(reader))
            codes.append(answer.status_code)
            if isinstance(answer, StreamingResponse):
                events = aiter(answer.body_iterator)
                await anext(events)
                kept.append(events)
        for events in kept:
            await events.aclose()  # type: ignore[attr-defined]  # a generator
        codes.append((await asked.stream(request("203.0.113.7"))).status_code)
        return codes

    assert asyncio.run(main()) == [200] * STREAMS_OF_ONE + [503, 200, 200]
