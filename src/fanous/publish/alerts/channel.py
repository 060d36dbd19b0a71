"""Channel: one way to reach people or programs, with its quiet hours and the rules for what it is sent.

A rule restricts only what it names.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta
from msgspec.structs import force_setattr

from fanous.config import Asn, Section, Some, Text, WrongKey
from fanous.model.alert import Happening
from fanous.model.incident import Incident, Kind, Status
from fanous.model.instant import HOUR
from fanous.pipeline.search import target_named
from fanous.refdata.countries import check_countries
from fanous.wording.language import ENGLISH, Language

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
        per_hour: most messages an hour.
        even_when_quiet: news that is sent during quiet hours too.
    """

    quiet: tuple[QuietHours, ...] = ()
    even_when_quiet: tuple[Happening, ...] = ()
    per_hour: int = 30

    def allowed_at(self, now: float, happening: Happening, sent: Sequence[float]) -> float:
        """``now``, or when it may be tried again.

        Args:
            sent: when messages were sent within the last hour, oldest first.
        """
        quiet = () if happening in self.even_when_quiet else self.quiet
        over = max((one.until(now) for one in quiet), default=now)
        recent = [at for at in sent if at > now - HOUR]
        room = recent[-self.per_hour] + HOUR if len(recent) >= self.per_hour else now
        return max(over, room)


def wait_after(attempts: int, asked: float | None = None) -> float:
    """Seconds until the next attempt; ``asked``: what the receiver asked for (``Retry-After``)."""
    own = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** max(0, attempts - 1))
    return own if asked is None else max(own, min(asked, LONGEST_WAIT))


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
        confidence: least confidence, 0..1.
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
