"""Record: another person's vantage point's experience with one target, in OONI's format, and what is read from it.

A record is a ``web_connectivity`` measurement.  Next to the probe's own steps it has the answers from elsewhere, in
place of OONI's test helper, and ``x_remote``: the raw answers, and whether anything can be concluded from them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from msgspec import Struct

from fanous.analysis.rules.fingerprints import Fingerprint
from fanous.errors import Rejected
from fanous.model.instant import MINUTE
from fanous.model.measurement import (
    STATED,
    Layer,
    Observation,
    Observer,
    ParsedMeasurement,
    Record,
    is_address,
)
from fanous.model.place import Family
from fanous.refdata.networks import network_of
from fanous.sources.connector import Transport
from fanous.sources.ooni.keep import take as take_record
from fanous.sources.ooni.parse import parse as parse_record
from fanous.sources.ooni.redact import redact
from fanous.sources.ooni.source import OoniFormat
from fanous.sources.redaction import pruned

# --- writing --------------------------------------------------------------------------------------------

CONTROL_LASTS = 10 * MINUTE
"""Seconds for which a control is valid for its probe's line: faults come in bursts of about half an hour."""

LEAST_ELSEWHERE = 2
"""Probes elsewhere that must fail before the target counts as down: a single one may itself be at fault."""


FAILURE_OF_RCODE = {
    "NXDOMAIN": "dns_nxdomain_error",
    "SERVFAIL": "dns_servfail_error",
    "REFUSED": "dns_refused_error",
}
"""DNS response codes (IANA) -> df-007."""

LONGEST_MESSAGE = 200


def unknown_failure(message: str) -> str:
    """A failure without a name in df-007, in the probe's own words."""
    return f"unknown_failure: {message[:LONGEST_MESSAGE]}"


TOO_FEW_ELSEWHERE = "unknown_failure: too few vantage points elsewhere answered"
"""``control_failure`` of a record without controls."""


@dataclass(frozen=True, slots=True)
class RemoteLine:
    """The line that a vantage point measures from.

    Attributes:
        number: 1-based, among the vantage points of its network that were asked in the round: two of them may answer
            alike, but are two measurements.  The same one has the same number throughout a round.
        resolver_asn: 0 = unknown.
    """

    country: str | None
    asn: int
    network: str
    number: int
    resolver_asn: int


def record_of(
    source: str,
    control: str | int,
    url: str,
    line: RemoteLine,
    times: tuple[str, str],
    keys: Mapping[str, Any],
    raw: Mapping[str, Any],
) -> bytes:
    """One record, as OONI's ``web_connectivity`` has it.

    Args:
        control: the id of the answers about the control target, which names the round.
        times: of the measurement, and of the round, as OONI writes them.
        keys: ``test_keys``; ``raw`` = ``x_remote``.
    """
    return msgspec.json.encode(
        {
            "test_name": "web_connectivity",
            "test_version": "0.1.0",
            "data_format_version": "0.2.0",
            "software_name": source,
            "software_version": "1",
            "report_id": f"{source}_{control}",
            "probe_id": f"{source} AS{line.asn} {line.number}",
            "probe_cc": line.country,
            "probe_asn": f"AS{line.asn}",
            "probe_network_name": line.network,
            "resolver_asn": f"AS{line.resolver_asn}",
            "measurement_start_time": times[0],
            "test_start_time": times[1],
            "input": url,
            "annotations": {},
            "test_keys": keys,
            "x_remote": raw,
        }
    )


def answered(
    host: str, answers: Sequence[tuple[str, int | None]], failure: str | None = None, seconds: float = 0.0
) -> dict[str, Any]:
    """A lookup as OONI's ``queries`` have it.

    Args:
        answers: addresses, each with its TTL in seconds if known.
        seconds: how long the lookup took.
    """
    return {
        "hostname": host,
        "query_type": "A",
        "engine": "system",
        "failure": failure,
        "answers": [
            {"ipv6" if ":" in address else "ipv4": address, "ttl": ttl, "asn": network_of(address)}
            for address, ttl in answers
            if is_address(address)
        ],
        "t0": 0.0,
        "t": seconds,
    }


