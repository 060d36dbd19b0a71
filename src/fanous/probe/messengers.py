"""Messengers: the endpoints that the apps themselves talk to, as OONI's nettests with their documented keys.

To add an app: its function, which tries the endpoints and returns the nettest's own keys, and its line in
``MESSENGERS``; an app that no nettest of OONI's has tested so far also needs its line in ``PLATFORMS``
(``sources.ooni.nettests``), and says so.  The statuses that OONI's keys require only restate the steps recorded next to
them; no conclusion rests on them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ssl import SSLContext
from urllib.parse import urlsplit

from fanous.probe import dns, http, tcp
from fanous.probe.endpoint import open_site, to_try
from fanous.probe.net.network import Network
from fanous.probe.net.tls import client_context
from fanous.probe.settings import Settings
from fanous.probe.trace import Entry, ProbeVantage, Trace, envelope, steps
from fanous.refdata.platforms import platform_of_ip
from fanous.sources.ooni.nettests import PLATFORMS

Try = Callable[[Trace, Settings], Awaitable[Entry]]
"""Tries the app's endpoints; returns the nettest's own keys."""


@dataclass(frozen=True, slots=True)
class Messenger:
    """One nettest.

    Attributes:
        test_name, test_version: OONI's, whose keys these are.

    Raises:
        ValueError: its measurements would not be judged.
    """

    test_name: str
    test_version: str
    attempt: Try

    def __post_init__(self) -> None:
        if self.test_name not in PLATFORMS:
            raise ValueError(
                f"{self.test_name} has no line in PLATFORMS (sources/ooni/nettests.py), which says whose app it is"
            )


async def record_of(
    network: Network, settings: Settings, messenger: Messenger, vantage: ProbeVantage
) -> Entry:
    """The measurement, as far as it got in ``endpoint_seconds``."""
    trace, keys = Trace(network), Entry()
    trace.until = network.now() + settings.endpoint_seconds
    try:
        async with asyncio.timeout(settings.endpoint_seconds):
            keys = await messenger.attempt(trace, settings)
    except TimeoutError:
        pass  # the steps are the measurement; what they amount to is left open
    finally:
        trace.close()
    shared = steps(trace) | {"failure": None, "failed_operation": None}
    return envelope(messenger.test_name, messenger.test_version, "", trace, vantage, shared | keys)


async def connects(trace: Trace, settings: Settings, ip: str, port: int) -> bool:
    """Can a connection be made?  It is closed again at once."""
    stream = await tcp.retried_connect(trace, settings, ip, port)
    if stream is None:
        return False
    stream.close()
    return True


async def host_connects(trace: Trace, settings: Settings, host: str, ports: tuple[int, ...]) -> bool | None:
    """Look ``host`` up and connect to its first address; ``None`` = it has none, so nothing was tried."""
    found = await dns.by_system(trace, settings, host)
    addresses = to_try(trace, settings, host, found, ipv6=False)[:1]
    if not addresses:
        return None
    reached = await asyncio.gather(*(connects(trace, settings, addresses[0], port) for port in ports))
    return any(reached)


async def page_fails(
    trace: Trace, settings: Settings, url: str, context: SSLContext | None = None
) -> str | None:
    """df-007 of what kept us from the page; ``None`` = a response arrived.

    Args:
        context: for TLS, if the site's certificate authority is not a public one.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    found = await dns.by_system(trace, settings, host)
    for ip in to_try(trace, settings, host, found, ipv6=False):
        opened = await open_site(trace, settings, parts, ip, control=False, context=context)
        if opened is not None:
            where = (opened.ip, opened.transaction, opened.protocol)
            return (await http.get(trace, settings, opened.stream, url, *where)).failure
    return _last_failure(trace, host)


def _last_failure(trace: Trace, host: str) -> str:
    for handshake in reversed(trace.tls_handshakes):
        if handshake["server_name"] == host:
            return str(handshake["failure"])
    own = [query for query in trace.queries if query["hostname"] == host]
    answers = {answer.get("ipv4") for query in own for answer in query["answers"]}
    for connect in reversed(trace.tcp_connect):
        if connect["ip"] in answers:
            return str(connect["status"]["failure"])
    return str(own[-1]["failure"] or "dns_no_answer") if own else "dns_no_answer"


def status(failure: str | None) -> str:
    """In the form of OONI's keys."""
    return "ok" if failure is None else "blocked"


# --- WhatsApp ----------------------------------------------------------------------------------------------

WHATSAPP_HOSTS = tuple(f"e{number}.whatsapp.net" for number in range(1, 17))
WHATSAPP_PORTS = (443, 5222)
WHATSAPP_REGISTRATION = "https://v.whatsapp.net/v2/register"
WHATSAPP_WEB = "https://web.whatsapp.com/"


async def _whatsapp(trace: Trace, settings: Settings) -> Entry:
    """WhatsApp (ooni/spec ts-018): sixteen chat hosts on two ports, registration, and the web client."""
    chat = [host_connects(trace, settings, host, WHATSAPP_PORTS) for host in WHATSAPP_HOSTS]
    pages = [page_fails(trace, settings, url) for url in (WHATSAPP_REGISTRATION, WHATSAPP_WEB)]
    reached, (registration, web) = await asyncio.gather(asyncio.gather(*chat), asyncio.gather(*pages))
    return {
        "whatsapp_endpoints_status": "ok" if any(reached) else "blocked",
        "whatsapp_endpoints_blocked": [
            host for host, is_reached in zip(WHATSAPP_HOSTS, reached, strict=True) if not is_reached
        ],
        "whatsapp_endpoints_dns_inconsistent": [],
        "registration_server_status": status(registration),
        "registration_server_failure": registration,
        "whatsapp_web_status": status(web),
        "whatsapp_web_failure": web,
    }


