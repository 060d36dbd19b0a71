"""Records: generated probes on their networks, with small defects, and df-000 records of what they measure.

An organisation's probe keeps to a schedule, a volunteer's runs when its owner's day allows: at random, and less at
night.

Steps are given field by field as OONI's data formats df-001 (http), df-002 (dns), df-005 (tcp), df-006 (tls) and
df-008 (network events) have them; ``t0`` and ``t`` are seconds since the measurement began.

Addresses are the platforms' own, so that a reader of the file sees nothing that could not be real.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from random import Random
from string import ascii_letters, digits
from typing import Any


class Keeper(StrEnum):
    """Who runs a probe, and so how often it measures."""

    OPERATOR = "operator"
    VOLUNTEER = "volunteer"


class Flaw(StrEnum):
    """Defects of a probe that are not interference."""

    NONE = "none"
    VPN = "vpn"
    """Its user tunnels out of the country."""
    PORTAL = "portal"
    """It sits behind a login page for a while."""
    LOSSY = "lossy"
    """A bad line: failures ten times as often, in bursts."""


@dataclass(frozen=True, slots=True)
class SimulatedNetwork:
    """One provider, as a probe's record names it."""

    country: str
    asn: int
    name: str
    mobile: bool
    resolver_ip: str
    rtt: float
    """Seconds to a server abroad and back."""
    vantage_points: int = 0
    volunteers: int = 2


@dataclass(frozen=True, slots=True)
class SimulatedProbe:
    """One device.

    Attributes:
        number: unique within the file.
        ipv6: does its network carry IPv6?
    """

    number: int
    network: SimulatedNetwork
    keeper: Keeper
    ipv6: bool
    flaw: Flaw = Flaw.NONE


PAKISTAN = (
    SimulatedNetwork(
        "PK", 45669, "Mobilink GSM, Pakistan Mobile Communication Ltd.", True, "119.160.80.164", 0.14, 1, 3
    ),
    SimulatedNetwork("PK", 59257, "CMPak Limited", True, "111.119.187.1", 0.15, 1, 3),
    SimulatedNetwork("PK", 24499, "Telenor Pakistan (Pvt) Ltd", True, "119.153.128.1", 0.16, 0, 4),
    SimulatedNetwork("PK", 56167, "PTML", True, "119.152.0.1", 0.15, 0, 4),
    SimulatedNetwork(
        "PK", 17557, "Pakistan Telecommunication company limited", False, "119.159.255.36", 0.12, 1, 4
    ),
    SimulatedNetwork(
        "PK", 9541, "Cyber Internet Services (Private) Limited", False, "203.101.160.1", 0.12, 1, 3
    ),
    SimulatedNetwork("PK", 23674, "Nayatel (Pvt) Ltd", False, "203.82.48.3", 0.11, 1, 2),
    SimulatedNetwork("PK", 38193, "TRANSWORLD ASSOCIATES (PVT) LIMITED", False, "119.63.132.2", 0.11, 0, 3),
    SimulatedNetwork("PK", 38264, "Wateen Telecom Limited", False, "58.27.197.1", 0.13, 0, 3),
)

ELSEWHERE = (
    SimulatedNetwork("IN", 55836, "Reliance Jio Infocomm Limited", True, "49.45.0.1", 0.05, 0, 2),
    SimulatedNetwork("IN", 24560, "Bharti Airtel Ltd., Telemedia Services", False, "122.160.0.1", 0.04, 0, 2),
    SimulatedNetwork(
        "AE", 5384, "EMIRATES TELECOMMUNICATIONS GROUP COMPANY", False, "213.42.20.20", 0.03, 0, 2
    ),
)
"""Neighbouring countries, in which the platforms work."""


Span = tuple[float, float]
"""``[start, end)`` in unix seconds."""

ORDINARY = 3 * 3600.0
"""Seconds between rounds of an organisation's probe in ordinary times."""

WATCHING = 1200.0
"""Seconds between rounds while an announced event is watched."""

A_DAY = 2.0
"""Rounds of a volunteer's probe in an ordinary day."""

CURIOUS = 6.0
"""How many times more often volunteers measure while their apps do not work (they run it by hand)."""

NIGHT_UTC = (20, 3)
"""Hours between which hardly any device is awake: 1 to 8 in the morning in Karachi."""

AWAKE_AT_NIGHT = 0.3


