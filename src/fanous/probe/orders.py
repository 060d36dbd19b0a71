"""Orders: what an organisation tells its probes to measure, or to stop, signed so that no one else can
command them.

They are written as TOML, signed where the key is kept (not on the collector), and handed out at the
collector's check-in.  A probe that knows the organisation's public key accepts nothing else.  Without a key
it accepts only an order to stop from its collector, since that can only silence it.

Before each round a probe asks the collector for orders.  It sends its country and network as its user stated
them, and nothing else.
"""

import asyncio
import base64
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated
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
from msgspec import Meta, Struct
from msgspec.structs import replace

from fanous import __version__
from fanous.base.exchange import post
from fanous.base.files import open_regular
from fanous.base.overwrite import check_file, nothing
from fanous.base.text import quoted
from fanous.config import Section, without_login
from fanous.errors import FanousError
from fanous.model.instant import to_iso
from fanous.probe.net.network import is_public_host, is_web_port

LIFE = 30 * 86_400
"""Seconds that orders hold unless they say otherwise: a lost key must not give commands forever."""

PREFIX = "fanous-orders:"
"""Prefix of a public key as text, so that it is not mistaken for another kind of key."""

CONTEXT = b"fanous orders v1\n"
"""Prefix of what is signed: a signature made for anything else does not verify."""


ROOT_CONTEXT = b"fanous orders root v1\n"
"""Prefix of what a root key signs: orders can never pass for a revocation, nor the reverse."""

AHEAD = 86_400
"""Seconds that orders may be issued ahead of the probe's clock: a wrong time zone is up to 14 h.  More is a
signer's wrong clock; accepted, such orders would lock out all later ones as replays."""

CLOCK_FLOOR = 1_735_689_600
"""2025-01-01, unix seconds: a clock that shows less is known to be wrong (boards without a battery start in
1970), and nothing is refused for being ahead of it."""

REMEMBERED = 64
"""Most stops, lifted stops and revocations that a probe remembers of each: a collector must not fill it up."""

MOST_KNOWN = 256 << 20
"""Most bytes of what a probe remembers: that many stops, each of the size of ``MOST_BYTES``, and revocations."""

LATEST = 253_402_300_799
"""The last second of the year 9999: later ones have no date."""

Moment = Annotated[int, Meta(ge=0, le=LATEST)]
"""Unix seconds, UTC."""


