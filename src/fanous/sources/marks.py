"""Marks: how a record shows that it was staged, or that a stranger sent it.

Generators write an annotation, recordings of the lab a separate field, and a collector notes of each record whether its
operator answers for the sender.  All of it can only make a record count for less, so nothing is gained by forging it.
"""

from typing import Any

import msgspec

from fanous.model.measurement import Provenance

ANNOTATION = "synthetic"
"""Generators and the lab's probes write it among the annotations."""
RECORDED = "x_recorded"
"""Field of a record that was recorded in the lab."""
NOTE = "x_collector"
"""Field that a collector of ours writes into each record that it takes."""

LAB_AUTHORITY = "Fanous lab authority"
"""Common name of the authority that signs for the lab's servers: marks nothing since November 2026."""

WORDS = frozenset({"fanous", "recorded in the lab"})
"""What our generators and recordings write there, or true; of any other value, only that there is one is kept."""

_SPELLED = tuple(f'"{word}"'.encode() for word in (ANNOTATION, RECORDED))


_NOTED = f'"{NOTE}"'.encode()


class _Marked(msgspec.Struct):
    annotations: Any = None
    x_recorded: Any = None


class _Noted(msgspec.Struct):
    x_collector: Any = None


_decoder = msgspec.json.Decoder(_Marked)
_note = msgspec.json.Decoder(_Noted)


def shown_by(data: bytes) -> Provenance:
    """The provenance that a record shows by itself; real = it shows nothing that makes it count for less."""
    if is_marked(data):
        return Provenance.SYNTHETIC
    return Provenance.UNVOUCHED if is_strangers(data) else Provenance.REAL


def is_strangers(data: bytes) -> bool:
    """Did a collector take it from a sender for whom no one answers?

    Collectors before December 2026 did not note for whom their operators answered, so all that they took is a
    stranger's.
    """
    if _NOTED not in data:
        return False
    try:
        note = _note.decode(data).x_collector
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return True
    return note is not None and not (isinstance(note, dict) and note.get("vouched") is True)


def is_marked(data: bytes) -> bool:
    """Does the record say that it is synthetic?  A page recorded in it cannot do so."""
    if not any(word in data for word in _SPELLED):
        return False
    try:
        told = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    noted = isinstance(told.annotations, dict) and ANNOTATION in told.annotations
    return noted or told.x_recorded is not None
