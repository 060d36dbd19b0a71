"""Metrics: a trace as the ``probe_*`` metrics of Prometheus' blackbox_exporter, under the same names.

Source of the names: prometheus/blackbox_exporter, README and prober/*.go.  Dashboards made for it work
unchanged.
"""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from fanous.probe.outcome import Outcome
from fanous.probe.trace import Entry, Trace

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One value; ``kind`` is ``gauge`` or ``counter``, whose name ends in ``_total``."""

    name: str
    value: float
    help: str
    labels: tuple[tuple[str, str], ...] = ()
    kind: str = "gauge"


def render(metrics: list[Metric]) -> str:
    """The Prometheus text format; metrics with one name are grouped together."""
    lines, described = list[str](), set[str]()
    for sample in sorted(metrics, key=lambda metric: metric.name):
        if sample.name not in described:
            described.add(sample.name)
            lines += [f"# HELP {sample.name} {sample.help}", f"# TYPE {sample.name} {sample.kind}"]
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels)
        lines.append(
            f"{sample.name}{{{labels}}} {_number(sample.value)}"
            if labels
            else f"{sample.name} {_number(sample.value)}"
        )
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def connection_metrics(trace: Trace, success: bool, matched: bool = True, ip: str = "") -> list[Metric]:
    """What every module reports: whether it worked, how long it took, at which address.

    Args:
        matched: the body matched what was asked of it.
        ip: the address that was asked without a connection; empty = that of the connection.
    """
    lookup = next((q for q in trace.queries if q["engine"] == "getaddrinfo"), None)
    found = [
        Metric("probe_success", float(success), "Displays whether or not the probe was a success"),
        Metric(
            "probe_duration_seconds", trace.at(), "Returns how long the probe took to complete in seconds"
        ),
        Metric(
            "probe_dns_lookup_time_seconds", _seconds(lookup), "Returns the time taken for probe dns lookup"
        ),
        Metric("probe_failed_due_to_regex", float(not matched), "Indicates if probe failed due to regex"),
    ]
    worked = [c for c in trace.tcp_connect if c["status"]["success"]] or trace.tcp_connect
    ip = ip or (str(worked[-1]["ip"]) if worked else "")
    if ip:
        version, text = (6 if ":" in ip else 4), "Specifies whether probe ip protocol is IP4 or IP6"
        found.append(Metric("probe_ip_protocol", version, text))
        found.append(Metric("probe_ip_addr_hash", crc32(ip.encode()), "Specifies the hash of IP address."))
    return found + _tls_metrics(trace)


PROTOCOLS = {"h2": 2.0, "http/1.1": 1.1, "http/1.0": 1.0}
"""``x_protocol`` of a request -> ``probe_http_version``."""


def http_metrics(trace: Trace) -> list[Metric]:
    """About the last page, and how long each phase took over all redirects."""
    page = trace.requests[0] if trace.requests else None
    response = (page or {}).get("response") or {}
    phases = {
        "resolve": sum(_seconds(query) for query in trace.queries if query["engine"] == "getaddrinfo"),
        "connect": sum(_seconds(connection) for connection in trace.tcp_connect),
        "tls": sum(_seconds(handshake) for handshake in trace.tls_handshakes),
        "processing": sum(_first_byte(trace, request) for request in trace.requests),
        "transfer": sum(_seconds(request) - _first_byte(trace, request) for request in trace.requests),
    }
    text = "Duration of http request by phase, summed over all redirects"
    found = [
        Metric("probe_http_duration_seconds", value, text, (("phase", phase),))
        for phase, value in phases.items()
    ]
    protocol = page["request"]["x_protocol"] if page else ""
    version = PROTOCOLS.get(protocol, 0.0)
    url = str(page["request"]["url"]) if page else ""
    body = response.get("body") or ""
    length = len(body.encode() if isinstance(body, str) else b64decode(body["data"]))
    return [
        *found,
        Metric("probe_http_status_code", response.get("code", 0), "Response HTTP status code"),
        Metric("probe_http_content_length", _content_length(page), "Length of http content response"),
        Metric("probe_http_version", version, "Returns the version of HTTP of the probe response"),
        Metric("probe_http_redirects", max(len(trace.requests) - 1, 0), "The number of redirects"),
        Metric(
            "probe_http_ssl",
            float(url.startswith("https:")),
            "Indicates if SSL was used for the final redirect",
        ),
        Metric("probe_http_uncompressed_body_length", length, "Length of uncompressed response body"),
    ]


def echo_metrics(trace: Trace, seconds: float | None, hops_left: int) -> list[Metric]:
    """About one ping.

    Args:
        seconds: from the request to its reply; ``None`` = none came.
        hops_left: TTL of the reply; -1 = not known.
    """
    lookup = next((q for q in trace.queries if q["engine"] == "getaddrinfo"), None)
    phases = {"resolve": _seconds(lookup), "setup": 0.0, "rtt": seconds or 0.0}
    text = "Duration of icmp request by phase"
    found = [
        Metric("probe_icmp_duration_seconds", value, text, (("phase", phase),))
        for phase, value in phases.items()
    ]
    if hops_left >= 0:
        text = "Replied packet hop limit (TTL for ipv4)"
        found.append(Metric("probe_icmp_reply_hop_limit", hops_left, text))
    return found


def _content_length(page: Entry | None) -> float:
    """As the header says; -1 if it says nothing, as in blackbox_exporter."""
    headers = ((page or {}).get("response") or {}).get("headers_list", ())
    text = next((value for name, value in headers if name.lower() == "content-length"), "")
    return float(text) if text.isascii() and text.isdigit() else -1.0


def verdict_metrics(outcome: Outcome) -> list[Metric]:
    """What the rules say: one series, with state and mechanism as labels."""
    labels = (
        ("state", str(outcome.state)),
        ("mechanism", outcome.mechanism),
        ("symptom", str(outcome.symptom).lower()),
    )
    return [Metric("fanous_probe_state", 1, "What the rules of Fanous say of this measurement", labels)]


def _tls_metrics(trace: Trace) -> list[Metric]:
    done = [h for h in trace.tls_handshakes if h["failure"] is None and not h["no_tls_verify"]]
    if not done:
        return []
    last = done[-1]
    chain = [x509.load_der_x509_certificate(b64decode(c["data"])) for c in last["peer_certificates"]]
    # ``TLSv1.3`` -> ``TLS 1.3``, as Go formats it.
    version, cipher = str(last["tls_version"]).replace("TLSv", "TLS "), str(last["cipher_suite"])
    return [
        Metric(
            "probe_tls_version_info",
            1,
            "Returns the TLS version used or NaN when unknown",
            (("version", version),),
        ),
        Metric(
            "probe_tls_cipher_info",
            1,
            "Returns the TLS cipher negotiated during handshake",
            (("cipher", cipher),),
        ),
        *(_chain_metrics(chain) if chain else ()),
    ]


def _chain_metrics(chain: list[x509.Certificate]) -> Iterator[Metric]:
    """Only one chain was presented, so it is both the last and the first to expire."""
    expiry = min(certificate.not_valid_after_utc.timestamp() for certificate in chain)
    yield Metric("probe_ssl_earliest_cert_expiry", expiry, "Returns last SSL chain expiry in unixtime")
    yield Metric(
        "probe_ssl_last_chain_expiry_timestamp_seconds", expiry, "Returns last SSL chain expiry in timestamp"
    )
    leaf = chain[0]
    digits = f"{leaf.serial_number:x}"
    labels = (
        ("fingerprint_sha256", leaf.fingerprint(SHA256()).hex()),
        ("issuer", leaf.issuer.rfc4514_string()),
        ("serialnumber", digits.zfill(len(digits) + len(digits) % 2)),  # whole bytes, as Go formats them
        ("subject", leaf.subject.rfc4514_string()),
        ("subjectalternative", ",".join(_names(leaf))),
    )
    yield Metric("probe_ssl_last_chain_info", 1, "Contains SSL leaf certificate information", labels)


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):  # a certificate may hold anything
        return []
    return names.get_values_for_type(x509.DNSName)


def _first_byte(trace: Trace, request: Entry) -> float:
    """Seconds from the request to the first bytes of its answer."""
    for event in trace.network_events:
        same = event["transaction_id"] == request["transaction_id"] and event["operation"] == "read"
        if same and event["t"] >= request["t0"]:
            return float(event["t"]) - float(request["t0"])
    return _seconds(request)


def _seconds(entry: Entry | None) -> float:
    return float(entry["t"]) - float(entry["t0"]) if entry else 0.0


def _number(value: float) -> str:
    """Whole numbers without a decimal point, so that unix seconds keep all their digits."""
    return str(int(value)) if float(value).is_integer() else repr(round(float(value), 6))
