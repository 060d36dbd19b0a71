"""A measurement leaves the spool when a collector has it, by any route."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import msgspec
import pytest

from fanous.collector.door import Policy
from fanous.errors import FanousError
from fanous.probe.spool import REFUSED, Spool
from fanous.probe.upload import Sent, Uploader
from tests.collector.probe import measurement
from tests.collector.threads import door

NOWHERE = "http://127.0.0.1:9"
"""The discard port, where nothing listens."""

Answer = tuple[int, dict[str, str], bytes]
PORTAL: Answer = (200, {"content-type": "text/html"}, b"<html>Please log in</html>")
BLOCK_PAGE: Answer = (400, {"content-type": "text/html"}, b"<html>Blocked by order</html>")


@contextmanager
def answering(answer: Callable[[str, bytes], Answer]) -> Iterator[str]:
    """URL of a server that gives such answers to every POST, whatever host it is asked for."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, headers, content = answer(self.path, body)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server names it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    filled = Spool(tmp_path / "spool")
    for number in range(3):
        filled.put(msgspec.json.encode(measurement(number, input=site(number))))
    return filled


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[str]:
    with door(tmp_path / "inbox", Policy()) as client:
        yield str(client.base_url)


def sent(spool: Spool, *urls: str, proxy: str | None = None, uids: list[str] | None = None) -> Sent:
    async def send() -> Sent:
        told = [] if uids is None else uids
        async with Uploader(spool, urls, proxy=proxy, on_sent=told.append) as uploader:
            return await uploader.send()

    return asyncio.run(send())


def site(number: int) -> str:
    return f"https://x.com/{number}"


def received(tmp_path: Path) -> list[str]:
    """What the measurements in the collector's inbox are about, in the order of receipt."""
    paths = sorted((tmp_path / "inbox").glob("*.jsonl*"))
    return [msgspec.json.decode(line)["input"] for path in paths for line in path.read_bytes().splitlines()]


def test_all_that_waits_is_sent_oldest_first(spool: Spool, collector: str, tmp_path: Path) -> None:
    uids: list[str] = []
    assert sent(spool, collector, uids=uids) == Sent(3, 0, 0)
    assert received(tmp_path) == [site(number) for number in range(3)]
    assert len(set(uids)) == 3


def test_one_run_is_one_report_though_the_probe_restarted(
    spool: Spool, collector: str, tmp_path: Path
) -> None:
    sent(spool, collector)
    spool.put(msgspec.json.encode(measurement(3)))
    sent(spool, collector)
    paths = sorted((tmp_path / "inbox").glob("*.jsonl*"))
    lines = [line for path in paths for line in path.read_bytes().splitlines()]
    assert len({msgspec.json.decode(line)["report_id"] for line in lines}) == 1
    assert len(lines) == 4


def test_an_acknowledgement_that_was_not_heard_stores_nothing_twice(
    spool: Spool, collector: str, tmp_path: Path
) -> None:
    one = spool.waiting()[0].document()
    sent(spool, collector)
    spool.put(one)
    assert sent(spool, collector) == Sent(1, 0, 0)
    assert len(received(tmp_path)) == 3


@pytest.mark.parametrize(
    "answer",
    [
        PORTAL,
        BLOCK_PAGE,
        (200, {}, b"[]"),
        (200, {}, b'{"report_id":""}'),
        (200, {}, b'{"report_id":"1_2_3_4_5_6"}'),
        (200, {}, b'{"report_id":"1_2_3_4_5_6","measurement_uid":7}'),
        (400, {}, b'{"error":"no"}'),
        (302, {"location": "http://127.0.0.1:9/"}, b""),
        (403, {}, b'{"detail":"no"}'),
        (404, {}, b'{"detail":"Not Found"}'),
        (500, {}, b""),
    ],
)
def test_only_a_collectors_own_answer_counts(answer: Answer, spool: Spool) -> None:
    with answering(lambda _path, _body: answer) as url:
        assert sent(spool, url) == Sent(0, 0, 3)


