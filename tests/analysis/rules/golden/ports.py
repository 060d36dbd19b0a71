"""Ports: what 80 and 443 of one site each say, and what a page in the clear does not say about TLS."""

from tests.analysis.rules.golden.case import PLAIN, RESET, TIMEOUT, Golden
from tests.analysis.rules.golden.record import ELSEWHERE, HOME, SITE, Row, Web

SECURE = f"https://{SITE}/"
MOVED: Row = {"code": 301, "body": "", "headers": {"Location": SECURE}}
SIBLING = "104.16.1.9"
"""In the network of HOME."""

ONLY_80: Row = {"connects": {f"{HOME}:80": None, f"{HOME}:443": "connection_refused"}, "handshakes": {}}
"""The helper finds nothing at port 443."""


def in_clear(ip: str = HOME) -> Web:
    """A site whose address begins with ``http:``; probes try its port 443 nevertheless."""
    return Web(PLAIN).lookup(ip).connect(ip, port=80)


PORTS_SOUND = [
    Golden(
        "a site in clear whose port 443 is closed for everybody",
        in_clear().connect(failure=TIMEOUT).helper(**ONLY_80).fetch(),
    ),
    Golden(
        "a sibling of it, whose port 443 the helper did not try",
        in_clear(SIBLING).connect(SIBLING, failure="connection_refused").helper(**ONLY_80).fetch(ip=SIBLING),
    ),
    Golden(
        "a site in clear of whose port 443 the helper says nothing",
        in_clear().connect(failure=TIMEOUT).helper(connects={f"{HOME}:80": None}, handshakes={}).fetch(),
    ),
    Golden(
        "a redirect in clear to a host whose port 443 nobody needs",
        in_clear()
        .helper(connects={f"{HOME}:80": None}, handshakes={})
        .fetch(code=302, body="", headers={"Location": "http://old.example/"})
        .lookup(ELSEWHERE, host="old.example")
        .connect(ELSEWHERE, port=80)
        .connect(ELSEWHERE, failure=TIMEOUT)
        .fetch("http://old.example/", ip=ELSEWHERE),
    ),
    Golden(
        "its host's certificate for another customer, at a sibling",
        in_clear(SIBLING)
        .connect(SIBLING)
        .shake(SIBLING, failure="ssl_invalid_hostname")
        .helper(handshakes={f"{HOME}:443": "ssl_invalid_hostname"})
        .fetch(ip=SIBLING),
    ),
    Golden(
        "the same in another network, with the page of the site",
        in_clear(ELSEWHERE)
        .connect(ELSEWHERE)
        .shake(ELSEWHERE, failure="ssl_invalid_hostname")
        .helper(handshakes={f"{ip}:443": "ssl_invalid_hostname" for ip in (HOME, ELSEWHERE)})
        .fetch(ip=ELSEWHERE),
    ),
    Golden(
        "a certificate of nobody's, and a helper that made no handshake",
        in_clear().connect().shake(failure="ssl_unknown_authority").helper(handshakes={}).fetch(),
    ),
    Golden(
        "a helper that was told that there is no such name, whatever page it loaded",
        Web().lookup(failure="dns_nxdomain_error").helper(dns="dns_name_error"),
        ("down dns server.down",),
    ),
    Golden(
        "a helper whose lookup has no address, and a page that it cannot load either",
        Web(PLAIN)
        .lookup(failure="dns_nxdomain_error")
        .helper(dns=None, connects={}, handshakes={}, page="dns_lookup_error")
        .aliased(),
        ("down dns server.down",),
    ),
]

PORTS_BLOCKED = [
    Golden(
        "port 443 is cut off, port 80 only redirects there",
        in_clear().connect(failure=TIMEOUT).helper().fetch(**MOVED),
        ("blocked tcp tcp.timeout",),
    ),
    Golden(
        "port 443 is cut off, of which an old helper tried none",
        in_clear().connect(failure=TIMEOUT).helper(connects={f"{HOME}:80": None}).fetch(**MOVED).older(),
        ("blocked tcp tcp.timeout",),
    ),
    Golden(
        "port 443 of a sibling is cut off, and open at the address that the helper tried",
        in_clear(SIBLING).connect(SIBLING, failure=TIMEOUT).helper().fetch(ip=SIBLING),
        ("blocked tcp tcp.timeout",),
    ),
    Golden(
        "port 80 is cut off, port 443 is not",
        Web(PLAIN).lookup(HOME).connect(port=80, failure=TIMEOUT).connect().shake().helper(),
        ("blocked tcp tcp.timeout",),
    ),
    Golden(
        "a reset on the name, while the page in clear still comes",
        in_clear().connect().shake(failure=RESET).helper().fetch(),
        ("blocked tls tls.reset",),
    ),
    Golden(
        "interception, while the page in clear still comes",
        in_clear().connect().shake(failure="ssl_unknown_authority").helper().fetch(),
        ("blocked tls tls.mitm",),
    ),
    Golden(
        "another's certificate at an address of another network, where the site has a valid one",
        in_clear(ELSEWHERE)
        .connect(ELSEWHERE)
        .shake(ELSEWHERE, failure="ssl_invalid_hostname")
        .helper(handshakes={f"{HOME}:443": None, f"{ELSEWHERE}:443": "ssl_invalid_hostname"})
        .fetch(ip=ELSEWHERE, **MOVED),
        ("blocked dns dns.injection.other",),
    ),
    Golden(
        "NXDOMAIN, a helper whose own lookup timed out, and the page that it loaded",
        Web().lookup(failure="dns_nxdomain_error").helper(HOME, dns=TIMEOUT).aliased(),
        ("blocked dns dns.nxdomain",),
    ),
    Golden(
        "NXDOMAIN, a helper that wrote down no more than an alias, and the page that it loaded",
        Web().lookup(failure="dns_nxdomain_error").helper().aliased(),
        ("blocked dns dns.nxdomain",),
    ),
]
