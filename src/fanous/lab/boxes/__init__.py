"""Boxes: programs in the path of the lab's traffic, for what firewall rules alone cannot do.

One process (``middlebox``) runs them all, each with sockets in the router where it stands.  To add one: a
class in a file of its own whose constructor takes a ``box.BoxPlace`` and its options, with ``close``; one line
in ``BOXES``.
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
