"""Orders: what an organisation tells its probes to measure, or to stop, signed so that no one else can
command them.

They are written as TOML, signed where the key is kept (not on the collector), and handed out at the
collector's check-in.  A probe that knows the organisation's public key accepts nothing else.  Without a key
it accepts only an order to stop from its collector, since that can only silence it.

Before each round a probe asks the collector for orders.  It sends its country and network as its user stated
them, and nothing else.
"""

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from msgspec import Struct

from fanous import __version__
from fanous.config import Section
from fanous.errors import FanousError
from fanous.model.instant import to_iso
from fanous.model.place import is_address
from fanous.overwrite import check_file, nothing
from fanous.probe.net.network import is_public

LIFE = 30 * 86_400
"""Seconds that orders hold unless they say otherwise: a lost key must not give commands for ever."""

PREFIX = "fanous-orders:"
"""Prefix of a public key as text, so that it is not mistaken for another kind of key."""

CONTEXT = b"fanous orders v1\n"
"""Prefix of what is signed: a signature made for anything else does not verify."""


class Orders(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of orders.

    Attributes:
        issued, expires: unix seconds, UTC.
        stop: why probes must stop; empty = go on.
        urls: to measure; empty = the probe's own list.
        apps: nettests of apps.
    """

    issued: int
    expires: int
    stop: str = ""
    urls: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()


class SignedOrders(Struct, frozen=True):
    """Orders as handed out.

    Attributes:
        orders: JSON of ``Orders``, as it was signed.
        signature: base64 of Ed25519 over ``CONTEXT`` and ``orders``; empty = unsigned.
    """

    orders: str
    signature: str = ""


class Draft(Section, frozen=True):
    """Orders as written by a person; they hold for ``days``."""

    stop: str = ""
    urls: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    days: float = LIFE / 86_400


def new_key(path: Path) -> str:
    """Make a key pair; the private half goes to ``path`` (mode 0600), the public half is returned as text.

    Raises:
        FanousError: the file exists, or cannot be written.
    """
    check_file(path, nothing)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
    except OSError as error:
        raise FanousError(f"cannot write the key to {path}: {error.strerror}") from None
    return public_text(key)


def public_text(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return PREFIX + base64.b64encode(raw).decode("ascii")


def private_key(path: Path) -> Ed25519PrivateKey:
    """Raises ``FanousError`` if the file has no such key."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise FanousError(f"{path} has no key for orders: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise FanousError(f"{path} is another kind of key: make one with `fanous orders key`")
    return key


def public_key(text: str) -> Ed25519PublicKey:
    """Raises ``FanousError`` if the text is not a public key."""
    try:
        if not text.startswith(PREFIX):
            raise ValueError
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text[len(PREFIX) :], validate=True))
    except ValueError:
        raise FanousError(
            f"{text!r} is not a public key for orders: `fanous orders key` prints one, beginning with "
            f"{PREFIX}"
        ) from None


def sign(draft: Draft, key: Ed25519PrivateKey, now: float) -> bytes:
    """The envelope, as a file that ``fanous collect --orders`` takes."""
    expires = int(now + draft.days * 86_400)
    text = msgspec.json.encode(Orders(int(now), expires, draft.stop, draft.urls, draft.apps)).decode()
    signature = base64.b64encode(key.sign(CONTEXT + text.encode())).decode("ascii")
    for url in draft.urls:
        _check_url(url)
    return msgspec.json.encode(SignedOrders(text, signature)) + b"\n"


def read_envelope(content: bytes) -> SignedOrders:
    """Raises ``FanousError`` if it is not an envelope."""
    try:
        return msgspec.json.decode(content, type=SignedOrders)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FanousError(f"not orders: {error}") from None


def envelope_of(path: Path) -> SignedOrders:
    """Raises ``FanousError`` if the file has no orders."""
    try:
        return read_envelope(path.read_bytes())
    except OSError as error:
        raise FanousError(f"cannot read the orders in {path}: {error.strerror}") from None


def opened(envelope: SignedOrders, key: Ed25519PublicKey | None, now: float, newest: int = 0) -> Orders:
    """The orders, after all checks.

    Args:
        key: whose signature to accept; ``None`` = no one's, so only an order to stop is accepted.
        newest: when the newest orders ever accepted were issued: older ones are a replay.

    Raises:
        FanousError: unsigned, signed by someone else, expired, or older than those known.
    """
    if key is not None:
        _check_signature(envelope, key)
    try:
        orders = msgspec.json.decode(envelope.orders, type=Orders)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FanousError(
            f"cannot read the orders: {error}; they may be from a newer version of Fanous"
        ) from None
    if orders.expires <= now:
        raise FanousError(
            f"the orders expired at {to_iso(orders.expires)}: ask the organisation for new ones"
        )
    if orders.issued < newest:
        raise FanousError(
            f"the orders of {to_iso(orders.issued)} are older than the last ones accepted: they may be a "
            f"replay"
        )
    for url in orders.urls:
        _check_url(url)
    return orders if key is not None else Orders(orders.issued, orders.expires, orders.stop)


def _check_url(url: str) -> None:
    """Orders must never lead a probe into its own local network."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        usable = parts.scheme in ("http", "https") and host and parts.port != 0
    except ValueError:
        usable, host = False, ""
    if not usable or (is_address(host) and not is_public(host)):
        raise FanousError(f"the orders name {url!r}, which is not a public site")


def _check_signature(envelope: SignedOrders, key: Ed25519PublicKey) -> None:
    if not envelope.signature:
        raise FanousError("the orders are not signed, so they are refused")
    try:
        key.verify(base64.b64decode(envelope.signature, validate=True), CONTEXT + envelope.orders.encode())
    except (InvalidSignature, ValueError):
        raise FanousError("the orders are signed with another key, so they are refused") from None


SECONDS = httpx.Timeout(15, connect=8)
"""Seconds a round waits for a collector, which may be blocked."""


class CheckedIn(Struct):
    """The parts of the answer that we read.

    Attributes:
        v: distinguishes a collector's answer from a captive portal's.
        probe_cc: where the collector places us; ``ZZ`` = unknown.
    """

    v: int
    probe_cc: str = "ZZ"
    x_orders: SignedOrders | None = None


_answer = msgspec.json.Decoder(CheckedIn)


def check_in(collectors: Sequence[str], country: str, asn: int, proxy: str | None = None) -> CheckedIn | str:
    """The answer of the first collector that responds; a text = why none did."""
    body = {
        "run_type": "timed",
        "probe_cc": country,
        "probe_asn": f"AS{asn}",
        "software_name": "fanous",
        "software_version": __version__,
    }
    why = "no collector given"
    with httpx.Client(proxy=proxy, trust_env=False, timeout=SECONDS) as client:
        for url in collectors:
            try:
                response = client.post(f"{url.rstrip('/')}/api/v1/check-in", json=body)
                return _answer.decode(response.content)
            except httpx.HTTPError as error:
                why = f"{url}: {type(error).__name__}"
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                why = f"{url}: the answer did not come from a collector"
    return why
