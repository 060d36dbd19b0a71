"""Static: stylesheet, script and mark, read once and named with a digest of what they hold."""

from functools import lru_cache
from hashlib import blake2b
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from fanous.web.reply import FOR_GOOD, Reply

MEDIA = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@lru_cache(maxsize=1)
def _assets() -> dict[str, tuple[str, Reply]]:
    """Name -> (digest, reply)."""
    found = {}
    for file in (files(__package__) / "static").iterdir():
        media = MEDIA.get(file.name.rpartition(".")[2])
        if media:
            raw = file.read_bytes()
            digest = blake2b(raw, digest_size=6).hexdigest()
            found[file.name] = digest, Reply.of(raw, media, kept=FOR_GOOD)
    return found


def asset(name: str) -> str:
    """``fanous.css`` -> its address."""
    return f"/static/{_assets()[name][0]}/{name}"


async def static(request: Request) -> Response:
    """Answers ``/static/DIGEST/NAME``; an older digest gets today's file, and may not keep it."""
    digest, name = request.path_params["digest"], request.path_params["name"]
    if name not in _assets():
        raise HTTPException(404)
    current, reply = _assets()[name]
    if digest != current:
        reply = Reply.of(reply.body, reply.media)
    return reply.answer(request)


async def icon(request: Request) -> Response:
    """Answers ``/favicon.ico``, which browsers ask for where no page names an icon (a picture, a feed)."""
    _, reply = _assets()["mark.svg"]
    return Reply.of(reply.body, reply.media).answer(request)


async def robots(request: Request) -> Response:
    """Answers ``/robots.txt``: everything may be read and found, frames and streams are no pages."""
    return Reply.of("User-agent: *\nDisallow: /embed/\nDisallow: /live\n", "text/plain").answer(request)
