"""Every technique breaks what it is about, and nothing else: real packets, plain clients."""

import time
from dataclasses import dataclass, field

import pytest

from fanous_lab.censors import TECHNIQUES, Cut, apply
from fanous_lab.internet import Internet
from tests.lab.clients import connected
from tests.lab.picture import NORMAL, POOL, Picture, picture

pytestmark = pytest.mark.lab

PTCL, JAZZ = 17557, 45669

GONE: Picture = {
    "resolver": "*",
    "public resolver": "silent",
    "connection": "silent",
    "innocuous name": "silent",
    "handshake": "silent",
    "page": "none",
    "plain": "silent",
    "quic": "silent",
    "ipv6": "silent",
}
"""What an outage looks like.  The provider's resolver may still remember, or say that it failed."""

BY_ADDRESS: Picture = {key: value for key, value in GONE.items() if "resolver" not in key}


@dataclass(frozen=True, slots=True)
class Row:
    """What differs from NORMAL; ``*`` = chance, or memory, decides.

    Attributes:
        target: X at a vantage point that is hit; ``other``: YouTube there.
        elsewhere: X where no one is hit.
    """

    target: Picture
    other: Picture = field(default_factory=dict)
    elsewhere: Picture = field(default_factory=dict)
    rate_kbps: float = 137.0


CHANCE: Picture = dict.fromkeys(NORMAL, "*")

ROWS = {
    "none": Row({}),
    "ip_blackhole": Row(BY_ADDRESS),
    # Linux takes ICMPv6's word for soft where it comes before the SYN has left the kernel, so IPv6 waits.
    "ip_unreachable": Row(
        BY_ADDRESS
        | dict.fromkeys(("connection", "innocuous name", "handshake", "plain"), "unreachable")
        | {"ipv6": "*"}
    ),
    "ip_reset": Row(
        BY_ADDRESS | dict.fromkeys(("connection", "innocuous name", "handshake", "plain", "ipv6"), "refused")
    ),
    "ip_freeze": Row({"page": "part"}),
    "sni_reset": Row({"handshake": "reset", "ipv6": "reset", "page": "none"}),
    "sni_reset_onpath": Row({"handshake": "reset", "ipv6": "reset", "page": "none"}),
    "sni_drop": Row({"handshake": "silent", "ipv6": "silent", "page": "none"}),
    "sni_throttle_police": Row({"page": "part"}),
    "sni_throttle_shape": Row({"page": "part"}),
    # With luck, and BBR at the server, one page in a hundred comes whole; looked at more closely elsewhere.
    "sni_loss": Row({"handshake": "*", "ipv6": "*", "page": "*"}),
    "sni_slow_handshake": Row({"handshake": "slow"}),
    "sni_freeze": Row({"page": "part"}),
    "http_blockpage": Row({"plain": "block page"}),
    "http_reset": Row({"plain": "reset"}),
    "quic_drop": Row({"quic": "silent"}, {"quic": "silent"}),
    "quic_version": Row({"quic": "silent"}, {"quic": "silent"}),
    "quic_drop_target": Row({"quic": "silent"}),
    "quic_sni_drop": Row({"quic": "silent"}),
    "encdns_block": Row({}),  # looked at more closely below
    "tls_mitm": Row({"handshake": "untrusted", "ipv6": "untrusted", "page": "none"}),
    "outage_national": Row(GONE, GONE),  # as far as the networks named
    "outage_isp": Row(GONE, GONE),
    "outage_mobile": Row(GONE, GONE),
    "bgp_withdraw": Row(GONE, GONE),
    "intranet_only": Row(GONE, GONE),
    "allow_list": Row(GONE, {"resolver": "*", "public resolver": "silent"}),
    "slowdown_general": Row({"page": "part"}, {"page": "part"}, rate_kbps=600),
    # All steps run at once, so those that come after the trigger fail, too; the order is looked at elsewhere.
    "residual": Row(
        {"handshake": "silent", "page": "none", "ipv6": "silent"}
        | dict.fromkeys(("connection", "innocuous name", "plain", "quic"), "*")
    ),
    "loss_20": Row(CHANCE, CHANCE),  # looked at more closely below
    "loss_burst": Row(CHANCE, CHANCE),
    "rush_hour": Row(CHANCE, CHANCE, rate_kbps=10_000),  # the same
    "captive_portal": Row(GONE | {"plain": "login page"}, GONE | {"plain": "login page"}),
    "ipv6_broken": Row({"ipv6": "silent"}, {"ipv6": "silent"}),
    "server_down": Row(
        *(
            dict.fromkeys(("connection", "innocuous name", "handshake", "plain", "ipv6"), "refused")
            | {"quic": "refused", "page": "none"},
            {},
            dict.fromkeys(("connection", "innocuous name", "handshake", "plain", "ipv6"), "refused")
            | {"quic": "refused", "page": "none"},
        )
    ),
    "geo_451": Row({"page": "451"}),
    "cdn_answers": Row({}),
    # Last, since resolvers remember for a second what they were told.
    "dns_nxdomain": Row({"resolver": "nxdomain"}),
    "dns_bogon": Row({"resolver": "forged"}),
    "dns_blockpage": Row({"resolver": "block page"}),
    "dns_inject_onpath": Row({"resolver": "forged", "public resolver": "forged+right"}),
    "dns_inject_inpath": Row({"resolver": "forged", "public resolver": "forged"}),
}


