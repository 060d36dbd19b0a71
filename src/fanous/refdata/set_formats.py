"""Set formats: readers of the published fingerprint sets.

- CSV of Citizen Lab's filtering annotations, and of OONI's blocking fingerprints, which grew out of them.  Both rate
  each row by how unlikely it is to be wrong (``confidence_no_fp``, 0 to 10) and by who blocks (``scope``).  Sources:
  the Readme of github.com/ooni/blocking-fingerprints; the header lines of github.com/citizenlab/filtering-annotations,
  data/v1.
- Censored Planet's block pages and false positives, one JSON object per line.  The first letters of a name say who
  blocks (``c_isp_ru_...``): an operator, a state, a product.  Source: the files in pipeline/metadata/data of
  github.com/censoredplanet/censoredplanet-analysis.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from ipaddress import ip_address

from fanous.analysis.rules.fingerprints import BlockAddress, FingerprintKind
from fanous.errors import FanousError
from fanous.refdata.countries import is_country
from fanous.refdata.set_rows import ADDRESS_SCOPES, KIND_OF_SCOPE, SetReading, SetRow, Text, text_of

OONI_COLUMNS = frozenset({"name", "scope", "location_found", "pattern_type", "pattern", "confidence_no_fp"})
HTTP_COLUMNS = frozenset({"name", "common_name", "location_found", "pattern", "scope", "confidence_no_fp"})
DNS_COLUMNS = frozenset({"name", "response", "scope", "confidence_no_fp"})

LEAST_CONFIDENCE = {"ooni": 5, "citizenlab": 6}
"""Citizen Lab gives 5 to blank pages and fragments of URLs; OONI's files give 5 to rows that were never rated."""

EVERYWHERE = "ZZ"
LONGEST_SOURCE = 300

_HEADER_LINE = re.compile(r"(server|location): *(.+)", re.IGNORECASE | re.DOTALL)


class _Useless(Exception):
    """The row cannot be used; the message says why."""


def columns_of(text: str) -> frozenset[str]:
    """Names in the first line; empty = there are none."""
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
    """Rows with the line on which each begins; a row with another number of fields is rejected."""
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
        raise _Useless(f"{name}: confidence_no_fp {row['confidence_no_fp']!r} is not a number") from None


def _countries(row: dict[str, str], name: str) -> frozenset[str]:
    """``AE,SA`` or ``['AE', 'SA']``; empty = everywhere."""
    codes = set(re.findall(r"[^\s,'\"\[\]]+", row.get("expected_countries", "")))
    unknown = sorted(code for code in codes - {EVERYWHERE} if not is_country(code))
    if unknown:
        raise _Useless(f"{name}: {unknown[0]!r} is not a country")
    return frozenset() if EVERYWHERE in codes else frozenset(codes)


def _source(row: dict[str, str]) -> str:
    said = row.get("source", "").strip("[]'\" ")
    return (said if said.startswith("http") else row.get("exp_url", "") or said)[:LONGEST_SOURCE]


ORIGIN = "censoredplanet"
SOURCE = "Censored Planet's signatures"

SCOPE_OF_CLASS = {
    "a_prod": "prod",
    "b_nat": "nat",
    "c_isp": "isp",
    "d_corp": "inst",
    "e_unk": "prod",  # a block page of unknown origin
    "f_gen": "vbw",  # general words in many languages, such as "Access Denied"
}

_CLASSED = re.compile(r"([a-f]_(?:prod|nat|isp|corp|unk|gen))(?:_([a-z]{2})(?![a-z]))?")
_ESCAPED = re.compile(r"\\([^\w\s])")
_SIGN = re.compile(r"[\\.*+?()\[\]{}|^$]")
_HEADER = re.compile(r"(Server|Location): +(.+)", re.DOTALL)


def is_signature(line: str) -> bool:
    """Does the line look like one of these files?"""
    row = _object(line)
    return row is not None and {"fingerprint", "pattern"} <= row.keys()


def are_blockpages(text: str) -> bool:
    """Are most names in the file those of block pages?"""
    names = [str(row.get("fingerprint", "")) for _, row in _signatures_rows(text) if row is not None]
    return 2 * sum(bool(_CLASSED.match(name)) for name in names) > len(names)


def read_blockpages(text: str) -> SetReading:
    """``blockpage_signatures.json``."""
    return _signatures_read(text, benign=False)


def read_false_positives(text: str) -> SetReading:
    """``false_positive_signatures.json``: every row overrules the block pages."""
    return _signatures_read(text, benign=True)


def _signatures_read(text: str, *, benign: bool) -> SetReading:
    reading = SetReading(ORIGIN)
    for line, row in _signatures_rows(text):
        name, shown = (row or {}).get("fingerprint"), (row or {}).get("pattern")
        if row is None:
            reading.reject(line, "is no JSON object; the file may end in the middle")
        elif not isinstance(name, str) or not name or not isinstance(shown, str) or not shown.strip():
            reading.reject(line, "lacks `fingerprint` or `pattern`")
        else:
            _signatures_take(line, name, shown, benign, reading)
    return reading


def _signatures_take(line: int, name: str, shown: str, benign: bool, reading: SetReading) -> None:
    classed = _CLASSED.match(name)
    if not benign and classed is None:
        reading.reject(line, f"{name}: its class is not known (a_prod, b_nat, c_isp ...)")
        return
    kind, countries = (FingerprintKind.BENIGN, frozenset[str]()) if benign else _meaning(classed)
    if kind is None:
        reading.leave_out("rated as vague")
        return
    header = _HEADER.match(shown)
    place, expression = (f"header.{header[1].lower()}", header[2]) if header else ("body", shown)
    text = _text(place, expression)
    if text is not None:
        reading.add(line, f"benign.{name}" if benign else name, kind, text, SetRow(countries, SOURCE))


def _text(place: str, expression: str) -> Text | None:
    """Most expressions are plain texts with escaped signs, which need no trial compilation."""
    in_header = place != "body"
    if _SIGN.search(_ESCAPED.sub("", expression)):
        return text_of(place, "regexp", "^" + expression if in_header else expression)
    return text_of(place, "prefix" if in_header else "contains", _ESCAPED.sub(r"\1", expression))


def _meaning(classed: re.Match[str] | None) -> tuple[FingerprintKind | None, frozenset[str]]:
    """Kind and countries that the first letters of a name stand for."""
    if classed is None:
        return None, frozenset()
    kind, code = KIND_OF_SCOPE[SCOPE_OF_CLASS[classed[1]]], (classed[2] or "").upper()
    local = classed[1] in ("b_nat", "c_isp") and is_country(code)
    return kind, frozenset({code}) if local else frozenset()


def _signatures_rows(text: str) -> Iterator[tuple[int, dict[str, object] | None]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, _object(line)


def _object(line: str) -> dict[str, object] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
