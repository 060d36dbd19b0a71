"""Lone measurement: one that is sent by itself, without a report opened for it.

So does ooniprobe from 3.31 on (ooni/probe-cli, internal/probeservices/submit.go, ``Submit``).  Follows
``submit_measurement`` of ooni/backend, ooniapi/services/ooniprobe/src/ooniprobe/routers/v1/probe_services.py,
for a client without a credential: there is no manifest here (404), and then theirs sends none.

Theirs makes a report for each measurement.  Here a report counts as one probe, so what one address sends of
one nettest on one day is one report: its id carries a keyed hash of the address.  The key is made each day
and never leaves the memory.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from ipaddress import ip_address, ip_network

import msgspec
from msgspec import Struct

from fanous.collector.limits import ADDRESS_BITS
from fanous.collector.refusal import Refused
from fanous.collector.reports import RANDOM_BYTES, ReportId, new_report_id, parse_report_id

KEY_BYTES = 32


class LoneMeasurement(Struct):
    """Body of ``POST /api/v1/submit_measurement`` (``SubmitMeasurementRequest``): a measurement as a text.

    ``nym`` and ``zkp_request`` speak of who measured; they are not even read.
    """

    content: str
    format: str = "json"
    manifest_version: str | None = None


class Accepted(Struct):
    """Answer to it (``SubmitMeasurementResponse``), less the version of a protocol that nobody speaks."""

    measurement_uid: str
    report_id: str
    verification_status: str = "unverified"
    submit_response: None = None
    error: str | None = None


class _Header(Struct):
    """Of the measurement, what its report is made from; ``receive`` looks at it closely."""

    test_name: str = ""
    probe_cc: str = ""
    probe_asn: str = ""


_sent = msgspec.json.Decoder(LoneMeasurement)
_header = msgspec.json.Decoder(_Header)


def sent_alone(body: bytes) -> LoneMeasurement:
    """What was sent.

    Raises:
        Refused: 422 where a field is missing or of the wrong type, as theirs does.
    """
    try:
        return _sent.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Refused(422, f"not a measurement to submit: {error}") from None


def accepted(sent: LoneMeasurement, uid: str, report: ReportId) -> Accepted:
    """The answer; a client that sent a credential hears that nobody here can check it."""
    return Accepted(uid, str(report), error="manifest_not_found" if sent.manifest_version else None)


class LoneReports:
    """Reports for what comes without one.

    Args:
        random: so many bytes of chance.
    """

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        self._random = random
        self._day, self._key = "", b""

    def of(self, content: str, address: str, now: float) -> ReportId:
        """The report that a measurement belongs to.

        Args:
            address: of the client.
            now: unix seconds, UTC.

        Raises:
            Refused: it is no measurement.
        """
        try:
            header = _header.decode(content.encode())
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise Refused(400, f"Incorrect format: {error}") from None
        day = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0)
        random = self._mark(address, day.strftime("%Y%m%d"))
        name = header.test_name.lower()
        report = new_report_id(name, header.probe_cc, header.probe_asn, day.timestamp(), random)
        return parse_report_id(str(report))

    def _mark(self, address: str, day: str) -> bytes:
        if day != self._day:
            self._day, self._key = day, self._random(KEY_BYTES)
        bits = ADDRESS_BITS[ip_address(address).version]
        place = ip_network(f"{address}/{bits}", strict=False)
        return blake2b(str(place).encode(), key=self._key, digest_size=RANDOM_BYTES).digest()