CORE = {
    "none",
    "ip_blackhole",
    "ip_reset",
    "sni_reset",
    "sni_drop",
    "http_blockpage",
    "quic_sni_drop",
    "tls_mitm",
    "geo_451",
    "dns_nxdomain",
}
"""One of each kind that ``test_cuts.py`` does not try anyway; the others run with them in ``make test-lab``."""


def test_every_technique_has_a_row() -> None:
    assert set(ROWS) == set(TECHNIQUES)


@pytest.mark.parametrize(
    "name", [name if name in CORE else pytest.param(name, marks=pytest.mark.matrix) for name in ROWS]
)
def test_a_technique_breaks_what_it_is_about_and_nothing_else(internet: Internet, name: str) -> None:
    row = ROWS[name]
    hit, *_, elsewhere = internet.vantage_points
    if name.startswith("dns_"):
        _let_resolvers_forget()
    cut = Cut(name, targets=("x",), networks=(PTCL,), rate_kbps=row.rate_kbps, keep=("youtube",))
    undo = apply(internet, cut)
    try:
        looking = [
            POOL.submit(picture, internet, point, host, expected)
            for point, host, expected in (
                (hit, "x.com", row.target),
                (hit, "www.youtube.com", row.other),
                (elsewhere, "x.com", row.elsewhere),
            )
        ]
        target, other, unhit = (future.result() for future in looking)
    finally:
        undo()
    assert _against(target, row.target) == {}
    assert _against(other, row.other) == {}
    assert _against(unhit, row.elsewhere) == {}


def test_unreachable_is_said_each_time_that_it_is_asked(internet: Internet) -> None:
    """Linux says it for a route five times, then once a second, so that more steps than those met silence."""
    hit = internet.vantage_points[0]
    old = next(address for address in internet.addresses_of(["x.com"]) if ":" not in address)
    undo = apply(internet, Cut("ip_unreachable", targets=("x",), networks=(PTCL,)))
    try:
        assert [connected(hit, old) for _ in range(20)] == ["unreachable"] * 20
    finally:
        undo()


def test_what_was_undone_left_nothing_behind(internet: Internet) -> None:
    """After all the cuts above: every site works from everywhere."""
    _let_resolvers_forget()
    looking = [
        POOL.submit(picture, internet, point, host, {})
        for point in internet.vantage_points
        for host in ("x.com", "www.youtube.com")
    ]
    assert [_against(future.result(), {}) for future in looking] == [{}] * len(looking)


def _let_resolvers_forget() -> None:
    time.sleep(1.05)


def _against(seen: Picture, expected: Picture) -> dict[str, tuple[str, str]]:
    """Step -> (seen, expected), where they differ."""
    wanted = NORMAL | expected
    return {step: (value, wanted[step]) for step, value in seen.items() if wanted[step] not in ("*", value)}
