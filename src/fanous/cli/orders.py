"""``fanous orders``: keys and signed orders for an organisation's probes, and how a probe follows them."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fanous.base.text import quoted
from fanous.cli.common import say
from fanous.cli.options import Options, argument, command, option
from fanous.errors import FanousError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from fanous.probe.orders import Orders, Remembered, SignedOrders
    from fanous.probe.run import ProbeOptions

KNOWN = "orders.json"
"""File next to the consent with the orders last accepted, which hold until they expire if no collector
answers.
"""

orders_app = typer.Typer(
    help="Tell your organisation's own probes what to measure, or to stop.", no_args_is_help=True
)

OrdersKey = Annotated[
    str | None,
    typer.Option(
        "--orders-key",
        metavar="KEY",
        help="Follow orders from the collector that are signed with this key (public half).",
    ),
]

OrdersRoot = Annotated[
    str | None,
    typer.Option(
        "--orders-root",
        metavar="KEY",
        help="Root key (public half) that may revoke --orders-key and name its successor.",
    ),
]


class OrdersKeyOptions(Options):
    """Options of ``fanous orders key``."""

    file: Path = argument(..., "File to write the private key to; keep it offline.", metavar="FILE")


@orders_app.command("key")
@command
def orders_key(options: OrdersKeyOptions) -> None:
    """Make a key pair and print the public key, which probes take as --orders-key or --orders-root."""
    from fanous.probe.orders import new_key

    say(new_key(options.file))


class OrdersSignOptions(Options):
    """Options of ``fanous orders sign``."""

    draft: Path = argument(..., "TOML file with the keys urls, apps, stop and days.", metavar="ORDERS.toml")
    key: Path = option(..., "Private key to sign with.", metavar="FILE")
    out: Path = option(..., "File to write, for `fanous collect --orders`.", metavar="FILE")
    lifts: list[Path] | None = option(
        None, "Signed orders to stop that these orders end; may be repeated.", metavar="FILE"
    )
    revocation: Path | None = option(None, "Hand out this revocation of an earlier key, too.", metavar="FILE")


@orders_app.command("sign")
@command
def orders_sign(options: OrdersSignOptions) -> None:
    """Sign orders: what to measure, or `stop = "why"`, which stops every probe that asks.

    A stop holds until it expires, or until orders that name it with --lifts.
    """
    from fanous.base.overwrite import write_file
    from fanous.config import read
    from fanous.probe.orders import Draft, envelope_of, opened, private_key, read_revocation, sign

    key = private_key(options.key)
    ended = [envelope_of(path) for path in options.lifts or ()]
    statement = read_revocation(options.revocation) if options.revocation else None
    signed = sign(read(options.draft, Draft), key, time.time(), ended, statement)

    def is_ours(path: Path) -> bool:
        return bool(opened(envelope_of(path), key.public_key(), now=0))

    write_file(options.out, signed, is_ours)
    say(f"signed; hand them out with `fanous collect --orders {options.out}`")


class OrdersRevokeOptions(Options):
    """Options of ``fanous orders revoke``."""

    keys: list[str] = argument(..., "Keys (public halves) to revoke.", metavar="KEY...")
    root: Path = option(..., "Private root key to sign with.", metavar="FILE")
    out: Path = option(..., "File to write, for `fanous orders sign --revocation`.", metavar="FILE")
    successor: str = option("", "Key (public half) that gives orders instead.", metavar="KEY")


@orders_app.command("revoke")
@command
def orders_revoke(options: OrdersRevokeOptions) -> None:
    """Revoke keys with the root key: probes that have it as --orders-root no longer follow them.

    A revocation cannot be taken back.
    """
    import msgspec

    from fanous.base.overwrite import write_file
    from fanous.probe.orders import private_key, read_revocation, revoke

    statement = revoke(options.keys, options.successor, private_key(options.root), time.time())
    write_file(options.out, msgspec.json.encode(statement) + b"\n", lambda path: bool(read_revocation(path)))
    say(f"signed; hand it out with orders of the successor: `fanous orders sign --revocation {options.out}`")


def heeded(
    folder: Path,
    collectors: Sequence[str],
    key_text: str | None,
    wanted: "ProbeOptions",
    country: str,
    asn: int,
    proxy: str | None,
    root_text: str | None = None,
) -> "ProbeOptions":
    """What to measure according to the current orders; targets named by the user take precedence over their lists.

    Raises:
        FanousError: the orders tell the probe to stop or are not the organisation's, or the collector places
            the probe in a country where measuring would endanger its user.
    """
    from fanous.probe.messengers import MESSENGERS

    if root_text and (not key_text or root_text == key_text):
        raise FanousError("--orders-root needs --orders-key, and must be another key than that")
    if not collectors:
        if key_text:
            raise FanousError("--orders-key needs --collector, the collector that hands out the orders")
        return wanted
    orders = _current(_Following(folder, key_text, root_text), collectors, country, asn, proxy)
    if orders is None:
        return wanted
    if orders.stop:
        who = "the organisation" if key_text else "the collector"
        raise FanousError(f"{who} told its probes to stop: {quoted(orders.stop)}; nothing was measured")
    if not wanted.by_default or not (orders.urls or orders.apps):
        return wanted
    apps = tuple(name for name in orders.apps if name in MESSENGERS)
    if len(apps) < len(orders.apps):
        unknown = ", ".join(quoted(name, 40) for name in orders.apps if name not in MESSENGERS)
        say(f"apps unknown to this version: {unknown}", file=sys.stderr)
    return replace(wanted, urls=orders.urls, apps=apps)


class _Following:
    """The keys that a probe follows, and what it remembers of their orders, in ``folder``."""

    def __init__(self, folder: Path, key_text: str | None, root_text: str | None) -> None:
        from fanous.probe.orders import Remembered, public_key

        self._path, self._given = folder / KNOWN, key_text
        self._root = public_key(root_text) if root_text else None
        self.known = _known(self._path) if key_text else Remembered()

    def key(self) -> "Ed25519PublicKey | None":
        """The key whose orders are followed; ``None`` = only an order to stop is."""
        from fanous.probe.orders import present_key, public_key

        return public_key(present_key(self._given, self._root, self.known)) if self._given else None

    def heed_revocation(self, answer: "SignedOrders") -> None:
        """Remember a revocation that came with orders, even if these are refused."""
        from fanous.probe.orders import with_revocation

        if self._root is None:
            return
        try:
            self._remember(with_revocation(self.known, answer, self._root))
        except FanousError as error:
            say(f"refused: {error}", file=sys.stderr)

    def accept(self, answer: "SignedOrders", key: "Ed25519PublicKey", now: float) -> None:
        """Accept orders; raises ``FanousError`` if they are refused."""
        from fanous.probe.orders import accepted

        self._remember(accepted(self.known, answer, key, now))

    def _remember(self, known: "Remembered") -> None:
        if known != self.known:
            import msgspec

            from fanous.base.files import make_folder
            from fanous.base.overwrite import replace_file

            try:
                make_folder(self._path.parent)
                replace_file(self._path, msgspec.json.encode(known))
            except OSError as error:
                raise FanousError(f"cannot write {self._path}: {error.strerror}") from None
            self.known = known


def _current(
    following: _Following, collectors: Sequence[str], country: str, asn: int, proxy: str | None
) -> "Orders | None":
    """The collector's orders, else the last accepted ones that still hold; ``None`` = there are none."""
    from fanous.probe.consent import check_country
    from fanous.probe.orders import check_in, in_force, opened

    reply, now = check_in(collectors, country, asn, proxy), time.time()
    answer = None if isinstance(reply, str) else reply.x_orders
    if answer is not None:
        following.heed_revocation(answer)
    key = following.key()
    if isinstance(reply, str):
        say(f"could not ask for orders ({reply})", file=sys.stderr)
        return in_force(following.known, key, now) if key is not None else None
    # The user may not know, or not state, that measuring is dangerous where they are.
    check_country(reply.probe_cc)
    if key is None:
        return None if answer is None else opened(answer, None, now)
    if answer is None:
        raise FanousError("the collector has no orders, and this probe accepts only signed ones")
    try:
        following.accept(answer, key, now)
    except FanousError as error:
        held = in_force(following.known, key, now)
        if held is None:
            raise
        say(f"refused: {error}; the previous orders stay in force", file=sys.stderr)
        return held
    return in_force(following.known, key, now)


def _known(path: Path) -> "Remembered":
    """What was accepted before; nothing if there is no file.

    Raises:
        FanousError: it cannot be read; a stop may be in it, so the probe must not measure.
    """
    import msgspec

    from fanous.base.files import read_regular
    from fanous.probe.orders import MOST_KNOWN, Remembered

    try:
        return msgspec.json.decode(read_regular(path, MOST_KNOWN, "remembered orders"), type=Remembered)
    except FileNotFoundError:
        return Remembered()
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError, FanousError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise FanousError(
            f"{path} cannot be read ({quoted(why)}), and an order to stop may be in it, so nothing was measured. "
            "Put back a copy of it, or ask the organisation whether its probes may measure; if they may, delete it"
        ) from None
