"""Spell: something that was wrong with the monitor itself, from when to when."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spell:
    """An entry of the feed of a monitor's ailments.  Instants are unix seconds, UTC, by the machine's clock.

    Attributes:
        kind: as ``fanous.pipeline.vitals.ailments.Ailment`` has it; ``about``, ``says`` and ``mend`` likewise.
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
