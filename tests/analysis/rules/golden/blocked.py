"""Blocked: what networks do to a site, and how each of it is named."""

from tests.analysis.rules.golden.case import (
    EOF,
    FRONT,
    FRONT_URL,
    PLAIN,
    RESET,
    TIMEOUT,
    Golden,
    forged,
    front,
    works,
)
from tests.analysis.rules.golden.record import ELSEWHERE, HOME, SITE, Web

BOGON = "10.10.34.36"
DENIED = "<html><head><title>No entry</title></head><body>Not here.</body></html>"

BLOCKED = [
    Golden(
        "NXDOMAIN",
        Web()
        .lookup(failure="dns_nxdomain_error")
        .lookup(HOME, engine="doh")
        .connect()
        .shake()
        .fetch()
        .helper(),
        ("blocked dns dns.nxdomain",),
    ),
    Golden(
        "Android, which does not say how a lookup failed",
        Web().lookup(failure="android_dns_cache_no_data").helper(),
        ("blocked dns dns",),
    ),
    Golden(
        "the resolver refuses",
        Web().lookup(failure="dns_refused_error").helper(),
        ("blocked dns dns.refused",),
    ),
    Golden(
        "an alert for this name alone, which the server sends to no one outside",
        Web()
        .lookup(HOME)
        .connect()
        .shake(host="innocuous.example", checked=False)
        .connect()
        .shake(failure="ssl_failed_handshake")
        .helper(),
        ("blocked tls tls",),
    ),
    Golden(
        "a bogon",
        Web().lookup(BOGON).connect(BOGON, failure=TIMEOUT).helper(connects={}),
        ("blocked dns dns.injection.bogon",),
    ),
    Golden(
        "the name points at this machine",
        forged("127.0.0.1")
        .connect("127.0.0.1", failure="connection_refused")
        .connect()
        .shake()
        .fetch()
        .helper(),
        ("blocked dns dns.injection.bogon",),
    ),
    Golden(
        "a block page's address",
        Web(country="TR").lookup("195.175.254.2").connect("195.175.254.2", failure=TIMEOUT).helper(),
        ("blocked dns dns.injection.blockpage",),
    ),
    Golden(
        "an address with another's certificate",
        forged(ELSEWHERE)
        .connect(ELSEWHERE)
        .shake(ELSEWHERE, failure="ssl_unknown_authority")
        .helper(handshakes={f"{HOME}:443": None, f"{ELSEWHERE}:443": "ssl_unknown_authority"}),
        ("blocked dns dns.injection.other",),
    ),
    Golden(
        "an address where nobody answers",
        forged(ELSEWHERE)
        .connect(ELSEWHERE, failure="connection_refused")
        .helper(connects={f"{ELSEWHERE}:443": None}),
        ("blocked dns dns.injection.other",),
    ),
    Golden(
        "a block that outlived its site",
        forged(ELSEWHERE, doh=False)
        .lookup(failure="dns_nxdomain_error", engine="doh")
        .connect(ELSEWHERE, failure="connection_refused")
        .helper(
            dns="dns_name_error",
            connects={f"{ELSEWHERE}:443": "connection_refused_error"},
            handshakes={},
            page="dns_lookup_error",
        ),
        ("blocked dns dns.injection.other", "down dns server.down"),
    ),
    Golden(
        "the address is cut off",
        Web().lookup(HOME).connect(failure=TIMEOUT).helper(),
        ("blocked tcp tcp.timeout",),
    ),
    Golden(
        "the address refuses",
        Web().lookup(HOME).connect(failure="connection_refused").helper(),
        ("blocked tcp tcp.refused",),
    ),
    Golden(
        "no route to the address",
        Web().lookup(HOME).connect(failure="host_unreachable").helper(),
        ("blocked tcp ip.unreachable",),
    ),
    Golden(
        "a reset on the name",
        Web().lookup(HOME).connect().shake(failure=RESET).helper(),
        ("blocked tls tls.reset",),
    ),
    Golden(
        "silence on the name",
        Web().lookup(HOME).connect().shake(failure=TIMEOUT).helper(),
        ("blocked tls tls.timeout",),
    ),
    Golden(
        "an end on the name", Web().lookup(HOME).connect().shake(failure=EOF).helper(), ("blocked tls tls",)
    ),
    Golden(
        "interception",
        Web().lookup(HOME).connect().shake(failure="ssl_unknown_authority").helper(),
        ("blocked tls tls.mitm",),
    ),
    Golden(
        "a reset on the Host header", works(PLAIN).fetch(failure=RESET), ("blocked http http.reset.host",)
    ),
    Golden("silence on the Host header", works(PLAIN).fetch(failure=TIMEOUT), ("blocked http http.timeout",)),
    Golden(
        "a page in place of the site's",
        works(PLAIN).fetch(body=DENIED, headers={}),
        ("blocked http http.blockpage.unknown",),
    ),
    Golden(
        "a refusal in place of the site's page",
        works(PLAIN).fetch(body=DENIED, code=403, headers={}),
        ("blocked http http.error",),
    ),
    Golden(
        "a known block page",
        works(PLAIN).fetch(body="<title>Surf Safely!</title>This website is not accessible", headers={}),
        ("blocked http http.blockpage",),
    ),
    Golden(
        "a redirect to a block page",
        works(PLAIN).fetch(code=302, body="", headers={"Location": "http://1.2.3.4:8080/webadmin/deny/?x"}),
        ("blocked http http.redirect",),
    ),
    Golden(
        "a filter's frame",
        Web(PLAIN, country="IR")
        .lookup(HOME)
        .connect(port=80)
        .helper()
        .fetch(code=403, body='<iframe src="http://10.10.34.35:80"></iframe>', headers={}),
        ("blocked http http.blockpage",),
    ),
    Golden("a redirect's host is reset", front().connect().shake(failure=RESET), ("blocked tls tls.reset",)),
    Golden(
        "a redirect's host is refused",
        front().connect(failure="connection_refused"),
        ("blocked tcp tcp.refused",),
    ),
    Golden(
        "a redirect's host is denied",
        Web(FRONT_URL)
        .lookup("104.16.9.9", host=FRONT)
        .connect("104.16.9.9")
        .shake("104.16.9.9", FRONT)
        .helper("104.16.9.9")
        .fetch(ip="104.16.9.9", code=301, body="", headers={"Location": f"https://{SITE}/"})
        .lookup(failure="dns_nxdomain_error"),
        ("blocked dns dns.nxdomain",),
    ),
    Golden(
        "a reset on the name behind a translator to IPv6",
        Web()
        .lookup("64:ff9b::6810:101")
        .connect("64:ff9b::6810:101")
        .shake("64:ff9b::6810:101", failure=RESET)
        .helper(),
        ("blocked tls tls.reset",),
    ),
    Golden(
        "a reset on the name, and a helper that tried connections and the page alone",
        Web().lookup(HOME).connect().shake(failure=RESET).helper(handshakes={}),
        ("blocked tls tls.reset",),
    ),
    Golden(
        "a redirect to a provider's warning",
        Web(PLAIN, country="RU")
        .lookup(HOME)
        .connect(port=80)
        .helper()
        .fetch(code=302, body="", headers={"Location": "http://warning.rt.ru/?id=17&st=0"}),
        ("blocked http http.redirect",),
    ),
    Golden(
        "a provider's frame in place of the site's page",
        Web(PLAIN, country="IN")
        .lookup(HOME)
        .connect(port=80)
        .helper()
        .fetch(
            body='<iframe src="https://www.airtel.in/dot/" width="100%" height="100%"></iframe>', headers={}
        ),
        ("blocked http http.blockpage",),
    ),
    Golden(
        "the provider's resolver denies the name and one over HTTPS knows it",
        Web()
        .lookup(failure="dns_nxdomain_error")
        .lookup(HOME, engine="doh")
        .connect()
        .shake()
        .fetch()
        .helper(),
        ("blocked dns dns.nxdomain",),
    ),
]
