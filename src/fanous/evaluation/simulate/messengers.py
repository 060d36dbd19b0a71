"""Messengers: df-000 records of OONI's telegram, whatsapp and facebook_messenger nettests.

They carry no control.  facebook_messenger only looks names up and connects, so a censor who waits for the
name in a ClientHello is invisible to it; a resolver that lies is not.
"""

from random import Random
from typing import Any

from fanous.evaluation.simulate.envelope import Round, envelope
from fanous.evaluation.simulate.pages import FACEBOOK, SimulatedPage
from fanous.evaluation.simulate.steps import StepLists, answer, response
from fanous.evaluation.simulate.web_connectivity import BOGON, TIMED_OUT, TIMEOUT

TELEGRAM = SimulatedPage(
    "https://web.telegram.org/", "web.telegram.org", ("149.154.167.99",), (), 62041, "Telegram Messenger Inc",
    "Telegram Web", 5_700, "nginx/1.18.0",
)  # fmt: skip
ACCESS_POINTS = (
    "149.154.175.50", "149.154.167.51", "149.154.175.100", "149.154.167.91", "149.154.171.5", "95.161.76.100",
)  # fmt: skip
"""Telegram's data centres, as OONI's nettest ts-020 lists them; each on ports 80 and 443."""

WHATSAPP = SimulatedPage(
    "https://web.whatsapp.com/", "web.whatsapp.com", ("157.240.227.60",), (), 32934, "Facebook, Inc.",
    "WhatsApp Web", 5_200, "",
)  # fmt: skip
REGISTRATION = SimulatedPage(
    "https://v.whatsapp.net/v2/register", "v.whatsapp.net", ("157.240.227.54",), (), 32934, "Facebook, Inc.",
    "", 320, "", status=400,
)  # fmt: skip
CHAT_HOSTS = tuple(f"e{number}.whatsapp.net" for number in range(1, 17))
CHAT_ADDRESSES = ("15.197.206.217", "15.197.210.208", "3.33.221.48", "3.33.252.61")

MESSENGER_HOSTS = {
    "b-api": ("b-api.facebook.com", "157.240.227.18"),
    "b-graph": ("b-graph.facebook.com", "157.240.227.18"),
    "edge": ("edge-mqtt.facebook.com", "157.240.227.19"),
    "external-cdn": ("external.xx.fbcdn.net", "157.240.227.21"),
    "scontent-cdn": ("scontent.xx.fbcdn.net", "157.240.227.22"),
    "star": ("star.c10r.facebook.com", "157.240.227.15"),
}
STRAY = 0.06
"""Share of Telegram's access points that fail in ordinary times: one in twelve or so in real records."""


def telegram_measurement(of: Round, began: float, chance: Random) -> dict[str, Any]:
    """Access points by bare address over plain HTTP, then the web client."""
    steps = StepLists(now=0.001)
    for port in (80, 443):
        for ip in ACCESS_POINTS:
            _post(steps, ip, port, of.probe.network.rtt, fails=chance.random() < STRAY)
    _browse(steps, TELEGRAM, of.probe.network.rtt)
    verdicts = {"telegram_http_blocking": None, "telegram_tcp_blocking": None}
    web = {"telegram_web_failure": None, "telegram_web_status": None}
    return _record(of, "telegram", "0.3.1", began, steps, {**verdicts, **web}, chance)


def whatsapp_measurement(of: Round, began: float, chance: Random) -> dict[str, Any]:
    """Sixteen chat hosts, the registration service, the web client."""
    steps, rtt = StepLists(now=0.001), of.probe.network.rtt
    for host in CHAT_HOSTS:
        ip = chance.choice(CHAT_ADDRESSES)
        given = [answer(ip, 16509, "Amazon.com, Inc.")]
        steps.lookup(host, given, engine="system", resolver="", kind="A", took=rtt / 3)
        steps.connect(ip, 443, rtt)
    for page in (REGISTRATION, WHATSAPP):
        _browse(steps, page, rtt)
    opinion: dict[str, Any] = {
        "registration_server_failure": None,
        "registration_server_status": None,
        "whatsapp_endpoints_blocked": [],
        "whatsapp_endpoints_dns_inconsistent": [],
        "whatsapp_endpoints_status": None,
        "whatsapp_web_failure": None,
        "whatsapp_web_status": None,
    }
    return _record(of, "whatsapp", "0.11.0", began, steps, opinion, chance)


def messenger_measurement(of: Round, began: float, chance: Random, *, lied_to: bool) -> dict[str, Any]:
    """Messenger's hosts, looked up and connected to; ``lied_to`` = the provider's resolver forges answers."""
    steps, rtt = StepLists(now=0.001), of.probe.network.rtt
    opinion: dict[str, Any] = {}
    for name, (host, true) in MESSENGER_HOSTS.items():
        ip = BOGON if lied_to else true
        given = [answer(ip, 0 if lied_to else FACEBOOK.asn, FACEBOOK.org)]
        steps.lookup(host, given, engine="system", resolver="", kind="A", took=rtt / 3)
        steps.connect(ip, 443, TIMEOUT if lied_to else rtt, TIMED_OUT if lied_to else None)
        key = name.replace("-", "_")
        opinion |= {f"facebook_{key}_dns_consistent": None, f"facebook_{key}_reachable": None}
    opinion |= {"facebook_dns_blocking": None, "facebook_tcp_blocking": None}
    return _record(of, "facebook_messenger", "0.2.1", began, steps, opinion, chance)


def _post(steps: StepLists, ip: str, port: int, rtt: float, *, fails: bool) -> None:
    began = steps.now
    url = f"http://{ip}/" if port == 80 else f"http://{ip}:{port}/"
    if fails:
        steps.connect(ip, port, TIMEOUT, TIMED_OUT)
        steps.request(url, ip, ip, port, began, response(0, {}, "", truncated=False), TIMED_OUT)
        return
    steps.connect(ip, port, rtt)
    steps.trickle(ip, port, [(rtt, 324)])
    page = "<html><head><title>501 Not Implemented</title></head></html>"
    reply = response(501, {"Server": "nginx/0.3.33", "Content-Type": "text/html"}, page, truncated=False)
    steps.request(url, ip, ip, port, began, reply, None)


def _browse(steps: StepLists, page: SimulatedPage, rtt: float) -> None:
    ip = page.v4[0]
    given = [answer(ip, page.asn, page.org)]
    steps.lookup(page.host, given, engine="system", resolver="", kind="A", took=rtt / 3)
    steps.connect(ip, 443, rtt)
    steps.handshake(ip, page.host, rtt * 2, None, 4_380)
    began = steps.now
    steps.trickle(ip, 443, [(rtt, page.size)])
    reply = response(page.status, {"Content-Type": "text/html"}, page.html(), truncated=True)
    steps.request(page.url, page.host, ip, 443, began, reply, None)


def _record(
    of: Round,
    test_name: str,
    version: str,
    began: float,
    steps: StepLists,
    opinion: dict[str, Any],
    chance: Random,
) -> dict[str, Any]:
    record = envelope(of, test_name, version, began, steps.now, chance)
    return {
        **record,
        "input": None,
        "test_keys": {
            "agent": "redirect",
            "failed_operation": None,
            "failure": None,
            "network_events": [],
            "queries": steps.queries,
            "requests": steps.requests,
            "tcp_connect": steps.connects,
            "tls_handshakes": steps.handshakes,
            **opinion,
        },
    }
