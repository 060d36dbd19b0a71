"""Submission: opens reports, and turns one measurement, as sent by a probe, into the line to keep and its identity.

Pure.  The id of a report holds everything there is to know about it, so the collector keeps no list: a probe may
continue to use it after the collector restarts, or at a mirror.

Follows ooni/backend, ooniapi/services/ooniprobe/src/ooniprobe/routers/reports.py (``open_report``,
``receive_measurement``, ``_process_measurement_body``, ``_compare_report_id_to_body_meta``) and .../utils.py
(``generate_report_id``, ``check_measurement_meta``), with two exceptions.  OONI's server drops measurements from
ASN 0 or country ZZ; here they are set aside.  Its ``measurement_uid`` begins with the time of receipt; ours follows
from the content alone, so that the same measurement sent again always has the same identity and is stored once.

ooniprobe from 3.31 on sends a measurement by itself, without opening a report (ooni/probe-cli,
internal/probeservices/submit.go, ``Submit``).  Follows ``submit_measurement`` of ooni/backend,
ooniapi/services/ooniprobe/src/ooniprobe/routers/v1/probe_services.py; ``credentials`` has what concerns the sender.

OONI's server makes a report for each measurement.  Here a report counts as one probe, so what one /24 or /48 sends of
one nettest in one day is one report: its id contains a keyed hash of that network.  The key is made anew each day and
never leaves memory.  A single address is no voice: a line with IPv6 has thousands, and a telephone gets another one
whenever it connects.
"""

import os
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b, sha256
from threading import Lock
from typing import Any

import msgspec
from msgspec import Struct

from fanous.collector.limits import places_of
from fanous.collector.origin import Origin
from fanous.collector.request import Refused, decoded
from fanous.errors import Rejected
from fanous.model.measurement import AHEAD
from fanous.model.place import LARGEST_ASN, UNKNOWN_COUNTRY, is_unroutable
from fanous.refdata.countries import is_country
from fanous.sources.ooni.content import check_size, digest_of, scrub, stamped
from fanous.sources.ooni.document import DOOR_SECONDS, TooCostly
from fanous.sources.ooni.keep import kept
from fanous.sources.ooni.values import instant_of

COLLECTOR_ID = "0"
"""OONI numbers its collectors (``n1`` ...); 0 is not one of theirs."""

RANDOM_BYTES = 12

BACKEND_VERSION = "1.3.5"
"""The version that ooni/backend's ``open_report`` answers; clients may check it."""

_TEST_NAME = re.compile(r"[a-z0-9]{2,29}")
_WORD = re.compile(r"[A-Za-z0-9]{1,32}")
"""Stricter than OONI's: an id is written into the record, so it must not carry anything else into it."""


class OpenReport(Struct):
    """Body of ``POST /report``; the fields without a default are required (``OpenReportRequest``)."""

    data_format_version: str
    format: str
    software_name: str
    software_version: str
    test_start_time: str
    test_version: str
    probe_asn: str = "AS0"
    probe_cc: str = UNKNOWN_COUNTRY
    test_name: str = ""


class OpenedReport(Struct):
    """Answer to it (``OpenReportResponse``)."""

    report_id: str
    backend_version: str = BACKEND_VERSION
    supported_formats: tuple[str, ...] = ("yaml", "json")


@dataclass(frozen=True, slots=True)
class ReportId:
    """The six parts of an id, ``20231217T143000Z_webconnectivity_PK_17557_n0_Ab3...``.

    Attributes:
        test_name: without underscores, so that there are six parts.
        country: two letters, as the probe claims; ``ZZ`` = unknown.
        asn: as the probe claims; 0 = unknown.
        collector: the one that opened it, with its ``n``.
    """

    opened: str
    test_name: str
    country: str
    asn: int
    collector: str
    random: str

    def __str__(self) -> str:
        parts = (self.opened, self.test_name, self.country, str(self.asn), self.collector, self.random)
        return "_".join(parts)


