"""Signature: signs webhooks so that receivers can trust them, as Standard Webhooks specifies
(standardwebhooks.com).

``webhook-signature: v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``.  The time is signed too, so a
receiver that refuses old messages and remembers ids is safe from replays.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping

from fanous.errors import FanousError

PREFIX = "whsec_"

LEAST_SECRET = 24
"""Bytes; the specification allows 24 to 64."""

TOLERANCE = 300.0
"""Seconds by which the clocks of sender and receiver may differ."""


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


def signed_headers(secret: str, key: str, body: bytes, now: float) -> dict[str, str]:
    """Headers of one attempt; the id is always the same, and the time is that of the attempt."""
    stamp = str(int(now))
    return {
        "webhook-id": key,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{_signature(secret, key, stamp, body)}",
    }


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """The check that a receiver makes; header names are in lower case."""
    stamp = headers.get("webhook-timestamp", "")
    if not stamp.isdecimal() or abs(now - int(stamp)) > TOLERANCE:
        return False
    own = _signature(secret, headers.get("webhook-id", ""), stamp, body)
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(f"v1,{own}".encode(), one.encode()) for one in given)


def _signature(secret: str, key: str, stamp: str, body: bytes) -> str:
    signed = f"{key}.{stamp}.".encode() + body
    return base64.b64encode(hmac.new(secret_bytes(secret), signed, hashlib.sha256).digest()).decode()
