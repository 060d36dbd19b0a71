"""Alertmanager: an incident as an alert of Prometheus' Alertmanager, by its API v2.

Its identity is its labels, so these never change: what does (status, kind, words) stands in annotations.  An
alert that is not repeated is resolved by itself; it is given a long end and repeated well before.
"""

import msgspec

from fanous.model.instant import to_iso
from fanous.publish.alerts.channel import Channel
from fanous.publish.alerts.message import TEST, Message
from fanous.publish.alerts.senders.means import Attempt, Means, check_https, post

STANDS = 86_400.0
"""Seconds that an open incident stands there without being repeated: longer than a restart or a night."""

RENEW = 3600.0
"""Seconds between repetitions."""


async def send_to_alertmanager(channel: Channel, message: Message, now: float) -> Attempt:
    body = msgspec.json.encode([alert_of(message, now)])
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