_open_report = msgspec.json.Decoder(OpenReport)


def open_report(body: bytes, now: float, random: bytes) -> OpenedReport:
    """A new report (``open_report``).

    Args:
        now: unix seconds, UTC.
        random: ``RANDOM_BYTES`` random bytes.

    Raises:
        Refused: 422 if a field is missing or has the wrong type, as OONI's server does.
    """
    asked = decoded(_open_report, body, "a report to open")
    name = asked.test_name.lower().replace("_", "")
    if not _TEST_NAME.fullmatch(name):
        raise Refused(400, "test_name must be the name of a nettest, such as web_connectivity")
    return OpenedReport(str(new_report_id(name, asked.probe_cc, asked.probe_asn, now, random)))


def new_report_id(test_name: str, country: str, asn: str, now: float, random: bytes) -> ReportId:
    """An id for a nettest; an invalid country or ASN becomes ``ZZ`` or 0, as on OONI's server."""
    cc = country.replace("_", "")
    return ReportId(
        opened=datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ"),
        test_name=test_name.replace("_", ""),
        country=cc.upper() if len(cc) == 2 and cc.isascii() and cc.isalpha() else UNKNOWN_COUNTRY,
        asn=asn_of(asn) or 0,
        collector=f"n{COLLECTOR_ID}",
        random=b64encode(random, b"oo").decode(),
    )


def parse_report_id(text: str) -> ReportId:
    """The id in the path of a submission (``receive_measurement``).

    Raises:
        Refused: it does not have six parts, or one of them is invalid.
    """
    parts = text.split("_")
    if len(parts) != 6:
        raise Refused(400, f"Incorrect format: a report_id has 6 parts, this one {len(parts)}")
    opened, test_name, country, asn, collector, random = parts
    number = asn_of(f"AS{asn}")
    if not (
        len(country) == 2 and country.isascii() and country.isalpha() and _TEST_NAME.fullmatch(test_name)
    ):
        raise Refused(400, "Incorrect format: the report_id has no valid country or test name")
    if number is None:
        raise Refused(400, "Incorrect format: the report_id has no valid ASN")
    if not all(_WORD.fullmatch(part) for part in (opened, collector, random)):
        raise Refused(400, "Incorrect format: the parts of the report_id may only have letters and digits")
    return ReportId(opened, test_name, country.upper(), number, collector, random)


def asn_of(text: str) -> int | None:
    """``AS17557`` -> 17557, in either case; ``None`` = not an ASN."""
    digits = text.upper().removeprefix("AS")
    if not (text[:2].upper() == "AS" and digits.isascii() and digits.isdigit() and len(digits) <= 10):
        return None
    number = int(digits)
    return number if number <= LARGEST_ASN else None


SKEW = 600.0
"""Seconds ahead from which a measurement is set aside, because it is unknown when it was made."""

OURS = ("measurement_uid", "report_id", "probe_ip", "probe_id", "x_collector", "x_received")
"""Keys that the collector writes into a record, and an identity without a proof (``probe_id``: OONI's probes send that
of their credential even where proving it failed); if a probe wrote one of them, it is removed."""


class Apart(StrEnum):
    """Why a measurement is kept apart; the probe is told (``x_apart`` in the answer), and it is counted."""

    UNKNOWN = "place_unknown"
    """Neither the probe nor its address names a country and a network."""
    PRIVATE = "network_not_public"
    """No network on the public internet has this number (``fanous.model.place.is_unroutable``)."""
    CONTRADICTED = "address_contradicts"
    """Its address belongs to another country or network: a tunnel, or a false claim."""
    AHEAD = "clock_ahead"
    """Its clock is ahead by more than ``SKEW``."""


class SubmissionEnvelope(Struct):
    """Body of ``POST /report/{id}`` (ooni/probe-cli, internal/model/ooapi.go,
    ``OOAPICollectorUpdateRequest``)."""

    content: dict[str, Any]
    format: str = "json"


