"""``fanous orders``: keys and signed orders for an organisation's probes, and how a probe follows them."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fanous.errors import FanousError

if TYPE_CHECKING:
    from fanous.probe.orders import Orders, SignedOrders
    from fanous.probe.run import ProbeOptions

KNOWN = "orders.json"
"""Stored next to the consent: the orders last accepted, which hold until they expire if no collector
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


@orders_app.command("key")
def orders_key(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File to write the private key to; keep it offline.")
    ],
) -> None:
    """Make a key pair and print the public key, which probes take as --orders-key."""
    from fanous.probe.orders import new_key

    print(new_key(file))


@orders_app.command("sign")
def orders_sign(
    draft: Annotated[
        Path, typer.Argument(metavar="ORDERS.toml", help="TOML file with the keys urls, apps, stop and days.")
    ],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="Private key to sign with.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="File to write, for `fanous collect --orders`.")
    ],
) -> None:
    """Sign orders: what to measure, or `stop = "why"`, which stops every probe that asks."""
    from fanous.config import read
    from fanous.overwrite import write_file
    from fanous.probe.orders import Draft, envelope_of, opened, private_key, sign

    own = private_key(key)
    signed = sign(read(draft, Draft), own, time.time())

    def is_ours(path: Path) -> bool:
        return bool(opened(envelope_of(path), own.public_key(), now=0))

    write_file(out, signed, is_ours)
    print(f"signed; hand them out with `fanous collect --orders {out}`")


def heeded(
    folder: Path,
    collectors: Sequence[str],
    key_text: str | None,
    wanted: "ProbeOptions",
    country: str,
    asn: int,
    proxy: str | None,
) -> "ProbeOptions":
    """What to measure according to the current orders; what the user named takes precedence over their lists.

    Raises:
        FanousError: the orders tell the probe to stop or are not the organisation's, or the collector places
            the probe in a country where measuring would endanger its user.
    """
    from fanous.probe.messengers import MESSENGERS
    from fanous.probe.orders import public_key

    if not collectors:
        if key_text:
            raise FanousError("--orders-key needs --collector, the collector that hands out the orders")
        return wanted
    key = public_key(key_text) if key_text else None
    orders = _current(folder, collectors, key_text, country, asn, proxy)
    if orders is None:
        return wanted
    if orders.stop:
        who = "the organisation" if key else "the collector"
        raise FanousError(f"{who} told its probes to stop: {orders.stop}; nothing was measured")
    if not wanted.by_default or not (orders.urls or orders.apps):
        return wanted
    apps = tuple(name for name in orders.apps if name in MESSENGERS)
    if len(apps) < len(orders.apps):
        print(f"apps unknown to this version: {set(orders.apps) - set(apps)}", file=sys.stderr)
    return replace(wanted, urls=orders.urls, apps=apps)


def _current(
    folder: Path, collectors: Sequence[str], key_text: str | None, country: str, asn: int, proxy: str | None
) -> "Orders | None":
    """The collector's orders, else the last accepted ones that still hold; ``None`` = there are none."""
    from fanous.probe.consent import check_country
    from fanous.probe.orders import check_in, opened, public_key

    key, now = (public_key(key_text) if key_text else None), time.time()
    known = _known(folder / KNOWN, key_text)
    said = check_in(collectors, country, asn, proxy)
    if isinstance(said, str):
        print(f"could not ask for orders ({said})", file=sys.stderr)
        return known if known and known.expires > now else None
    check_country(
        said.probe_cc
    )  # the user may not know, or not state, that measuring is dangerous where they are
    answer = said.x_orders
    if answer is None:
        if key is not None:
            raise FanousError("the collector has no orders, and this probe accepts only signed ones")
        return None
    try:
        orders = opened(answer, key, now, known.issued if known else 0)
    except FanousError as error:
        if known is None or known.expires <= now:
            raise
        print(f"refused: {error}; the previous orders stay in force", file=sys.stderr)
        return known
    if key is not None:
        _keep(folder / KNOWN, answer)
    return orders


def _known(path: Path, key_text: str | None) -> "Orders | None":
    """The orders last accepted, if signed by this key; expired ones are returned too."""
    from fanous.probe.orders import opened, public_key, read_envelope

    if not key_text or not path.is_file():
        return None
    try:
        return opened(read_envelope(path.read_bytes()), public_key(key_text), now=0)
    except FanousError:
        return None  # signed by another key: none of this key's has been accepted yet


def _keep(path: Path, envelope: "SignedOrders") -> None:
    import msgspec

    from fanous.overwrite import replace_file

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, msgspec.json.encode(envelope))
    except OSError as error:
        raise FanousError(f"cannot write {path}: {error.strerror}") from None
