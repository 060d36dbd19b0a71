"""Settings: channels and rules out of the table ``[alerts]`` of the configuration.

Secrets may stand in the environment instead (``apprise_env``, ``secret_env``).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from fanous.config import Table, nearest, network_numbers, none_of, read_config, web_address
from fanous.model.alert import Happening
from fanous.model.incident import Kind, Status
from fanous.publish.alerts.channel import AlertRule, Channel, Form, Means, Pace, QuietHours
from fanous.publish.alerts.signature import secret_bytes
from fanous.refdata.countries import country_codes
from fanous.refdata.platforms import target_of
from fanous.wording.language import LANGUAGES, Language

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Alerting:
    """Attributes:
    url: public address of the monitor's pages, for links; empty = none.
    every: seconds between two looks.
    """

    url: str = ""
    channels: Mapping[str, Channel] | None = None
    rules: tuple[AlertRule, ...] = ()
    every: float = 2.0

    def channel(self, name: str) -> Channel | None:
        return (self.channels or {}).get(name)


def read_alerting(file: Path | None) -> Alerting:
    """The table ``[alerts]``; nothing where there is none.

    Raises:
        FanousError: it says something unknown, or that does not go together.
    """
    document = read_config(file) if file else {}
    table = Table(str(file or "defaults"), "alerts", document.get("alerts", {}))
    table.allow("url", "every", "channels", "rules")
    named = table.table("channels") if table.has("channels") else None
    channels = {name: _channel(name, named.table(name)) for name in named.values} if named else {}
    rules = tuple(_rule(one, channels) for one in table.tables("rules"))
    if channels and not rules:
        raise table.wrong("rules", "there are channels and no rule: say [[alerts.rules]] channels = [...]")
    url = web_address(table, "url").rstrip("/")
    return Alerting(url, channels, rules, table.number("every", default=2.0, least=0.05, most=3600))


def _channel(name: str, table: Table) -> Channel:
    table.allow(
        *(*Means, "apprise_env", "secret", "secret_env", "language", "quiet", "zone", "even_when_quiet"),
        *("per_hour", "form"),
    )
    means = [one for one in Means if table.has(one) or table.has(f"{one}_env")]
    if not means:
        raise table.wrong(Means.APPRISE, f"it is missing: give one address, {', '.join(Means)}")
    if len(means) > 1:
        raise table.wrong(
            _key_of(means[1], table), f"give one address alone; there is {_key_of(means[0], table)}"
        )
    return Channel(
        name=name,
        means=means[0],
        address=_address(means[0], table),
        secret=_secret(table) if means[0] is Means.WEBHOOK else "",
        language=_language(table),
        form=_form(means[0], table),
        pace=_pace(table),
    )


def _key_of(means: Means, table: Table) -> str:
    return means if table.has(means) else f"{means}_env"


def _address(means: Means, table: Table) -> str:
    if means is Means.APPRISE:
        from fanous.publish.alerts.senders.apprise import check_address

        address = _kept(table, "apprise")
        with table.about(_key_of(means, table)):
            check_address(address)
        return address
    address = web_address(table, means)
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_near(parts.hostname or "")):
        raise table.wrong(means, "an https:// address is needed; http:// only within your own network")
    return address


def _is_near(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost"


def _secret(table: Table) -> str:
    secret = _kept(table, "secret")
    with table.about("secret_env" if table.has("secret_env") else "secret"):
        secret_bytes(secret)
    return secret


def _kept(table: Table, key: str) -> str:
    """A text that may stand in the environment."""
    if not table.has(f"{key}_env"):
        return table.text(key)
    name = table.text(f"{key}_env")
    if not os.environ.get(name):
        raise table.wrong(f"{key}_env", f"the environment has no {name}")
    return os.environ[name]


def _language(table: Table) -> Language:
    return LANGUAGES[table.one_of("language", tuple(LANGUAGES), default="en")]


def _form(means: Means, table: Table) -> Form:
    (form,) = _among(table, "form", (table.text("form", default="full"),), Form)
    if form is not Form.FULL and means is not Means.APPRISE:
        raise table.wrong("form", "programs get the whole message: only apprise takes another form")
    return form


def _pace(table: Table) -> Pace:
    per_hour = table.integer("per_hour", default=30, least=1)
    loud = table.texts("even_when_quiet") if table.has("even_when_quiet") else ()
    return Pace(_quiet(table), _among(table, "even_when_quiet", loud, Happening), per_hour)


def _quiet(table: Table) -> tuple[QuietHours, ...]:
    zone = table.zone(default="UTC")
    if not table.has("quiet"):
        return ()
    found = []
    for hours in table.texts("quiet"):
        first, _, last = hours.partition("-")
        try:
            start, end = (datetime.strptime(text.strip(), "%H:%M").time() for text in (first, last))
        except ValueError:
            raise table.wrong("quiet", f"{hours!r} is not like '22:00-07:00'") from None
        found.append(QuietHours(start, end, zone))
    return tuple(found)


def _rule(table: Table, channels: Mapping[str, Channel]) -> AlertRule:
    table.allow("channels", "countries", "networks", "targets", "kinds", "statuses", "confidence", "on")

    def texts(key: str) -> tuple[str, ...]:
        return table.texts(key) if table.has(key) else ()

    for name in table.texts("channels"):
        if name not in channels:
            known = ", ".join(channels) or "none"
            raise table.wrong(
                "channels", f"there is no channel {name!r}; known are {known}{nearest(name, list(channels))}"
            )
    return AlertRule(
        channels=table.texts("channels"),
        countries=country_codes(table, "countries"),
        networks=network_numbers(table, "networks"),
        targets=tuple(target_of(name) for name in texts("targets")),
        kinds=_among(table, "kinds", texts("kinds"), Kind),
        statuses=_among(table, "statuses", texts("statuses"), Status),
        confidence=table.number("confidence", default=0.0, least=0.0, most=1.0),
        on=_among(table, "on", texts("on"), Happening) or tuple(Happening),
    )


def _among(table: Table, key: str, given: tuple[str, ...], kind: type[E]) -> tuple[E, ...]:
    known = [str(one) for one in kind]
    for one in given:
        if one not in known:
            raise table.wrong(key, none_of(one, known))
    return tuple(kind(one) for one in given)