def rounds_of(
    probe: SimulatedProbe, window: Span, watch: Span, trouble: Span | None, chance: Random
) -> Iterator[float]:
    """Unix seconds within ``window`` at which the probe begins a round, ascending.

    Args:
        watch: when an organisation's probes measure more often.
        trouble: when apps do not work for the probe's owner; ``None`` = never.
    """
    since, until = window
    if probe.keeper is Keeper.OPERATOR:
        yield from _by_the_clock(since + probe.number * 97 % 1200, until, watch, chance)
    else:
        yield from _by_chance(since, until, trouble or (until, until), chance)


def _by_the_clock(at: float, until: float, watch: Span, chance: Random) -> Iterator[float]:
    while at < until:
        yield at + chance.uniform(0, 30)
        within = watch[0] <= at + WATCHING <= watch[1]
        at += WATCHING if within else ORDINARY


def _by_chance(at: float, until: float, trouble: Span, chance: Random) -> Iterator[float]:
    """Rounds drawn at the highest rate, then thinned to the rate of the moment."""
    while (at := at + chance.expovariate(A_DAY * CURIOUS / 86_400)) < until:
        hour = at % 86_400 / 3600
        asleep = hour >= NIGHT_UTC[0] or hour < NIGHT_UTC[1]
        share = 1.0 if trouble[0] <= at < trouble[1] else 1 / CURIOUS
        if chance.random() < share * (AWAKE_AT_NIGHT if asleep else 1.0):
            yield at


HELLO = 517
"""Bytes of a ClientHello."""

TAGS = ["depth=0"]
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/119.0.0.0 Safari/537.3"

Row = dict[str, Any]


@dataclass(slots=True)
class StepLists:
    """What one measurement has recorded so far, and the time in it."""

    now: float = 0.0
    queries: list[Row] = field(default_factory=list)
    connects: list[Row] = field(default_factory=list)
    handshakes: list[Row] = field(default_factory=list)
    requests: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    transaction: int = 0

    def lookup(
        self, host: str, answers: list[Row], *, engine: str, resolver: str, kind: str, took: float,
        failure: str | None = None,
    ) -> None:  # fmt: skip
        """One DNS query; ``answers`` are rows of df-002."""
        began, self.now = self.now, self.now + took
        self.queries.append(
            {
                "answers": answers or None,
                "engine": engine,
                "failure": failure,
                "hostname": host,
                "query_type": kind,
                "resolver_hostname": None,
                "resolver_port": None,
                "resolver_address": resolver,
                **self._times(began),
            }
        )

    def connect(self, ip: str, port: int, took: float, failure: str | None = None) -> None:
        """One TCP connection, in a transaction of its own."""
        self.transaction += 1
        began, self.now = self.now, self.now + took
        self.connects.append(
            {"ip": ip, "port": port, "status": {"failure": failure, "success": failure is None}}
            | self._times(began)
        )
        self._event("connect", began, address=endpoint(ip, port), proto="tcp", failure=failure)

    def handshake(
        self, ip: str, host: str, took: float, failure: str | None = None, received: int = 0
    ) -> None:
        """One TLS handshake on the connection just made; ``received`` bytes came before it ended."""
        began, address = self.now, endpoint(ip, 443)
        self._event("tls_handshake_start", began)
        self._event("write", began, address=address, num_bytes=HELLO, proto="tcp")
        self.now += took
        if received:
            self._event("read", began + took / 2, address=address, num_bytes=received, proto="tcp")
        if failure and failure != "ssl_invalid_hostname":
            self._event("read", began, address=address, proto="tcp", failure=failure)
        self._event("tls_handshake_done", self.now, failure=failure)
        done = failure is None
        self.handshakes.append(
            {
                "network": "tcp",
                "address": address,
                "cipher_suite": "TLS_AES_128_GCM_SHA256" if done else "",
                "failure": failure,
                "negotiated_protocol": "h2" if done else "",
                "no_tls_verify": False,
                "peer_certificates": [],
                "server_name": host,
                "tls_version": "TLSv1.3" if done else "",
                **self._times(began),
            }
        )

    def trickle(self, ip: str, port: int, reads: list[tuple[float, int]]) -> None:
        """Bytes that came in, as (seconds to wait, bytes)."""
        for wait, size in reads:
            began, self.now = self.now, self.now + wait
            self._event("read", began, address=endpoint(ip, port), num_bytes=size, proto="tcp")

    def request(
        self, url: str, host: str, ip: str, port: int, began: float, response: Row, failure: str | None
    ) -> None:
        """One HTTP exchange that began at ``began`` and ends now; the newest comes first."""
        self._event("http_transaction_start", began)
        self._event("http_transaction_done", self.now, failure=failure)
        headers = {"Accept": "*/*", "Accept-Language": "en-US,en;q=0.9", "Host": host, "User-Agent": AGENT}
        self.requests.insert(
            0,
            {
                "network": "tcp",
                "address": endpoint(ip, port),
                "alpn": "h2" if port == 443 else "",
                "failure": failure,
                "request": {
                    "body": "",
                    "body_is_truncated": False,
                    "headers_list": [[name, value] for name, value in headers.items()],
                    "headers": headers,
                    "method": "GET",
                    "tor": {"exit_ip": None, "exit_name": None, "is_tor": False},
                    "x_transport": "tcp",
                    "url": url,
                },
                "response": response,
                **self._times(began),
            },
        )

    def _event(self, operation: str, began: float, failure: str | None = None, **more: Any) -> None:
        times = {name: value for name, value in self._times(began).items() if name != "tags"}
        self.events.append({"failure": failure, "operation": operation, **more, **times})

    def _times(self, began: float) -> Row:
        return {
            "t0": round(began, 6),
            "t": round(max(began, self.now), 6),
            "tags": TAGS,
            "transaction_id": self.transaction,
        }


