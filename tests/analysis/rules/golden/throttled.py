"""Throttled: a site that is slowed down, as opposed to blocked."""

from tests.analysis.rules.golden.case import PLAIN, TIMEOUT, Golden, front, works
from tests.analysis.rules.golden.record import HOME, Web


def beside_a_near_cache(connect: float, handshake: float) -> Web:
    """The site is reached through a short link, whose own host is near."""
    return front().connect(took=connect).shake(took=handshake).fetch(took=handshake + 0.4)


NOT_THROTTLED = [
    Golden("a far site behind a near short link", beside_a_near_cache(0.35, 1.1)),
    # The site or the line?  No record says so by itself: see tests/analysis/series/test_line.py.
    Golden(
        "a page trickles in",
        works().read([1400] * 20, 0.45).fetch(failure=TIMEOUT, took=10.0),
    ),
    Golden(
        "a page trickles in without TLS",
        works(PLAIN).read([1400] * 20, 0.45).fetch(failure=TIMEOUT, took=10.0),
    ),
    Golden(
        "a page freezes after 17 KB",
        works().read([1400] * 12, 0.02).fetch(failure=TIMEOUT, took=10.0),
    ),
    Golden(
        "a slow handshake, and no other name to hold it against",
        Web().lookup(HOME).connect().shake(took=3.4).fetch(took=4.0).helper(),
    ),
]

THROTTLED = [
    Golden(
        "a far site behind a near short link, slowed down besides",
        beside_a_near_cache(0.35, 3.4),
        ("throttled tls tls.throttle",),
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
        ("throttled tls tls.throttle",),
    ),
]
