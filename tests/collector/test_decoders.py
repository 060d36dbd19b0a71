"""A client that sends a body does not keep others waiting: no body is decoded, searched or judged in the event loop."""

import asyncio
import json
import threading
from importlib import import_module
from typing import Any

import httpx
import pytest
from backports import zstd
from starlette.routing import Route

from fanous.collector.door import Policy, collector_app
from fanous.collector.helper import Helper
from fanous.collector.services import NOT_HERE
from fanous.collector.submission import Submission
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


READERS = {
    f"/report/{REPORT_ID}": ("door.receive", body()),
    "/api/v1/submit_measurement": ("door.sent_alone", {"format": "json", "content": "{}"}),
    "/report": ("door.open_report", OPEN),
    "/api/v1/check-in": ("door.check_in", {"probe_cc": "PK"}),
    "/api/v1/register": ("door.registered", {}),
    "/api/v1/login": ("door.logged_in", {}),
    "/api/v1/sign_credential": ("credentials.decoded", {}),
    "/": ("door.asked_of", {}),
}
"""What reads the body that is sent to a path, and one."""


@each("encoding", ["", "zstd"])
@each("path", READERS)
def test_every_body_is_processed_in_a_separate_thread(
    path: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, str] = {}

    def watch(name: str) -> None:
        function = getattr(
            import_module(f"fanous.collector.{name.rpartition('.')[0]}"), name.rpartition(".")[2]
        )

        def call(*given: Any) -> Any:
            threads[name] = threading.current_thread().name
            return function(*given)

        monkeypatch.setattr(f"fanous.collector.{name}", call)

    reader, content = READERS[path]
    watch(reader)
    watch("door.plain")
    sent = json.dumps(content).encode()
    headers = {"content-encoding": encoding} if encoding else {}
    app = collector_app(Kept(), Helper(), Policy())

    async def post() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            await client.post(path, content=zstd.compress(sent) if encoding else sent, headers=headers)

    asyncio.run(post())
    pool = "decoding" if path == f"/report/{REPORT_ID}" or "submit" in path else "reading"
    assert threads == {reader: pool, "door.plain": pool}


def test_every_path_that_takes_a_body_is_in_the_table() -> None:
    app = collector_app(Kept(), Helper(), Policy())
    taking = {
        route.path.replace("{report_id}", REPORT_ID)
        for route in app.routes
        if isinstance(route, Route) and "POST" in (route.methods or ())
    }
    unread = {
        f"/report/{REPORT_ID}/close",
        *(path for path, (method, *_) in NOT_HERE.items() if method == "POST"),
    }
    assert taking - unread == set(READERS)
