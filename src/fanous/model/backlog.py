"""Backlog: what waits between a collector and the store."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in an inbox, or in a stream: messages count as files there.

    Attributes:
        files: sealed ones.
        since: unix seconds, by the machine's clock; when the oldest was begun; ``None`` = nothing waits.
        apart: sealed files that only a person takes (no known network).
        refused: messages of a stream that were set aside, since they cannot be used.
    """

    folder: str
    files: int
    bytes: int
    since: float | None
    apart: int
    refused: int = 0
