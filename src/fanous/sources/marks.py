"""Marks: how a record declares that it was staged.

Generators write an annotation, recordings of the lab a separate field.  A mark can only make a record count
for less, so nothing is gained by forging one.
"""

from typing import Any

import msgspec

ANNOTATION = "synthetic"
"""Generators and the lab's probes write it among the annotations."""
RECORDED = "x_recorded"
"""Field of a record that was recorded in the lab."""

WORDS = frozenset({"fanous", "recorded in the lab"})
"""What our generators and recordings write there, or true; of any other value, only that there is one is kept."""

_SPELLED = tuple(f'"{word}"'.encode() for word in (ANNOTATION, RECORDED))


class _Marked(msgspec.Struct):
    annotations: Any = None
    x_recorded: Any = None


_decoder = msgspec.json.Decoder(_Marked)


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
