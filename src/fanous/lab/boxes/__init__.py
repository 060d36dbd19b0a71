"""Boxes: programs in the path of the lab's traffic, for what firewall rules alone cannot do.

One process (``middlebox``) runs them all, each with sockets in the router where it stands.  To add one: a
class in a file of its own whose constructor takes a ``box.BoxPlace`` and its options, with ``close``; one line
in ``BOXES``.
"""

from collections.abc import Callable

from fanous.lab.boxes.box import Box, BoxPlace
from fanous.lab.boxes.delay import Delaying
from fanous.lab.boxes.dns import Answering, Racing
from fanous.lab.boxes.hello import Resetting
from fanous.lab.boxes.neighbours import Neighbours
from fanous.lab.boxes.page import ForgingPages
from fanous.lab.boxes.proxy import Intercepting, Portal
from fanous.lab.boxes.quic import ReadingQuic

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
