"""Connections: clients that open many, or send their request's head byte by byte, are let go.

uvicorn bounds the silence after a response, not the time a head may take, nor how many connections one
address has.  (The time for a body is bounded where it is read, in ``door``.)
"""

import asyncio
from collections import Counter

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 15.0
MOST_OF_ONE = 64
"""Many probes may stand behind one CGNAT address; each keeps a connection or two."""


def patient_protocol(
    head_seconds: float = HEAD_SECONDS, most_of_one: int | None = MOST_OF_ONE
) -> type[asyncio.Protocol]:
    """A protocol class for uvicorn.

    Args:
        head_seconds: from the connection, or the first byte of a further request, to the end of its head.
        most_of_one: open connections of one address; ``None`` = as many as it likes (a proxy of our own).
    """
    open_now: Counter[str] = Counter()

    class PatientProtocol(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None
        _peer = ""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
            super().connection_made(transport)
            self._peer = self.client[0] if self.client else ""
            open_now[self._peer] += 1
            if most_of_one is not None and open_now[self._peer] > most_of_one:
                transport.close()
                return
            self._wait_for_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            open_now[self._peer] -= 1
            if open_now[self._peer] <= 0:
                del open_now[self._peer]
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            seen = self.cycle
            super().data_received(data)
            if self.cycle is not seen:
                self._stop_waiting()
            elif seen is None or seen.response_complete:
                self._wait_for_head()

        def _wait_for_head(self) -> None:
            if self._deadline is None:
                self._deadline = self.loop.call_later(head_seconds, self._give_up)

        def _stop_waiting(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _give_up(self) -> None:
            self._deadline = None
            if not self.transport.is_closing():
                self.transport.close()

    return PatientProtocol
