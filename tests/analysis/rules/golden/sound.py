"""Sound: what sites, probes and helpers do by themselves, and must never be called interference."""

from tests.analysis.rules.golden.case import PLAIN, TIMEOUT, Golden, front, works
from tests.analysis.rules.golden.record import ELSEWHERE, HOME, Web

DENIED = "<html><head><title>No entry</title></head><body>Not here.</body></html>"
CHALLENGE = "<title>Just a moment...</title><script src='/cdn-cgi/challenge-platform/x.js'></script>"
TRANSLATED = "64:ff9b::6810:101"
"""HOME behind NAT64 (RFC 6052)."""

SOUND = [
    Golden("the site works", works().fetch()),
    Golden("the site works without TLS", works(PLAIN).fetch()),
    Golden(
        "an international name",
        Web("http://Яндекс.рф/")
        .lookup(HOME, host="xn--d1acpjx3f.xn--p1ai")
        .connect(port=80)
        .helper()
        .fetch(),
    ),
    Golden(
        "a large file flows until the probe has waited long enough",
        works().read([65_536] * 100, 0.28).fetch(failure=TIMEOUT, took=30.0),
    ),
    Golden(
        "nothing comes in time over a line on which a connection alone takes two seconds",
        Web()
        .lookup(HOME)
        .connect(took=2.0)
        .shake(took=4.0)
        .helper()
        .fetch(failure=TIMEOUT, code=0, took=10.0),
    ),
    Golden(
        "a handshake that never ends over a line on which a connection alone takes two seconds",
        Web().lookup(HOME).connect(took=2.0).shake(failure=TIMEOUT, took=10.0).helper(),
    ),
    Golden("a large file is cut by the probe", works(PLAIN).fetch(body="x" * 9000, truncated=True)),
    Golden(
        "an expired certificate of the site",
        Web()
        .lookup(HOME)
        .connect()
        .shake(failure="ssl_invalid_certificate")
        .helper(handshakes={f"{HOME}:443": "ssl_invalid_certificate"}, page="ssl_invalid_certificate"),
        ("down tls server.down",),
    ),
    Golden(
        "a wrong name in the site's certificate",
        Web()
        .lookup(HOME)
        .connect()
        .shake(failure="ssl_invalid_hostname")
        .helper(handshakes={f"{HOME}:443": "ssl_invalid_hostname"}, page="ssl_invalid_hostname"),
        ("down tls server.down",),
    ),
    Golden(
        "an authority that nobody knows",
        Web()
        .lookup(HOME)
        .connect()
        .shake(failure="ssl_unknown_authority")
        .helper(handshakes={f"{HOME}:443": "ssl_unknown_authority"}, page="ssl_unknown_authority"),
        ("down tls server.down",),
    ),
    Golden(
        "a CAPTCHA in clear", works(PLAIN).fetch(code=503, body=CHALLENGE, headers={"Server": "cloudflare"})
    ),
    Golden("a CAPTCHA over TLS", works().fetch(code=403, body=CHALLENGE, headers={"Server": "cloudflare"})),
    Golden("a geo-block over TLS", works().fetch(code=451, body=DENIED)),
    Golden(
        "redirects in circles",
        works().fetch(
            code=302,
            body="",
            failure="unknown_failure: stopped after too many redirects",
            headers={"Location": "/a"},
        ),
    ),
    Golden(
        "a redirect to nowhere",
        works(PLAIN).fetch(
            code=302, body="", failure="http_invalid_redirect_location_host", headers={"Location": "http://"}
        ),
    ),
    Golden(
        "the helper cannot be asked and the site works",
        Web().lookup(HOME).connect().shake().fetch().no_helper(),
    ),
    Golden(
        "the helper cannot be asked and a page comes in clear",
        Web(PLAIN).lookup(HOME).connect(port=80).fetch().no_helper(),
    ),
    Golden(
        "a dead site",
        Web()
        .lookup(HOME)
        .connect(failure="connection_refused")
        .helper(
            connects={f"{HOME}:443": "connection_refused_error"}, handshakes={}, page="connection_refused"
        ),
        ("down tcp server.down",),
    ),
    Golden(
        "a name that is gone",
        Web()
        .lookup(failure="dns_nxdomain_error")
        .helper(dns="dns_name_error", connects={}, handshakes={}, page="dns_lookup_error"),
        ("down dns server.down",),
    ),
    Golden(
        "a site that points at itself",
        Web(PLAIN)
        .lookup("127.0.0.1")
        .connect("127.0.0.1", 80, "connection_refused")
        .helper("127.0.0.1", connects={}, handshakes={}, page="connection_refused"),
    ),
    Golden(
        "a near server of a delivery network",
        Web().lookup(ELSEWHERE).connect(ELSEWHERE).shake(ELSEWHERE).fetch(ip=ELSEWHERE).helper(),
    ),
    Golden(
        "no IPv6 on the probe", works().connect("2606:4700::6810:1", failure="network_unreachable").fetch()
    ),
    Golden(
        "one address of two is silent",
        works().lookup("104.16.1.2").connect("104.16.1.2", failure=TIMEOUT).fetch(),
    ),
    Golden(
        "a hotspot's login",
        Web(PLAIN)
        .lookup(HOME)
        .connect(port=80)
        .no_helper(TIMEOUT)
        .fetch(code=302, body="", headers={"Location": "http://192.168.88.1/login"}),
    ),
    Golden(
        "no network at all",
        Web().lookup(failure="android_dns_cache_no_data").no_helper("android_dns_cache_no_data"),
    ),
    Golden(
        "a login page in place of every name",
        Web()
        .lookup("10.5.50.1")
        .lookup(failure=TIMEOUT, engine="udp")
        .connect("10.5.50.1")
        .shake("10.5.50.1", failure="ssl_invalid_hostname")
        .no_helper(TIMEOUT),
    ),
    Golden(
        "a proxy near the user",
        Web()
        .lookup(HOME)
        .connect()
        .shake(failure="ssl_unknown_authority")
        .no_helper("ssl_unknown_authority"),
    ),
    Golden(
        "a redirect's host that the helper could not load either",
        front()
        .connect(failure=TIMEOUT)
        .helper(
            "104.16.9.9", connects={"104.16.9.9:443": None}, handshakes={"104.16.9.9:443": None}, page=TIMEOUT
        ),
        findings=("down tcp server.down",),
    ),
    Golden(
        "a tunnel of the user's own, which gives every name an address of its own",
        Web()
        .lookup("198.18.0.45")
        .connect("198.18.0.45")
        .shake("198.18.0.45")
        .fetch(ip="198.18.0.45")
        .helper(),
    ),
    Golden(
        "an address made up by a translator to IPv6",
        Web().lookup(TRANSLATED).connect(TRANSLATED).shake(TRANSLATED).fetch(ip=f"[{TRANSLATED}]").helper(),
    ),
    Golden(
        "an address that is dead for the helper too, while the site is up",
        Web()
        .lookup("104.16.9.9")
        .connect("104.16.9.9", failure=TIMEOUT)
        .lookup(HOME, engine="doh")
        .connect()
        .shake()
        .fetch()
        .helper(connects={f"{HOME}:443": None, "104.16.9.9:443": TIMEOUT}),
    ),
    Golden(
        "a clock that is wrong",
        Web().lookup(HOME).connect().shake(failure="ssl_invalid_certificate").helper(),
    ),
    Golden(
        "a site in trouble for a moment, over TLS",
        works().fetch(code=503, body="<title>503 Service Unavailable</title>"),
    ),
    Golden(
        "a page in the visitor's language",
        works(PLAIN).fetch(
            body="<html><head><title>سایت</title></head><body>" + "کلمه " * 600 + "</body></html>"
        ),
    ),
    Golden(
        "a probe that was stopped by its user",
        Web().lookup(HOME).connect().shake(failure="interrupted").helper(),
    ),
    Golden(
        "a page that is missing",
        works(PLAIN).fetch(code=404, body="<html><head><title>404 Not Found</title></head></html>"),
    ),
]
