"""Queue: where acknowledged measurements wait for the owner of the store, as a collector sees it.

Two kinds: ``collector.inbox.Inbox``, a folder of one collector, and ``collector.stream.publish.QueueStream``, a
replicated stream that any number of collectors fill.
"""

from typing import Protocol

from fanous.collector.submission import Submission


class Queue(Protocol):
    """Belongs to one event loop."""

    async def keep(self, submission: Submission) -> None:
        """Returns when the measurement is safe; only then may it be acknowledged.

        Raises:
            Refused: not now; nothing has to be lost if the client comes again.
        """

    async def tend(self) -> None:
        """What has to be done again and again; runs until cancelled."""

    async def close(self) -> None:
        """Finish what is under way."""
