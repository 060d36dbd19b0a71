"""Truth: what each technique of the lab really does, and what may truthfully be said about it.

The lab knows the cause; a probe sees only effects.  So each technique has the mechanisms that name it
exactly, and those that are coarser but still true; any other is a wrong label.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fanous.model.incident import Kind


@dataclass(frozen=True, slots=True)
class Truth:
    """What a technique is.

    Attributes:
        kinds: kinds of incident that may be claimed for it, likeliest first; empty = none may be.
        exact: mechanisms that name it.
        coarser: mechanisms that say less but nothing false.
    """

    kinds: tuple[Kind, ...] = ()
    exact: tuple[str, ...] = ()
    coarser: tuple[str, ...] = ()

    @property
    def is_incident(self) -> bool:
        return bool(self.kinds)

    def label(self, mechanisms: Iterable[str]) -> str:
        """How well the named mechanisms fit: ``exact``, ``coarser``, ``wrong`` or ``none``."""
        named = set(mechanisms)
        if not named:
            return "none"
        if not named <= {*self.exact, *self.coarser}:
            return "wrong"
        return "exact" if named & set(self.exact) else "coarser"


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


TRUTHS: dict[str, Truth] = {
    "none": Truth(),
    "dns_nxdomain": _blocking(["dns.nxdomain"], _DNS),
    "dns_bogon": _blocking(["dns.injection.bogon"], _DNS),
    "dns_blockpage": _blocking(["dns.injection.blockpage", "http.blockpage"], [*_DNS, "tls.mitm", "http"]),
    "dns_inject_onpath": _blocking(["dns.injection.bogon", "dns.injection.other"], _DNS),
    "dns_inject_inpath": _blocking(["dns.injection.bogon", "dns.injection.other"], _DNS),
    "ip_blackhole": _blocking(["tcp.timeout", "ip.prefix_null_route"], _ADDRESS),
    "ip_unreachable": _blocking(["ip.unreachable"], _ADDRESS),
    "ip_reset": _blocking(["tcp.refused", "tcp.reset"], _ADDRESS),
    "sni_reset": _blocking(["tls.reset.sni"], [*_SNI, "tls.reset"]),
    "sni_reset_onpath": _blocking(["tls.reset.sni"], [*_SNI, "tls.reset"]),
    "sni_drop": _blocking(["tls.timeout"], _SNI),
    "sni_throttle_police": _throttling(["tls.throttle.sni"], _SLOW),
    "sni_throttle_shape": _throttling(["tls.throttle.sni"], _SLOW),
    "sni_loss": _throttling(["tls.throttle.sni"], _SLOW),
    "sni_slow_handshake": _throttling(["tls.throttle.sni"], _SLOW),
    "sni_freeze": _throttling(["tls.freeze.sni"], ["tls"]),
    "http_blockpage": _blocking(["http.blockpage"], ["http", "http.redirect"]),
    "quic_drop": _blocking(["quic.drop"], ["quic"]),
    "quic_drop_target": _blocking(["quic.drop.target"], ["quic", "quic.drop"]),
    "quic_sni_drop": _blocking(["quic.drop.target"], ["quic", "quic.drop"]),
    "encdns_block": _blocking(["encdns.dot", "encdns.doh"], ["dns.timeout", "dns", "tcp.timeout", "tcp"]),
    "tls_mitm": _blocking(["tls.mitm", "tls.mitm.unknown_authority"], ["tls", "tls.mitm.self_signed"]),
    "outage_national": _outage("outage.national"),
    "outage_isp": _outage("outage.isp"),
    "outage_mobile": _outage("outage.mobile"),
    "intranet_only": _outage("outage.intranet"),
    "bgp_withdraw": _outage("outage.national"),
    # Not "outage.intranet": sites abroad are reached.
    "allow_list": Truth((Kind.OUTAGE, Kind.BLOCKING), ("outage.allow_list",), ("outage", "outage.stealth")),
    "slowdown_general": Truth((Kind.SLOWDOWN,), ("slowdown.general",)),
    "loss_20": Truth(),
    "loss_burst": Truth(),
    "rush_hour": Truth(),
    "cdn_answers": Truth(),
    "captive_portal": Truth(),
    "ipv6_broken": Truth(),
    "residual": _blocking(["tls.timeout"], ["tls"]),
    "server_down": Truth(),
    "geo_451": Truth(),
}
"""Technique -> what it is.  Sources: METHODS' table of the lab, OONI's taxonomy (ooni/data, ontology 12)."""
