"""Set formats: readers of the published fingerprint sets, the meaning of their rows, and which rows prove nothing.

- CSV of Citizen Lab's filtering annotations, and of OONI's blocking fingerprints, which grew out of them.  Both rate
  each row by how unlikely it is to be wrong (``confidence_no_fp``, 0 to 10) and by who blocks (``scope``).  Sources:
  the Readme of github.com/ooni/blocking-fingerprints; the header lines of github.com/citizenlab/filtering-annotations,
  data/v1.
- Censored Planet's block pages and false positives, one JSON object per line.  The first letters of a name say who
  blocks (``c_isp_ru_...``): an operator, a state, a product.  Source: the files in pipeline/metadata/data of
  github.com/censoredplanet/censoredplanet-analysis.

The sets were made for other tools, whose results people check.  Here a block page makes a verdict, so a pattern that
occurs on ordinary pages is left out and counted, and an unusable row is named with its line.  Ordinary pages
are those below, which we modelled on those of common servers and sites.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

from fanous.analysis.rules.fingerprints import (
    BlockAddress,
    Fingerprint,
    FingerprintKind,
    PatternText,
    Where,
    compile_matcher,
)
from fanous.errors import FanousError
from fanous.refdata.countries import is_country

_BLANK = (
    "<HTML></HTML>",
    "<html></html>",
    "<html><body></body></html>",
    "<html><head></head><body></body></html>",
    "<!DOCTYPE html>\n<html><head><title></title></head><body></body></html>",
    "",
)

_SERVERS = (
    "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>"
    "\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
    '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>403 Forbidden</title>\n</head>'
    "<body>\n<h1>Forbidden</h1>\n<p>You don't have permission to access this resource.</p>\n"
    "<p>You don't have permission to access / on this server.</p>\n</body></html>\n",
    '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>301 Moved Permanently</title>\n'
    '</head><body>\n<h1>Moved Permanently</h1>\n<p>The document has moved <a href="https://example.org/">'
    "here</a>.</p>\n</body></html>\n",
    "<html><head><title>Error 404 Not Found</title></head><body><h1>Not Found</h1>"
    "<p>The requested URL was not found on this server.</p></body></html>",
    "<html><body><h1>It works!</h1></body></html>",
    "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n You don't have "
    'permission to access "http://example.org/" on this server.<P>\nReference #18.0\n</BODY>\n</HTML>\n',
    "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. "
    "Please consult with your administrator.</body></html>",
    "<html><head><title>Access denied</title></head><body><h1>Access denied</h1><p>The owner of this website "
    "has banned your IP address. Ray ID: 0</p></body></html>",
    "<html><head><title>451 Unavailable For Legal Reasons</title></head><body>"
    "<center><h1>451 Unavailable For Legal Reasons</h1></center></body></html>",
)

_SITES = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
    'content="width=device-width, initial-scale=1"><meta property="og:type" content="website">'
    '<link rel="stylesheet" href="/style.css"><script src="/app.js"></script><title>News</title></head>'
    '<body><div class="content"><h1>News</h1><p>The court ordered the site to be blocked; the ministry says '
    'that access was restricted by law. Category: Politics</p><a href="/about">About</a>'
    '<img src="/logo.png"></div></body></html>',
    '<!DOCTYPE html><html><head><title>Login</title></head><body><form action="/login" method="post">'
    '<input name="user"><input type="password" name="password"><p>This content is not available in your '
    "country.</p></form></body></html>",
    '{"error": "access denied", "code": 403, "message": "Forbidden"}',
)

ORDINARY_PAGES = (*_BLANK, *_SERVERS, *_SITES)


LEAST_LETTERS = 12
"""Fewest characters for a text to count in every country: shorter ones are words in some language (``blokeret`` is
Danish for *blocked*) or fragments of URLs (``/access?``).
"""

KIND_OF_SCOPE: dict[str, FingerprintKind | None] = {
    "nat": FingerprintKind.BLOCKPAGE,
    "isp": FingerprintKind.BLOCKPAGE,
    "prod": FingerprintKind.BLOCKPAGE,  # a filtering product's page; states run them too
    "inst": FingerprintKind.PORTAL,  # a school's or a company's own filter: says nothing about the country
    "injb": FingerprintKind.PORTAL,  # injected, but harmless: a bill to pay, a router to update
    "fp": FingerprintKind.BENIGN,
    "prov": FingerprintKind.BENIGN,  # the site's own message
    "vbw": None,  # "vague blocking word", in the set's own judgement
    "br": None,
}
"""Citizen Lab's scopes, which OONI's sets use too; ``None`` = left out."""

ADDRESS_SCOPES = frozenset({"nat", "isp"})
"""A user chooses a resolver that filters as a product; bogons (``br``) have rules of their own, which compare them
with the control's answer."""


