"""Steps: the lists of a df-000 record that grow while a probe works: lookups, connections, handshakes, reads.

Field by field as OONI's data formats df-001 (http), df-002 (dns), df-005 (tcp), df-006 (tls) and df-008
(network events) have them; ``t0`` and ``t`` are seconds since the measurement began.
"""

from dataclasses import dataclass, field
from typing import Any

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
        """One HTTP exchange that began at ``began`` and ends now; the newest stands first."""
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
