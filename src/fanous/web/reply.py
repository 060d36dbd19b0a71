"""Reply: an answer that is made once and sent many times - compressed, with its tag.

Shelf: replies that were just made, so that a crowd asks the store once.
"""

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from hashlib import blake2b
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

REVALIDATE = "no-cache"
"""Kept by the browser, and asked about each time: a page about an outage must not be an old one."""

FOR_GOOD = "public, max-age=31536000, immutable"
"""For addresses that carry a digest of what they give."""

LEAST_COMPRESSED = 600
"""Bytes; a smaller answer fits into one packet as it is."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Attributes:
    packed: gzip of ``body``; empty where it is not worth it.
    tag: digest of ``body``.
    """

    body: bytes
    packed: bytes
    media: str
    tag: str
    kept: str = REVALIDATE

    @classmethod
    def of(cls, body: bytes | str, media: str, *, kept: str = REVALIDATE) -> "Reply":
        """Text is compressed; pictures are already."""
        raw = body.encode() if isinstance(body, str) else body
        is_text = not media.startswith("image/") or media.startswith("image/svg")
        packed = gzip.compress(raw, 9, mtime=0) if is_text and len(raw) >= LEAST_COMPRESSED else b""
        return cls(raw, packed, media, blake2b(raw, digest_size=9).hexdigest(), kept)

    def answer(self, request: Request) -> Response:
        """As this request wants it: whole or compressed, or 304 where it has it already."""
        pack = bool(self.packed) and "gzip" in request.headers.get("accept-encoding", "").lower()
        tag = f'"{self.tag}{"-gz" if pack else ""}"'
        headers = {
            "ETag": tag,
            "Cache-Control": self.kept,
            "Vary": "Accept-Encoding, Accept-Language",
        }
        if _has(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        if pack:
            headers["Content-Encoding"] = "gzip"
        return Response(self.packed if pack else self.body, media_type=self.media, headers=headers)


def _has(header: str, tag: str) -> bool:
    """RFC 9110, section 13.1.2: compared weakly."""
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in header.split(","))


FRESH_SECONDS = 2.0
"""A change is on the pages after this and one rendering: well within 5 s."""

WORK_SHARE = 20
"""A reply that took long is kept this many times as long, so that no page takes more than a twentieth of the
store's time; a change of an incident empties the shelf all the same."""

LONGEST_SECONDS = 60.0
GRACE_SECONDS = 600.0
"""So long after it went stale a reply is still given while the next one is being made: nobody waits for a
page that others read.  A change of an incident does not wait for it: ``Live`` empties the shelf."""

REST = 3.0
"""After a reply was made ahead, nothing is made ahead for so many times as long: however many pages are read,
in however many languages, keeping them fresh takes a quarter of the time, and readers have the rest."""

MOST_KEPT = 512
"""Replies; a hundred kilobytes each at most."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Attributes:
    began: monotonic seconds; what changed later is not in the reply.
    fresh: seconds from ``began``.
    """

    began: float
    fresh: float
    reply: Reply


class Shelf:
    """Keeps the newest replies; a reply is made once however many wait for it."""

    def __init__(self, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._fresh = fresh_seconds
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[Reply]] = {}
        self._emptied = 0.0
        self._ahead: asyncio.Task[Reply] | None = None
        self._rested, self._took = 0.0, 0.0

    def empty(self) -> None:
        """Something changed: what was begun before now is old."""
        self._emptied = monotonic()
        self._making.clear()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Reply]]) -> Reply:
        """A reply that is fresh, or just went stale.  What ``make`` raises reaches all who wait."""
        kept = self._kept.get(key)
        age = monotonic() - kept.began if kept and kept.began > self._emptied else None
        if kept is not None and age is not None and age < kept.fresh:
            self._kept.move_to_end(key)
            return kept.reply
        if kept is not None and age is not None and age < kept.fresh + GRACE_SECONDS:
            if key not in self._making and self._ahead is None and monotonic() >= self._rested:
                self._ahead = self._begin(key, make)
                self._ahead.add_done_callback(self._rest)
            return kept.reply
        return await asyncio.shield(self._making.get(key) or self._begin(key, make))

    def _begin(self, key: Hashable, make: Callable[[], Awaitable[Reply]]) -> asyncio.Task[Reply]:
        making = asyncio.ensure_future(self._make(key, make))
        making.add_done_callback(_heed)
        self._making[key] = making
        return making

    def _rest(self, _made: asyncio.Task[Reply]) -> None:
        """What was made ahead is done."""
        self._ahead = None
        self._rested = monotonic() + REST * self._took

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Reply]]) -> Reply:
        began = monotonic()
        try:
            reply = await make()
        finally:
            if self._making.get(key) is asyncio.current_task():
                del self._making[key]
        self._took = took = monotonic() - began
        fresh = min(max(self._fresh, WORK_SHARE * took), max(LONGEST_SECONDS, self._fresh))
        self._kept[key] = _Kept(began, fresh, reply)
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return reply


def _heed(task: asyncio.Task[Reply]) -> None:
    """A reply that was made ahead and failed is no one's to await: the next reader meets the fault."""
    if not task.cancelled():
        task.exception()
