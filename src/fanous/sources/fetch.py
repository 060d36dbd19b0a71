"""Fetch: gets one document over HTTP, politely, from a publisher who owes us nothing.

It keeps within its request budget, waits as long as it is told to, does not fetch unchanged documents again,
and gives up with an error that says whether another attempt may help.  Nothing here is a measurement.

Documents of publishers that can say whether they have changed (ETag, Last-Modified) are cached.  Each is one file,
written aside and renamed, so a crash leaves the old one or the new one.  Losing it costs a fetch, nothing else.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import httpx
import msgspec

from fanous import __version__
from fanous.base.exchange import NO_ANSWER, HttpClient, TooLarge, whole
from fanous.base.files import make_folder
from fanous.config import LOOPBACK
from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.instant import DAY
from fanous.sources.connector import Source

MOST = 64 << 20
"""Bytes of a document that is kept; a larger one is fetched again."""


@dataclass(frozen=True, slots=True)
class Cached:
    """One document, with its publisher's identifiers of this version."""

    url: str
    etag: str
    modified: str
    body: bytes

    @property
    def conditions(self) -> dict[str, str]:
        """Headers that ask for it only if it has changed (RFC 9110, 13.1).  What no header can carry is left out."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in named.items() if value and value.isascii()}


class HttpCache:
    """A folder of documents."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, url: str) -> Cached | None:
        """``None`` = it is not there, or cannot be read."""
        try:
            found = msgspec.msgpack.decode(self._path(url).read_bytes(), type=Cached)
        except (OSError, ValueError):
            return None
        return found if found.url == url else None

    def keep(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep it, if the publisher identified this version; with a full disk, only that is lost."""
        etag, modified = headers.get("etag", ""), headers.get("last-modified", "")
        if not (etag or modified) or len(body) > MOST:
            return
        path = self._path(url)
        aside = path.with_suffix(f".{os.getpid()}")
        try:
            make_folder(self._folder)
            aside.write_bytes(msgspec.msgpack.encode(Cached(url, etag, modified, body)))
            aside.replace(path)
        except OSError:
            aside.unlink(missing_ok=True)

    def _path(self, url: str) -> Path:
        return self._folder / f"{sha256(url.encode()).hexdigest()}.cached"


TRIES = 5
A_MINUTE = 20
"""Requests that we allow ourselves per minute: no publisher states a lower limit, and a monitor of one country needs a
few an hour."""
FIRST_WAIT = 2.0
"""Seconds before the second try; doubled each time: 2, 4, 8, 16."""
LIMITED_WAIT = 60.0
"""Seconds after 429 without ``Retry-After``, doubled each time, or after an answer that says that nothing remains:
OONI's interface has a limit per minute, and says only what remains (``X-RateLimit-Remaining``)."""
LONGEST_WAIT = 300.0
"""Most seconds that we wait when asked to; if a publisher asks for more, we try again another day."""
LATEST_AGAIN = 10 * 365 * DAY
"""Seconds: the longest ``Retry-After`` that is repeated to the operator; a server may name any number."""
STALL = 30.0
"""Seconds that a server may be silent."""
DEADLINE = 300.0
"""Seconds for one whole document."""
LARGEST = 256 << 20
"""Bytes; 30 days of a country in 5-minute bins are about 1 MB."""
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Refusals that may be temporary (RFC 9110, RFC 6585)."""
log = logging.getLogger("fanous.sources")


@dataclass(frozen=True, slots=True)
class Waits:
    """The clock and the patience of a client; tests bring their own."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    stall: float = STALL
    deadline: float = DEADLINE
    tries: int = TRIES
    a_minute: int = A_MINUTE


@dataclass(slots=True)
class Counts:
    """Counts of a source's use: requests sent, answers that had not changed, waits."""

    requests: int = 0
    unchanged: int = 0
    waits: list[float] = field(default_factory=list)


class Polite:
    """A client of one source; a context manager.

    Args:
        cache: folder for documents that may not change; ``None`` = none.
        mirror: asked instead of the publisher: ``https://host`` in every address.  Also http, if it is
            on this machine.
    """

    def __init__(
        self,
        source: Source,
        cache: Path | None = None,
        *,
        mirror: str = "",
        waits: Waits | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.counts = Counts()
        self._source = source
        self._waits = waits or Waits()
        self._cache = HttpCache(cache) if cache else None
        self._mirror = mirror.rstrip("/")
        self._is_spent = False  # the last answer said that nothing more is allowed for now
        self._asked: deque[float] = deque(maxlen=self._waits.a_minute)
        self._client = HttpClient(
            {"User-Agent": f"fanous/{__version__} (open monitor of internet disruptions)"}
            | dict(headers or {}),
            self._waits.stall,
        )

    def __enter__(self) -> "Polite":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._client.close()

    def get(self, url: str) -> bytes:
        """The document at ``url``.

        Raises:
            FanousError: it could not be fetched; not ``permanent`` if another attempt may help.
        """
        address = self._address(url)
        known = self._cache.find(address) if self._cache else None
        for attempt in range(self._waits.tries):
            self._keep_budget()
            try:
                return self._once(address, known)
            except _Again as refusal:
                wait = refusal.wait if refusal.wait is not None else refusal.first * 2**attempt
                wait = wait if refusal.wait is not None else min(wait, LONGEST_WAIT)
                if attempt + 1 == self._waits.tries or wait > LONGEST_WAIT:
                    raise FanousError(
                        f"{_shown(address)}: {refusal}{_later(wait)}", permanent=False
                    ) from None
                log.warning(logline("again", source=self._source.name, wait=round(wait), why=refusal))
                self.counts.waits.append(wait)
                self._waits.sleep(wait)
        raise AssertionError("the last try raises or returns")

    def _address(self, url: str) -> str:
        if self._source.address and _parts(url)[:2] != _parts(self._source.address)[:2]:
            raise FanousError(f"{_shown(url)} is not an address of {self._source.title}, so it is not asked")
        if self._mirror:
            parts = _parts(url)
            url = f"{self._mirror}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        return check_encrypted(url)

    def _keep_budget(self) -> None:
        """Wait until the oldest of the last ``a_minute`` requests is a minute old, or as the last answer asks."""
        if self._is_spent:
            self.counts.waits.append(LIMITED_WAIT)
            self._waits.sleep(LIMITED_WAIT)
            self._is_spent = False
        if len(self._asked) == self._asked.maxlen:
            wait = 60.0 - (self._waits.clock() - self._asked[0])
            if wait > 0:
                self._waits.sleep(wait)
        self._asked.append(self._waits.clock())
        self.counts.requests += 1

    def _once(self, address: str, known: Cached | None) -> bytes:
        sent_by = ""
        for _ in range(5):  # redirects
            conditions = known.conditions if known else {}
            seconds = self._waits.deadline
            try:
                with self._client.asked(
                    "GET", address, seconds=seconds, sent_by=sent_by, headers=conditions
                ) as response:
                    if response.has_redirect_location:
                        sent_by, address = address, self._redirected(response)
                        known = self._cache.find(address) if self._cache else None
                        continue
                    if response.status_code == 304 and known:
                        self.counts.unchanged += 1
                        return known.body
                    self._refuse(response)
                    body = whole(response, LARGEST)
                    self._is_spent = response.headers.get("x-ratelimit-remaining", "").strip() == "0"
            except NO_ANSWER as error:
                raise _Again(f"cannot be fetched: {error or type(error).__name__}") from error
            except TooLarge:
                raise FanousError(
                    f"{_shown(address)}: more than {LARGEST:,} bytes: too large for this document"
                ) from None
            if self._cache:
                self._cache.keep(address, response.headers, body)
            return body
        raise FanousError(f"{_shown(address)}: redirects in a circle")

    def _redirected(self, response: httpx.Response) -> str:
        target = response.next_request
        if target is None:
            raise FanousError(f"{_shown(str(response.url))}: redirects without naming a target")
        same = target.url.host == response.url.host
        if not same and "authorization" in self._client.headers:
            raise FanousError(f"redirected to {target.url.host}, which must not see our key")
        return check_encrypted(str(target.url))

    def _refuse(self, response: httpx.Response) -> None:
        code = response.status_code
        if code == 200:
            return
        words = f"the server says {code} {response.reason_phrase}"
        if code in PASSING:
            wait = _retry_after(response.headers.get("retry-after", ""), self._waits.now())
            raise _Again(words, wait, LIMITED_WAIT if code == 429 else FIRST_WAIT)
        if code in (401, 403):
            key = f"; it needs a key in {self._source.token}" if self._source.token else ""
            raise FanousError(f"{_shown(str(response.url))}: {words}{key}")
        raise FanousError(f"{_shown(str(response.url))}: {words}")


class _Again(Exception):
    """A refusal that may pass.

    Attributes:
        wait: seconds, as the server says; ``None`` = it does not say.
        first: seconds before the second try if it does not.
    """

    def __init__(self, words: str, wait: float | None = None, first: float = FIRST_WAIT) -> None:
        super().__init__(words)
        self.wait, self.first = wait, first


def _retry_after(text: str, now: float) -> float | None:
    """Seconds, or until a date (RFC 9110, 10.2.3); ``None`` = it does not say."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LATEST_AGAIN)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # it counts years without end
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, moment.timestamp() - now), LATEST_AGAIN)


def _later(wait: float) -> str:
    if wait <= LONGEST_WAIT:
        return ""
    at = datetime.fromtimestamp(time.time() + wait, UTC)
    return f"; it asks us to come back after {at:%Y-%m-%d %H:%M} UTC"


def check_encrypted(url: str) -> str:
    """The URL, if no one on the path can tamper with the response.

    Raises:
        FanousError: it is plain HTTP, and not on this machine.
    """
    parts = _parts(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return url
    raise FanousError(f"{_shown(url)} is not https: without encryption, the data may have been tampered with")


def host_of(url: str) -> str:
    """The host that an address names; empty = it names none."""
    return _parts(url).hostname or ""


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise FanousError(f"{_shown(url)[:200]} is not an address") from None


def _shown(url: str) -> str:
    """For a message: without the query, which is long."""
    return url.partition("?")[0]