@dataclass(frozen=True, slots=True)
class Submission:
    """A measurement that may be kept.

    Attributes:
        uid: ``measurement_uid``, returned to the probe.
        line: one JSON document in OONI's data format, without a line break and without an address; if it is set
            aside, without pages.
        apart: why it is set aside and enters no conclusion automatically; ``None`` = it is not.
    """

    uid: str
    line: bytes
    apart: Apart | None = None

    def proved_by(self, name: str, *, is_known: bool) -> "Submission":
        """The same, with what is kept of a sender whose proof holds (``x_collector.credential``), and whether she is a
        known volunteer (``x_collector.volunteer``)."""
        begin, _, rest = self.line.partition(COLLECTOR)
        volunteer = b'"volunteer":true,' if is_known else b""
        credential = b'"credential":"%s",' % name.encode()
        return replace(self, line=b"".join((begin, COLLECTOR, credential, volunteer, rest)))


COLLECTOR = b'"x_collector":{'
"""Begins what the collector says, in a line's head, of which senders write nothing (``_head``)."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """Country and network that the probe says it measured from."""

    country: str
    asn: int

    @property
    def is_silent(self) -> bool:
        return self.country == UNKNOWN_COUNTRY and self.asn == 0


_envelope = msgspec.json.Decoder(SubmissionEnvelope)
_sorted = msgspec.json.Encoder(order="sorted")


def receive(
    report: ReportId, body: bytes, address: str, seen: Origin, now: float, sender: str = ""
) -> Submission:
    """One measurement, checked, without addresses, and with its identity.

    Args:
        address: the client's; nothing in the result contains it.
        seen: where the client is according to its address.
        now: unix seconds, UTC.
        sender: name under which all that this stranger measures counts as one probe (``Senders``); empty = the
            operator answers for the sender, and each report counts as one.

    Raises:
        Refused: it cannot be used, and why.
    """
    try:
        check_size(body)
    except Rejected as reason:
        raise Refused(400, str(reason)) from None
    content = _content(body)
    claim = _claim(report, content)
    started = _started(content, now)
    probe_ip = content.get("probe_ip")
    for name in OURS:
        content.pop(name, None)
    identity = digest_of(content)
    text = _without_addresses(_sorted.encode(content), address, probe_ip)
    # In OONI's form, to the minute: an identity is public, and seconds could reveal who measured.
    minute = datetime.fromtimestamp(started, UTC).strftime("%Y%m%d%H%M00.000000")
    uid = f"{minute}_{report.country}_{report.test_name}_{sha256(text).hexdigest()[:16]}"
    placed = claim
    if claim.is_silent and seen.asn:  # as ooni/backend's probe_geoip fills in what a probe leaves open
        placed = _Claim(seen.country, seen.asn)
        content |= {"probe_cc": placed.country, "probe_asn": f"AS{placed.asn}"}
        text = _without_addresses(_sorted.encode(content), address, probe_ip)
    apart = _apart(placed, seen, ahead=started > now + SKEW)
    head = _head(uid, report, claim, seen, now, sender)
    line = stamped(head + _kept(text, with_pages=apart is None)[1:], identity)
    return Submission(uid, line, apart)


def _apart(placed: _Claim, seen: Origin, *, ahead: bool) -> Apart | None:
    if placed.asn == 0 or not is_country(placed.country):
        return Apart.UNKNOWN
    if is_unroutable(placed.asn):
        return Apart.PRIVATE
    if seen.contradicts(placed.country, placed.asn):
        return Apart.CONTRADICTED
    return Apart.AHEAD if ahead else None


def _content(body: bytes) -> dict[str, Any]:
    try:
        return _envelope.decode(body).content
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _malformed(error) from None


def _malformed(error: Exception) -> Refused:
    """The refusal of anything but JSON of this form; Python's message about deep nesting would not help the sender."""
    why = "nested deeper than any measurement is" if isinstance(error, RecursionError) else error
    return Refused(400, f"Incorrect format: {why}")


