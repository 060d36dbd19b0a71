"""Mechanisms: OONI's names of methods in words that need no engineer."""

MECHANISMS = {
    "dns.injection": "forged DNS answers",
    "dns.injection.blockpage": "DNS answers that lead to a block page",
    "dns.nxdomain": "DNS answers that deny the name",
    "dns.refused": "refused DNS lookups",
    "dns.timeout": "unanswered DNS lookups",
    "dns": "DNS interference",
    "encdns": "blocked encrypted DNS",
    "http.blockpage": "a block page",
    "http.error": "error pages",
    "http.redirect": "redirects to a block page",
    "http.reset": "web requests that are reset",
    "http.throttle": "slowed transfers",
    "http.timeout": "web requests that get no answer",
    "http": "interference with web requests",
    "ip.unreachable": "unreachable addresses",
    "ip.prefix_null_route": "unreachable addresses",
    "outage": "loss of connectivity",
    "quic": "dropped QUIC traffic",
    "server.down": "the service's own failure",
    "server.geo_block": "the service's own refusal of the country",
    "slowdown": "slow connections to everything",
    "tcp": "interference with connections",
    "tcp.refused": "refused connections",
    "tcp.reset": "reset connections",
    "tcp.timeout": "dropped connections",
    "tls.freeze": "connections that freeze",
    "tls.mitm": "forged certificates",
    "tls.reset": "encrypted connections that are reset",
    "tls.reset.fingerprint": "connections cut by how their first message looks",
    "tls.reset.sni": "connections reset when the name is sent",
    "tls.throttle": "slowed encrypted connections",
    "tls.timeout": "encrypted connections that get no answer",
    "tls.timeout.fingerprint": "connections cut by how their first message looks",
    "tls": "interference with encrypted connections",
}
"""Prefixes in words; the longest that fits is used."""


def mechanism_words(mechanism: str) -> str:
    """``tls.reset.sni`` -> ``connections reset when the name is sent``; an unknown one stays as it is."""
    parts = mechanism.split(".")
    for length in range(len(parts), 0, -1):
        words = MECHANISMS.get(".".join(parts[:length]))
        if words:
            return words
    return mechanism
