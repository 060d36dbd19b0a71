"""Channel: one way to reach people or programs - its kind, its quiet hours, and the rules for what it is sent.

A rule restricts only what it names.  ``Means`` is what a kind of channel declares about itself (``senders``).
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from msgspec import Meta
from msgspec.structs import force_setattr

from fanous.config import Asn, Section, Some, Text, WrongKey
from fanous.errors import FanousError
from fanous.model.alert import Happening
from fanous.model.incident import Incident, Kind, Status
from fanous.model.instant import HOUR
from fanous.publish.alerts.message import Message
from fanous.refdata.countries import check_countries
from fanous.wording.language import ENGLISH, Language
from fanous.wording.names import target_named

FIRST_WAIT = 15.0
"""Seconds to wait after the first failure, long enough for most restarts; each further failure doubles it."""

LONGEST_WAIT = HOUR

MOST_ATTEMPTS = 14
"""With the waits above, some nine hours: enough for a mail server that is down overnight."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of each day in a time zone; they run past midnight if the end is before the start."""

    start: time
    end: time
    zone: ZoneInfo

    def until(self, now: float) -> float:
        """When the current quiet hours end; ``now`` outside them."""
        here = datetime.fromtimestamp(now, self.zone)
        for day in (here.date() - timedelta(days=1), here.date()):
            begins = datetime.combine(day, self.start, self.zone)
            last = day if self.end > self.start else day + timedelta(days=1)
            ends = datetime.combine(last, self.end, self.zone)
            if begins.astimezone(UTC) <= here.astimezone(UTC) < ends.astimezone(UTC):
                return ends.timestamp()
        return now


@dataclass(frozen=True, slots=True)
class Pace:
    """When a channel may be written to, and how often.

    Attributes:
        per_hour: most messages an hour about one group of alerts, at equal intervals.
        even_when_quiet: news that is sent during quiet hours too.
        group_wait: seconds for which the first alert of a group waits for others, which then share its message.
    """

    quiet: tuple[QuietHours, ...] = ()
    even_when_quiet: tuple[Happening, ...] = ()
    per_hour: int = 30
    group_wait: float = 10.0

    @property
    def interval(self) -> float:
        """Seconds between two messages about one group."""
        return HOUR / self.per_hour

    def allowed_at(self, now: float, happening: Happening, last: float | None) -> float:
        """``now``, or when it may be tried again.

        Args:
            last: when its group last had a message; ``None`` = not within the interval.
        """
        quiet = () if happening in self.even_when_quiet else self.quiet
        over = max((one.until(now) for one in quiet), default=now)
        return over if last is None else max(over, last + self.interval)


def wait_after(attempts: int, asked: float | None = None) -> float:
    """Seconds until the next attempt; ``asked``: what the receiver asked for (``Retry-After``)."""
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** max(0, attempts - 1))
    return wait if asked is None else max(wait, min(asked, LONGEST_WAIT))


class Form(StrEnum):
    """How long a message to people may be."""

    FULL = "full"
    POST = "post"
    """At most 280 characters, for Mastodon and similar services."""

    SMS = "sms"
    """At most 160 characters, without a key."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One receiver of alerts, with the language and form that it wants.

    Attributes:
        means: a name in ``senders.SENDERS``.
        address: may contain a password, so it is never printed.
        secret: for means that sign messages; empty = none.
        exercises: staged events are sent to it too.
    """

    name: str
    means: str
    address: str
    secret: str = ""
    language: Language = ENGLISH
    form: Form = Form.FULL
    pace: Pace = field(default_factory=Pace)
    exercises: bool = False


