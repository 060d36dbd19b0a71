"""Record: a trace as one OONI measurement (data format 0.2.0, df-000), with no address of the probe in it.

Names of our own begin with ``x_``; docs/formats.md has them all.
"""

import json
import platform
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from fanous import __version__
from fanous.probe.trace import Entry, Trace
from fanous.sources.ooni.scrub import scrub

DATA_FORMAT = "0.2.0"
TEST_VERSION = "0.5.28"
"""Of web_connectivity: the version whose keys these are (ooni/spec ts-017)."""

NO_HELPER = "no_helper"
"""``control_failure`` where no test helper was named."""

SCRUBBED = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ProbeVantage:
    """Where the probe stands, as far as it knows; the collector knows better.

    Attributes:
        country: ISO 3166-1 alpha-2; ``ZZ`` = unknown.
        asn: 0 = unknown.
        network_type: ``wifi``, ``mobile``, ``wired_or_wifi``, ``vpn``, ``no_internet``; empty = unknown.
        report_id: one a run, so that it counts as one probe.
        run_began: when the run began, as OONI writes it, the same for all its measurements; empty = each
            measurement is a run of its own.
    """

    country: str = "ZZ"
    asn: int = 0
    network_type: str = ""
    report_id: str = ""
    run_began: str = ""


def measurement(
    trace: Trace, url: str, vantage: ProbeVantage, control: Entry | None, failure: str | None
) -> Entry:
    """The web_connectivity measurement of one URL."""
    keys = steps(trace) | {
        "control": control,
        "control_failure": failure,
        "x_quic_pings": trace.quic_pings,
        "x_second_opinions": trace.second_opinions,
        "x_localisation": trace.localisations,
        "x_transfers": trace.transfers,
        "x_not_tried": trace.not_tried,
    }
    return envelope("web_connectivity", TEST_VERSION, url, trace, vantage, keys)


def envelope(test: str, version: str, url: str, trace: Trace, vantage: ProbeVantage, keys: Entry) -> Entry:
    """df-000 around ``keys``."""
    runtime = trace.at()
    began = moment(trace.network.wall() - runtime)
    return {
        "annotations": {"platform": sys.platform, "network_type": vantage.network_type},
        "data_format_version": DATA_FORMAT,
        "input": url or None,
        "measurement_start_time": began,
        "probe_asn": f"AS{vantage.asn}",
        "probe_cc": vantage.country,
        "probe_ip": SCRUBBED,
        "probe_network_name": "",
        "report_id": vantage.report_id,
        "resolver_asn": "AS0",
        "resolver_ip": SCRUBBED,
        "resolver_network_name": "",
        "software_name": "fanous",
        "software_version": __version__,
        "test_keys": keys,
        "test_name": test,
        "test_runtime": runtime,
        "test_start_time": vantage.run_began or began,
        "test_version": version,
        "x_python": platform.python_version(),
    }


def steps(trace: Trace) -> Entry:
    """The keys that every nettest shares."""
    return {
        "agent": "redirect",
        "client_resolver": SCRUBBED,
        "queries": trace.queries,
        "tcp_connect": trace.tcp_connect,
        "tls_handshakes": trace.tls_handshakes,
        "quic_handshakes": trace.quic_handshakes,
        "requests": trace.requests,
        "network_events": sorted(trace.network_events, key=lambda event: float(event["t"])),
    }


def line(record: Entry, own_addresses: set[str]) -> bytes:
    """One line of JSON, less the addresses of this machine and those that servers call ours."""
    data = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    for address in sorted(own_addresses - {SCRUBBED, "::1"}):
        marked = json.dumps({"probe_ip": address}).encode()[:-1] + b',"x":' + data + b"}"
        data = scrub(marked).partition(b'"x":')[2][:-1]
    return scrub(data)


def moment(instant: float) -> str:
    """As OONI writes it; public data are rounded to the minute where they are published."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d %H:%M:%S")
