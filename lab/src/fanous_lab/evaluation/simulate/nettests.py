"""Nettests: df-000 records of OONI's web_connectivity 0.5 and of its messenger tests.

Raw facts only: the fields in which a real probe gives its own opinion (``blocking``, ``accessible``) are
null, so that an event must be found from the facts.

Messenger tests (telegram, whatsapp, facebook_messenger) carry no control. facebook_messenger only looks names
up and connects, so a censor who waits for the name in a ClientHello is invisible to it; a resolver that lies
is not.
"""

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

from fanous_lab.evaluation.simulate.records import (
    FACEBOOK,
    Round,
    Row,
    SimulatedPage,
    SimulatedProbe,
    StepLists,
    answer,
    endpoint,
    envelope,
    response,
)

TIMEOUT = 10.0
"""Seconds after which a probe gives up on a step."""

TIMED_OUT, RESET, REFUSED = "generic_timeout_error", "connection_reset", "connection_refused"
BOGON = "10.10.34.36"
PORTAL = "10.5.50.1"
ORDINARY_KBPS = 9_000.0
READS = 16
"""Reads in which a slowed page trickles in; a real record has more, of a kilobyte and a half each."""


class Fate(StrEnum):
    """What becomes of one measurement."""

    FINE = "fine"
    DNS_BOGON = "dns_bogon"
    TCP_TIMEOUT = "tcp_timeout"
    TLS_RESET = "tls_reset"
    TLS_TIMEOUT = "tls_timeout"
    THROTTLED = "throttled"
    HTTP_TIMEOUT = "http_timeout"
    PORTAL = "portal"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class SimulatedVisit:
    """One page opened by one probe.

    Attributes:
        began: unix seconds, UTC.
        control: did the outside helper answer?
        kbps: rate of a throttled transfer.
    """

    page: SimulatedPage
    of: Round
    began: float
    fate: Fate = Fate.FINE
    control: bool = True
    kbps: float = 130.0


def web_measurement(visit: SimulatedVisit, chance: Random) -> dict[str, Any]:
    """The record, ready for ``json.dumps``."""
    steps = StepLists(now=0.001)
    addresses = _look_up(steps, visit, chance)
    got_page = False
    for ip in addresses:
        got_page |= _try_endpoint(steps, visit, ip, chance, fetch=not got_page)
    control_fails = None if visit.control and visit.fate is not Fate.PORTAL else TIMED_OUT
    record = envelope(visit.of, "web_connectivity", "0.5.28", visit.began, steps.now, chance)
    return {
        **record,
        "input": visit.page.url,
        "test_helpers": {"backend": {"address": "https://0.th.ooni.org", "type": "https"}},
        "test_keys": {
            "agent": "redirect",
            "client_resolver": "",
            "retries": None,
            "socksproxy": None,
            "network_events": steps.events,
            "queries": steps.queries,
            "requests": steps.requests,
            "tcp_connect": steps.connects,
            "tls_handshakes": steps.handshakes,
            "x_control_request": {
                "http_request": visit.page.url,
                "tcp_connect": [endpoint(ip, 443) for ip in addresses],
                "x_quic_enabled": False,
            },
            "control": {} if control_fails else _control(visit, addresses),
            "control_failure": control_fails,
            "dns_experiment_failure": None,
            "dns_consistency": None,
            "http_experiment_failure": None,
            "blocking": None,
            "accessible": None,
        },
    }


def _look_up(steps: StepLists, visit: SimulatedVisit, chance: Random) -> list[str]:
    """Ask the provider's resolver, a public one over UDP, and one over HTTPS; all addresses, each once."""
    page, rtt = visit.page, _rtt(visit.of.probe, chance)
    forged = {Fate.DNS_BOGON: BOGON, Fate.PORTAL: PORTAL}.get(visit.fate)
    true = [answer(ip, page.asn, page.org) for ip in page.addresses]
    answers = [answer(forged, 0, "")] if forged else true
    steps.lookup(page.host, answers, engine="getaddrinfo", resolver="", kind="ANY", took=rtt / 3)
    cut = TIMED_OUT if visit.fate is Fate.PORTAL else None
    for engine, resolver in (("udp", "8.8.8.8:53"), ("doh", "https://dns.google/dns-query")):
        for kind, key in (("A", "ipv4"), ("AAAA", "ipv6")):
            rows = [] if cut else [row for row in true if key in row]
            failure = cut or (None if rows else "dns_no_answer")
            took = 5.0 if cut else rtt / 2
            steps.lookup(
                page.host, rows, engine=engine, resolver=resolver, kind=kind, took=took, failure=failure
            )
    first = [forged] if forged else []
    return first if cut else [*first, *page.addresses]


