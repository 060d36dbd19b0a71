"""Older: what probes before 0.5 wrote of the same things, and records with a part missing."""

from tests.analysis.rules.golden.case import EOF, PLAIN, RESET, TIMEOUT, Golden, works
from tests.analysis.rules.golden.record import ELSEWHERE, HOME, SITE, Web

SECURE = f"https://{SITE}/"
MOVED = {"Location": SECURE}
DENIED = "<html><head><title>No entry</title></head><body>Not here.</body></html>"


def moved() -> Web:
    """The site redirects everyone from plain HTTP to TLS, of which the record has only the request."""
    return Web(PLAIN).lookup(HOME).connect(port=80).helper().fetch(code=301, body="", headers=MOVED)


OLDER_SOUND = [
    Golden(
        "an expired certificate, told by an old helper",
        Web()
        .lookup(HOME)
        .connect()
        .shake(failure="ssl_invalid_certificate")
        .helper(page="unknown_error")
        .older(),
        ("down tls server.down",),
    ),
    Golden(
        "an expired certificate, in Go's words",
        Web()
        .lookup(HOME)
        .connect()
        .fetch(failure="unknown_failure: x509: certificate has expired or is not yet valid")
        .helper(page="unknown_error")
        .older(),
        ("down http server.down",),
    ),
    Golden(
        "a server that cuts handshakes for everybody, told by an old helper",
        Web().lookup(HOME).connect().shake(failure=RESET).helper(page=RESET).older(),
        ("down tls server.down",),
    ),
    Golden(
        "no helper, and a request that is cut",
        Web(PLAIN)
        .lookup(HOME)
        .connect(port=80)
        .fetch(SECURE, failure=RESET)
        .no_helper("json_parse_error")
        .older(),
    ),
    Golden(
        "the resolver is in trouble",
        Web()
        .lookup(failure="dns_server_misbehaving")
        .fetch(failure="dns_server_misbehaving")
        .helper()
        .older(),
    ),
    Golden(
        "one address of two is silent and no lookup was recorded",
        Web()
        .lookup(HOME, "104.16.1.2")
        .connect()
        .connect("104.16.1.2", failure=TIMEOUT)
        .shake()
        .fetch()
        .helper()
        .older()
        .without("queries"),
    ),
    Golden("a page of which the status is missing", works(PLAIN).fetch(code=0, body=DENIED, headers={})),
    Golden(
        "a redirect to a name that leads nowhere for anybody",
        Web(PLAIN)
        .lookup(HOME)
        .connect(port=80)
        .fetch(code=302, body="", headers={"Location": "http://old.example/"})
        .lookup("127.0.0.1", host="old.example")
        .helper(page="connection_refused"),
    ),
    Golden(
        "a test for robots without a word of its sender",
        works(PLAIN).fetch(body="<title>Verify you are human</title>tick the box", headers={}),
    ),
]

OLDER_BLOCKED = [
    Golden(
        "another page in clear",
        works(PLAIN).fetch(body="<title>Web Access Blocked</title>by regulation", headers={}).older(),
        ("blocked http http.blockpage.unknown",),
    ),
    Golden(
        "a connection that Twisted waited for in vain",
        Web(PLAIN).lookup(HOME).connect(port=80, failure="tcp_timed_out_error").helper().older(),
        ("blocked tcp tcp.timeout",),
    ),
    Golden(
        "a reset on the name, and the request that met it",
        Web().lookup(HOME).connect().shake(failure=RESET).fetch(failure=RESET).helper().older(),
        ("blocked tls tls.reset",),
    ),
    Golden(
        "a reset on the name, of which only the request tells",
        moved().fetch(SECURE, failure=RESET).older(),
        ("blocked http tls.reset",),
    ),
    Golden(
        "silence on the name, of which only the request tells",
        moved().fetch(SECURE, failure=TIMEOUT).older(),
        ("blocked http tls.timeout",),
    ),
    Golden(
        "an end on the name, of which only the request tells",
        moved().fetch(SECURE, failure=EOF).older(),
        ("blocked http tls",),
    ),
    Golden(
        "NXDOMAIN, and the request that met it",
        Web().lookup(failure="dns_nxdomain_error").fetch(failure="dns_nxdomain_error").helper().older(),
        ("blocked dns dns.nxdomain",),
    ),
    Golden(
        "an address with another page",
        Web(PLAIN)
        .lookup(ELSEWHERE)
        .connect(ELSEWHERE, port=80)
        .fetch(body=DENIED, headers={})
        .helper()
        .older(),
        ("blocked dns dns.injection.other",),
    ),
    Golden(
        "a page in place of the site's, from an unknown address",
        works(PLAIN).fetch(body=DENIED, headers={}).older(),
        ("blocked http http.blockpage.unknown",),
    ),
]
