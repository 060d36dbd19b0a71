"""Session: who is logged in at the desk, and what proves it.

A session is known by a random number that only the browser has; the server keeps its digest, in memory, so that a
copy of the process's files opens nothing and a restart ends every session.  The number is new at each login, whatever
the browser sent before (no fixation); it is accepted only from its cookie, and if the browser identifies
itself differently than at login, the session ends.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_urlsafe
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

from fanous.sources.ics import EventLeftOut

IDLE_SECONDS = 3600.0
"""Without a request for this long, a session ends: the browser may have been left open."""

LONGEST_SECONDS = 12 * 3600.0
"""A session ends after a working day, even if it is in use."""

MOST_SESSIONS = 64
"""Most sessions; beyond that, the oldest ends."""


@dataclass(slots=True)
class Session:
    """One login of one browser.

    Attributes:
        csrf: required with every change; other sites' pages cannot read it.
        agent: how the browser identified itself at login.
        began, seen: monotonic seconds.
        signed: how the person last signed a decision, to fill in the next.
        draft: a page of the desk, and the form that was sent to it too late; the page shows it once.
        left: what the last action left out, for the next page.
    """

    csrf: str
    agent: str
    began: float
    seen: float
    signed: str = ""
    draft: tuple[str, dict[str, str]] | None = None
    left: list[EventLeftOut] = field(default_factory=list)


class DeskSessions:
    """Open sessions by the digest of their number.

    Args:
        secure: the pages have an HTTPS address, so the cookie is sent only over TLS.
    """

    def __init__(self, *, secure: bool, clock: Callable[[], float] = monotonic) -> None:
        self._secure, self._clock = secure, clock
        self._open: dict[bytes, Session] = {}

    def begin(self, request: Request, draft: tuple[str, dict[str, str]] | None = None) -> str:
        """The number of a new session; one that the browser had before is ended."""
        self.end(request)
        now, number = self._clock(), token_urlsafe(32)
        self._open[_digest(number)] = Session(token_urlsafe(24), _agent(request), now, now, draft=draft)
        while len(self._open) > MOST_SESSIONS:
            del self._open[next(iter(self._open))]
        return number

    def of(self, request: Request) -> Session | None:
        """The session of a request, which also extends it."""
        key = _digest(self._cookie(request))
        one, now = self._open.get(key), self._clock()
        if one is None:
            return None
        is_over = now - one.seen > IDLE_SECONDS or now - one.began > LONGEST_SECONDS
        if is_over or one.agent != _agent(request):
            del self._open[key]
            return None
        one.seen = now
        return one

    def end_all(self) -> None:
        self._open.clear()

    def end(self, request: Request) -> None:
        self._open.pop(_digest(self._cookie(request)), None)

    @property
    def cookie(self) -> str:
        """The cookie's name; its prefix prevents other hosts of the domain, and unencrypted answers, from setting
        it."""
        return "__Host-fanous_desk" if self._secure else "fanous_desk"

    def give(self, response: Response, number: str) -> None:
        """Have the browser keep the number until it is closed; empty = have it forget the number."""
        if number:
            response.set_cookie(self.cookie, number, secure=self._secure, httponly=True, samesite="strict")
        else:
            response.delete_cookie(self.cookie, secure=self._secure, httponly=True, samesite="strict")

    def _cookie(self, request: Request) -> str:
        return request.cookies.get(self.cookie, "")


def _digest(number: str) -> bytes:
    return sha256(number.encode()).digest()


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")


def is_same(given: str, own: str) -> bool:
    """Compares digests in constant time; an empty text never matches."""
    return bool(own) and hmac.compare_digest(_digest(given), _digest(own))
