import asyncio
from dataclasses import replace

import httpx
import msgspec

from fanous.model.vitals import Spell
from fanous.pipeline.status import feed_document, status_app
from fanous.pipeline.vitals import Ailment
from fanous.probe.metrics import Metric

ILL = Ailment("disk_low", "/var", "0.1 GB of 10 are free under /var", "free some")


def get(path: str, unready: str = "", *ailments: Ailment) -> httpx.Response:
    app = status_app(lambda: unready, lambda: list(ailments), lambda: [Metric("fanous_x", 1, "X")])

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://m") as client:
            return await client.get(path)

    return asyncio.run(asked())


def test_a_monitor_that_cannot_work_says_why_and_is_alive() -> None:
    assert get("/healthz", ILL.says, ILL).status_code == 200
    ready = get("/readyz", ILL.says, ILL)
    assert (ready.status_code, ready.text) == (503, "0.1 GB of 10 are free under /var\n")


def test_a_monitor_that_can_work_is_ready() -> None:
    assert get("/readyz", "", ILL).status_code == 200


def test_its_figures_are_in_the_text_format_of_prometheus() -> None:
    answer = get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.text == "# HELP fanous_x X\n# TYPE fanous_x gauge\nfanous_x 1\n"


def test_what_is_wrong_with_it_is_a_document() -> None:
    told = msgspec.json.decode(get("/ailments", "", ILL).content)
    assert told["ailments"][0]["kind"] == "disk_low"
    assert told["ailments"][0]["mend"] == "free some"
    assert told["feed"] == []


def test_the_feed_says_from_when_to_when() -> None:
    on = Spell("disk_low", "/var", "little", "free some", 0.0, 60.0)
    told = feed_document([on, replace(on, ended_at=120.0)])
    assert [one["ended_at"] for one in told] == [None, "1970-01-01T00:02:00Z"]
    assert (told[0]["began_at"], told[0]["seen_at"]) == ("1970-01-01T00:00:00Z", "1970-01-01T00:01:00Z")
