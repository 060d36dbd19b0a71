"""Reports: the id under which the measurements of one run of a probe arrive.  Pure.

An id holds everything there is to know about a report, so the collector keeps no list: a probe may continue
to use it after the collector restarts, or at a mirror.

Follows ooni/backend, ooniapi/services/ooniprobe/src/ooniprobe/routers/reports.py (``open_report``,
``receive_measurement``) and .../utils.py (``generate_report_id``).
"""

import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from fanous.collector.request import Refused, decoded
from fanous.model.place import UNKNOWN_COUNTRY

COLLECTOR_ID = "0"
"""OONI numbers its collectors (``n1`` ...); 0 is not one of theirs."""

RANDOM_BYTES = 12
LARGEST_ASN = 2**32 - 1

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