def test_where_the_collector_is_not_reached_a_mirror_is_asked(
    spool: Spool, collector: str, tmp_path: Path
) -> None:
    with answering(lambda _path, _body: PORTAL) as portal:
        assert sent(spool, NOWHERE, portal, collector) == Sent(3, 0, 0)
    assert len(received(tmp_path)) == 3


def test_a_collector_is_reached_through_a_proxy(spool: Spool, collector: str, tmp_path: Path) -> None:
    def forward(path: str, body: bytes) -> Answer:
        assert path.startswith("http://collector.invalid/")
        url = collector + path.removeprefix("http://collector.invalid")
        answer = httpx.post(url, content=body, trust_env=False)
        return answer.status_code, {}, answer.content

    with answering(forward) as proxy:
        assert sent(spool, "http://collector.invalid", proxy=proxy) == Sent(3, 0, 0)
    assert len(received(tmp_path)) == 3


def test_what_a_collector_will_never_take_is_set_aside_and_the_rest_is_sent(
    spool: Spool, collector: str, tmp_path: Path
) -> None:
    spool.put(msgspec.json.encode(measurement(8, measurement_start_time="2090-01-01 00:00:00")))
    spool.put(b"no measurement")
    spool.put(msgspec.json.encode(measurement(9)))
    assert sent(spool, collector) == Sent(4, 2, 0)
    whys = sorted(path.read_text() for path in (spool.folder / REFUSED).glob("*.why"))
    assert "future" in whys[0] and "not a measurement" in whys[1]
    assert len(received(tmp_path)) == 4


def test_a_collector_that_asks_for_time_gets_it(spool: Spool) -> None:
    asked: list[float] = []

    def busy(_path: str, _body: bytes) -> Answer:
        asked.append(time.monotonic())
        return 503, {"retry-after": "60"}, b'{"detail":"busy"}'

    async def send(url: str) -> None:
        async with Uploader(spool, [url]) as uploader:
            for _ in range(3):
                assert await uploader.send() == Sent(0, 0, 3)
            assert 60 <= uploader.collectors[0].not_before - asked[0] < 70
            assert "503" in uploader.collectors[0].why

    with answering(busy) as url:
        asyncio.run(send(url))
    assert len(asked) == 1


def test_what_comes_later_is_sent_when_the_collector_is_there_again(
    spool: Spool, collector: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fanous.probe.upload.FIRST_SECONDS", 0.05)
    monkeypatch.setattr("fanous.probe.upload.IDLE_SECONDS", 0.05)
    failing = [True, True, True]

    def unsteady(path: str, body: bytes) -> Answer:
        if failing and failing.pop():
            return 502, {}, b""
        answer = httpx.post(collector + path, content=body, trust_env=False)
        return answer.status_code, {}, answer.content

    async def send(url: str) -> None:
        async with Uploader(spool, [url]) as uploader:
            running = asyncio.create_task(uploader.run())
            while spool.waiting():
                await asyncio.sleep(0.02)
            spool.put(msgspec.json.encode(measurement(5)))
            while spool.waiting():
                await asyncio.sleep(0.02)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    with answering(unsteady) as url:
        asyncio.run(asyncio.wait_for(send(url), 20))
    assert len(received(tmp_path)) == 4


@pytest.mark.parametrize(
    ("urls", "proxy", "why"),
    [
        ([], None, "no collector"),
        ([NOWHERE], "ftp://127.0.0.1:9", "not a proxy"),
        ([NOWHERE], "socks5://127.0.0.1:9", "socksio"),
    ],
)
def test_what_an_operator_got_wrong_is_reported(
    urls: list[str], proxy: str | None, why: str, tmp_path: Path
) -> None:
    with pytest.raises(FanousError, match=why):
        Uploader(Spool(tmp_path), urls, proxy=proxy)


def test_two_processes_do_not_send_one_spool(spool: Spool) -> None:
    with spool.sending(), pytest.raises(FanousError, match="another process"):
        sent(spool, NOWHERE)
