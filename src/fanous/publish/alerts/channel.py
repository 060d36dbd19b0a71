"""Channel: one way to reach people or programs - by which means, in which words, and how often."""

from dataclasses import dataclass, field
from enum import StrEnum

from fanous.publish.alerts.pace import Pace
from fanous.wording.language import ENGLISH, Language


class Means(StrEnum):
    """How a channel is reached; the key of the configuration that gives its address."""

    APPRISE = "apprise"
    WEBHOOK = "webhook"
    ALERTMANAGER = "alertmanager"


class Form(StrEnum):
    """How much a message to people says."""

    FULL = "full"
    POST = "post"
    """At most 280 characters: Mastodon and its kin."""

    SMS = "sms"
    """At most 160 characters, without a key."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Attributes:
    address: of ``means``; it may hold a password and is never printed.
    secret: of webhooks.
    """

    name: str
    means: Means
    address: str
    secret: str = ""
    language: Language = ENGLISH
    form: Form = Form.FULL
    pace: Pace = field(default_factory=Pace)
