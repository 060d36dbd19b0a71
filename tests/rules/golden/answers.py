"""Answers: lookups that are in doubt, and what is no doubt beside them."""

from tests.rules.golden.case import PLAIN, TIMEOUT, Golden
from tests.rules.golden.record import ELSEWHERE, HOME, Row, Web

AGAIN = "dns_temporary_failure"
"""``EAI_AGAIN``: the system got no answer, or SERVFAIL."""

GONE: Row = {"dns": "dns_name_error", "handshakes": {}, "page": "dns_lookup_error"}
ADVERTISEMENTS = "<title>Search results</title>" + "<a>buy</a>" * 200


def answered(*engines: str) -> Web:
    """The provider's resolver says nothing; those named give the site's own address."""
    web = Web().lookup(failure=TIMEOUT)
    for engine in engines:
        web.lookup(HOME, engine=engine)
    return web


def parked(address: str) -> Web:
    web = Web(PLAIN).lookup(address).lookup(address, engine="udp")
    return web.connect(address, 80, "connection_refused")


ANSWERS_SOUND = [
    Golden(
        "the provider's resolver does not answer once",
        answered("udp", "doh").connect().shake().fetch().helper(),
    ),
    Golden(
        "the system finds its resolver busy",
        Web()
        .lookup(failure=AGAIN)
        .lookup(HOME, engine="udp")
        .lookup(HOME, engine="doh")
        .connect()
        .shake()
        .fetch()
        .helper(),
    ),
    Golden(
        "a name that is gone, for which the provider shows advertisements",
        Web(PLAIN)
        .lookup(ELSEWHERE)
        .lookup(failure="dns_nxdomain_error", engine="udp")
        .connect(ELSEWHERE, 80)
        .fetch(ip=ELSEWHERE, body=ADVERTISEMENTS)
        .helper(connects={f"{ELSEWHERE}:80": None}, **GONE),
        ("down dns server.down",),
    ),
    Golden(
        "the same, as an old probe saw it with one resolver",
        Web(PLAIN)
        .lookup(ELSEWHERE)
        .connect(ELSEWHERE, 80)
        .fetch(body=ADVERTISEMENTS)
        .helper(connects={f"{ELSEWHERE}:80": None}, **GONE)
        .older(),
    ),
    Golden(
        "an address of this machine",
        Web("http://127.0.0.1/")
        .lookup("127.0.0.1", host="127.0.0.1")
        .connect("127.0.0.1", 80, "connection_refused")
        .no_helper(),
    ),
    Golden(
        "an address of the user's network",
        Web("http://192.168.1.1/")
        .lookup("192.168.1.1", host="192.168.1.1")
        .connect("192.168.1.1", 80)
        .fetch(ip="192.168.1.1", body=ADVERTISEMENTS)
        .no_helper(),
    ),
    Golden("a parked name, and no helper to say so", parked("127.0.0.1").no_helper()),
]

ANSWERS_BLOCKED = [
    Golden(
        "no resolver of the probe answers",
        Web().lookup(failure=TIMEOUT).lookup(failure=TIMEOUT, engine="udp").helper(),
        ("blocked dns dns.timeout",),
    ),
    Golden(
        "a name that is gone, answered all the same by a public resolver",
        Web(PLAIN)
        .lookup(ELSEWHERE)
        .lookup(ELSEWHERE, engine="udp")
        .connect(ELSEWHERE, 80, TIMEOUT)
        .helper(connects={}, **GONE),
        ("blocked dns dns.injection.other",),
    ),
    Golden(
        "a name that leads to this machine and, outside, to a site",
        parked("127.0.0.1").helper(),
        ("blocked dns dns.injection.bogon",),
    ),
]
