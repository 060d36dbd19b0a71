"""Services: a rehearsal's collector and test helper, as a program in the lab's outer namespace.

    python -m fanous_lab.evaluation.rehearsal.services SPECIFICATION.json

The helper computes each answer once per tick: all probes ask the same, and otherwise it would load every page
a dozen times a second.
"""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fanous.collector.door import Policy, serving
from fanous.collector.helper import Helper, HelperAnswer, HelperPolicy, HelperQuestion
from fanous.collector.limits import RateLimit, RateLimits
from fanous.collector.server import listening_socket

GENEROUS = RateLimits(address=RateLimit(1000, 10_000), network=RateLimit(10_000, 100_000))
"""Twelve probes send within seconds what would take them hours."""

SEAL_SECONDS = 0.4
"""Seconds before a segment is sealed: here each second of waiting counts three hundredfold."""


@dataclass(frozen=True, slots=True)
class OutsideServices:
    """The specification of these services.

    Attributes:
        names: host name -> addresses as seen abroad: the helper's resolver is beyond the censors.
        share_seconds: for how long an answer of the helper is reused.
    """

    address: str
    port: int
    inbox: str
    ca_file: str
    names: dict[str, list[str]]
    share_seconds: float


class SharedHelper(Helper):
    """Gives the same answer to everyone who asks the same question within a tick."""

    def __init__(self, policy: HelperPolicy, seconds: float) -> None:
        super().__init__(policy)
        self._seconds = seconds
        self._asked: dict[bytes, tuple[float, asyncio.Task[HelperAnswer]]] = {}

    async def answer(self, asked: HelperQuestion, user_agent: str) -> HelperAnswer:
        now = asyncio.get_running_loop().time()
        key = msgspec.json.encode(asked)
        at, task = self._asked.get(key, (0.0, None))
        if task is None or now - at > self._seconds:
            task = asyncio.create_task(super().answer(asked, user_agent))
            self._asked[key] = (now, task)
            for other, (since, earlier) in list(self._asked.items()):
                if earlier.done() and now - since > self._seconds:
                    del self._asked[other]
        return await asyncio.shield(task)


def main(specification: Path) -> None:
    """Serve until it is ended."""
    outside = msgspec.json.decode(specification.read_bytes(), type=OutsideServices)

    async def resolve(name: str) -> list[str]:
        return outside.names.get(name, [])

    policy = HelperPolicy(resolve=resolve, ca_file=outside.ca_file)
    helper = SharedHelper(policy, outside.share_seconds)
    listening = listening_socket(outside.address, outside.port)
    asyncio.run(
        serving(
            listening,
            Path(outside.inbox),
            Policy(submissions=GENEROUS, helper=GENEROUS, open_to_all=False),
            helper,
            seal_seconds=SEAL_SECONDS,
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
