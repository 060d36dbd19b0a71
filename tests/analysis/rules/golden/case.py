"""Case: one whole measurement with the verdict that a careful reader would give, and how cases begin."""

from dataclasses import dataclass

from tests.analysis.rules.golden.record import HOME, SITE, Web

TIMEOUT, RESET, EOF = "generic_timeout_error", "connection_reset", "eof_error"
PLAIN = f"http://{SITE}/"
FRONT = "sho.rt"
FRONT_URL = f"https://{FRONT}/1"


@dataclass(frozen=True)
class Golden:
    """One case.

    Attributes:
        findings: ``state layer mechanism`` of all that is blocked, throttled or down; empty = none.
    """

    name: str
    web: Web
    findings: tuple[str, ...] = ()


def works(url: str = f"https://{SITE}/") -> Web:
    """Everything up to the request worked."""
    web = Web(url).lookup(HOME)
    return web.connect().shake().helper() if url.startswith("https:") else web.connect(port=80).helper()


def front() -> Web:
    """A short link on a separate host, which the helper followed to the site."""
    web = Web(FRONT_URL).lookup("104.16.9.9", host=FRONT).connect("104.16.9.9").shake("104.16.9.9", FRONT)
    web.helper("104.16.9.9", connects={"104.16.9.9:443": None}, handshakes={"104.16.9.9:443": None})
    moved = {"Location": f"https://{SITE}/"}
    return web.fetch(ip="104.16.9.9", code=301, body="", headers=moved).lookup(HOME)


def forged(*ips: str, doh: bool = True) -> Web:
    """The provider's resolver and a public one over UDP give ``ips``; one over HTTPS tells the truth."""
    web = Web().lookup(*ips).lookup(*ips, engine="udp")
    return web.lookup(HOME, engine="doh") if doh else web
