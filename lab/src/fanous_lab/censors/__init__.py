"""Censors: every technique that can be applied to the lab's users, by name.

To add a technique, write a function that takes a ``cut.Strike``, does it with real packets and returns how to
undo it, in the file of what it looks at, and add one entry to ``TECHNIQUES``, which says what may be claimed for it.
tests/lab/test_techniques.py then requires a row that shows what breaks and what does not.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import partial

from fanous.errors import FanousError
from fanous.model.incident import Kind
from fanous.model.registry import registered
from fanous_lab.censors import by_address, by_name, in_path, outages, slow
from fanous_lab.censors.cut import Cut, Strike, Technique, Truth, Undo, hit_by
from fanous_lab.internet import Internet


def _nothing(strike: Strike) -> Undo:
    del strike
    return lambda: None


_on_everything = partial(Technique, needs_targets=False)
_mishap = partial(Technique, mechanism="", needs_targets=False, truth=Truth())

_DNS = ("dns", "dns.injection.other")
_ADDRESS = ("tcp", "ip", "tcp.timeout", "quic.drop", "quic.drop.target")
_SNI = ("tls",)
_SLOW = ("tls.timeout",)
"""A handshake that outlasts the probe's time-out looks like silence."""


def _blocking(exact: Iterable[str], coarser: Iterable[str] = ()) -> Truth:
    return Truth((Kind.BLOCKING,), tuple(exact), tuple(coarser))


def _throttling(exact: Iterable[str], coarser: Iterable[str] = ()) -> Truth:
    return Truth((Kind.THROTTLING, Kind.BLOCKING), tuple(exact), tuple(coarser))


OUTAGES = ("outage.national", "outage.isp", "outage.mobile")
"""Which of them it is depends on who is hit: a scenario may hit fewer than the technique's name says."""


def _outage(exact: str) -> Truth:
    return Truth((Kind.OUTAGE,), (exact,), ("outage", *OUTAGES))


