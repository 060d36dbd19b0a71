"""Header: who measured, from where and when, read from the top level of a record (df-000)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fanous.errors import Rejected
from fanous.model.instant import from_iso
from fanous.model.measurement import Measurement
from fanous.model.place import UNKNOWN_COUNTRY, Access
from fanous.sources.ooni.document import Header
from fanous.sources.ooni.values import LONGEST_URL, asn_of

EARLIEST, LATEST = from_iso("2010-01-01"), from_iso("2100-01-01")
"""OONI's first measurements are of 2012; a time outside these limits means that the probe's clock was not set."""

LONGEST_NAME = 200
"""Characters kept of names and identifiers; OONI's longest report ids have 115."""

NO_NETWORK = frozenset({"no_internet", "none", "no internet"})
"""``network_type`` as written by OONI's apps where the phone had no connection."""


def measurement_of(
    document: Header, make_uid: Callable[[], str], target: str, defect: str, notes: list[str]
) -> Measurement:
    """The header.

    Args:
        make_uid: gives the identity if the record has none of its own.
        target: what the nettest is about.
        defect: what the nettest itself found wrong with the instrument; empty = nothing.

    Raises:
        Rejected: no name of a nettest, or no time.
    """
    test_name = clip(document.test_name)
    if not test_name:
        raise Rejected("no test_name: it is not an OONI measurement")
    own_uid = document.measurement_uid or ""
    uid = (clip(own_uid) if len(own_uid) <= LONGEST_NAME else "") or make_uid()
    country, asn = _country(document.probe_cc), asn_of(document.probe_asn)
    network_type = (document.annotations.network_type if document.annotations else None) or ""
    return Measurement(
        uid=uid,
        test_name=test_name,
        test_version=clip(document.test_version),
        country=country,
        asn=asn,
        resolver_asn=asn_of(document.resolver_asn),
        access=Access.MOBILE if network_type == "mobile" else Access.ANY,
        started_at=started_at(document, notes),
        probe=clip(document.probe_id) or clip(document.report_id) or uid,
        software=f"{clip(document.software_name)} {clip(document.software_version)}".strip(),
        input=input_of(document.input)[:LONGEST_URL],
        target=target,
        defect=_no_line(network_type) or defect or _no_place(country, asn),
        network_name=clip(document.probe_network_name),
    )


def started_at(document: Header, notes: list[str]) -> float:
    """Unix seconds at which the measurement began.

    Raises:
        Rejected: neither the measurement, nor its test run, nor its report has a usable time.
    """
    for field in ("measurement_start_time", "test_start_time"):
        text = getattr(document, field)
        if text:
            instant = instant_of(text)
            if instant is not None:
                return instant
            notes.append(f"{field}: {text[:40]!r} is no time")
    for text in (document.measurement_uid, document.report_id):
        instant = _from_identifier(text)
        if instant is not None:
            return instant
    raise Rejected("no time: measurement_start_time and test_start_time are missing or unreadable")


def instant_of(text: str) -> float | None:
    """Unix seconds of a date or time; ``None`` = it is none, or before OONI existed."""
    try:
        instant = from_iso(text[:40])
    except (ValueError, OverflowError):
        return None
    return instant if EARLIEST <= instant < LATEST else None


def _from_identifier(text: str | None) -> float | None:
    """OONI's identifiers begin with the time: ``20230706183840.20``, ``20230706T183830Z_``."""
    digits = (text or "")[:16].replace("T", "")[:14]
    if len(digits) < 14 or not digits.isascii() or not digits.isdigit():
        return None
    try:
        instant = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return instant if EARLIEST <= instant < LATEST else None


def input_of(value: str | list[Any] | None) -> str:
    """The input as one string: meek_fronted_requests_test has a list of two names."""
    if isinstance(value, list):
        return " ".join(item for item in value if isinstance(item, str))
    return value or ""


def clip(text: str | None, longest: int = LONGEST_NAME) -> str:
    """At most ``longest`` characters, without control characters; empty = missing."""
    if not text:
        return ""
    short = text[:longest]
    return (short if short.isprintable() else "".join(c if c.isprintable() else " " for c in short)).strip()


def _country(code: str | None) -> str:
    upper = (code or "").strip().upper()[:3]
    return upper if len(upper) == 2 and upper.isascii() and upper.isalpha() else UNKNOWN_COUNTRY


def _no_line(network_type: str) -> str:
    if network_type == "vpn":
        return "vpn"
    return "no network" if network_type in NO_NETWORK else ""


def _no_place(country: str, asn: int) -> str:
    """Last of all: it bars from every series, but alone it does not make the observations worthless."""
    return "unknown network" if asn == 0 or country == UNKNOWN_COUNTRY else ""
