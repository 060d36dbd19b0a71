"""Throttled: a site that is slowed down, and how that is told from blocking."""

from tests.rules.golden.case import PLAIN, TIMEOUT, Golden, works
from tests.rules.golden.record import HOME, Web

THROTTLED = [
    Golden(
        "a page trickles in",
        works().read([1400] * 20, 0.45).fetch(failure=TIMEOUT, took=10.0),
        ("throttled http tls.throttle.sni",),
    ),
    Golden(
        "a page trickles in without TLS",
        works(PLAIN).read([1400] * 20, 0.45).fetch(failure=TIMEOUT, took=10.0),
        ("throttled http http.throttle.host",),
    ),
    Golden(
        "a page freezes after 17 KB",
        works().read([1400] * 12, 0.02).fetch(failure=TIMEOUT, took=10.0),
        ("throttled http tls.freeze.sni",),
    ),
    Golden(
        "slow handshakes on the name",
        Web()
        .lookup(HOME)
        .connect()
        .shake("104.16.7.7", "cdn.example", took=0.1)
        .lookup(HOME, host="cdn.example")
        .shake(took=3.4)
        .fetch()
        .helper(),
        ("throttled tls tls.throttle.sni",),
    ),
]