_ALL = (
    _mishap("none", "Nothing is done.", strike=_nothing),
    Technique(
        "dns_nxdomain",
        "The provider's resolver says that the name does not exist.",
        "dns.nxdomain",
        by_name.deny,
        truth=_blocking(["dns.nxdomain"], _DNS),
    ),
    Technique(
        "dns_bogon",
        "The provider's resolver gives a private address.",
        "dns.injection.bogon",
        by_name.give_bogon,
        truth=_blocking(["dns.injection.bogon"], _DNS),
    ),
    Technique(
        "dns_blockpage",
        "The provider's resolver gives the address of a block page.",
        "dns.injection.blockpage",
        by_name.give_block_page,
        truth=_blocking(["dns.injection.blockpage", "http.blockpage"], [*_DNS, "tls.mitm", "http"]),
    ),
    Technique(
        "dns_inject_onpath",
        "A forged answer comes before the true one, whichever resolver was asked.",
        "dns.injection.bogon",
        in_path.inject_on_path,
        truth=_blocking(["dns.injection.bogon", "dns.injection.other"], _DNS),
    ),
    Technique(
        "dns_inject_inpath",
        "The query is dropped and answered with a forgery, whichever resolver was asked.",
        "dns.injection.bogon",
        in_path.inject_in_path,
        truth=_blocking(["dns.injection.bogon", "dns.injection.other"], _DNS),
    ),
    Technique(
        "ip_blackhole",
        "The target's addresses have a null route.",
        "ip.prefix_null_route",
        by_address.blackhole,
        truth=_blocking(["tcp.timeout", "ip.prefix_null_route"], _ADDRESS),
    ),
    Technique(
        "ip_unreachable",
        "A router answers that the target's addresses are unreachable.",
        "ip.unreachable",
        by_address.unreachable,
        truth=_blocking(["ip.unreachable"], _ADDRESS),
    ),
    Technique(
        "ip_reset",
        "Connections to the target's addresses are reset before they are established.",
        "tcp.reset",
        by_address.reset,
        truth=_blocking(["tcp.refused", "tcp.reset"], _ADDRESS),
    ),
    Technique(
        "ip_freeze",
        "Connections to the target's addresses stop after 16 KB, whatever name they carry.",
        "tls.freeze",
        by_address.freeze,
        truth=_throttling(["tls.freeze"], ["tls"]),
    ),
    Technique(
        "sni_reset",
        "A handshake that names the target is dropped and the client reset, in the path.",
        "tls.reset.sni",
        by_name.reset,
        truth=_blocking(["tls.reset.sni"], [*_SNI, "tls.reset"]),
    ),
    Technique(
        "sni_reset_onpath",
        "A handshake that names the target passes, and the client is reset by an on-path box.",
        "tls.reset.sni",
        in_path.reset_on_path,
        truth=_blocking(["tls.reset.sni"], [*_SNI, "tls.reset"]),
    ),
    Technique(
        "sni_drop",
        "A connection whose handshake names the target falls silent.",
        "tls.timeout",
        by_name.drop,
        truth=_blocking(["tls.timeout"], _SNI),
    ),
    Technique(
        "sni_throttle_police",
        "On connections that name the target, packets above a rate are dropped.",
        "tls.throttle.sni",
        by_name.police,
        truth=_throttling(["tls.throttle.sni"], _SLOW),
    ),
    Technique(
        "sni_throttle_shape",
        "Connections that name the target wait in a slow queue.",
        "tls.throttle.sni",
        slow.shape,
        truth=_throttling(["tls.throttle.sni"], _SLOW),
    ),
    Technique(
        "sni_loss",
        "Connections that name the target lose 40 % of their packets.",
        "tls.throttle.sni",
        by_name.lose,
        truth=_throttling(["tls.throttle.sni"], _SLOW),
    ),
    Technique(
        "sni_slow_handshake",
        "A handshake that names the target takes three seconds longer.",
        "tls.throttle.sni",
        in_path.slow_handshake,
        truth=_throttling(["tls.throttle.sni"], _SLOW),
    ),
    Technique(
        "sni_freeze",
        "Connections that name the target stop after 16 KB.",
        "tls.freeze.sni",
        by_name.freeze,
        truth=_throttling(["tls.freeze.sni"], ["tls", "tls.freeze"]),
    ),
    Technique(
        "http_blockpage",
        "A plain HTTP request for the target is answered by a forged block page.",
        "http.blockpage",
        in_path.forge_page,
        truth=_blocking(["http.blockpage"], ["http", "http.redirect"]),
    ),
    Technique(
        "http_reset",
        "A plain HTTP request for the target is dropped and the client reset.",
        "http.reset.host",
        by_name.reset_request,
        truth=_blocking(["http.reset.host"], ["http", "tcp.reset"]),
    ),
    _on_everything(
        "quic_drop",
        "No QUIC passes.",
        "quic.drop",
        by_address.drop_quic,
        truth=_blocking(["quic.drop"], ["quic"]),
    ),
    _on_everything(
        "quic_version",
        "No QUIC of version 1 passes; other versions do.",
        "quic.drop",
        by_address.drop_quic_version,
        truth=_blocking(["quic.drop"], ["quic"]),
    ),
    Technique(
        "quic_drop_target",
        "No QUIC passes to the target's addresses.",
        "quic.drop.target",
        by_address.drop_quic_of_target,
        truth=_blocking(["quic.drop.target"], ["quic", "quic.drop"]),
    ),
    Technique(
        "quic_sni_drop",
        "QUIC's first packet is decrypted, and the connection dropped if it names the target.",
        "quic.drop.target",
        in_path.drop_quic_by_name,
        truth=_blocking(["quic.drop.target"], ["quic", "quic.drop"]),
    ),
    _on_everything(
        "encdns_block",
        "DNS over TLS is blocked by its port, DNS over HTTPS by the resolver's name.",
        "encdns",
        by_address.block_encrypted_dns,
        truth=_blocking(["encdns.dot", "encdns.doh"], ["dns.timeout", "dns", "tcp.timeout", "tcp"]),
    ),
    Technique(
        "tls_mitm",
        "TLS to the target's addresses is intercepted under another authority.",
        "tls.mitm",
        in_path.intercept,
        truth=_blocking(["tls.mitm", "tls.mitm.unknown_authority"], ["tls", "tls.mitm.self_signed"]),
    ),
    _on_everything(
        "outage_national",
        "The links of all providers to the national gateway are down.",
        "outage.national",
        outages.unplug,
        truth=_outage("outage.national"),
    ),
    _on_everything(
        "outage_isp",
        "The link of a provider to the national gateway is down.",
        "outage.isp",
        outages.unplug,
        truth=_outage("outage.isp"),
    ),
    _on_everything(
        "outage_mobile",
        "The routers of mobile providers forward nothing.",
        "outage.mobile",
        outages.mobile_only,
        truth=_outage("outage.mobile"),
    ),
    _on_everything(
        "bgp_withdraw",
        "A provider's routes are withdrawn: its packets leave, but nothing finds the way back.",
        "outage.isp",
        outages.withdraw,
        truth=_outage("outage.national"),
    ),
    _on_everything(
        "intranet_only",
        "Nothing outside the country can be reached; sites inside can.",
        "outage.intranet",
        outages.intranet,
        truth=_outage("outage.intranet"),
    ),
    _on_everything(
        "allow_list",
        "Only allowed sites, and those inside the country, can be reached.",
        "outage.stealth",
        outages.allow_list,
        # Not "outage.intranet": sites abroad are reached.
        truth=Truth((Kind.OUTAGE, Kind.BLOCKING), ("outage.allow_list",), ("outage", "outage.stealth")),
    ),
    _on_everything(
        "slowdown_general",
        "Everything a user receives goes through a narrow line.",
        "slowdown.general",
        slow.slow_down,
        truth=Truth((Kind.SLOWDOWN,), ("slowdown.general",)),
    ),
    Technique(
        "residual",
        "After a handshake that names the target, its address is blocked for a minute.",
        "tls.timeout",
        by_name.residual,
        truth=_blocking(["tls.timeout"], ["tls"]),
    ),
    _mishap("loss_20", "The line loses 20 % of all packets.", strike=outages.lose(0.2)),
    _mishap(
        "loss_burst",
        "The line loses 60 % of all packets, for as long as the event lasts.",
        strike=outages.lose(0.6),
    ),
    _mishap(
        "rush_hour", "Neighbours come home, and take two thirds of every line.", strike=in_path.rush_hour
    ),
    _mishap(
        "captive_portal", "Every page is a login page, and nothing else works.", strike=in_path.captive_portal
    ),
    _mishap(
        "ipv6_broken",
        "The line has IPv6 addresses, and nothing comes back over them.",
        strike=outages.break_ipv6,
    ),
    Technique(
        "server_down",
        "The target's servers refuse everyone.",
        "server.down",
        outages.take_down,
        truth=Truth(),
    ),
    Technique(
        "geo_451",
        "The target's servers answer 451 to the country.",
        "server.geo_block",
        outages.refuse_country,
        truth=Truth(),
    ),
    Technique(
        "cdn_answers",
        "Resolvers of different networks get different good addresses.",
        "",
        outages.rotate,
        truth=Truth(),
    ),
)

TECHNIQUES = registered(*_ALL)


def apply(internet: Internet, cut: Cut) -> Undo:
    """Apply a cut; returns what undoes it.

    Raises:
        FanousError: unknown technique, network or target, or the machine cannot do it.
    """
    technique = TECHNIQUES.get(cut.technique)
    if technique is None:
        near = get_close_matches(cut.technique, TECHNIQUES, 1)
        hint = f"did you mean {near[0]!r}?" if near else "see `fanous lab list`"
        raise FanousError(f"unknown technique {cut.technique!r}: {hint}")
    if technique.needs_targets and not internet.hosts_of(cut.targets):
        raise FanousError(
            f"{cut.technique} needs targets of this lab, not {', '.join(cut.targets) or 'none'}"
        )
    return technique.strike(Strike(internet, cut, internet.next_number(), hit_by(internet, cut)))


__all__ = ["TECHNIQUES", "Cut", "Strike", "Technique", "Undo", "apply", "hit_by"]
