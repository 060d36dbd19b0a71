"""``fanous orders``: keys and signed orders for an organisation's probes; and how a probe follows them."""

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
"""Beside consent: the orders that were last taken, which hold until they end where no collector answers."""

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
    print(f"signed: hand them out with `fanous collect --orders {out}`")


def heeded(
    folder: Path,
    collectors: Sequence[str],
    key_text: str | None,
    wanted: "ProbeOptions",
    country: str,
    asn: int,
    proxy: str | None,
) -> "ProbeOptions":
    """What is to be measured by the orders that there are; what the user named outranks their lists.

    Raises:
        FanousError: the probe is told to stop, the orders are not the organisation's, or the collector sees
            the probe in a country where measuring would endanger its user.
    """
    from fanous.probe.messengers import MESSENGERS
    from fanous.probe.orders import public_key

    if not collectors:
        if key_text:
            raise FanousError("--orders-key needs the collector that hands the orders out: name --collector")
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
        print(f"apps that this version does not know: {set(orders.apps) - set(apps)}", file=sys.stderr)
    return replace(wanted, urls=orders.urls, apps=apps)


def _current(
    folder: Path, collectors: Sequence[str], key_text: str | None, country: str, asn: int, proxy: str | None
) -> "Orders | None":
    """The collector's, else those that were taken before and hold; ``None`` = there are none."""
    from fanous.probe.consent import check_country
    from fanous.probe.orders import check_in, opened, public_key

    key, now = (public_key(key_text) if key_text else None), time.time()
    known = _known(folder / KNOWN, key_text)
    said = check_in(collectors, country, asn, proxy)
    if isinstance(said, str):
        print(f"no orders could be asked for ({said})", file=sys.stderr)
        return known if known and known.expires > now else None
    check_country(said.probe_cc)  # the user may not know, or not say, where measuring endangers them
    answer = said.x_orders
    if answer is None:
        if key is not None:
            raise FanousError("the collector has no orders, and this probe takes none but signed ones")
        return None
    try:
        orders = opened(answer, key, now, known.issued if known else 0)
    except FanousError as error:
        if known is None or known.expires <= now:
            raise
        print(f"refused: {error}; the orders from before hold", file=sys.stderr)
        return known
    if key is not None:
        _keep(folder / KNOWN, answer)
    return orders


def _known(path: Path, key_text: str | None) -> "Orders | None":
    """What was taken before, if it was signed by this key; ended orders are given too."""
    from fanous.probe.orders import opened, public_key, read_envelope

    if not key_text or not path.is_file():
        return None
    try:
        return opened(read_envelope(path.read_bytes()), public_key(key_text), now=0)
    except FanousError:
        return None  # of another key: nothing was taken from this one yet


def _keep(path: Path, envelope: "SignedOrders") -> None:
    import msgspec

    from fanous.overwrite import replace_file

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, msgspec.json.encode(envelope))
    except OSError as error:
        raise FanousError(f"{path} cannot be written: {error.strerror}") from None
