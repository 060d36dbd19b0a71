"""What one reader may cause, and under which names a site may be asked for."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from fanous.collector.limits import RateLimit, RateLimits
from fanous.collector.origin import trusted_proxies
from fanous.web.answers import COSTLY_AT_ONCE, MOST_COSTLY, Answers, Reply, Shelf, Site
from fanous.web.application import application
from fanous.web.limits import GUESSES, ReaderLimits, cost_of
from fanous.web.pages import RESOURCES
from tests.charts.events import incident
from tests.each import each
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, reader

FEW = RateLimits(address=RateLimit(0.001, 3), network=RateLimit(0.001, 5))
PROXY = ReaderLimits(work=FEW, trusted=trusted_proxies(["127.0.0.1"]))


def reading(site: Site, *asked: tuple[str, dict[str, str]], peer: str = "127.0.0.1") -> list[httpx.Response]:
    """Answers to requests one after another."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=application(SmallStore().ask, site), client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return [await client.get(path, headers=headers) for path, headers in asked]

    return asyncio.run(ask())


def site(**given: Any) -> Site:
    return Site(clock=lambda: NOW, **given)


def from_(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def test_a_reader_who_requests_too_many_unshared_pages_is_told_to_wait() -> None:
    paths = [f"/PK/AS{n}" for n in range(1, 6)]
    answers = reading(site(limits=PROXY), *((path, from_("203.0.113.7")) for path in paths))
    assert [one.status_code for one in answers[3:]] == [429, 429]
    assert all(one.status_code != 429 for one in answers[:3])
    assert int(answers[3].headers["retry-after"]) > 100
    assert "Your network has asked for a great deal in a short time." in answers[3].text


def test_what_others_read_costs_nothing() -> None:
    answers = reading(site(limits=PROXY), *(("/countries", from_("203.0.113.7")) for _ in range(20)))
    assert {one.status_code for one in answers} == {200}


def test_a_network_has_its_own_budget_and_other_networks_are_unaffected() -> None:
    asked = [(f"/PK/AS{n}", from_(f"203.0.113.{n}")) for n in range(1, 9)]
    answers = reading(site(limits=PROXY), *asked, ("/countries", from_("198.51.100.1")))
    assert [one.status_code == 429 for one in answers] == [False] * 5 + [True] * 3 + [False]


def test_readers_on_this_machine_have_no_budget_unless_a_proxy_is_named() -> None:
    asked = [(f"/PK/AS{n}", from_("203.0.113.7")) for n in range(1, 9)]
    assert 429 not in {one.status_code for one in reading(site(limits=ReaderLimits(work=FEW)), *asked)}
    far = reading(site(limits=ReaderLimits(work=FEW)), *asked, peer="192.0.2.1")
    assert [one.status_code for one in far].count(429) == 5


def test_a_reader_without_a_budget_spoils_nothing_for_those_who_wait_for_the_same() -> None:
    async def main() -> list[object]:
        shelf, gate = Shelf(), asyncio.Event()

        async def make() -> Reply:
            await gate.wait()
            return Reply.of("x", "text/plain")

        def broke() -> None:
            raise ValueError("no budget")

        first = asyncio.create_task(shelf.get("key", make))
        await asyncio.sleep(0)
        second = asyncio.create_task(shelf.get("key", make, broke))
        third = asyncio.create_task(shelf.get("other", make, broke))
        await asyncio.sleep(0)
        gate.set()
        return list(await asyncio.gather(first, second, third, return_exceptions=True))

    first, second, third = asyncio.run(main())
    assert first is second
    assert isinstance(third, ValueError)


@each(
    ("host", "status"),
    [
        ("fanous.example", 200),
        ("FANOUS.example:443", 200),
        ("status.example", 200),
        ("127.0.0.1:8470", 200),
        ("[::1]:8470", 200),
        ("monitor:8470", 200),
        ("evil.example", 400),
        ("fanous.example.evil.example", 400),
        ("fanous.example@evil.example", 400),
    ],
)
def test_a_site_with_an_address_is_asked_for_by_its_names_only(host: str, status: int) -> None:
    limits = ReaderLimits(hosts=("status.example",))
    (answer,) = reading(site(url="https://fanous.example", limits=limits), ("/countries", {"Host": host}))
    assert answer.status_code == status
    assert "evil" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@each(
    "path",
    [
        "/",
        "/PK",
        "/PK/PK-2023-0042",
        "/feed.atom",
        "/feed.json",
        "/PK/PK-2023-0042.cap",
        "/events.ics",
        "/PK/PK-2023-0042.json",
        "/PK/PK-2023-0042/report.md",
        "/api/v1/incidents",
        "/subscribe",
        "/embed/PK/PK-2023-0042",
        "/oembed?url=%2FPK%2FPK-2023-0042",
        "/oembed?url=http%3A%2F%2Fh1.example%2FPK%2FPK-2023-0042",
    ],
)
def test_a_site_without_an_address_repeats_no_name_that_a_reader_gives(path: str) -> None:
    """Eight foreign names, one request each, were in the links of every later reader's feed until a restart."""
    one = incident(id="PK-2023-0042")
    visitor = reader(SmallStore([one]), site())
    answers = [visitor.get(path, Host=f"h{n}.example", X_Forwarded_Host="h9.example") for n in range(8)]
    assert {answer.status_code for answer in answers} == {404 if path.startswith("/oembed") else 200}
    assert not any(f"h{n}.example" in answer.text for answer in answers for n in range(10))
    assert len({answer.text for answer in answers}) == 1


def test_random_names_make_no_page_again_and_again() -> None:
    store = SmallStore()

    async def ask() -> None:
        transport = httpx.ASGITransport(app=application(store.ask, site()))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            for number in range(60):
                await client.get("/countries", headers={"Host": f"h{number}.example"})

    asyncio.run(ask())
    assert store.questions == 1


def test_who_guesses_the_token_is_refused_and_the_log_stays_short(caplog: pytest.LogCaptureFixture) -> None:
    token = "t" * 32

    async def ask() -> list[int]:
        transport = httpx.ASGITransport(app=application(SmallStore().ask, site(token=token)))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            wrong = {"Authorization": "Bearer no"}
            codes = [
                (await client.post("/admin/claims", json={}, headers=wrong)).status_code for _ in range(40)
            ]
            right = {"Authorization": f"Bearer {token}"}
            return [*codes, (await client.post("/admin/claims", json={}, headers=right)).status_code]

    *codes, with_the_token = asyncio.run(ask())
    burst = int(GUESSES.address.burst)
    assert codes == [401] * burst + [429] * (40 - burst)
    assert with_the_token == 422, "served, whatever others guess"
    assert sum("admin_refused" in record.getMessage() for record in caplog.records) == burst


def test_what_takes_long_to_make_costs_more() -> None:
    costs = {one.path: cost_of(one.path) for one in RESOURCES}
    assert {cost for path, cost in costs.items() if path.endswith(".png")} == {4}
    assert {cost for path, cost in costs.items() if path.endswith(".pdf")} == {10}


def test_what_takes_long_to_make_waits_in_a_queue_of_its_own() -> None:
    """Pictures asked for by sixty readers filled the queue of the store, and a page took half a minute."""
    asked: list[object] = []

    async def main() -> list[int]:
        ready = asyncio.Event()

        async def ask(work: object) -> Any:
            asked.append(work)
            await ready.wait()
            return Reply.of("made", "text/plain")

        answers, asks = Answers(ask, site()), {"n": r"\d+"}
        routes = [Route(f"/{cost}", answers.of(lambda *_: None, asks, cost)) for cost in (1, 4)]
        transport = httpx.ASGITransport(app=Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            costly = [asyncio.create_task(client.get(f"/4?n={n}")) for n in range(MOST_COSTLY + 1)]
            await asyncio.sleep(0.2)
            assert len(asked) == COSTLY_AT_ONCE
            page = asyncio.create_task(client.get("/1"))
            await asyncio.sleep(0.2)
            assert len(asked) == COSTLY_AT_ONCE + 1, "a page does not wait for them"
            ready.set()
            return [(await one).status_code for one in (page, *costly)]

    codes = asyncio.run(main())
    assert codes == [200] * (MOST_COSTLY + 1) + [503]
