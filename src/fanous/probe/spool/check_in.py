"""Check-in: asks the collector, before a round, whether there are orders for this probe.

What is said of the probe is its country and network as its user named them, and nothing else.
"""

from collections.abc import Sequence

import httpx
import msgspec
from msgspec import Struct

from fanous import __version__
from fanous.probe.orders import SignedOrders

SECONDS = httpx.Timeout(15, connect=8)
"""A round must not wait longer than this for a collector that is blocked."""


class CheckedIn(Struct):
    """What we read of the answer.

    Attributes:
        v: tells a collector's answer from a captive portal's.
        probe_cc: where the collector sees us; ``ZZ`` = it cannot tell.
    """

    v: int
    probe_cc: str = "ZZ"
    x_orders: SignedOrders | None = None


_answer = msgspec.json.Decoder(CheckedIn)


def check_in(collectors: Sequence[str], country: str, asn: int, proxy: str | None = None) -> CheckedIn | str:
    """What the first collector that answers says; a text = why none did."""
    body = {
        "run_type": "timed",
        "probe_cc": country,
        "probe_asn": f"AS{asn}",
        "software_name": "fanous",
        "software_version": __version__,
    }
    why = "no collector was named"
    with httpx.Client(proxy=proxy, trust_env=False, timeout=SECONDS) as client:
        for url in collectors:
            try:
                response = client.post(f"{url.rstrip('/')}/api/v1/check-in", json=body)
                return _answer.decode(response.content)
            except httpx.HTTPError as error:
                why = f"{url}: {type(error).__name__}"
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                why = f"{url}: the answer is not a collector's"
    return why
