"""Reply: an answer that is made once and sent many times - compressed, with its tag."""

import gzip
from dataclasses import dataclass
from hashlib import blake2b

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
