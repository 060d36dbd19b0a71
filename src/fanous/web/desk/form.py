"""Form: what a browser sends when a button is pressed."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from fanous.errors import FanousError
from fanous.text import printable
from fanous.web.admin import LONGEST, body_of

MOST_BYTES = 64 << 10
MOST_CALENDAR_BYTES = 4 << 20
"""A calendar of a country's public events has some 100 KB; percent-encoded, it is up to three times as long."""

MOST_FIELDS = 40
LONG = frozenset({"calendar"})
"""Fields that may be longer than others."""


async def form_of(request: Request, *, most: int = MOST_BYTES) -> dict[str, str]:
    """Field -> value, without surrounding blanks; if a field is sent twice, the last value.

    Raises:
        FanousError: it is too large, or not a form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise FanousError("this is not a form that a page of the desk sends")
    try:
        body = await body_of(request, most)
        pairs = await asyncio.to_thread(_pairs, body)
    except ValueError as error:
        raise FanousError(f"the form cannot be read: {error}") from error
    for name, value in pairs:
        if len(value) > LONGEST and name not in LONG:
            raise FanousError(f"{printable(name)[:40]}: more than {LONGEST:,} characters")
    return {name: value.strip() for name, value in pairs}


def _pairs(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)


def is_from_here(request: Request, url: str) -> bool:
    """Does the browser say that one of our own pages sent it?  Old browsers do not say; then the form's secret
    decides.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    own = {request.headers.get("host", "").lower(), urlsplit(url).netloc.lower() if url else ""}
    return urlsplit(origin).netloc.lower() in own - {""}


def words(form: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The words of a field, separated by commas or blanks."""
    return tuple(form.get(name, "").replace(",", " ").split())
