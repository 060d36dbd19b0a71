"""Redact: reduces a raw OONI record to what rules read, with times to the minute, so that it may leave the store.

What is stored is the beginning (``keep``): a list of fields, each text in its form.  Of texts that others wrote freely
(pages, titles, headers, paths of URLs), only what a rule reads leaves: whether a word is the helper's or another, the
length of a page, whether the helper got a header too, and the passages by which a known page was recognised. The rest
is numbered or blank, so that rules reach the same verdicts, and nothing in it can name anyone.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Container, Iterable, Iterator
from math import isnan

from msgspec import UNSET

from fanous.analysis.rules.fingerprints import WORDS, Fingerprint, passages
from fanous.analysis.rules.pages import COMMON_HEADERS, LEAST_WORD, REFUSERS
from fanous.model.measurement import Layer, Observation, ParsedMeasurement, is_private_name
from fanous.sources.ooni.document import (
    Binary,
    CollectorNote,
    DocumentPart,
    HelperPage,
    StepKeys,
    Transaction,
    TransferKeys,
    WebKeys,
)
from fanous.sources.ooni.keep import encoded, reduced, steps_of
from fanous.sources.ooni.page import (
    KEPT_HEADERS,
    PageRecord,
    by_name,
    headers_of,
    page_of,
    title_of_helper,
    title_place,
)
from fanous.sources.ooni.values import input_of
from fanous.sources.redaction import HIDDEN, digest, quiet_url, to_minute, without_names, without_seconds

_PRODUCT = re.compile(
    r"(?:nginx|openresty|tengine|apache|microsoft-iis|microsoft-httpapi|litespeed|lighttpd|caddy|squid|envoy|gws|esf"
    r"|sffe|tsa_[a-z]|gunicorn|uvicorn|werkzeug|jetty|tomcat|cowboy|boa|thttpd|goahead|mini_httpd|bigip|big-ip|h2o)"
    r"(?:/\d[\w.]{0,15})?",
    re.IGNORECASE | re.ASCII,
)
"""Programs that serve pages, with their version, at the beginning of ``Server``."""

_DATE = r"[A-Za-z]{3}, \d\d[ -][A-Za-z]{3}[ -]\d{4} \d\d:\d\d:\d\d GMT|0|-1"
_FORMS = {
    "content-length": re.compile(r"\d{1,12}", re.ASCII),
    "content-type": re.compile(
        r"(?:text|image|application)/(?:html|plain|xml|xhtml\+xml|json|javascript|css|png|jpeg|gif|octet-stream)"
        r"(?:; ?charset=\"?(?:utf-8|iso-8859-\d{1,2}|windows-\d{3,4})\"?)?",
        re.IGNORECASE | re.ASCII,
    ),
    **dict.fromkeys(("date", "expires", "last-modified"), re.compile(_DATE, re.ASCII)),
}
"""Headers whose value leaves, besides ``Server`` and ``Location``, and what it looks like; in lower case."""

KNOWN_HEADERS = COMMON_HEADERS | KEPT_HEADERS
"""Headers whose name leaves, in lower case; others are numbered, the same name always alike."""

LONGEST_BODY = 64 << 20
"""Most bytes that a page is said to have."""


def redact(data: bytes, parsed: ParsedMeasurement, found: Iterable[Fingerprint] = ()) -> bytes:
    """The record as it may leave the store.

    Args:
        parsed: what the source made of ``data``.
        found: the fingerprints found in it, whose passages are evidence and stay (times to the minute).

    Raises:
        Rejected: it is not a JSON object.
    """
    decoded = reduced(data)
    header, keys = decoded
    known = parsed.measurement
    header.measurement_uid = digest(known.uid)
    header.report_id = digest(known.probe)
    header.measurement_start_time = to_minute(known.started_at)
    header.probe_id = header.test_start_time = header.probe_network_name = None
    if header.x_collector is not None:
        header.x_collector = CollectorNote(
            vouched=header.x_collector.vouched, volunteer=header.x_collector.volunteer
        )
    header.x_received = None if isnan(known.receipt) else to_minute(known.receipt)
    control = keys.control.http_request if isinstance(keys, WebKeys) and keys.control else None
    public = PublicRecord(input_of(header.input), control, tuple(found))
    for steps in steps_of(keys) if keys is not None else ():
        public.steps(steps)
    if isinstance(keys, WebKeys):
        public.web(keys)
    if isinstance(keys, TransferKeys):
        public.server_of(keys)
    return encoded(decoded)


_ORIGIN = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]{0,20}:|)//(?:[^/?#]*@)?(\[[0-9A-Fa-f:.]+\]|[^/?#:@]*)(:\d{1,5})?(.*)", re.DOTALL
)


class _Numbered:
    """Texts of one kind, each replaced by its number, the same text always by the same."""

    def __init__(self, name: Callable[[int], str]) -> None:
        self._name = name
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        return self._known.setdefault(text, self._name(len(self._known) + 1))


class PublicRecord:
    """Makes the parts of one record public.

    Args:
        asked: the URL that was to be measured, which is public.
        control: the page that the helper got.
        found: fingerprints whose passages stay.

    Attributes:
        evident: URLs by which a page was recognised.
    """

    def __init__(self, asked: str, control: HelperPage | None, found: tuple[Fingerprint, ...]) -> None:
        self._asked, self._found = asked, found
        headers = headers_of(control.headers) if control is not None else []
        self._server = by_name(headers).get("server", "")
        self._title = title_of_helper(control.title) if control is not None else ""
        self._paths = _Numbered(lambda n: f"/{HIDDEN}{n}")
        self._hosts = _Numbered(lambda n: f"name-{n}.local")
        self._headers = _Numbered(lambda n: f"x-{HIDDEN}{n}")
        self._shown: set[str] = set()
        self.evident: set[str] = set()

    # --- steps ------------------------------------------------------------------------------------

    def steps(self, keys: StepKeys) -> None:
        for transaction in keys.requests or ():
            self._response(transaction)
        for transaction in keys.requests or ():
            if transaction.request and transaction.request.url:
                transaction.request.url = self.url(transaction.request.url)
        lists: Iterator[DocumentPart] = (
            one
            for listed in (keys.queries, keys.tcp_connect, keys.tls_handshakes, keys.quic_handshakes)
            for one in listed or ()
        )
        for one in lists:
            self._named(one)

    def server_of(self, keys: TransferKeys) -> None:
        """The server of a speed test."""
        if keys.server is not None:
            self._named(keys.server)
        if keys.server_address:
            keys.server_address = self.host(keys.server_address)

    def web(self, keys: WebKeys) -> None:
        question, control = keys.x_control_request, keys.control
        if question is not None and question.http_request:
            question.http_request = self.url(question.http_request)
        for download in keys.x_transfers or ():
            if download.url:
                download.url = self.url(download.url)
        for opinion in keys.x_second_opinions or ():
            self._named(opinion)
        if control is None:
            return
        for connects in (control.tcp_connect, control.tls_handshake, control.quic_handshake):
            for connect in (connects or {}).values():
                self._named(connect)
        if (page := control.http_request) is not None and page.headers is not UNSET:
            page.headers = [self._header(name, value, "") for name, value in headers_of(page.headers)]

    def _named(self, one: DocumentPart) -> None:
        """Hide the name of a machine of the user's own network."""
        for field in ("hostname", "server_name", "ip"):
            name = getattr(one, field, None)
            if isinstance(name, str):
                setattr(one, field, self.host(name))

    def host(self, name: str) -> str:
        return self._hosts(name.lower()) if is_private_name(name) else name

    def url(self, url: str) -> str:
        """Scheme, host and port, and a number for the rest, unless it is the URL asked for or leads to a known page."""
        if url == self._asked:
            return url
        if url in self.evident:
            return quiet_url(url, keeps_values=True)
        found = _ORIGIN.match(url)
        if found is None:
            return self._paths(url) if url not in ("", "/") else url
        scheme, host, port, rest = found.groups("")
        return f"{scheme}//{self.host(host)}{port}" + (self._paths(url) if rest not in ("", "/") else rest)

    # --- pages ------------------------------------------------------------------------------------

    def _response(self, transaction: Transaction) -> None:
        response = transaction.response
        if response is None:
            return
        response.__dict__.pop("page", None)  # it was read before the record was reduced
        page = page_of(response, "", [])
        location = by_name(page.headers).get("location", "")
        headers = "\n".join([f"{name}: {value}" for name, value in page.headers])
        seen = Observation(Layer.HTTP, "", location=location, headers=headers, body=page.body)
        data, marks = passages(self._found, seen)
        at = len(f"{location}\n".encode("utf-8", "replace")) if location else 0
        if any(marks[:at]):
            self.evident.add(location)
        if page.headers or response.headers is not UNSET or response.headers_list is not UNSET:
            pairs = []
            for name, value in page.headers:
                size = len(f"{name}: {value}\n".encode("utf-8", "replace"))
                pairs.append(self._header(name, value, _shown(data, marks, at, at + size)))
                at += size
            response.headers_list, response.headers = pairs, UNSET
        if response.body is not None:
            response.body = self._body(page, data[at:], marks[at:])

    def _header(self, name: str, value: str, shown: str) -> tuple[str, str]:
        """Args:
        shown: the passages of its line by which a page was recognised; empty = none.
        """
        lower = name.lower()
        if lower == "location":
            return name, self.url(value)
        if shown:
            self._shown.add(lower)
            return name, without_names(without_seconds(shown.partition(": ")[2] or shown))
        if lower not in KNOWN_HEADERS and lower not in self._shown:
            return self._headers(lower), ""
        return name, self._theirs(lower, value)

    def _theirs(self, name: str, value: str) -> str:
        """The value of a header whose name is known, where it has the form that this one has everywhere."""
        if name == "location":
            return self.url(value)
        if name == "server":
            return self.server(value)
        form = _FORMS.get(name)
        return without_seconds(value) if form is not None and form.fullmatch(value) else ""

    def server(self, value: str) -> str:
        """What rules read: is it the helper's, and is it a network that refuses visitors by itself?"""
        said, theirs = _product(value), _product(self._server)
        is_theirs = value.casefold() == self._server.casefold()
        return said if is_theirs or said.casefold() != theirs.casefold() else f"{said} {HIDDEN}"

    def _body(self, page: PageRecord, data: bytes, marks: bytearray) -> Binary | None:
        """The page as its title, the passages that stay, and its length."""
        if page.length < 0:
            return None
        start, end = title_place(page.body)
        begin, finish = (len(page.body[:n].encode("utf-8", "replace")) for n in (start, end))
        title = public_title(
            page.body[start:end], self._title, _shown(data, marks, begin, finish).casefold().split()
        )
        texts = [
            f"<title>{title}</title>" if title else "",
            _shown(data, marks, 0, begin),
            _shown(data, marks, finish, len(data)),
        ]
        said = "\n".join(filter(None, texts)).encode("utf-8", "replace")[: page.length]
        return Binary(b64encode(said).decode(), "base64", min(page.length, LONGEST_BODY))


