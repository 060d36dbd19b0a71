"""Answers: doubtful lookups, and similar ones that are not."""

from tests.analysis.rules.golden.case import EOF, PLAIN, RESET, TIMEOUT, Golden
from tests.analysis.rules.golden.record import ELSEWHERE, HOME, Row, Web

AGAIN = "dns_temporary_failure"
"""``EAI_AGAIN``: the system got no answer, or SERVFAIL."""

ALERT, HOSTNAME = "ssl_failed_handshake", "ssl_invalid_hostname"
GONE: Row = {"dns": "dns_name_error", "handshakes": {}, "page": "dns_lookup_error"}
ADVERTISEMENTS = "<title>Search results</title>" + "<a>buy</a>" * 200


def answered(*engines: str) -> Web:
    """The provider's resolver says nothing; those named give the site's own address."""
    web = Web().lookup(failure=TIMEOUT)
    for engine in engines:
        web.lookup(HOME, engine=engine)
    return web


BOTH: Row = {"connects": {f"{HOME}:443": None, f"{ELSEWHERE}:443": None}}
"""The helper connects to either address."""


def away(here: str | None, outside: str | None, at_home: str | None = None) -> Web:
    """The name leads to ELSEWHERE: how a handshake ends there, for the probe and for the helper."""
    web = Web().lookup(ELSEWHERE).lookup(ELSEWHERE, engine="udp").connect(ELSEWHERE)
    web.shake(ELSEWHERE, failure=here)
    handshakes = {f"{HOME}:443": at_home, f"{ELSEWHERE}:443": outside}
    return web.helper(**BOTH, handshakes=handshakes, page=at_home)


def injected(host: str, ip: str, asn: int) -> Web:
    """As on China's border: another platform's address, where no server answers for this name."""
    web = Web(f"https://{host}/", country="CN").lookup(ip, host=host, asn=asn)
    return web.connect(ip, failure=TIMEOUT).helper()


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
    Golden(
        "a near server for its neighbours alone, which the helper cannot reach",
        away(EOF, TIMEOUT),
    ),
    Golden(
        "a near server that refuses handshakes, and no other address of the probe that works",
        away(ALERT, ALERT),
    ),
    Golden(
        "a certificate for another name, at all addresses of the site",
        away(HOSTNAME, HOSTNAME, at_home=HOSTNAME),
        ("down tls server.down",),
    ),
    Golden(
        "another customer's certificate at a sibling, and an old helper that knows no networks",
        Web()
        .lookup("104.16.1.9")
        .connect("104.16.1.9")
        .shake("104.16.1.9", failure=HOSTNAME)
        .helper()
        .older(),
    ),
    Golden(
        "a site that sends its visitors to their own machine",
        Web()
        .lookup(HOME)
        .connect()
        .shake()
        .fetch(code=302, body="", headers={"Location": "http://127.0.0.1/"})
        .lookup("127.0.0.1", host="127.0.0.1")
        .connect("127.0.0.1", 80, "connection_refused")
        .fetch("http://127.0.0.1/", ip="127.0.0.1", failure="connection_refused")
        .helper(),
    ),
    Golden("a parked name, and no helper to say so", parked("127.0.0.1").no_helper()),
]

ANSWERS_BLOCKED = [
    Golden(
        "a server that can make no handshake, while another resolver tells the truth",
        away(ALERT, ALERT).lookup(HOME, engine="doh").connect().shake().fetch(),
        ("blocked dns dns.injection.other",),
    ),
    Golden(
        "a server that ends handshakes here and shows the helper another's certificate",
        away(EOF, HOSTNAME),
        ("blocked dns dns.injection.other",),
    ),
    Golden(
        "a server that is silent here and shows the helper another's certificate",
        Web()
        .lookup(ELSEWHERE)
        .connect(ELSEWHERE, failure=TIMEOUT)
        .helper(**BOTH, handshakes={f"{HOME}:443": None, f"{ELSEWHERE}:443": HOSTNAME}),
        ("blocked dns dns.injection.other",),
    ),
    Golden(
        "a certificate of nobody's, and an old helper that knows no networks",
        Web()
        .lookup(ELSEWHERE)
        .connect(ELSEWHERE)
        .shake(ELSEWHERE, failure="ssl_unknown_authority")
        .helper()
        .older(),
        ("blocked dns dns.injection.other",),
    ),
    Golden(
        "X's address for a name in which t.co stands",
        injected("www.reddit.com", "104.244.46.165", 13414),
        ("blocked dns dns.injection.other",),
    ),
    Golden(
        "a reset on a short name of Facebook's at Facebook's own address",
        Web("https://fb.me/")
        .lookup("157.240.1.35", host="fb.me", asn=32934)
        .connect("157.240.1.35")
        .shake("157.240.1.35", "fb.me", failure=RESET)
        .helper("157.240.22.35", connects={"157.240.22.35:443": None})
        .older(),
        ("blocked tls tls.reset",),
    ),
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