def endpoint(ip: str, port: int) -> str:
    """``1.2.3.4:443``, ``[2001:db8::1]:443``."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def answer(ip: str, asn: int, org: str) -> Row:
    """One address in a DNS answer."""
    kind, key = ("AAAA", "ipv6") if ":" in ip else ("A", "ipv4")
    named = {"asn": asn, "as_org_name": org} if asn else {}
    return {**named, "answer_type": kind, key: ip, "ttl": None}


def response(status: int, headers: dict[str, str], body: str, *, truncated: bool) -> Row:
    """One HTTP response of df-001; status 0 = none came."""
    return {
        "body": body,
        "body_is_truncated": truncated,
        "code": status,
        "headers_list": [[name, value] for name, value in headers.items()],
        "headers": headers,
    }


SOFTWARE = "fanous-generator"
MARK = {"synthetic": "fanous"}
"""Goes into the annotations of every generated record, so that none is ever taken for a real one."""


@dataclass(frozen=True, slots=True)
class Round:
    """One run of a probe: what it measures one after the other, under one report for each nettest.

    Attributes:
        at: unix seconds, UTC.
        token: the random end of the report ids.
    """

    probe: SimulatedProbe
    at: float
    token: str


def new_round(probe: SimulatedProbe, at: float, chance: Random) -> Round:
    return Round(probe, at, "".join(chance.choices(ascii_letters + digits, k=16)))


def envelope(
    of: Round, test_name: str, version: str, began: float, took: float, chance: Random
) -> dict[str, Any]:
    """All fields but ``input`` and ``test_keys``.

    Args:
        began: unix seconds at which this measurement of the round began.
        took: seconds.
    """
    probe, network = of.probe, of.probe.network
    short, cc = test_name.replace("_", ""), network.country
    stamp, start = _utc(of.at), _utc(began)
    micro = int(began % 1 * 1e6)
    return {
        "annotations": {
            **MARK,
            "engine_name": "ooniprobe-engine",
            "engine_version": "3.20.0",
            "network_type": _network_type(probe),
            "platform": "linux" if probe.keeper is Keeper.OPERATOR else "android",
        },
        "data_format_version": "0.2.0",
        "measurement_start_time": f"{start:%Y-%m-%d %H:%M:%S}",
        "measurement_uid": f"{start:%Y%m%d%H%M%S}.{micro:06d}_{cc}_{short}_{chance.getrandbits(64):016x}",
        "probe_asn": f"AS{network.asn}",
        "probe_cc": cc,
        "probe_ip": "127.0.0.1",
        "probe_network_name": network.name,
        "report_id": f"{stamp:%Y%m%dT%H%M%SZ}_{short}_{cc}_{network.asn}_n1_{of.token}",
        "resolver_asn": f"AS{network.asn}",
        "resolver_ip": network.resolver_ip,
        "resolver_network_name": network.name,
        "software_name": SOFTWARE,
        "software_version": "1",
        "test_name": test_name,
        "test_runtime": round(took, 6),
        "test_start_time": f"{stamp:%Y-%m-%d %H:%M:%S}",
        "test_version": version,
    }


def _network_type(probe: SimulatedProbe) -> str:
    if probe.flaw is Flaw.VPN:
        return "vpn"
    if probe.keeper is Keeper.OPERATOR:
        return "wired_ethernet" if not probe.network.mobile else "mobile"
    return "mobile" if probe.network.mobile else "wifi"


def _utc(instant: float) -> datetime:
    return datetime.fromtimestamp(int(instant), UTC)


@dataclass(frozen=True, slots=True)
class SimulatedPage:
    """One input of web_connectivity.

    Attributes:
        url: the input, ``https://twitter.com/``.
        host: its host name.
        v4: IPv4 addresses, in the order of the answer.
        v6: IPv6 addresses; empty = the site has none.
        asn: origin of all addresses.
        org: whose network that is.
        title: of the page.
        size: bytes of the whole page; the generated record holds only its beginning.
        server: the ``Server`` header.
        status: what the site answers.
    """

    url: str
    host: str
    v4: tuple[str, ...]
    v6: tuple[str, ...]
    asn: int
    org: str
    title: str
    size: int
    server: str
    status: int = 200

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.v4 + self.v6

    def html(self) -> str:
        """The first bytes of the page."""
        return (
            f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{self.title}</title>'
            f'<link rel="canonical" href="{self.url}"></head><body>'
        )


X = SimulatedPage(
    "https://twitter.com/", "twitter.com", ("104.244.42.1", "104.244.42.65"), (), 13414, "Twitter Inc.",
    "X. It’s what’s happening / X", 286_204, "tsa_f",
)  # fmt: skip
FACEBOOK = SimulatedPage(
    "https://www.facebook.com/", "www.facebook.com", ("157.240.227.35",),
    ("2a03:2880:f158:81:face:b00c:0:25de",), 32934, "Facebook, Inc.", "Facebook – log in or sign up",
    301_912, "",
)  # fmt: skip
INSTAGRAM = SimulatedPage(
    "https://www.instagram.com/", "www.instagram.com", ("157.240.227.174",),
    ("2a03:2880:f258:e5:face:b00c:0:4420",), 32934, "Facebook, Inc.", "Instagram", 541_870, "",
)  # fmt: skip
YOUTUBE = SimulatedPage(
    "https://www.youtube.com/", "www.youtube.com", ("142.250.181.142", "142.250.181.110"),
    ("2a00:1450:4018:80c::200e",), 15169, "Google LLC", "YouTube", 612_330, "ESF",
)  # fmt: skip
WIKIPEDIA = SimulatedPage(
    "https://www.wikipedia.org/", "www.wikipedia.org", ("185.15.59.224",), ("2a02:ec80:300:ed1a::1",), 14907,
    "Wikimedia Foundation Inc.", "Wikipedia", 73_940, "ATS/9.1.4",
)  # fmt: skip
DOMESTIC = SimulatedPage(
    "https://www.dawn.com/", "www.dawn.com", ("104.18.28.74", "104.18.29.74"), (), 13335, "Cloudflare, Inc.",
    "Home - DAWN.COM", 214_518, "cloudflare",
)  # fmt: skip
SICK = SimulatedPage(
    "https://www.example.org/", "www.example.org", ("93.184.216.34",),
    ("2606:2800:220:1:248:1893:25c8:1946",), 15133, "Edgecast Inc.", "Example Domain", 1_256,
    "ECS (nyb/1D2E)",
)  # fmt: skip
"""A site that goes down for everyone during the event."""

CHOOSY = SimulatedPage(
    "https://www.example.com/", "www.example.com", ("93.184.216.34",), (), 15133, "Edgecast Inc.",
    "Not available in your region", 912, "ECS (nyb/1D2E)", status=451,
)  # fmt: skip
"""A site that always refuses visitors from the country, by its own choice (RFC 7725)."""

PLATFORMS: dict[str, SimulatedPage] = {
    "x": X,
    "facebook": FACEBOOK,
    "instagram": INSTAGRAM,
    "youtube": YOUTUBE,
}
