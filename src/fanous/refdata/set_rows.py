"""Set rows: what each row of a published fingerprint set means, and which rows prove nothing.

The sets were made for other tools, whose results people check.  Here a block page makes a verdict, so a pattern that
occurs on ordinary pages is left out and counted, and a row that cannot be used is named with its line.  Ordinary pages
are those below, which we wrote after the ones that common servers ship and sites show.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from fanous.analysis.rules.fingerprints import BlockAddress, Fingerprint, FingerprintKind, Where
from fanous.analysis.rules.matcher import PatternText, compile_matcher
from fanous.errors import FanousError

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
"""Characters that a text needs to count in every country: shorter ones are words of some language (``blokeret`` is
Danish for *blocked*) or fragments of URLs (``/access?``)."""

KIND_OF_SCOPE: dict[str, FingerprintKind | None] = {
    "nat": FingerprintKind.BLOCKPAGE,
    "isp": FingerprintKind.BLOCKPAGE,
    "prod": FingerprintKind.BLOCKPAGE,  # a filtering product's page; states run them too
    "inst": FingerprintKind.PORTAL,  # a school's or a company's own filter: says nothing about the country
    "injb": FingerprintKind.PORTAL,  # injected, but harmless: a bill to pay, a router to update
    "fp": FingerprintKind.BENIGN,
    "prov": FingerprintKind.BENIGN,  # the site's own word
    "vbw": None,  # "vague blocking word", by the set's own judgement
    "br": None,
}
"""Citizen Lab's scopes, which OONI's sets use too; ``None`` = left out."""

ADDRESS_SCOPES = frozenset({"nat", "isp"})
"""A user chooses a resolver that filters as a product; bogons (``br``) have rules of their own, which compare them
with the control's answer."""


@dataclass(frozen=True, slots=True)
class BadRow:
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
        self.bad.append(BadRow(line, why))

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
        """What tells whether a page's body has it.

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
        ``None`` = cannot be found in one pass over headers and body: the beginning or the whole of a body.
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
    """Every sign that could have a meaning is written as its number; letters outside ASCII stay."""
    return "".join(c if c.isalnum() or not c.isascii() else f"\\x{ord(c):02x}" for c in text)
