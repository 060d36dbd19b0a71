"""Settings: channels and rules, from the table ``[alerts]`` of the configuration.

Secrets may be given in environment variables instead (``apprise_env``, ``secret_env``).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta

from fanous.config import (
    Hours,
    Section,
    Some,
    Text,
    WrongKey,
    about,
    check_web_address,
    nearest,
    none_of,
    section,
)
from fanous.model.alert import Happening
from fanous.publish.alerts.channel import AlertRule, Channel, Form, Pace, QuietHours
from fanous.publish.alerts.senders import SENDERS, Means
from fanous.publish.alerts.senders.webhook import new_secret, secret_bytes
from fanous.wording.language import LANGUAGES


@dataclass(frozen=True, slots=True)
class Alerting:
    """The configured channels and rules of alerts.

    Attributes:
        url: public address of the monitor's pages, for links; empty = none.
        every: seconds between two passes.
    """

    url: str = ""
    channels: Mapping[str, Channel] = field(default_factory=dict)
    rules: tuple[AlertRule, ...] = ()
    every: float = 2.0

    @property
    def exercising(self) -> frozenset[str]:
        """Channels that receive staged events."""
        return frozenset(name for name, one in self.channels.items() if one.exercises)

    def channel(self, name: str) -> Channel | None:
        return self.channels.get(name)


class ChannelTable(Section, frozen=True):
    """A table ``[alerts.channels.NAME]``: one address, and the form and language of its messages.

    Attributes:
        apprise_env, secret_env: names of environment variables with the secrets.
        quiet: hours of each day, in the time zone ``zone``.
        exercises: send staged events (a lab, a demonstration) too.
    """

    apprise: Text = ""
    webhook: Text = ""
    alertmanager: Text = ""
    apprise_env: Text = ""
    secret: Text = ""
    secret_env: Text = ""
    language: Text = "en"
    quiet: Some[Hours] = ()
    zone: ZoneInfo = ZoneInfo("UTC")
    even_when_quiet: Some[Happening] = ()
    per_hour: Annotated[int, Meta(ge=1)] = 30
    group_wait: Annotated[float, Meta(ge=0, le=600)] = 10.0
    form: Form = Form.FULL
    exercises: bool = False

    def __post_init__(self) -> None:
        self.channel("")  # refuses settings that contradict each other

    def channel(self, name: str) -> Channel:
        """Raises ``WrongKey`` unless the table gives exactly one."""
        keys = {name: key for name in SENDERS if (key := self._key_of(name))}
        if not keys:
            raise WrongKey(next(iter(SENDERS)), f"it is missing: give one address, {', '.join(SENDERS)}")
        if len(keys) > 1:
            first, second, *_ = keys.values()
            raise WrongKey(second, f"give only one address; {first} is set already")
        ((sender, key),) = keys.items()
        means = SENDERS[sender]
        if self.language not in LANGUAGES:
            raise WrongKey("language", none_of(self.language, tuple(LANGUAGES)))
        if self.form is not Form.FULL and not means.is_for_people:
            people = " and ".join(sender.name for sender in SENDERS.values() if sender.is_for_people)
            raise WrongKey(
                "form", f"only {people} can have another form: programs always get the whole message"
            )
        quiet = tuple(QuietHours(one.start, one.end, self.zone) for one in self.quiet)
        return Channel(
            name=name,
            means=sender,
            address=self._address(means, key),
            secret=self._secret() if means.signs else "",
            language=LANGUAGES[self.language],
            form=self.form,
            pace=Pace(quiet, self.even_when_quiet, self.per_hour, self.group_wait),
            exercises=self.exercises,
        )

    def _key_of(self, name: str) -> str:
        """The key of the address for these means; empty = there is none."""
        if getattr(self, name):
            return name
        return f"{name}_env" if getattr(self, f"{name}_env", "") else ""

    def _address(self, means: Means, key: str) -> str:
        address = self._kept(means.name)
        if means.on_web:
            check_web_address(key, address)
        with about(key):
            means.check(address)
        return address

    def _secret(self) -> str:
        secret = self._kept("secret")
        with about("secret_env" if self.secret_env else "secret"):
            secret_bytes(secret)
        return secret

    def _kept(self, key: str) -> str:
        """A value given directly or by the name of an environment variable."""
        told, name = str(getattr(self, key)), str(getattr(self, f"{key}_env", ""))
        if name and not os.environ.get(name):
            raise WrongKey(f"{key}_env", f"the environment has no {name}")
        if not name and not told:
            how = (
                f"; for example {new_secret()!r}, which the receiver must know too" if key == "secret" else ""
            )
            raise WrongKey(key, f"it is missing{how}")
        return os.environ[name] if name else told


for _means in SENDERS:
    if _means not in ChannelTable.__struct_fields__:
        raise ValueError(f"sender {_means}: ChannelTable has no key of this name for its address")


class AlertsTable(Section, frozen=True):
    """The table ``[alerts]``."""

    url: str = ""
    every: Annotated[float, Meta(ge=0.05, le=3600)] = 2.0
    channels: dict[str, ChannelTable] = {}  # noqa: RUF012  # msgspec copies it
    rules: tuple[AlertRule, ...] = ()

    def __post_init__(self) -> None:
        check_web_address("url", self.url)
        if self.channels and not self.rules:
            raise WrongKey(
                "rules", "there are channels but no rule: add [[alerts.rules]] with channels = [...]"
            )
        channels = list(self.channels)
        for number, rule in enumerate(self.rules, 1):
            for name in rule.channels:
                if name not in channels:
                    told = f"known are {', '.join(channels) or 'none'}{nearest(name, channels)}"
                    raise WrongKey(f"rules[{number}].channels", f"there is no channel {name!r}; {told}")


def read_alerting(file: Path | None) -> Alerting:
    """Reads the table ``[alerts]``; without one there are no channels.

    Raises:
        FanousError: a key is unknown, or settings contradict each other.
    """
    table = section(file, "alerts", AlertsTable)
    channels = {name: one.channel(name) for name, one in table.channels.items()}
    return Alerting(table.url.rstrip("/"), channels, table.rules, table.every)