class AlertRule(Section, frozen=True):
    """A table ``[[alerts.rules]]``.  Everything named must match; in a list, one entry is enough.

    Attributes:
        channels: where matching incidents are sent.
        countries: ISO codes; empty = any, as in the other lists.
        networks: ASNs; a national incident concerns every network.
        targets: an incident without targets (an outage) affects all of them.
        statuses: current status; an ended incident counts as confirmed or suspected, whichever it was.
        confidence: lowest confidence, 0..1.
        on: kinds of news.
    """

    channels: Some[Text]
    countries: tuple[str, ...] = ()
    networks: tuple[Asn, ...] = ()
    targets: Some[Text] = ()
    kinds: Some[Kind] = ()
    statuses: Some[Status] = ()
    confidence: Annotated[float, Meta(ge=0, le=1)] = 0.0
    on: Some[Happening] = tuple(Happening)

    def __post_init__(self) -> None:
        force_setattr(self, "countries", check_countries("countries", self.countries))
        force_setattr(self, "targets", tuple(_target(name) for name in self.targets))

    def concerns(self, incident: Incident) -> bool:
        """Does the incident match, regardless of the news?"""
        named = {f"AS{asn}" for asn in self.networks}
        return (
            (not self.countries or incident.country in self.countries)
            and (not named or incident.country in incident.entities or bool(named & set(incident.entities)))
            and (not self.targets or not incident.targets or bool(set(self.targets) & set(incident.targets)))
            and (not self.kinds or incident.kind in self.kinds)
            and (not self.statuses or _standing(incident) in self.statuses)
            and incident.confidence >= self.confidence
        )


def _target(name: str) -> str:
    found = target_named(name)
    if not found:
        raise WrongKey("targets", f"{name!r} is neither a platform nor a domain, such as 'x' or 'bbc.com'")
    return found


def _standing(incident: Incident) -> Status:
    if incident.status is not Status.ENDED:
        return incident.status
    return Status.SUSPECTED if incident.confirmed_at is None else Status.CONFIRMED


ATTEMPT_SECONDS = 15.0
"""Seconds for a whole attempt; if the receiver takes longer, the message is sent again."""

PASSING = frozenset({408, 425, 429})
"""4xx codes for conditions that may pass; the others mean that the request is wrong (RFC 9110, 6585)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of one attempt to send.

    Attributes:
        why: the failure; empty = the message was accepted.
        permanent: another attempt would fail too.
        wait: seconds that the receiver asked us to wait; ``None`` = it did not say.
    """

    why: str = ""
    permanent: bool = False
    wait: float | None = None


Send = Callable[[Channel, Message, float], Coroutine[Any, Any, Attempt]]
"""Takes the channel, the message and the current time (unix seconds)."""


def check_https(address: str) -> None:
    """Refuses a URL over which messages would be sent in the clear.

    Raises:
        FanousError: it could; the message omits the address, which may contain a password.
    """
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_near(parts.hostname or "")):
        raise FanousError("an https:// address is needed; http:// only within your own network")


def _is_near(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class Means:
    """A kind of channel.

    Attributes:
        name: also the key in ``[alerts.channels.NAME]`` for its address.
        send: sends one message.
        check: raises ``FanousError`` for an invalid address, without repeating it.
        on_web: the address is a URL.
        signs: messages are signed, so its channels have a secret.
        is_for_people: messages may be shortened.
        renew: seconds between repetitions of an open incident; ``None`` = never repeated.
    """

    name: str
    send: Send
    check: Callable[[str], None]
    on_web: bool = True
    signs: bool = False
    is_for_people: bool = False
    renew: float | None = None


async def post(url: str, body: bytes, headers: dict[str, str]) -> Attempt:
    """One POST request; redirects are not followed, since a signed message is meant for this address only.

    Only the status and the headers of the answer are read: its body may never end.
    """
    import httpx  # imported here: reading the configuration needs no HTTP client

    try:
        async with (
            asyncio.timeout(ATTEMPT_SECONDS),
            httpx.AsyncClient(timeout=ATTEMPT_SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", url, content=body, headers=headers) as answer,
        ):
            return outcome_of(answer.status_code, answer.headers.get("retry-after", ""))
    except TimeoutError:
        return Attempt(f"no answer within {ATTEMPT_SECONDS:.0f} s")
    except httpx.HTTPError as error:
        return Attempt(f"no answer: {type(error).__name__}: {error}"[:300])


def outcome_of(status: int, retry_after: str) -> Attempt:
    """The result for an HTTP status; only 2xx means accepted."""
    if 200 <= status < 300:
        return Attempt()
    wait = float(retry_after) if retry_after.isdecimal() and len(retry_after) < 9 else None
    return Attempt(f"it answered {status}", 300 <= status < 500 and status not in PASSING, wait)