def _product(server: str) -> str:
    """What a ``Server`` header says of a known program or network, or that it says something else; empty = nothing."""
    product = _PRODUCT.match(server)
    parts = [product[0]] if product else []
    said = [*parts, *(one for one in REFUSERS if one in server.casefold() and one not in parts)]
    return " ".join(said) or (HIDDEN if server else "")


def _shown(data: bytes, marks: bytearray, start: int, end: int) -> str:
    """The passages between two places, with asterisks where a pattern allows anything, each on a line."""
    if not any(marks[start:end]):
        return ""
    quiet = bytes(
        byte if mark == WORDS else ord(HIDDEN) if mark else 0
        for byte, mark in zip(data[start:end], marks[start:end], strict=True)
    )
    return b"\n".join(filter(None, quiet.split(b"\0"))).decode("utf-8", "replace")


def shown_in_title(found: Iterable[Fingerprint], title: str) -> list[str]:
    """The words of a title by which its page was recognised, in lower case."""
    data, marks = passages(found, Observation(Layer.HTTP, "", title=title))
    return _shown(data, marks, len("<title>"), len(data) - len("</title>")).casefold().split()


def public_title(title: str, theirs: str, shown: Container[str] = ()) -> str:
    """A page's title with a number in place of each word that the helper's title does not have.

    Which words it shares with the helper's, and how many others it has, is what rules read.

    Args:
        shown: further words that stay, in lower case.
    """
    if title.casefold() == theirs.casefold():
        return title
    kept, numbers = set(theirs.casefold().split()), _Numbered(lambda n: f"{n:{HIDDEN}>{LEAST_WORD}}")

    def public(word: str) -> str:
        lower = word.casefold()
        if lower in kept or lower in shown:
            return word
        return numbers(lower) if len(word) >= LEAST_WORD else HIDDEN

    said = " ".join([public(word) for word in title.split()])
    return f"{said} {HIDDEN}" if said.casefold() == theirs.casefold() else said