# --- reading --------------------------------------------------------------------------------------------

CONTROL_FAILED = "the control failed at the same probe"
OWN_TROUBLE = "the probe could not run the test"
UNSOUND = (CONTROL_FAILED, OWN_TROUBLE)
"""Defects of an instrument that is not ours."""

REFUSALS = frozenset({401, 403, 405, 406, 407, 409, 418, 421, 423, 429, 451, 503})
"""Status codes by which sites turn visitors away.  The probes name themselves in a fixed ``User-Agent``, so sites that
turn away robots turn them away first.
"""


class _Remote(Struct):
    unsound: str = ""


class _Marked(Struct):
    x_remote: _Remote = msgspec.field(default_factory=_Remote)


class RemoteRecords(OoniFormat):
    """Records of rounds, from any network of vantage points, one per line."""

    family = Family.REMOTE
    pulled = Transport.ORDERS

    def parse(self, record: Record) -> ParsedMeasurement:
        """The measurement with its observations; raises ``Rejected``."""
        parsed = parse_record(record)
        unsound = unsound_of(record.data)
        header = replace(parsed.measurement, probe=parsed.measurement.probe.removeprefix(STATED))
        if unsound and not header.defect:
            header = replace(header, defect=unsound)
        return replace(parsed, measurement=header, observations=_without_refusals(parsed.observations))

    def take(self, record: Record) -> tuple[Record, ParsedMeasurement]:
        """The record as it is kept, including the raw answers, and its measurement; raises ``Rejected``."""
        parsed = self.parse(record)
        stored, _ = take_record(record)
        try:
            told = pruned(msgspec.json.decode(record.data, type=_Raw).x_remote, _RAW)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Rejected(f"its raw answers (x_remote) cannot be read: {error}") from error
        if not told:
            return stored, parsed
        return replace(
            stored, data=stored.data[:-1] + b',"x_remote":' + msgspec.json.encode(told) + b"}"
        ), parsed

    def redact(self, data: bytes, parsed: ParsedMeasurement, found: Iterable[Fingerprint] = ()) -> bytes:
        """As OONI's records; keeps the mark of a record that proves nothing."""
        kept: dict[str, Any] = msgspec.json.decode(redact(data, parsed, found))
        if unsound := unsound_of(data):
            kept["x_remote"] = {"unsound": unsound}
        return msgspec.json.encode(kept)


_RESULT = dict.fromkeys(
    (
        *("country", "asn", "tags", "status", "failureSource", "rawOutput", "resolvedAddress", "truncated"),
        *("statusCode", "statusCodeName", "timings", "tls", "answers"),
        *("timestamp", "dst_addr", "err", "dnserr", "sockerr", "error", "alert", "ttc", "rt", "abuf"),
    )
)
_ANSWER = {"id": None, "url": None, "result": _RESULT}
_RAW = {
    "unsound": None,
    "number": None,
    "control": _ANSWER,
    "http": _ANSWER,
    "tls": _ANSWER,
    "dns": _ANSWER,
    "elsewhere": [_RESULT],
}
"""The parts of ``x_remote`` that are kept, as ``pruned`` takes them."""


class _Raw(Struct):
    x_remote: dict[str, Any] = {}


def unsound_of(data: bytes) -> str:
    """Why the record proves nothing; empty = it is sound."""
    try:
        told = msgspec.json.decode(data, type=_Marked).x_remote.unsound
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return told if told in UNSOUND else ""


def _without_refusals(observations: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """Observations without refusals over validated TLS: these are the site's own, and say nothing about the network."""
    trusted = any(
        o.layer is Layer.TLS and o.vantage is Observer.PROBE and o.cert_valid is True for o in observations
    )
    return tuple(
        o
        for o in observations
        if not (
            trusted
            and o.layer is Layer.HTTP
            and o.vantage is Observer.PROBE
            and o.status_code in REFUSALS
            and o.url.startswith("https:")
        )
    )
