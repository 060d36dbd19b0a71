"""Trace: what a measurement opened is closed with it, also what comes late."""

import asyncio

from fanous.probe import tcp
from fanous.probe.settings import Settings
from fanous.probe.trace import Trace
from tests.builders import FakeNetwork


def test_a_connection_that_is_made_after_the_end_is_closed_at_once() -> None:
    class Counted:
        closed = 0

        async def read(self, _most: int = 0) -> bytes:
            return b""

        async def write(self, data: bytes) -> None: ...

        def close(self) -> None:
            self.closed += 1

    trace, early, late = Trace(FakeNetwork()), Counted(), Counted()
    trace.hold(early)
    assert early.closed == 0
    trace.close()
    trace.hold(late)
    assert (early.closed, late.closed) == (1, 1)


def test_an_attempt_gives_its_connection_to_the_trace() -> None:
    trace = Trace(FakeNetwork(tcp={("1.2.3.4", 443): []}))
    stream, _ = asyncio.run(tcp.attempt(trace, Settings(), "1.2.3.4", 443))
    assert stream is not None
    assert len(trace.streams) == 1
