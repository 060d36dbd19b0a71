"""Webhook: a message as signed JSON, so that receivers can trust it (Standard Webhooks, standardwebhooks.com).

``webhook-signature: v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``.  The time is signed too, so a
receiver that refuses old messages and remembers ids is safe from replays.
"""

import base64
import binascii
import hashlib
import hmac
import os

import msgspec

from fanous.errors import FanousError
from fanous.model.instant import to_iso
from fanous.publish.alerts.channel import Attempt, Channel, Means, check_https, post
from fanous.publish.alerts.message import TEST, Message

PREFIX = "whsec_"

LEAST_SECRET = 24
"""Bytes; the specification allows 24 to 64."""


async def send_to_webhook(channel: Channel, message: Message, now: float) -> Attempt:
    """Post the message; the body is the same at each attempt, so that a receiver can recognise a duplicate."""
    body = msgspec.json.encode(webhook_document(message))
    headers = {"Content-Type": "application/json", "User-Agent": "fanous"}
    return await post(channel.address, body, headers | signed_headers(channel.secret, message.key, body, now))


def webhook_document(message: Message) -> dict[str, object]:
    """What is sent about one incident; about several, with one such document for each in ``alerts``."""
    kind = "incidents.grouped" if message.alerts else f"incident.{message.happening}"
    return {
        "type": message.happening if message.happening == TEST else kind,
        "id": message.key,
        "revision": message.n,
        "title": message.title,
        "text": message.text,
        "language": message.language,
        "url": message.url or None,
        "starts_at": to_iso(message.starts_at),
        "ends_at": None if message.ends_at is None else to_iso(message.ends_at),
        "incident": message.document or None,
        "alerts": [webhook_document(alert) for alert in message.alerts],
    }


def signed_headers(secret: str, key: str, body: bytes, now: float) -> dict[str, str]:
    """Headers of one attempt; the id is always the same, and the time is that of the attempt."""
    stamp = str(int(now))
    mac = hmac.new(secret_bytes(secret), f"{key}.{stamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": key,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(mac.digest()).decode()}",
    }


def new_secret() -> str:
    """A new secret, as the configuration takes it."""
    return PREFIX + base64.b64encode(os.urandom(LEAST_SECRET)).decode()


def secret_bytes(secret: str) -> bytes:
    """The key of ``whsec_BASE64``.

    Raises:
        FanousError: it is not valid, or too short to resist guessing.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < LEAST_SECRET:
        raise FanousError(
            f"the secret of a webhook is {PREFIX} and at least {LEAST_SECRET} random bytes in base64: "
            "printf 'whsec_%s' \"$(head -c 32 /dev/urandom | base64)\""
        )
    return key


WEBHOOK = Means("webhook", send_to_webhook, check_https, signs=True)
