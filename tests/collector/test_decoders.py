"""Whoever sends a body does not keep others waiting: no body is decoded, searched or judged in the event loop."""

import asyncio
import threading
from typing import Any, cast

import httpx
import pytest
from backports import zstd

from fanous.collector.door import Policy, collector_app
from fanous.collector.helper import Helper
from fanous.collector.request import plain
from fanous.collector.submission import Submission, receive
from tests.collector.probe import OPEN, REPORT_ID, body
from tests.each import each


class Kept:
    """A queue that keeps everything in memory."""

    def __init__(self) -> None:
        self.submissions: list[Submission] = []

    async def keep(self, submission: Submission) -> None:
        self.submissions.append(submission)

    async def tend(self) -> None:
        """Nothing recurs."""

    async def close(self) -> None:
        """Nothing is open."""


@each("encoding", ["", "zstd"])
@each("path", [f"/report/{REPORT_ID}", "/api/v1/submit_measurement", "/report"])
def test_every_body_is_worked_on_in_a_decoder(
    path: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def watched(function: Any) -> Any:
        def call(*given: Any) -> Any:
            threads.append(threading.current_thread().name)
            return function(*given)

        return call

    monkeypatch.setattr("fanous.collector.door.receive", watched(receive))
    monkeypatch.setattr("fanous.collector.door.plain", watched(plain))
    measurement = httpx.Request("POST", "http://x", json=body()).content
    whole = {"/report": OPEN, "/api/v1/submit_measurement": {"format": "json", "content": "{}"}}.get(path)
    sent = httpx.Request("POST", "http://x", json=whole).content if whole else measurement
    headers = {"content-encoding": encoding} if encoding else {}
    app = collector_app(Kept(), cast(Helper, None), Policy())

    async def post() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            await client.post(path, content=zstd.compress(sent) if encoding else sent, headers=headers)

    asyncio.run(post())
    assert all(name.startswith("decoding") for name in threads)
    assert threads or (path == "/report" and not encoding)