# --- Telegram ----------------------------------------------------------------------------------------------

TELEGRAM_CENTRES = (
    *("149.154.175.50", "149.154.167.51", "149.154.175.100"),
    *("149.154.167.91", "149.154.171.5", "95.161.76.100"),
)
TELEGRAM_PORTS = (80, 443)
TELEGRAM_WEB = "https://web.telegram.org/"


async def _telegram(trace: Trace, settings: Settings) -> Entry:
    """Telegram (ooni/spec ts-020): its data centres by address over plain HTTP, and the web client."""
    urls = [
        f"http://{ip}/" if port == 80 else f"http://{ip}:{port}/"
        for ip in TELEGRAM_CENTRES
        for port in TELEGRAM_PORTS
    ]
    posts = asyncio.gather(*(_telegram_post(trace, settings, url) for url in urls))
    answered, web = await asyncio.gather(posts, page_fails(trace, settings, TELEGRAM_WEB))
    made = any(
        connect["status"]["success"] for connect in trace.tcp_connect if connect["ip"] in TELEGRAM_CENTRES
    )
    return {
        "telegram_tcp_blocking": not made,
        "telegram_http_blocking": not any(answered),
        "telegram_web_status": status(web),
        "telegram_web_failure": web,
    }


async def _telegram_post(trace: Trace, settings: Settings, url: str) -> bool:
    """Does the data centre answer?  It says 501 to everyone."""
    parts = urlsplit(url)
    opened = await open_site(trace, settings, parts, parts.hostname or "", control=False)
    if opened is None:
        return False
    page = await http.get(trace, settings, opened.stream, url, opened.ip, opened.transaction, method="POST")
    return page.failure is None


# --- Facebook Messenger ------------------------------------------------------------------------------------

FACEBOOK_STUN = "stun.fbsbx.com"
"""Only looked up, because it speaks UDP."""

FACEBOOK_HOSTS = {
    "b_api": "b-api.facebook.com",
    "b_graph": "b-graph.facebook.com",
    "edge": "edge-mqtt.facebook.com",
    "external_cdn": "external.xx.fbcdn.net",
    "scontent_cdn": "scontent.xx.fbcdn.net",
    "star": "star.c10r.facebook.com",
}
"""Name in the keys -> host."""

FACEBOOK_PORTS = (443,)


async def _facebook(trace: Trace, settings: Settings) -> Entry:
    """Facebook Messenger (ooni/spec ts-019): its hosts looked up, and connected to.

    An address is Meta's if it is in a range that Meta announces; ``None`` in ``..._dns_consistent`` = the name
    has someone else's address, which may be a cache inside the provider's network.
    """
    made, _ = await asyncio.gather(
        asyncio.gather(
            *(host_connects(trace, settings, host, FACEBOOK_PORTS) for host in FACEBOOK_HOSTS.values())
        ),
        dns.by_system(trace, settings, FACEBOOK_STUN),
    )
    keys: Entry = {
        "facebook_stun_dns_consistent": _is_metas(trace, FACEBOOK_STUN),
        "facebook_stun_reachable": None,
    }
    for (name, host), reached in zip(FACEBOOK_HOSTS.items(), made, strict=True):
        keys[f"facebook_{name}_dns_consistent"] = _is_metas(trace, host)
        keys[f"facebook_{name}_reachable"] = reached
    consistent = [value for key, value in keys.items() if key.endswith("_consistent")]
    return keys | {"facebook_dns_blocking": False in consistent, "facebook_tcp_blocking": False in made}


def _is_metas(trace: Trace, host: str) -> bool | None:
    own = [query for query in trace.queries if query["hostname"] == host]
    found = [answer.get("ipv4") or answer["ipv6"] for query in own for answer in query["answers"]]
    if not found:
        return False
    return True if any(platform_of_ip(ip) == "facebook" for ip in found) else None


# --- Signal ------------------------------------------------------------------------------------------------

SIGNAL_SERVERS = (
    *("https://cdsi.signal.org/", "https://chat.signal.org/"),
    *("https://sfu.voip.signal.org/", "https://storage.signal.org/"),
)
SIGNAL_UPTIME = "uptime.signal.org"
"""Its address says whether the service itself is down; looked up for readers of the record."""


async def _signal(trace: Trace, settings: Settings) -> Entry:
    """Signal (ooni/spec ts-029): the app's servers over HTTPS.

    Their certificates come from Signal's own authority, which is in no public list.  If the settings name its PEM
    file (``signal_ca_file``) they are verified, otherwise only recorded (``no_tls_verify``).
    """
    authority = settings.signal_ca_file
    context = client_context(("h2", "http/1.1"), authority, verify=bool(authority))
    tried = asyncio.gather(*(page_fails(trace, settings, url, context) for url in SIGNAL_SERVERS))
    failures, _ = await asyncio.gather(tried, dns.by_system(trace, settings, SIGNAL_UPTIME))
    failure = next((failed for failed in failures if failed is not None), None)
    return {"signal_backend_status": status(failure), "signal_backend_failure": failure}


MESSENGERS: dict[str, Messenger] = {
    one.test_name: one
    for one in (
        Messenger("whatsapp", "0.11.0", _whatsapp),
        Messenger("telegram", "0.3.1", _telegram),
        Messenger("facebook_messenger", "0.2.1", _facebook),
        Messenger("signal", "0.2.5", _signal),
    )
}
"""Name of the nettest -> what it tries."""
