"""Webhook: a message as signed JSON."""

import msgspec

from fanous.model.instant import to_iso
from fanous.publish.alerts.channel import Channel
from fanous.publish.alerts.message import Message
from fanous.publish.alerts.senders.means import Attempt, Means, check_https, post
from fanous.publish.alerts.signature import signed_headers


async def send_to_webhook(channel: Channel, message: Message, now: float) -> Attempt:
    """Post the message; the body is the same at each attempt, so that a receiver can recognise a duplicate."""
    body = msgspec.json.encode(webhook_document(message))
    headers = {"Content-Type": "application/json", "User-Agent": "fanous"}
    return await post(channel.address, body, headers | signed_headers(channel.secret, message.key, body, now))


def webhook_document(message: Message) -> dict[str, object]:
    return {
        "type": f"incident.{message.happening}" if message.incident else message.happening,
        "id": message.key,
        "revision": message.n,
        "title": message.title,
        "text": message.text,
        "language": message.language,
        "url": message.url or None,
        "starts_at": to_iso(message.starts_at),
        "ends_at": None if message.ends_at is None else to_iso(message.ends_at),
        "incident": message.document or None,
    }


WEBHOOK = Means("webhook", send_to_webhook, check_https, signs=True)