def _claim(report: ReportId, content: dict[str, Any]) -> _Claim:
    """The probe's claims, if they are well formed and match its report."""
    country, asn, name = (content.get(key, "") for key in ("probe_cc", "probe_asn", "test_name"))
    if not (isinstance(country, str) and isinstance(asn, str) and isinstance(name, str)):
        raise Refused(400, "Inconsistent measurement: probe_cc, probe_asn and test_name must be strings")
    number = asn_of(asn)
    reasons = [
        reason
        for reason, is_wrong in (
            ("bad_cc", not (len(country) == 2 and country.isascii() and country.isupper())),
            ("tn_len", not 1 < len(name) <= 30),
            ("tn_no_lower", not (name.islower() and name.isascii() and name.replace("_", "").isalnum())),
            ("asn_len", not 3 <= len(asn) <= 12),
            ("asn_no_as_prefix", not asn.startswith("AS")),
            ("asn_leading_zero", len(asn) > 3 and asn.startswith("AS0")),
            ("asn_invalid", number is None),
        )
        if is_wrong
    ]
    if reasons or number is None:
        raise Refused(400, f"Errors: {reasons}", error="bad_metadata")
    if country != report.country:
        raise Refused(400, f"Inconsistent measurement: probe_cc is not {report.country}, as in its report_id")
    if number != report.asn:
        raise Refused(400, f"Inconsistent measurement: probe_asn is not AS{report.asn}, as in its report_id")
    if name.replace("_", "") != report.test_name:
        raise Refused(400, "Inconsistent measurement: test_name does not match its report_id")
    return _Claim(country, number)


def _started(content: dict[str, Any], now: float) -> float:
    """When it was made: a measurement without a time could be acknowledged but never used."""
    for name in ("measurement_start_time", "test_start_time"):
        text = content.get(name)
        instant = instant_of(text) if isinstance(text, str) else None
        if instant is not None:
            if instant > now + AHEAD:
                raise Refused(400, f"{name} is in the future: the probe's clock is wrong")
            return instant
    raise Refused(
        400,
        "no time: measurement_start_time and test_start_time are missing, unreadable or long before OONI "
        "existed (a clock that was never set)",
    )


def _kept(text: bytes, *, with_pages: bool) -> bytes:
    """The fields that rules read; the identity covers everything that was sent."""
    try:
        return kept(text, with_pages=with_pages)
    except Rejected as reason:
        raise Refused(400, str(reason)) from None


def _without_addresses(text: bytes, *addresses: object) -> bytes:
    """``text`` without what servers told the probe about its address, and without ``addresses`` in any
    spelling.
    """
    try:
        return scrub(text, (address for address in addresses if isinstance(address, str)), DOOR_SECONDS)
    except TooCostly as reason:
        raise Refused(400, str(reason)) from None


def _head(uid: str, report: ReportId, claim: _Claim, seen: Origin, now: float, sender: str) -> bytes:
    """The beginning of the line: what the collector knows, with claims and derived values kept separate."""
    collector: dict[str, Any] = {
        "received": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:00Z"),
        "claimed": {"probe_cc": claim.country, "probe_asn": f"AS{claim.asn}"},
        "derived": {"probe_cc": seen.country, "probe_asn": f"AS{seen.asn}"},
    }
    head = {"measurement_uid": uid, "report_id": str(report), "probe_ip": "127.0.0.1"}
    if sender:
        head["probe_id"] = sender
    else:
        collector["vouched"] = True
    return msgspec.json.encode(head | {"x_collector": collector})[:-1] + b","


KEY_BYTES = 32