LONGEST_WHY = 300
"""Characters of a reason; a row may be as long as its file."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used; ``why`` may quote it, up to ``LONGEST_WHY`` characters."""

    line: int
    why: str


@dataclass(slots=True)
class SetReading:
    """The contents of one file of a set.

    Attributes:
        origin: the set, such as ``ooni``; every id begins with it.
        bad: rows that cannot be used, in order.
        left_out: reason -> usable rows that are deliberately not used.
    """

    origin: str
    patterns: list[Fingerprint] = field(default_factory=list)
    addresses: list[BlockAddress] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    _ids: Counter[str] = field(default_factory=Counter)

    @property
    def usable(self) -> int:
        return len(self.patterns) + len(self.addresses)

    def leave_out(self, reason: str) -> None:
        self.left_out[reason] += 1

    def reject(self, line: int, why: str) -> None:
        self.bad.append(BadRow(line, why[:LONGEST_WHY]))

    def add(self, line: int, name: str, kind: FingerprintKind, text: "Text", row: "SetRow") -> None:
        """Take one pattern, unless it cannot be compiled or proves nothing."""
        vague = kind is not FingerprintKind.BENIGN and not row.countries and len(text.shown) < LEAST_LETTERS
        if vague:
            self.leave_out("too short to count in every country")
            return
        try:
            occurs = text.occurs(name)
        except FanousError as error:
            self.reject(line, str(error))
            return
        if kind is not FingerprintKind.BENIGN and any(occurs(page) for page in ORDINARY_PAGES):
            self.leave_out("occurs on ordinary pages")
            return
        self._ids[name] += 1
        again = f"~{self._ids[name]}" if self._ids[name] > 1 else ""
        self.patterns.append(
            Fingerprint(
                id=f"{self.origin}/{name}{again}",
                where=text.where,
                kind=kind,
                pattern=text.pattern,
                countries=row.countries,
                source=row.source,
                origin=self.origin,
            )
        )


@dataclass(frozen=True, slots=True)
class SetRow:
    """What all patterns of a row share: where they count, and the public fact behind them."""

    countries: frozenset[str]
    source: str


@dataclass(frozen=True, slots=True)
class Text:
    """A pattern put into Fanous's terms.

    Attributes:
        shown: as the set writes it, without the header's name.
        pattern: the expression to compile, with the place built in and capitals counting.
        literal: ``shown`` is a text, not an expression.
    """

    where: Where
    shown: str
    pattern: str
    literal: bool

    def occurs(self, name: str) -> Callable[[str], bool]:
        """A function that tells whether a page's body contains it.

        Raises:
            FanousError: the expression of ``name`` cannot be compiled.
        """
        if self.literal:
            return lambda page: self.where is Where.BODY and self.shown in page
        matcher = compile_matcher([PatternText(name, self.pattern)])
        return lambda page: self.where is Where.BODY and bool(matcher.find(page.encode()))


