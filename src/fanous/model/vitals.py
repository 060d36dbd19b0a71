"""Vitals: the health of the monitor itself: its backlogs, its ailments, and what it needs from its machine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is waiting between a collector and the store, in an inbox or a stream; in a stream, messages count as files.

    Attributes:
        files: number of sealed files.
        bytes: of what waits for the store.
        since: when the oldest was begun, unix seconds by the machine's clock; None = nothing waits.
        apart: sealed files that need a person (their network is unknown).
        refused: messages of a stream that were set aside as unusable; ``None`` = it is an inbox, whose reader reports
            them.
        most: bytes from which collectors refuse what probes send; 0 = not known.
        apart_bytes: of what needs a person.
        apart_most: bytes from which the oldest of these are removed; 0 = not known.
    """

    folder: str
    files: int
    bytes: int
    since: float | None
    apart: int
    refused: int | None = None
    most: int = 0
    apart_bytes: int = 0
    apart_most: int = 0


@dataclass(frozen=True, slots=True)
class Spell:
    """A period in which something was wrong with the monitor itself; unix seconds by the machine's clock.

    Attributes:
        kind, about: as in ``fanous.pipeline.vitals.Ailment``.
        says, mend: the same, as of the last time it was seen.
        began_at: when it was first seen.
        seen_at: when it was last seen.
        ended_at: when it was first found gone; None = ongoing.
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
    """One thing that a part of Fanous depends on, and whether this machine has it.

    Attributes:
        part: ``probe``, ``server`` or ``lab``.
        name: a program, a module, a feature of the kernel.
        found: is it there?
        mend: what to do if it is missing; empty = no command helps.
        without: what does not work without it.
        is_vital: False = the part works without it, as ``without`` says.
    """

    part: str
    name: str
    found: bool
    mend: str
    without: str
    is_vital: bool = True


@dataclass(frozen=True, slots=True)
class History:
    """A ledger's history as its chain has it (``store.chain``).

    Attributes:
        entries: how many.
        begins: when the chain began, in ISO 8601; what is older was taken over as it was then.
        head: digest of the newest link.
        defects: what does not agree with the chain.
    """

    entries: int
    begins: str
    head: str
    defects: tuple[str, ...] = ()
