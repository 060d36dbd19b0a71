"""Annotation CSV: Citizen Lab's filtering annotations, and OONI's blocking fingerprints, which grew out of
them.

Both rate each row by how unlikely it is to be wrong (``confidence_no_fp``, 0 to 10) and by who blocks
(``scope``).  Sources: the Readme of github.com/ooni/blocking-fingerprints; the header lines of
github.com/citizenlab/filtering-annotations, data/v1.
"""

import csv
import io
import re
from collections.abc import Iterator
from ipaddress import ip_address

from fanous.analysis.rules.fingerprints import BlockAddress
from fanous.errors import FanousError
from fanous.refdata.countries import is_country
from fanous.refdata.set_rows import ADDRESS_SCOPES, KIND_OF_SCOPE, SetReading, SetRow, text_of

OONI_COLUMNS = frozenset({"name", "scope", "location_found", "pattern_type", "pattern", "confidence_no_fp"})
HTTP_COLUMNS = frozenset({"name", "common_name", "location_found", "pattern", "scope", "confidence_no_fp"})
DNS_COLUMNS = frozenset({"name", "response", "scope", "confidence_no_fp"})

LEAST_CONFIDENCE = {"ooni": 5, "citizenlab": 6}
"""Citizen Lab gives 5 to blank pages and pieces of addresses; OONI's files give 5 to what nobody rated."""

EVERYWHERE = "ZZ"
LONGEST_SOURCE = 300

_HEADER_LINE = re.compile(r"(server|location): *(.+)", re.IGNORECASE | re.DOTALL)


class _Useless(Exception):
    """The row cannot be used; the message says why."""


def columns_of(text: str) -> frozenset[str]:
    """Names in the first line; empty = there is none."""
    return frozenset(name.strip() for name in next(csv.reader(text.splitlines()[:1]), ()))


def read_ooni(text: str) -> SetReading:
    """``fingerprints_http.csv`` or ``fingerprints_dns.csv`` of OONI."""
    return _read(text, SetReading("ooni"))


def read_citizenlab(text: str) -> SetReading:
    """``http.csv`` or ``dns.csv`` of Citizen Lab."""
    return _read(text, SetReading("citizenlab"))


def _read(text: str, reading: SetReading) -> SetReading:
    for line, row in _rows(text, reading):
        try:
            _take(line, row, reading)
        except _Useless as reason:
            reading.reject(line, str(reason))
    return reading


def _rows(text: str, reading: SetReading) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows with the line that each begins on; what has another number of fields is rejected."""
    reader = csv.reader(io.StringIO(text, newline=""))
    names = next(reader, [])
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise FanousError(f"line {line}: {error}; fetch the file again") from error
        if fields is None:
            return
        if len(fields) == len(names):
            yield line, dict(zip(names, fields, strict=True))
        elif fields:
            reading.reject(line, f"has {len(fields)} fields instead of {len(names)}")


def _take(line: int, row: dict[str, str], reading: SetReading) -> None:
    scope, name = row["scope"].strip(), row["name"].strip()
    if not name:
        raise _Useless("has no name")
    if scope not in KIND_OF_SCOPE:
        raise _Useless(f"{name}: scope {scope!r} is not known")
    if _confidence(row, name) < LEAST_CONFIDENCE[reading.origin]:
        reading.leave_out("rated as likely to be wrong")
        return
    shared = SetRow(_countries(row, name), _source(row))
    if "response" in row or row["location_found"] == "dns":
        _take_address(row, scope, shared, reading)
        return
    kind = KIND_OF_SCOPE[scope]
    if kind is None:
        reading.leave_out("rated as vague")
        return
    place, how, shown = _place(row, name)
    text = text_of(place, how, shown)
    if text is None:
        raise _Useless(f"{name}: {how!r} of a body cannot be told")
    reading.add(line, name, kind, text, shared)


def _take_address(row: dict[str, str], scope: str, shared: SetRow, reading: SetReading) -> None:
    if scope not in ADDRESS_SCOPES:
        reading.leave_out("an answer of a filter that its user chose, or of nobody")
        return
    shown = row["response"] if "response" in row else row["pattern"]
    if row.get("pattern_type", "full") != "full":
        raise _Useless(f"{row['name']}: {row['pattern_type']!r} of an address cannot be told")
    try:
        address = ip_address(shown.strip())
    except ValueError:
        reading.leave_out("a name: facts of lookups keep addresses")
        return
    if not address.is_global and not shared.countries:
        reading.leave_out("an answer of a filter that its user chose, or of nobody")
        return
    reading.addresses.append(BlockAddress(str(address), shared.countries, shared.source))


def _place(row: dict[str, str], name: str) -> tuple[str, str, str]:
    """Place, manner and text in OONI's terms; Citizen Lab gives a header's name within the text."""
    place, how, shown = row["location_found"].strip(), row.get("pattern_type", "contains"), row["pattern"]
    if not shown.strip():
        raise _Useless(f"{name}: the pattern is empty")
    if how not in ("full", "prefix", "contains", "regexp"):
        raise _Useless(f"{name}: pattern_type {how!r} is not known")
    if place == "header":
        named = _HEADER_LINE.fullmatch(shown)
        return (
            (f"header.{named[1].lower()}", "prefix", named[2]) if named else ("header.location", how, shown)
        )
    if place != "body" and not re.fullmatch(r"header\.[A-Za-z0-9-]+", place):
        raise _Useless(f"{name}: location_found {place!r} is not known")
    return place, how, shown


def _confidence(row: dict[str, str], name: str) -> int:
    try:
        return int(row["confidence_no_fp"])
    except ValueError:
        raise _Useless(f"{name}: confidence_no_fp {row['confidence_no_fp']!r} is no number") from None


def _countries(row: dict[str, str], name: str) -> frozenset[str]:
    """``AE,SA`` or ``['AE', 'SA']``; empty = everywhere."""
    codes = set(re.findall(r"[^\s,'\"\[\]]+", row.get("expected_countries", "")))
    unknown = sorted(code for code in codes - {EVERYWHERE} if not is_country(code))
    if unknown:
        raise _Useless(f"{name}: {unknown[0]!r} is no country")
    return frozenset() if EVERYWHERE in codes else frozenset(codes)


def _source(row: dict[str, str]) -> str:
    said = row.get("source", "").strip("[]'\" ")
    return (said if said.startswith("http") else row.get("exp_url", "") or said)[:LONGEST_SOURCE]
