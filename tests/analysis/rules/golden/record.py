"""Record: one web_connectivity measurement in OONI's data format, built step by step.

The defaults are a site that works: ``https://www.site.example/`` at 104.16.1.1, seen by the helper too.
"""

from dataclasses import dataclass, field
from typing import Any

SITE = "www.site.example"
HOME = "104.16.1.1"
HOME_ASN = 13335
ELSEWHERE = "185.60.2.2"
BODY = "<html><head><title>The Site of Golden Cases</title></head><body>" + "word " * 600 + "</body></html>"
HEADERS = {"Content-Type": "text/html", "X-Golden": "1", "Server": "golden"}

Row = dict[str, Any]


@dataclass
class Web:
    """One record.  Each method adds one step and returns the record."""

    url: str = f"https://{SITE}/"
    country: str = "PK"
    queries: list[Row] = field(default_factory=list)
    connects: list[Row] = field(default_factory=list)
    handshakes: list[Row] = field(default_factory=list)
    requests: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    control: Row = field(default_factory=dict)
    control_failure: str | None = None
    step: int = 0
    version: str = "0.5.28"
    left_out: tuple[str, ...] = ()

    def lookup(
        self,
        *ips: str,
        host: str = SITE,
        failure: str | None = None,
        engine: str = "getaddrinfo",
        asn: int = 0,
    ) -> "Web":
        answers = [
            {"answer_type": "AAAA", "ipv6": ip, "asn": asn or _asn(ip)}
            if ":" in ip
            else {"answer_type": "A", "ipv4": ip, "asn": asn or _asn(ip)}
            for ip in ips
        ]
        kind = "ANY" if engine == "getaddrinfo" else "A"
        self.queries.append(
            {
                "engine": engine,
                "hostname": host,
                "query_type": kind,
                "failure": failure,
                "answers": answers or None,
            }
            | self._times()
        )
        return self

    def connect(
        self, ip: str = HOME, port: int = 443, failure: str | None = None, took: float = 0.1
    ) -> "Web":
        self.step += 1
        status = {"failure": failure, "success": failure is None}
        self.connects.append({"ip": ip, "port": port, "status": status} | self._times(took))
        return self

    def shake(
        self,
        ip: str = HOME,
        host: str = SITE,
        failure: str | None = None,
        took: float = 0.1,
        *,
        checked: bool = True,
    ) -> "Web":
        """A handshake; one with an innocuous name leaves the certificate unchecked."""
        self.handshakes.append(
            {
                "network": "tcp",
                "address": f"{ip}:443",
                "server_name": host,
                "failure": failure,
                "no_tls_verify": not checked,
            }
            | self._times(took)
        )
        return self

    def read(self, sizes: list[int], gap: float, began: float = 0.2) -> "Web":
        """Bytes that arrive before the request of this step ends."""
        for n, size in enumerate(sizes, 1):
            self.events.append(
                {
                    "operation": "read",
                    "num_bytes": size,
                    "failure": None,
                    "t": began + n * gap,
                    "transaction_id": self.step,
                }
            )
        return self

    def fetch(
        self,
        url: str = "",
        *,
        ip: str = HOME,
        failure: str | None = None,
        code: int = 200,
        body: str = BODY,
        headers: Row | None = None,
        truncated: bool = False,
        took: float = 0.3,
    ) -> "Web":
        url = url or self.url
        response: Row = {"body": "", "code": 0, "headers": {}}
        if failure is None or code != 200:
            response = {
                "body": body,
                "body_is_truncated": truncated,
                "code": code,
                "headers": HEADERS if headers is None else headers,
            }
        port = 443 if url.startswith("https:") else 80
        self.requests.insert(
            0,
            {
                "address": f"{ip}:{port}",
                "failure": failure,
                "request": {"url": url, "method": "GET"},
                "response": response,
            }
            | self._times(took),
        )
        return self

    def helper(
        self,
        *ips: str,
        dns: str | None = None,
        connects: dict[str, str | None] | None = None,
        handshakes: dict[str, str | None] | None = None,
        page: str | None = None,
    ) -> "Web":
        """What the helper saw; failures by endpoint, ``None`` = it worked."""
        ips = ips or (() if dns else (HOME,))
        connects = {f"{HOME}:443": None, f"{HOME}:80": None} if connects is None else connects
        handshakes = {f"{HOME}:443": None} if handshakes is None else handshakes
        title = BODY.partition("<title>")[2].partition("</title>")[0]
        loaded = {"status_code": 200, "body_length": len(BODY), "title": title, "headers": HEADERS}
        empty = {"status_code": -1, "body_length": -1, "title": "", "headers": {}}
        self.control = {
            "dns": {"failure": dns, "addrs": list(ips)},
            "tcp_connect": {k: {"status": v is None, "failure": v} for k, v in connects.items()},
            "tls_handshake": {
                k: {"server_name": SITE, "status": v is None, "failure": v} for k, v in handshakes.items()
            },
            "http_request": {"failure": page, **(empty if page else loaded)},
            "ip_info": {ip: {"asn": _asn(ip)} for ip in ips},
        }
        return self

    def no_helper(self, failure: str = "connection_reset") -> "Web":
        self.control_failure = failure
        return self

    def older(self) -> "Web":
        """As probes before 0.5 and helpers before 2022 wrote it: one resolver, no transactions, no
        address of a request, no handshakes and no networks of the helper."""
        self.queries = [query for query in self.queries if query["engine"] == "getaddrinfo"]
        for row in (*self.queries, *self.connects, *self.handshakes, *self.requests, *self.events):
            row.pop("transaction_id")
        for request in self.requests:
            request.pop("address")
        for key in ("tls_handshake", "ip_info"):
            self.control.pop(key, None)
        self.version = "0.4.1"
        return self

    def aliased(self) -> "Web":
        """The helper was answered an alias alone, which old ones wrote down as no address."""
        self.control["dns"]["addrs"] = []
        return self

    def without(self, *keys: str) -> "Web":
        """Leave steps out of the record: ``test_keys`` that this probe did not write."""
        self.left_out += keys
        return self

    def document(self) -> Row:
        """The record, ready for JSON."""
        keys = {
            "queries": self.queries,
            "tcp_connect": self.connects,
            "tls_handshakes": self.handshakes,
            "requests": self.requests,
            "network_events": self.events,
            "control": self.control,
            "control_failure": self.control_failure,
            "blocking": None,
        }
        keys = {key: value for key, value in keys.items() if key not in self.left_out}
        return {
            "data_format_version": "0.2.0",
            "input": self.url,
            "measurement_start_time": "2024-02-12 20:33:47",
            "measurement_uid": "golden",
            "probe_asn": "AS17557",
            "probe_cc": self.country,
            "report_id": "golden",
            "resolver_asn": "AS17557",
            "software_name": "ooniprobe-cli",
            "software_version": "3.22.0",
            "test_keys": keys,
            "test_name": "web_connectivity",
            "test_start_time": "2024-02-12 20:33:47",
            "test_version": self.version,
        }

    def _times(self, took: float = 0.1) -> Row:
        return {"t0": 0.2, "t": 0.2 + took, "transaction_id": self.step}


def _asn(ip: str) -> int:
    return HOME_ASN if ip.startswith("104.16.") else 64501
