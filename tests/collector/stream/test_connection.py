"""What waits in a stream, asked while others take from it."""

import asyncio
from types import SimpleNamespace
from unittest.mock import AsyncMock

import pytest
from nats.js.errors import NotFoundError, ServiceUnavailableError

from fanous.collector.stream.address import StreamAddress, StreamPart
from fanous.collector.stream.connection import reasons, state_of
from fanous.errors import FanousError

ADDRESS = StreamAddress(("nats://127.0.0.1:4222",))


def waiting(error: Exception) -> AsyncMock:
    """Three messages wait when it is counted; then the first of them is asked for."""
    asked = AsyncMock()
    state = SimpleNamespace(messages=3, first_seq=7, bytes=30)
    asked.stream_info.return_value = SimpleNamespace(
        state=state, cluster=None, config=SimpleNamespace(num_replicas=3)
    )
    asked.get_msg.side_effect = error
    return asked


def test_a_message_that_is_taken_between_two_questions_is_no_error() -> None:
    gone = NotFoundError(code=404, err_code=10037, description="no message found")
    state = asyncio.run(state_of(waiting(gone), ADDRESS, StreamPart.MAIN))
    assert (state.messages, state.since) == (3, None)


def test_servers_that_do_not_answer_are_one() -> None:
    silent = ServiceUnavailableError(code=503, description="no leader")
    with pytest.raises(FanousError, match="does not answer: no leader"):
        asyncio.run(state_of(waiting(silent), ADDRESS, StreamPart.MAIN))


@pytest.mark.parametrize(("first", "last"), [(0, 0), (1, 0), (8, 7)])  # 2.10, 2.11; once all were stored
def test_an_empty_stream_has_no_reasons(first: int, last: int) -> None:
    asked = AsyncMock()
    state = SimpleNamespace(messages=0, first_seq=first, last_seq=last)
    asked.stream_info.return_value = SimpleNamespace(state=state)
    asked.get_msg.side_effect = ServiceUnavailableError(code=400, err_code=10003, description="bad request")
    assert asyncio.run(reasons(asked, ADDRESS, 20)) == []
