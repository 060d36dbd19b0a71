"""Backlog: what waits between a collector and the store.

Spell: something that was wrong with the monitor itself, from when to when.

Need: one thing that a part of Fanous stands on, and whether this machine has it.
"""

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


@dataclass(frozen=True, slots=True)
class Spell:
    """An entry of the feed of a monitor's ailments.  Instants are unix seconds, UTC, by the machine's clock.

    Attributes:
        kind: as ``fanous.pipeline.vitals.Ailment`` has it; ``about``, ``says`` and ``mend`` likewise.
        says: as of the last time it was seen; ``mend`` likewise.
        began_at: when it was first seen.
        seen_at: when it was last seen.
        ended_at: of the first look at which it was gone; ``None`` = it goes on.
    """

    kind: str
    about: str
    says: str
    mend: str
    began_at: float
    seen_at: float
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What is needed.

    Attributes:
        part: ``probe``, ``server`` or ``lab``.
        name: a program, a module, a feature of the kernel.
        found: is it there?
        mend: what to do where it is not; empty = nothing can be done by a command.
        without: what does not work without it.
        is_vital: ``False`` = the part works without it, as ``without`` says.
    """

    part: str
    name: str
    found: bool
    mend: str
    without: str
    is_vital: bool = True
