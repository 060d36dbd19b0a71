"""Boxes: programs in the path of the lab's traffic, for what firewall rules alone cannot do.

One process (``middlebox``) runs them all, each with sockets in its router.  To add one, write a class with
``close`` in a separate file, whose constructor takes a ``box.BoxPlace`` and options, and add a line to
``BOXES``.
"""

from collections.abc import Callable

from fanous.lab.boxes.box import Box, BoxPlace
from fanous.lab.boxes.inspection import Answering, ForgingPages, Racing, ReadingQuic, Resetting
from fanous.lab.boxes.line import Delaying, Neighbours
from fanous.lab.boxes.proxy import Intercepting, Portal

BOXES: dict[str, Callable[..., Box]] = {
    "answering": Answering,
    "delaying": Delaying,
    "forging_pages": ForgingPages,
    "intercepting": Intercepting,
    "neighbours": Neighbours,
    "portal": Portal,
    "racing": Racing,
    "reading_quic": ReadingQuic,
    "resetting": Resetting,
}

__all__ = ["BOXES", "Box", "BoxPlace"]