def text_of(place: str, how: str, shown: str) -> Text | None:
    """Where and how to look for a text.

    Args:
        place: ``body`` or ``header.<name>``, as OONI writes it.
        how: ``full``, ``prefix``, ``contains`` or ``regexp``; capitals count.

    Returns:
        ``None`` = cannot be found in one pass over headers and body (a match of the beginning or the whole of a body).
    """
    if place == "body" and how in ("full", "prefix"):
        return None
    from_start = how in ("full", "prefix") or (how == "regexp" and shown.startswith("^"))
    inner = shown.removeprefix("^") if how == "regexp" else _escaped(shown)
    exactly, literal = f"(?-i:{inner})", how != "regexp"
    if place == "body":
        return Text(Where.BODY, shown, exactly, literal)
    name = place.removeprefix("header.").lower()
    if name == "location":
        end = r"\n" if how == "full" else ""
        return Text(Where.LOCATION, shown, ("^" if from_start else "") + exactly + end, literal)
    gap, end = r"[ \t]*" if from_start else r"[^\n]*", r"\r?\n" if how == "full" else ""
    return Text(Where.HEADER, shown, rf"(^|\n){_escaped(name)}:{gap}{exactly}{end}", literal)


def _escaped(text: str) -> str:
    """Write every character that could have a meaning as its number; letters outside ASCII stay."""
    return "".join(c if c.isalnum() or not c.isascii() else f"\\x{ord(c):02x}" for c in text)


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
    said = row.get("source", "").strip("[]'\" ")
    source = said if said.startswith("http") else row.get("exp_url", "") or said
    shared = SetRow(_countries(row, name), source[:LONGEST_SOURCE])
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
        raise _Useless(f"{name}: {how!r} of a body cannot be checked")
    reading.add(line, name, kind, text, shared)


def _take_address(row: dict[str, str], scope: str, shared: SetRow, reading: SetReading) -> None:
    if scope not in ADDRESS_SCOPES:
        reading.leave_out("an answer of a filter that its user chose, or of an unknown one")
        return
    shown = row["response"] if "response" in row else row["pattern"]
    if row.get("pattern_type", "full") != "full":
        raise _Useless(f"{row['name']}: {row['pattern_type']!r} of an address cannot be checked")
    try:
        address = ip_address(shown.strip())
    except ValueError:
        reading.leave_out("a name: facts of lookups keep addresses")
        return
    if not address.is_global and not shared.countries:
        reading.leave_out("an answer of a filter that its user chose, or of an unknown one")
        return
    reading.addresses.append(BlockAddress(str(address), shared.countries, shared.source))


def _place(row: dict[str, str], name: str) -> tuple[str, str, str]:
    """Place, manner and text in OONI's terms; Citizen Lab puts a header's name in the text."""
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
            reading.reject(line, "is not a JSON object; the file may end in the middle")
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
    kind: FingerprintKind | None = FingerprintKind.BENIGN
    countries = frozenset[str]()
    if classed is not None and not benign:
        kind, code = KIND_OF_SCOPE[SCOPE_OF_CLASS[classed[1]]], (classed[2] or "").upper()
        if classed[1] in ("b_nat", "c_isp") and is_country(code):
            countries = frozenset({code})
    if kind is None:
        reading.leave_out("rated as vague")
        return
    header = _HEADER.match(shown)
    place, expression = (f"header.{header[1].lower()}", header[2]) if header else ("body", shown)
    text = _text(place, expression)
    if text is not None:
        reading.add(line, f"benign.{name}" if benign else name, kind, text, SetRow(countries, SOURCE))


def _text(place: str, expression: str) -> Text | None:
    """An expression as a pattern; most are plain texts with escapes, which need no trial compilation."""
    in_header = place != "body"
    if _SIGN.search(_ESCAPED.sub("", expression)):
        return text_of(place, "regexp", "^" + expression if in_header else expression)
    return text_of(place, "prefix" if in_header else "contains", _ESCAPED.sub(r"\1", expression))


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
