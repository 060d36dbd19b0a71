"""Censors: every technique that can be applied to the lab's users, by name.

To add a technique, write a function that takes a ``cut.Strike``, does it with real packets and returns how to
undo it, in the file of what it looks at, and add one entry to ``TECHNIQUES``.  tests/lab/test_techniques.py
then requires a row that shows what breaks and what does not.
"""

from difflib import get_close_matches
from functools import partial

from fanous.errors import FanousError
from fanous.lab.censors import by_address, by_name, in_path, outages, slow
from fanous.lab.censors.cut import Cut, Strike, Technique, Undo, hit_by
from fanous.lab.internet import Internet
from fanous.model import registry


def _nothing(strike: Strike) -> Undo:
    del strike
    return lambda: None


_on_everything = partial(Technique, needs_targets=False)
_mishap = partial(Technique, mechanism="", needs_targets=False, is_interference=False)

_ALL = (
    _mishap("none", "Nothing is done.", strike=_nothing),
    Technique(
        "dns_nxdomain",
        "The provider's resolver says that the name does not exist.",
        "dns.nxdomain",
        by_name.deny,
    ),
    Technique(
        "dns_bogon",
        "The provider's resolver gives a private address.",
        "dns.injection.bogon",
        by_name.give_bogon,
    ),
    Technique(
        "dns_blockpage",
        "The provider's resolver gives the address of a block page.",
        "dns.injection.blockpage",
        by_name.give_block_page,
    ),
    Technique(
        "dns_inject_onpath",
        "A forged answer comes before the true one, whichever resolver was asked.",
        "dns.injection.bogon",
        in_path.inject_on_path,
    ),
    Technique(
        "dns_inject_inpath",
        "The query is dropped and answered with a forgery, whichever resolver was asked.",
        "dns.injection.bogon",
        in_path.inject_in_path,
    ),
    Technique(
        "ip_blackhole",
        "The target's addresses have a null route.",
        "ip.prefix_null_route",
        by_address.blackhole,
    ),
    Technique(
        "ip_unreachable",
        "A router answers that the target's addresses are unreachable.",
        "ip.unreachable",
        by_address.unreachable,
    ),
    Technique(
        "ip_reset",
        "Connections to the target's addresses are reset before they are established.",
        "tcp.reset",
        by_address.reset,
    ),
    Technique(
        "ip_freeze",
        "Connections to the target's addresses stop after 16 KB, whatever name they carry.",
        "tls.freeze",
        by_address.freeze,
    ),
    Technique(
        "sni_reset",
        "A handshake that names the target is dropped and the client reset, in the path.",
        "tls.reset.sni",
        by_name.reset,
    ),
    Technique(
        "sni_reset_onpath",
        "A handshake that names the target passes, and the client is reset by an on-path box.",
        "tls.reset.sni",
        in_path.reset_on_path,
    ),
    Technique(
        "sni_drop", "A connection whose handshake names the target falls silent.", "tls.timeout", by_name.drop
    ),
    Technique(
        "sni_throttle_police",
        "On connections that name the target, packets above a rate are dropped.",
        "tls.throttle.sni",
        by_name.police,
    ),
    Technique(
        "sni_throttle_shape",
        "Connections that name the target wait in a slow queue.",
        "tls.throttle.sni",
        slow.shape,
    ),
    Technique(
        "sni_loss",
        "Connections that name the target lose 40 % of their packets.",
        "tls.throttle.sni",
        by_name.lose,
    ),
    Technique(
        "sni_slow_handshake",
        "A handshake that names the target takes three seconds longer.",
        "tls.throttle.sni",
        in_path.slow_handshake,
    ),
    Technique(
        "sni_freeze", "Connections that name the target stop after 16 KB.", "tls.freeze.sni", by_name.freeze
    ),
    Technique(
        "http_blockpage",
        "A plain HTTP request for the target is answered by a forged block page.",
        "http.blockpage",
        in_path.forge_page,
    ),
    Technique(
        "http_reset",
        "A plain HTTP request for the target is dropped and the client reset.",
        "http.reset.host",
        by_name.reset_request,
    ),
    _on_everything("quic_drop", "No QUIC passes.", "quic.drop", by_address.drop_quic),
    _on_everything(
        "quic_version",
        "No QUIC of version 1 passes; other versions do.",
        "quic.drop",
        by_address.drop_quic_version,
    ),
    Technique(
        "quic_drop_target",
        "No QUIC passes to the target's addresses.",
        "quic.drop.target",
        by_address.drop_quic_of_target,
    ),
    Technique(
        "quic_sni_drop",
        "QUIC's first packet is decrypted, and the connection dropped if it names the target.",
        "quic.drop.target",
        in_path.drop_quic_by_name,
    ),
    _on_everything(
        "encdns_block",
        "DNS over TLS is blocked by its port, DNS over HTTPS by the resolver's name.",
        "encdns",
        by_address.block_encrypted_dns,
    ),
    Technique(
        "tls_mitm",
        "TLS to the target's addresses is intercepted under another authority.",
        "tls.mitm",
        in_path.intercept,
    ),
    _on_everything(
        "outage_national",
        "The links of all providers to the national gateway are down.",
        "outage.national",
        outages.unplug,
    ),
    _on_everything(
        "outage_isp", "The link of a provider to the national gateway is down.", "outage.isp", outages.unplug
    ),
    _on_everything(
        "outage_mobile",
        "The routers of mobile providers forward nothing.",
        "outage.mobile",
        outages.mobile_only,
    ),
    _on_everything(
        "bgp_withdraw",
        "A provider's routes are withdrawn: its packets leave, but nothing finds the way back.",
        "outage.isp",
        outages.withdraw,
    ),
    _on_everything(
        "intranet_only",
        "Nothing outside the country can be reached; sites inside can.",
        "outage.intranet",
        outages.intranet,
    ),
    _on_everything(
        "allow_list",
        "Only allowed sites, and those inside the country, can be reached.",
        "outage.stealth",
        outages.allow_list,
    ),
    _on_everything(
        "slowdown_general",
        "Everything a user receives goes through a narrow line.",
        "slowdown.general",
        slow.slow_down,
    ),
    Technique(
        "residual",
        "After a handshake that names the target, its address is blocked for a minute.",
        "tls.timeout",
        by_name.residual,
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
        is_interference=False,
    ),
    Technique(
        "geo_451",
        "The target's servers answer 451 to the country.",
        "server.geo_block",
        outages.refuse_country,
        is_interference=False,
    ),
    Technique(
        "cdn_answers",
        "Resolvers of different networks get different good addresses.",
        "",
        outages.rotate,
        is_interference=False,
    ),
)

TECHNIQUES = registry.by_name(*_ALL)


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
