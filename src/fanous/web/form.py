"""Form: what a browser sends when a button is pressed."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request

from fanous.base.text import printable
from fanous.collector.request import body_of
from fanous.config import split_url
from fanous.errors import FanousError
from fanous.web.admin import LONGEST

Form = Mapping[str, str]
"""Field -> value."""

MOST_BYTES = 64 << 10
MOST_CALENDAR_BYTES = 4 << 20
"""A calendar of a country's public events has some 100 KB; percent-encoded, it is up to three times as long."""

MOST_FIELDS = 40
LONG = frozenset({"calendar", "draft"})
"""Fields that may be longer than others."""

REFUSED = {
    "calendar": "This is not an iCalendar file: it does not begin with BEGIN:VCALENDAR.",
    "code": "This is not the code that {command} printed in the terminal.",
    "countries": "Name at least one country, such as Pakistan or PK.",
    "country": "{given} is not the code of a country, such as PK.",
    "days": "The days have to be a number from 1 to {most}.",
    "differ": "The two passphrases differ: type the same one twice.",
    "eventless": "The calendar has no event.",
    "hours": "The hours have to be a number.",
    "key": "{source}: type the key of your account there, or do not choose this source.",
    "level": "The connectivity left has to be a number from 0 to 100.",
    "link": "{given} is not a web address such as https://example.org.",
    "listen": "{given} is not a host and a port, such as 127.0.0.1:8470.",
    "locked": "Too many wrong codes. Stop {command}, and start it again for a new code.",
    "logged_out": "You were logged out before this was sent. Check it, and send it again.",
    "long": "A text may have at most {most} characters.",
    "moment": "{given} is not a date and time such as 2024-02-08T08:00.",
    "named": "{given} is not the name or the code of a country.",
    "network": "{given} is not a network number such as AS17557.",
    "order": "The end has to be later than the start.",
    "reason": "Give a reason: it is published.",
    "revised": "It was revised after you opened the page. This is how it is now: decide again.",
    "signed": "Sign it with a role or a name: it is published.",
    "target": "{given} is neither a platform nor a domain, such as x or bbc.com.",
    "untitled": "An event needs a title of at most {most} characters.",
    "unusable": "The calendar has no event that can be used.",
    "years": "An event has to be between the years 1990 and 2100.",
}
"""Code -> what is wrong with a form, as its sender reads it."""


class Refusal(FanousError):
    """What the sender of a form has to correct, in the sender's language.

    Args:
        code: of ``REFUSED``.
        values: for its placeholders.
    """

    def __init__(self, code: str, **values: str) -> None:
        self.text, self.values = REFUSED[code], {name: printable(one)[:80] for name, one in values.items()}
        super().__init__(self.text.format(**self.values))


async def form_of(request: Request, *, most: int = MOST_BYTES) -> dict[str, str]:
    """Field -> value, without surrounding spaces; if a field is sent twice, the last value.

    Browsers send each end of a line as two characters, but count one towards ``maxlength``.

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
    return {name: value.replace("\r\n", "\n").strip() for name, value in pairs}


def check_lengths(form: Form) -> None:
    """Raises ``Refusal`` if a text is too long."""
    if any(len(value) > LONGEST for name, value in form.items() if name not in LONG):
        raise Refusal("long", most=f"{LONGEST:,}")


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
    hosts = {request.headers.get("host", "").lower(), urlsplit(url).netloc.lower() if url else ""}
    parts = split_url(origin)
    return parts is not None and parts.netloc.lower() in hosts - {""}


def check_signed(form: Form, reason: str = "-") -> None:
    """Raises ``Refusal`` unless someone signed it and gave a reason, where one is needed."""
    if not form.get("by"):
        raise Refusal("signed")
    if not reason:
        raise Refusal("reason")


def draft_of(text: str) -> dict[str, str]:
    """The form that ``kept_as`` wrote."""
    return dict(parse_qsl(text, keep_blank_values=True))


def kept_as(form: Form) -> str:
    """A form as one text, for a hidden field of the login."""
    return urlencode({name: value for name, value in form.items() if name != "csrf"})


def words(form: Form, name: str) -> tuple[str, ...]:
    """The words of a field, separated by commas or spaces."""
    return tuple(form.get(name, "").replace(",", " ").split())