class Orders(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The content of orders.

    Attributes:
        stop: why probes must stop; empty = go on.
        urls: to measure; empty = the probe's own list.
        apps: nettests of apps.
        lifts: digests of the orders to stop that these end (``digest``).
    """

    issued: Moment
    expires: Moment
    stop: str = ""
    urls: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    lifts: tuple[str, ...] = ()


class Signed(Struct, frozen=True):
    """A text, and base64 of the Ed25519 signature over its context and it."""

    text: str
    signature: str


class Revocation(Struct, frozen=True, forbid_unknown_fields=True):
    """What a root key says: these keys no longer give orders.  It is never taken back.

    Attributes:
        issued: the newest names the successor.
        revoked: public keys as text.
        key: the key that gives orders instead; empty = none yet.
    """

    issued: Moment
    revoked: tuple[str, ...]
    key: str = ""


class SignedOrders(Struct, frozen=True, omit_defaults=True):
    """Orders as handed out.

    Attributes:
        orders: JSON of ``Orders``, as it was signed.
        signature: base64 of Ed25519 over ``CONTEXT`` and ``orders``; empty = unsigned.
        revocation: of an earlier key, signed by the root key.
    """

    orders: str
    signature: str = ""
    revocation: Signed | None = None


class Remembered(Struct, frozen=True, omit_defaults=True):
    """What a probe keeps of the orders it accepted.  The first two are as in ``SignedOrders``, which is all
    that earlier versions kept.

    Attributes:
        stops: accepted orders to stop that no accepted orders have lifted.
        lifted: digests of those that were.
        revocations: by the root key.
    """

    orders: str = ""
    signature: str = ""
    stops: tuple[SignedOrders, ...] = ()
    lifted: tuple[str, ...] = ()
    revocations: tuple[Signed, ...] = ()


class Draft(Section, frozen=True):
    """Orders as written by a person; they hold for ``days``."""

    stop: str = ""
    urls: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    days: Annotated[float, Meta(gt=0, le=36_525)] = LIFE / 86_400


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
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return PREFIX + base64.b64encode(raw).decode("ascii")


def private_key(path: Path) -> Ed25519PrivateKey:
    """Raises ``FanousError`` if the file has no such key."""
    try:
        key = load_pem_private_key(_content(path), None)
    except (OSError, ValueError, TypeError) as error:
        raise FanousError(f"{path} has no key for orders: {quoted(error)}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise FanousError(f"{path} is another kind of key: make one with `fanous orders key`")
    return key


def public_key(text: str) -> Ed25519PublicKey:
    """Raises ``FanousError`` if the text is not a public key."""
    try:
        raw = base64.b64decode(text.removeprefix(PREFIX), validate=True)
        if text != PREFIX + base64.b64encode(raw).decode("ascii"):
            raise ValueError  # another spelling of a key would escape its revocation
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        raise FanousError(
            f"{quoted(text)} is not a public key for orders: `fanous orders key` prints one, beginning with "
            f"{PREFIX}"
        ) from None


def sign(
    draft: Draft,
    key: Ed25519PrivateKey,
    now: float,
    lifts: Sequence[SignedOrders] = (),
    revocation: Signed | None = None,
) -> bytes:
    """The envelope, as a file that ``fanous collect --orders`` takes.

    Args:
        lifts: orders to stop that these end.
        revocation: to hand out with them.
    """
    for url in draft.urls:
        _check_url(url)
    expires = int(now + draft.days * 86_400)
    ended = tuple(digest(stop) for stop in lifts)
    orders = Orders(int(now), expires, draft.stop, draft.urls, draft.apps, ended)
    signed = _signed(msgspec.json.encode(orders).decode(), key, CONTEXT)
    return msgspec.json.encode(SignedOrders(signed.text, signed.signature, revocation)) + b"\n"


def revoke(revoked: Sequence[str], successor: str, root: Ed25519PrivateKey, now: float) -> Signed:
    """A statement of the root key.

    Raises:
        FanousError: a text is not a public key, or the successor is one of the revoked.
    """
    for text in (*revoked, *([successor] if successor else [])):
        public_key(text)
    if successor in revoked or not revoked:
        raise FanousError("name the keys to revoke, and a successor that is not among them")
    statement = Revocation(int(now), tuple(revoked), successor)
    return _signed(msgspec.json.encode(statement).decode(), root, ROOT_CONTEXT)


def read_revocation(path: Path) -> Signed:
    """Raises ``FanousError`` if the file has no revocation."""
    try:
        return msgspec.json.decode(_content(path), type=Signed)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FanousError(f"{path} has no revocation: {quoted(error)}") from None


def _signed(text: str, key: Ed25519PrivateKey, context: bytes) -> Signed:
    return Signed(text, base64.b64encode(key.sign(context + text.encode())).decode("ascii"))


def digest(envelope: SignedOrders) -> str:
    """SHA-256 of the orders as signed, as hex: what a later order names to lift a stop."""
    return sha256(envelope.orders.encode()).hexdigest()


def read_envelope(content: bytes) -> SignedOrders:
    """Raises ``FanousError`` if it is not an envelope."""
    try:
        return msgspec.json.decode(content, type=SignedOrders)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FanousError(f"not orders: {quoted(error)}") from None


def envelope_of(path: Path) -> SignedOrders:
    """Raises ``FanousError`` if the file has no orders."""
    return read_envelope(_content(path))


MOST_BYTES = 1 << 20
"""Most bytes of a file of orders: 10,000 URLs take half of that."""


def _content(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise FanousError(f"cannot read the orders in {path}: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise FanousError(f"{path} is too large to be orders")
    return content


def opened(envelope: SignedOrders, key: Ed25519PublicKey | None, now: float, newest: int = 0) -> Orders:
    """The orders, after all checks.

    An order to stop is refused only for its signature or its expiry.  A probe that stops on an old one, or on one
    signed with a clock ahead, does no harm; a probe that goes on measuring against its organisation's orders may.

    Args:
        key: whose signature to accept; ``None`` = no one's, so only an order to stop is accepted.
        newest: when the newest orders ever accepted were issued: older ones are a replay.

    Raises:
        FanousError: unsigned, signed by someone else, expired, issued ahead of the clock, or older than those
            known.
    """
    if key is not None:
        if not envelope.signature:
            raise FanousError("the orders are not signed, so they are refused")
        try:
            key.verify(
                base64.b64decode(envelope.signature, validate=True), CONTEXT + envelope.orders.encode()
            )
        except (InvalidSignature, ValueError):
            raise FanousError("the orders are signed with another key, so they are refused") from None
    try:
        orders = msgspec.json.decode(envelope.orders, type=Orders)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FanousError(
            f"cannot read the orders: {quoted(error)}; they may be from a newer version of Fanous"
        ) from None
    if orders.expires <= now:
        raise FanousError(
            f"the orders expired at {to_iso(orders.expires)}: ask the organisation for new ones"
        )
    if not orders.stop:
        _check_age(orders.issued, now, newest)
    for url in orders.urls:
        _check_url(url)
    return orders if key is not None else Orders(orders.issued, orders.expires, orders.stop)


def _check_age(issued: int, now: float, newest: int) -> None:
    if is_ahead(issued, now):
        raise FanousError(
            f"the orders were issued more than a day ahead of this machine's clock ({to_iso(issued)}): set the "
            f"clock here, or have them signed again where the clock is right"
        )
    if issued < newest:
        raise FanousError(
            f"the orders of {to_iso(issued)} are older than the last ones accepted: they may be a replay"
        )


def is_ahead(issued: int, now: float) -> bool:
    """Was it issued more than a day ahead of a clock that is not known to be wrong?"""
    return now >= CLOCK_FLOOR and issued > now + AHEAD


# --- what a probe remembers ------------------------------------------------------------------------


def accepted(remembered: Remembered, envelope: SignedOrders, key: Ed25519PublicKey, now: float) -> Remembered:
    """What a probe remembers once it has accepted these orders.

    A stop stands until it expires or until orders by the same key lift it by name; newer orders to measure do
    not end it.  So those who hand out orders can hold back a lift, or hand out an old stop again, but that only
    silences a probe; without the key no one can make it go on.

    Raises:
        FanousError: see ``opened``; or it is a stop that was lifted.
    """
    remembered = _of_this_version(remembered, key)
    orders = opened(envelope, key, now, newest_of(remembered, key, now))
    bare = SignedOrders(envelope.orders, envelope.signature)
    if orders.stop:
        if digest(bare) in remembered.lifted:
            raise FanousError("these orders to stop have since been lifted: they may be a replay")
        stops = tuple(stop for stop in remembered.stops if digest(stop) != digest(bare))
        return replace(remembered, stops=(*stops, bare)[-REMEMBERED:])
    lifted = tuple(dict.fromkeys((*remembered.lifted, *orders.lifts)))[-REMEMBERED:]
    stops = tuple(stop for stop in remembered.stops if digest(stop) not in lifted)
    return replace(remembered, orders=bare.orders, signature=bare.signature, stops=stops, lifted=lifted)


def _of_this_version(remembered: Remembered, key: Ed25519PublicKey) -> Remembered:
    """Convert what earlier versions kept: they stored a stop with the orders to measure, and let any newer orders
    end it."""
    kept = SignedOrders(remembered.orders, remembered.signature)
    held = _opened_before(kept, key)
    if held is None or not held.stop:
        return remembered
    return replace(remembered, orders="", signature="", stops=(*remembered.stops, kept)[-REMEMBERED:])


def newest_of(remembered: Remembered, key: Ed25519PublicKey, now: float) -> int:
    """When the last accepted orders to measure were issued; 0 = none by this key, or at a time that is yet to come
    (a version before this one accepted those, and refused everything after them).
    """
    orders = _opened_before(SignedOrders(remembered.orders, remembered.signature), key)
    return 0 if orders is None or orders.stop or is_ahead(orders.issued, now) else orders.issued


def in_force(remembered: Remembered, key: Ed25519PublicKey, now: float) -> Orders | None:
    """The remembered orders that hold; a stop comes before all others; ``None`` = there are none."""
    envelopes = (*remembered.stops, SignedOrders(remembered.orders, remembered.signature))
    held = [o for o in (_opened_before(e, key) for e in envelopes) if o and o.expires > now]
    return next((o for o in held if o.stop), held[-1] if held else None)


def _opened_before(envelope: SignedOrders, key: Ed25519PublicKey) -> Orders | None:
    """Orders accepted at some time, if signed by this key; expired ones are returned too."""
    try:
        return opened(envelope, key, now=0)
    except FanousError:
        return None  # signed by another key: none of this key's has been accepted yet


def with_revocation(remembered: Remembered, envelope: SignedOrders, root: Ed25519PublicKey) -> Remembered:
    """Remember the revocation that came with orders.

    Raises:
        FanousError: it is not the root key's.
    """
    said = envelope.revocation
    if said is None or said.text in [revocation.text for revocation in remembered.revocations]:
        return remembered  # compared by its text: base64 spells one signature in several ways
    _revocation(said, root)
    return replace(remembered, revocations=(*remembered.revocations, said)[-REMEMBERED:])


def present_key(pinned: str, root: Ed25519PublicKey | None, remembered: Remembered) -> str:
    """The key that gives orders: the one that the user gave, or its successor once it is revoked.

    Raises:
        FanousError: it is revoked, and no successor that is not revoked is known.
    """
    revocations = [] if root is None else [_revocation(r, root) for r in remembered.revocations]
    revoked = {key for r in revocations for key in r.revoked}
    if pinned not in revoked:
        return pinned
    for revocation in sorted(revocations, key=lambda revocation: revocation.issued, reverse=True):
        if revocation.key and revocation.key not in revoked:
            return revocation.key
    raise FanousError(
        "the organisation revoked its key for orders and has not named another: ask it for the new one. "
        "Nothing was measured"
    )


def _revocation(signed: Signed, root: Ed25519PublicKey) -> Revocation:
    try:
        root.verify(base64.b64decode(signed.signature, validate=True), ROOT_CONTEXT + signed.text.encode())
        return msgspec.json.decode(signed.text, type=Revocation)
    except (InvalidSignature, ValueError, msgspec.MsgspecError, RecursionError):
        raise FanousError("the revocation is not signed with the root key, so it is refused") from None


# --- what orders may name --------------------------------------------------------------------------


def _check_url(url: str) -> None:
    """Orders must lead a probe neither into its own local network nor to other services than the web's.

    A name that resolves to such an address is not connected to either (``endpoint.to_try``).
    """
    try:
        parts = urlsplit(url)
        is_plain = url.isprintable() and " " not in url and parts.username is None
        usable = (
            is_plain and parts.scheme in ("http", "https") and parts.port != 0 and is_web_port(parts.port)
        )
        usable = usable and is_public_host(parts.hostname or "")
    except ValueError:
        usable = False
    if not usable:
        raise FanousError(
            f"the orders name {quoted(url)}, which is not a public site at a port of the web, without a user's name"
        )


SECONDS = httpx.Timeout(15, connect=8)
"""Seconds a round waits for a collector, which may be blocked."""

WHOLE_SECONDS = 120.0
"""Seconds for a whole answer: over a slow line, 10,000 URLs take a minute."""


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
    return asyncio.run(_checked_in(collectors, country, asn, proxy))


async def _checked_in(
    collectors: Sequence[str], country: str, asn: int, proxy: str | None
) -> CheckedIn | str:
    body = {
        "run_type": "timed",
        "probe_cc": country,
        "probe_asn": f"AS{asn}",
        "software_name": "fanous",
        "software_version": __version__,
    }
    sent, why = msgspec.json.encode(body), "no collector given"
    async with httpx.AsyncClient(proxy=proxy, trust_env=False, timeout=SECONDS) as client:
        for url in collectors:
            whole = f"{url.rstrip('/')}/api/v1/check-in"
            try:
                answer = await post(client, whole, sent, seconds=WHOLE_SECONDS, most=MOST_BYTES)
                return _answer.decode(answer.content)
            except httpx.HTTPError as error:
                why = f"{without_login(url)}: {type(error).__name__}"
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                why = f"{without_login(url)}: the answer did not come from a collector"
    return why
