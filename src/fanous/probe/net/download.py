"""Download: page after page over one connection, until enough bytes came to tell a rate.

A policer counts the bytes of a flow, not of a page; few platforms have a large page that never changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import h11

from fanous.probe.net.http import READ_SIZE, Request, next_event
from fanous.probe.net.network import Stream


@dataclass(slots=True)
class Download:
    """What came so far.

    Attributes:
        most: bytes of bodies to take.
        requests: that were answered in full, or in part if it is the last.
        code: of the first response; 0 = none came.
    """

    most: int
    body: int = 0
    requests: int = 0
    code: int = 0


async def download(stream: Stream, requests: Iterable[Request], got: Download) -> None:
    """Ask by HTTP/1.1 until ``most`` bytes came, or the server closes, and fill ``got``.

    Args:
        requests: to one host, in order.

    Raises:
        OSError, EOFError, NetworkFailure: it broke; ``got`` holds what had come.
    """
    connection = h11.Connection(h11.CLIENT)
    for request in requests:
        headers = [("host", request.authority), *request.headers]
        asked = connection.send(h11.Request(method="GET", target=request.path, headers=headers)) or b""
        asked += connection.send(h11.EndOfMessage()) or b""
        try:
            await stream.write(asked)
            first = await stream.read(READ_SIZE)
        except ConnectionError:
            if got.requests:
                return  # it closed between two pages, as any server may, and we wrote before we knew
            raise
        if got.requests and not first:
            return
        connection.receive_data(first)
        await _take_one(connection, stream, got)
        if got.body >= got.most or h11.MUST_CLOSE in (connection.our_state, connection.their_state):
            return
        if connection.their_state is not h11.DONE:
            return
        connection.start_next_cycle()


async def _take_one(connection: h11.Connection, stream: Stream, got: Download) -> None:
    """One response, or as much of it as is wanted."""
    got.requests += 1
    while not isinstance(event := await next_event(connection, stream), h11.EndOfMessage):
        if isinstance(event, h11.Response):
            got.code = got.code or event.status_code
        elif isinstance(event, h11.Data):
            got.body += len(event.data)
            if got.body >= got.most:
                return