def _try_endpoint(steps: StepLists, visit: SimulatedVisit, ip: str, chance: Random, *, fetch: bool) -> bool:
    """Connect, shake hands, and open the page if ``fetch``; whether a page was asked for."""
    fate, rtt = visit.fate, _rtt(visit.of.probe, chance)
    if ":" in ip and not visit.of.probe.ipv6:
        steps.connect(ip, 443, 0.0001, "network_unreachable")
        return False
    if ip == BOGON or fate is Fate.TCP_TIMEOUT:
        steps.connect(ip, 443, TIMEOUT, TIMED_OUT)
        return False
    if fate is Fate.DOWN:
        steps.connect(ip, 443, rtt, REFUSED)
        return False
    steps.connect(ip, 443, rtt)
    failure, took, received = {
        Fate.TLS_RESET: (RESET, rtt * 1.1, 0),
        Fate.TLS_TIMEOUT: (TIMED_OUT, TIMEOUT, 0),
        Fate.PORTAL: ("ssl_invalid_hostname", rtt * 2, 1_480),
    }.get(fate, (None, rtt * (2 + chance.random() / 2), 4_380))
    steps.handshake(ip, visit.page.host, took, failure, received)
    if failure is None and fetch:
        _open_page(steps, visit, ip, rtt)
        return True
    return False


def _open_page(steps: StepLists, visit: SimulatedVisit, ip: str, rtt: float) -> None:
    page, began = visit.page, steps.now
    headers = {"Content-Type": "text/html; charset=utf-8"} | ({"Server": page.server} if page.server else {})
    if visit.fate is Fate.HTTP_TIMEOUT:
        steps.now += TIMEOUT
        steps.request(page.url, page.host, ip, 443, began, response(0, {}, "", truncated=False), TIMED_OUT)
        return
    slow = visit.fate is Fate.THROTTLED
    size, rate = page.size, visit.kbps if slow else ORDINARY_KBPS
    whole = size * 8 / (rate * 1000)
    taken = min(whole, TIMEOUT - rtt)
    cut_short = whole > taken
    arrived = int(size * taken / whole) if cut_short else size
    reads = READS if slow else 2
    steps.now += rtt
    steps.trickle(ip, 443, [(taken / reads, -(-arrived // reads))] * reads)
    failure = TIMED_OUT if cut_short else None
    body = "" if failure else page.html()
    steps.request(
        page.url, page.host, ip, 443, began, response(page.status, headers, body, truncated=True), failure
    )


def _control(visit: SimulatedVisit, addresses: list[str]) -> Row:
    """What the helper outside saw at the same moment."""
    page, down = visit.page, visit.fate is Fate.DOWN
    endpoints = [endpoint(ip, 443) for ip in addresses]
    failures = [_helper_failure(ip, down) for ip in addresses]
    connected = zip(endpoints, failures, strict=True)
    shaken = [name for name, failure in zip(endpoints, failures, strict=True) if failure is None]
    return {
        "tcp_connect": {name: {"status": not failure, "failure": failure} for name, failure in connected},
        "tls_handshake": {
            name: {"server_name": page.host, "status": True, "failure": None} for name in shaken
        },
        "quic_handshake": {},
        "http_request": {
            "body_length": -1 if down else page.size,
            "discovered_h3_endpoint": "",
            "failure": f"{REFUSED}_error" if down else None,
            "title": "" if down else page.title,
            "headers": {} if down else {"Content-Type": "text/html; charset=utf-8"},
            "status_code": -1 if down else 200,
        },
        "http3_request": None,
        "dns": {"failure": None, "addrs": list(page.addresses)},
        "ip_info": {ip: {"asn": page.asn if ip in page.addresses else 0, "flags": 11} for ip in addresses},
    }


def _helper_failure(ip: str, down: bool) -> str | None:
    if ip in (BOGON, PORTAL):
        return TIMED_OUT
    return f"{REFUSED}_error" if down else None


def _rtt(probe: SimulatedProbe, chance: Random) -> float:
    """Seconds there and back: the network's, and a queue's worth more."""
    return probe.network.rtt * (0.9 + chance.expovariate(4.0))


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
        answers = [answer(ip, 16509, "Amazon.com, Inc.")]
        steps.lookup(host, answers, engine="system", resolver="", kind="A", took=rtt / 3)
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
        answers = [answer(ip, 0 if lied_to else FACEBOOK.asn, FACEBOOK.org)]
        steps.lookup(host, answers, engine="system", resolver="", kind="A", took=rtt / 3)
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
    answers = [answer(ip, page.asn, page.org)]
    steps.lookup(page.host, answers, engine="system", resolver="", kind="A", took=rtt / 3)
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