class LoneMeasurement(Struct):
    """Body of ``POST /api/v1/submit_measurement`` (``SubmitMeasurementRequest``): a measurement as a text.

    Attributes:
        nym: pseudonym of the credential on the measurement's network; like the proof, it is never kept.
        zkp_request: proof that the sender has a credential with this pseudonym.
        protocol_version: the one that the proof follows.
    """

    content: str
    format: str = "json"
    nym: str | None = None
    zkp_request: str | None = None
    manifest_version: str | None = None
    protocol_version: str | None = None


PROTOCOL_VERSION = "0.1.0"
"""Version of anonymous credentials, which OONI's answer always states: ``ooniauth_py.get_protocol_version()`` of
ooniauth-py 0.3.3, which ooni/backend requires at 32d8349d."""


class VerificationStatus(StrEnum):
    """``VerificationStatus`` of ooni/backend, ooniapi/common/src/common/anonymous_credentials.py."""

    VERIFIED = "verified"
    FAILED = "failed"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class ProofResult:
    """What is known of who sent a measurement.

    Attributes:
        error: OONI's code for why it is not verified; ``None`` = it is, or no proof was sent.
        response: what the sender needs for the next proof; ``None`` = it is not verified.
        name: what is kept of a verified pseudonym; empty = it is not verified.
    """

    status: VerificationStatus = VerificationStatus.UNVERIFIED
    error: str | None = None
    response: str | None = None
    name: str = ""


class Accepted(Struct):
    """Answer to it (``SubmitMeasurementResponse``)."""

    measurement_uid: str
    report_id: str
    verification_status: VerificationStatus
    submit_response: str | None
    error: str | None
    protocol_version: str = PROTOCOL_VERSION


class _Header(Struct):
    """The parts of the measurement that its report is made from; ``receive`` checks them."""

    test_name: str = ""
    probe_cc: str = ""
    probe_asn: str = ""


_sent = msgspec.json.Decoder(LoneMeasurement)
_header = msgspec.json.Decoder(_Header)


def sent_alone(body: bytes) -> LoneMeasurement:
    """The measurement that was sent.

    Raises:
        Refused: 422 if a field is missing or has the wrong type, as OONI's server does.
    """
    return decoded(_sent, body, "a measurement to submit")


def accepted(uid: str, report: ReportId, sender: ProofResult) -> Accepted:
    """The answer, which tells a client that sent a proof whether it holds."""
    return Accepted(uid, str(report), sender.status, sender.response, sender.error)


class Senders:
    """Who sends, by network (/24 or /48) and day, without a way back from the name to the network.

    Args:
        random: returns this many random bytes.
    """

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        self._random = random
        self._day, self._key = "", b""
        self._changing = Lock()

    def name_of(self, address: str, now: float) -> str:
        """The name that goes with all measurements from an address's network on one day.

        Senders make up their report ids, which therefore say nothing about how many senders there are.
        """
        day = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d")
        return b64encode(self._mark(places_of(address)[1], day), b"oo").decode()

    def name_of_claim(self, asn: int, now: float) -> str:
        """The name that goes with all that came on one day from addresses which are not on the network that it claims:
        a VPN lends its user as many addresses as it has servers."""
        day = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d")
        return b64encode(self._mark(f"AS{asn}", day), b"oo").decode()

    def report_of(self, content: str, address: str, now: float) -> ReportId:
        """The report that a measurement sent without one belongs to.

        Args:
            address: the client's.
            now: unix seconds, UTC.

        Raises:
            Refused: it is not a measurement.
        """
        try:
            header = _header.decode(content.encode())
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise _malformed(error) from None
        day = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0)
        random = self._mark(places_of(address)[1], day.strftime("%Y%m%d"))
        name = header.test_name.lower()
        report = new_report_id(name, header.probe_cc, header.probe_asn, day.timestamp(), random)
        return parse_report_id(str(report))

    def _mark(self, place: str, day: str) -> bytes:
        with self._changing:
            if day != self._day:
                self._day, self._key = day, self._random(KEY_BYTES)
            key = self._key
        return blake2b(place.encode(), key=key, digest_size=RANDOM_BYTES).digest()
