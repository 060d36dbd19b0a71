"""Alertmanager: sends an incident as an alert to Prometheus' Alertmanager, through its API v2.

Labels identify an alert, so they never change; what changes (status, kind, text) is in annotations.  Alertmanager
resolves an alert that is not repeated, so each gets a distant end and is repeated well before it.
"""

import msgspec

from fanous.model.instant import to_iso
from fanous.publish.alerts.channel import Attempt, Channel, Means, check_https, post
from fanous.publish.alerts.message import TEST, Message

STANDS = 86_400.0
"""Seconds for which Alertmanager keeps an open incident that is not repeated: longer than a restart or a night's
outage."""

RENEW = 3600.0
"""Seconds between repetitions."""


async def send_to_alertmanager(channel: Channel, message: Message, now: float) -> Attempt:
    body = msgspec.json.encode([alert_of(alert, now) for alert in message.alerts or (message,)])
    headers = {"Content-Type": "application/json", "User-Agent": "fanous"}
    return await post(f"{channel.address.rstrip('/')}/api/v2/alerts", body, headers)


def alert_of(message: Message, now: float) -> dict[str, object]:
    """A ``postableAlert``."""
    over = message.ends_at if message.ends_at is not None else now + STANDS
    name = "FanousTest" if message.happening == TEST else "InternetDisruption"
    labels = {"alertname": name, "country": message.country, "incident": message.incident or TEST}
    known = {name: str(message.document[name]) for name in ("status", "kind", "scope") if message.document}
    alert: dict[str, object] = {
        "labels": labels,
        "annotations": {"summary": message.title, "description": message.text, "key": message.key, **known},
        "startsAt": to_iso(min(message.starts_at, over)),
        "endsAt": to_iso(over),
    }
    return alert | ({"generatorURL": message.url} if message.url else {})


ALERTMANAGER = Means("alertmanager", send_to_alertmanager, check_https, renew=RENEW)
