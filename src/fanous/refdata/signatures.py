"""Signatures: Censored Planet's block pages and false positives, one JSON object a line.

The first letters of a name say who blocks (``c_isp_ru_...``): an operator, a state, a product.  Source: the
files in pipeline/metadata/data of github.com/censoredplanet/censoredplanet-analysis.
"""

import json
import re
from collections.abc import Iterator

from fanous.analysis.rules.fingerprints import FingerprintKind
from fanous.refdata.countries import is_country
from fanous.refdata.set_rows import KIND_OF_SCOPE, SetReading, SetRow, Text, text_of

ORIGIN = "censoredplanet"
SOURCE = "Censored Planet's signatures"

SCOPE_OF_CLASS = {
    "a_prod": "prod",
    "b_nat": "nat",
    "c_isp": "isp",
    "d_corp": "inst",
    "e_unk": "prod",  # somebody's block page, nobody knows whose
    "f_gen": "vbw",  # general words in many languages, such as "Access Denied"
}

_CLASSED = re.compile(r"([a-f]_(?:prod|nat|isp|corp|unk|gen))(?:_([a-z]{2})(?![a-z]))?")
_ESCAPED = re.compile(r"\\([^\w\s])")
_SIGN = re.compile(r"[\\.*+?()\[\]{}|^$]")
_HEADER = re.compile(r"(Server|Location): +(.+)", re.DOTALL)


def is_signature(line: str) -> bool:
    """Does the line look like one of such a file?"""
    row = _object(line)
    return row is not None and {"fingerprint", "pattern"} <= row.keys()


def are_blockpages(text: str) -> bool:
    """Are most names of the file those of block pages?"""
    names = [str(row.get("fingerprint", "")) for _, row in _rows(text) if row is not None]
    return 2 * sum(bool(_CLASSED.match(name)) for name in names) > len(names)


def read_blockpages(text: str) -> SetReading:
    """``blockpage_signatures.json``."""
    return _read(text, benign=False)


def read_false_positives(text: str) -> SetReading:
    """``false_positive_signatures.json``: all of it takes back what the block pages say."""
    return _read(text, benign=True)


def _read(text: str, *, benign: bool) -> SetReading:
    reading = SetReading(ORIGIN)
    for line, row in _rows(text):
        name, shown = (row or {}).get("fingerprint"), (row or {}).get("pattern")
        if row is None:
            reading.reject(line, "is no JSON object; the file may end in the middle")
        elif not isinstance(name, str) or not name or not isinstance(shown, str) or not shown.strip():
            reading.reject(line, "lacks `fingerprint` or `pattern`")
        else:
            _take(line, name, shown, benign, reading)
    return reading


def _take(line: int, name: str, shown: str, benign: bool, reading: SetReading) -> None:
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
    """Most expressions are texts with their signs escaped, which need no trial compilation."""
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


def _rows(text: str) -> Iterator[tuple[int, dict[str, object] | None]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, _object(line)


def _object(line: str) -> dict[str, object] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
