"""Session: who is at the desk, and what proves it.

A session is known by a random number that only the browser has; the server keeps its digest, in memory, so that a
copy of the process's files opens nothing and a restart ends every session.  The number is new at each login, whatever
the browser sent before (no fixation), it is never accepted from anywhere but its cookie, and a browser that calls
itself something else than at the login ends the session.
"""

import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import scrypt, sha256
from secrets import token_urlsafe
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

from fanous.errors import FanousError

IDLE_SECONDS = 3600.0
"""Without a request for this long, a session ends: somebody may have left the browser open."""

LONGEST_SECONDS = 12 * 3600.0
"""A session ends after a working day, however busy."""

MOST_SESSIONS = 64
"""The oldest is ended where there would be more."""

LEAST_PASSPHRASE = 12
"""Characters.  With ten guesses and then one a minute from an address, four common words are safe."""

MOST_PASSPHRASE = 1024

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 5
"""OWASP's password storage cheat sheet (2023): 16 MiB and about 0.1 s for each guess."""


@dataclass(slots=True)
class Session:
    """Attributes:
    csrf: has to come with everything that changes something; other sites' pages cannot read it.
    agent: what the browser called itself at the login.
    began, seen: monotonic seconds.
    signed: how the person last signed a decision, to fill in the next.
    """

    csrf: str
    agent: str
    began: float
    seen: float
    signed: str = ""


class Sessions:
    """Open sessions by the digest of their number.

    Args:
        secure: the pages have an HTTPS address, so the cookie is sent over TLS alone.
    """

    def __init__(self, *, secure: bool, clock: Callable[[], float] = monotonic) -> None:
        self._secure, self._clock = secure, clock
        self._open: dict[bytes, Session] = {}

    def begin(self, request: Request) -> str:
        """The number of a new session; one that the browser had before is ended."""
        self.end(request)
        now, number = self._clock(), token_urlsafe(32)
        self._open[_digest(number)] = Session(token_urlsafe(24), _agent(request), now, now)
        while len(self._open) > MOST_SESSIONS:
            del self._open[next(iter(self._open))]
        return number

    def of(self, request: Request) -> Session | None:
        """The session of a request, which lasts longer by it."""
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

    def end(self, request: Request) -> None:
        self._open.pop(_digest(self._cookie(request)), None)

    @property
    def cookie(self) -> str:
        """Its name; the prefix keeps other hosts of the domain, and unencrypted answers, from setting it."""
        return "__Host-fanous_desk" if self._secure else "fanous_desk"

    def give(self, response: Response, number: str) -> None:
        """Have the browser keep the number until it is closed; empty = have it forget."""
        path = "/" if self._secure else "/desk"
        if number:
            response.set_cookie(
                self.cookie, number, path=path, secure=self._secure, httponly=True, samesite="strict"
            )
        else:
            response.delete_cookie(
                self.cookie, path=path, secure=self._secure, httponly=True, samesite="strict"
            )

    def _cookie(self, request: Request) -> str:
        return request.cookies.get(self.cookie, "")


def _digest(number: str) -> bytes:
    return sha256(number.encode()).digest()


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")


def is_same(given: str, own: str) -> bool:
    """Compares digests in constant time; nothing is the same as an empty text."""
    return bool(own) and hmac.compare_digest(_digest(given), _digest(own))


def hashed(passphrase: str) -> str:
    """What is kept of a passphrase: ``scrypt$N$r$p$salt$hash``.

    Raises:
        FanousError: it is too short, or too long.
    """
    if not LEAST_PASSPHRASE <= len(passphrase) <= MOST_PASSPHRASE:
        raise FanousError(
            f"a passphrase has {LEAST_PASSPHRASE} to {MOST_PASSPHRASE:,} characters; four or five words that do not "
            "belong together are good"
        )
    salt = os.urandom(16)
    made = _scrypt(passphrase, salt, SCRYPT_N, SCRYPT_R, SCRYPT_P)
    numbers = f"{SCRYPT_N}${SCRYPT_R}${SCRYPT_P}"
    return f"scrypt${numbers}${b64encode(salt).decode()}${b64encode(made).decode()}"


def is_passphrase(given: str, kept: str) -> bool:
    """Takes a tenth of a second; ``kept`` as ``hashed`` gives it."""
    _, n, r, p, salt, made = kept.split("$")
    again = _scrypt(given[:MOST_PASSPHRASE], b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(again, b64decode(made))


def is_hash(text: str) -> bool:
    """Whether ``hashed`` may have made it."""
    parts = text.split("$")
    return len(parts) == 6 and parts[0] == "scrypt" and all(part.isdigit() for part in parts[1:4])


def _scrypt(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return scrypt(passphrase.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 << 20, dklen=32)
