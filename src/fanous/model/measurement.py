"""Measurement: one raw record, its header (who measured, from where, when), and the facts read from it.

A ``Record`` is what was received, without what identifies a person; it stays in the archive.  Its
``Measurement`` names it for good.  Each ``Observation`` is one flat fact: a lookup, a connection, a handshake
or a request.  An observation concludes nothing: it says what was tried, what came back, and when.  A
``ParsedMeasurement`` holds both.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address
from math import nan
from operator import attrgetter
from typing import Any, Protocol, TypeVar, dataclass_transform

from msgspec import NODEFAULT, defstruct, structs

from fanous.errors import Rejected
from fanous.model.instant import MINUTE
from fanous.model.place import Access
from fanous.model.threshold import threshold

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def noun(kind: type[T]) -> type[T]:
    """A frozen dataclass that is cheap to make, for nouns that are created for each measurement.

    To the type checker it is ``dataclass(frozen=True, slots=True)``, with the same fields, equality and hash, and
    functions of ``dataclasses`` take it.  At run time it is a ``msgspec.Struct``, which is made in a third of the time
    and changed (``changed``) in a fifteenth.  Two are equal even where both have NaN; in dataclasses of Python 3.13 a
    NaN differs from itself.
    """
    told = dataclass(unsafe_hash=True, eq=False)(kind)
    all_fields: tuple[Field[Any], ...] = fields(told)  # type: ignore[arg-type]
    compared = attrgetter(*(field.name for field in all_fields if field.compare))

    def is_same(one: object, other: object) -> bool:
        return compared(one) == compared(other) if one.__class__ is other.__class__ else NotImplemented

    not_taken = {field.name for field in all_fields} | {"__init__", "__dict__", "__weakref__", "__replace__"}
    return defstruct(  # type: ignore[return-value]
        kind.__name__,
        [(f.name, f.type, NODEFAULT if f.default is MISSING else f.default) for f in all_fields],
        namespace={name: value for name, value in vars(told).items() if name not in not_taken}
        | {"__eq__": is_same},
        module=kind.__module__,
        frozen=True,
        eq=False,
        gc=False,
    )


class _Change(Protocol):
    def __call__(self, one: T, /, **changes: Any) -> T: ...


changed: _Change = structs.replace  # type: ignore[assignment]
"""A noun with other values in some fields; ``dataclasses.replace`` does the same, slowly."""


class Provenance(StrEnum):
    """From the strongest to the weakest."""

    REAL = "real"
    """The operator's own probes, or a public archive."""
    IMPORTED = "imported"
    """A file or table of unknown origin that the operator supplied."""
    UNVOUCHED = "unvouched"
    """Sent to our collector by a stranger: no one answers for who measured it."""
    SYNTHETIC = "synthetic"
    """Made by a generator or measured in a lab; it says nothing about any country."""

    @property
    def is_synthetic(self) -> bool:
        return self is Provenance.SYNTHETIC

    def through(self, door: "Provenance") -> "Provenance":
        """The provenance of a record that shows this one and arrived through a door for records of provenance ``door``.

        A record can only count for less than its door: it bears a mark (synthetic), or the note of a collector that
        a stranger sent it (unvouched).  Anything else that it shows is the reader's guess.

        Raises:
            Rejected: it is marked but arrived as real: otherwise anyone who may send records could stage an event
                among real ones.
        """
        if self.is_synthetic and door is Provenance.REAL:
            raise Rejected(SET_ASIDE)
        return weakest((door, self)) if self in (Provenance.UNVOUCHED, Provenance.SYNTHETIC) else door


AHEAD = threshold(
    "pipeline.ahead_seconds",
    86_400.0,
    "Measurements dated further ahead are stored, but no window includes them before their time: a wrong clock "
    "must not stretch one.",
)

SET_ASIDE = "it is marked as synthetic, so it is not a real measurement: set aside"


def weakest(provenances: Iterable[Provenance]) -> Provenance:
    """The provenance of anything derived from all of these; imported if there are none."""
    return max(provenances, key=list(Provenance).index, default=Provenance.IMPORTED)


@noun
class Record:
    """One raw measurement as received, without what identifies a person, and where it came from.

    Attributes:
        source: name of the source that read it (``ooni``, ``ooni-csv``); the same source parses it again when
            conclusions are recomputed.
        data: one JSON document, UTF-8, without a line break.
        file: where it was read, for error messages.
        line: 1-based line (or row, or member of a tar) in ``file``.
        items: what the user counts: 1 measurement, or the distinct rows of a CSV in this record.
        duplicates: exact repetitions of those rows, which the reader has left out.
        provenance: set by the importer; a reader knows a file, but not where it came from.
        published: address of the public object of which it is ``line``; empty = it came from none.
        decoded: what its reader has already made of ``data``, so that it is not decoded twice; parsing uses it up.
            ``None`` for a record that is kept.
    """

    source: str
    data: bytes
    file: str = ""
    line: int = 0
    items: int = 1
    duplicates: int = 0
    provenance: Provenance = Provenance.IMPORTED
    published: str = ""
    decoded: Any = field(default=None, compare=False, repr=False)


STATED = "probe_id "
"""Prefix of a probe's name that rests only on its sender's word."""


def is_stated(probe: str) -> bool:
    """Does the name rest only on the sender's word?  Such a name groups measurements, but adds no weight to them."""
    return probe.startswith(STATED)


class Layer(StrEnum):
    """The step of a connection that an observation is about."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    QUIC = "quic"
    HTTP = "http"
    TRANSFER = "transfer"


class Observer(StrEnum):
    """Who observed: the probe inside the country, or OONI's test helper outside (the control)."""

    PROBE = "probe"
    HELPER = "helper"


ENCRYPTED = ("doh", "dot")
"""Kinds of resolver that have their own name and certificate."""


@noun
class Observation:
    """One fact.  What was not measured is None, NaN or empty, never 0.

    Attributes:
        layer: the step observed.
        target: what people use: a platform (``telegram``) or a host name without ``www.``.
        hostname: the name looked up, the SNI, or the host of the URL; empty where an address was used.
        vantage: who observed.
        role: which part of the target the endpoint is, a name of ``Role``; ``redirect`` = a host that the target's own
            pages sent the probe on to.
        ip: address contacted, empty = unknown.  Never an address of the probe.
        port: 0 = unknown.
        failure: OONI df-007 failure string; None = it worked.
        at: seconds since the measurement began; NaN = unknown.
        seconds: how long the step took; NaN = unknown (a negative clock reading counts as unknown).
        resolver: for DNS: ``system``, ``udp``, ``doh``, ``dot`` or ``helper``.
        query_type: for DNS: ``A``, ``AAAA``, ``HTTPS``, ``CNAME``; empty = unknown.
        answers: for DNS: the addresses answered, in order.
        answer_asns: for DNS: the origin ASN of each of ``answers``; 0 = unknown.
        ttls: for DNS: the TTL of each of ``answers`` in seconds; -1 = unknown.
        cert_valid: for TLS and QUIC: did the certificate validate for ``hostname``; None = no certificate was seen or
            checked.
        cert_sha256: hex digest of the leaf certificate, of tables that publish it; empty = unknown.
        cert_subject: of the leaf's names, in lower case, those that are for the host, space separated.
        cert_issuer: words by which rules know the leaf's issuer (``analysis.rules.authorities``).
        browser: for a TLS handshake that failed: what happened to a browser's ClientHello with the same name at the
            same address right after: ``answered``, ``cut``; empty = not tried.  Like ``body`` it is kept only while the
            measurement is judged.
        url: for HTTP: the URL requested.
        status_code: for HTTP: 0 = no response.
        body_length: for HTTP: bytes of body received; -1 = unknown.
        body_truncated: for HTTP: the recorded body is only a beginning.
        title: for HTTP: the ``<title>`` of the page; empty = none.
        header_names: for HTTP: lower-case names of the response headers, sorted.
        location: for HTTP: where a redirect pointed.
        server: for HTTP: the ``Server`` header.
        body: for HTTP: the body as text, kept only while the measurement is judged; facts do not store it (the archive
            does).
        headers: for HTTP: the response headers as ``name: value`` lines; not stored either.
        received: bytes received when the step ended or stalled; -1 = unknown.
        kbps: for transfers: kilobits per second; NaN = unknown.
        largest_gap: for transfers: longest silence between two reads, in seconds; NaN = unknown.
    """

    layer: Layer
    target: str
    hostname: str = ""
    vantage: Observer = Observer.PROBE
    role: str = "web"
    ip: str = ""
    port: int = 0
    failure: str | None = None
    at: float = nan
    seconds: float = nan
    resolver: str = ""
    query_type: str = ""
    answers: tuple[str, ...] = ()
    answer_asns: tuple[int, ...] = ()
    ttls: tuple[int, ...] = ()
    cert_valid: bool | None = None
    cert_sha256: str = ""
    cert_subject: str = ""
    cert_issuer: str = ""
    browser: str = field(default="", compare=False)
    url: str = ""
    status_code: int = 0
    body_length: int = -1
    body_truncated: bool = False
    title: str = ""
    header_names: tuple[str, ...] = ()
    location: str = ""
    server: str = ""
    body: str = field(default="", repr=False, compare=False)
    headers: str = field(default="", repr=False, compare=False)
    received: int = -1
    kbps: float = nan
    largest_gap: float = nan


@noun
class Measurement:
    """Who measured, from where, when.

    Attributes:
        uid: ``measurement_uid``, else the digest of the record's content.  Its name for good.
        test_name: OONI's nettest, ``web_connectivity`` ...
        test_version: as written by the probe; empty = unknown.
        country: ISO 3166-1 alpha-2; ``ZZ`` = unknown.
        asn: of the probe's network; 0 = unknown.
        resolver_asn: of the resolver the probe used; 0 = unknown.
        access: from the record's ``network_type`` (``wifi`` says nothing about the line behind it).
        started_at: unix seconds, UTC.
        probe: what counts as one probe: its ``probe_id`` behind ``STATED``, else ``report_id``, else ``uid``.
        software: name and version of the probe, ``ooniprobe-android 3.8.2``.
        input: the URL or other input; empty where the nettest has none.
        target: the platform or host that the measurement is about; empty where there is none.
        defect: why it cannot support a conclusion (``vpn``, ``no network``, ``unknown network`` ...); empty = sound.
        network_name: the network's name as the record gives it; empty = unknown.
        report: OONI's ``report_id``; empty = none.
        content: digest of the record as it came, less what servers add; empty = unknown.
        receipt: unix seconds, UTC, at which a collector received it; NaN = only its sender dates it.
        vouched: does an operator answer for who measured it?  False for strangers at a collector, for OONI's
            volunteers, and for vantage points that anyone may host.
        volunteer: is it a known volunteer's, whose pseudonym was proved and had measured on this network for weeks
            (``collector.volunteers``)?
    """

    uid: str
    test_name: str
    test_version: str
    country: str
    asn: int
    resolver_asn: int
    access: Access
    started_at: float
    probe: str
    software: str = ""
    input: str = ""
    target: str = ""
    defect: str = ""
    network_name: str = ""
    report: str = field(default="", compare=False)
    content: str = field(default="", compare=False)
    receipt: float = nan
    vouched: bool = False
    volunteer: bool = False


LATE = "late"
"""Defect of a stranger's measurement that was received long after the time that it states."""

LATE_AFTER = threshold(
    "sources.late_minutes",
    65,
    "Minutes between the time that a stranger's measurement states and its receipt, from which it supports no "
    "conclusion: otherwise anyone could write the past. An hour, and five minutes for wrong clocks. Of "
    "Kenya's records of November 2023 OONI received 99 in 100 within 11 seconds, and one in 400 after an hour.",
)


def is_late(started_at: float, receipt: float) -> bool:
    """Was it received long after it was made?  By whole minutes, since a redacted record has no seconds."""
    return receipt // MINUTE - started_at // MINUTE > LATE_AFTER


@noun
class ParsedMeasurement:
    """One measurement with its facts: the probe's observations and those of its control.

    Attributes:
        measurement: the header.
        observations: in the order in which they were made; ``Observation.vantage`` tells those of the helper
            apart.
        control_failure: why the outside helper could not be asked; None = it answered, or the nettest has no
            helper and there is no observation of one.
        bogus: parts of the record that could not be read, in words: field and reason.
    """

    measurement: Measurement
    observations: tuple[Observation, ...]
    control_failure: str | None = None
    bogus: tuple[str, ...] = ()

    def without_pages(self) -> "ParsedMeasurement":
        """A copy without the parts of pages that only rules read, which take more memory than everything
        else.
        """
        bare = [changed(o, body="", headers="") if o.body or o.headers else o for o in self.observations]
        return changed(self, observations=tuple(bare))


# --- host names, addresses and URLs ---------------------------------------------------------------------

LONGEST = 45
"""Characters of an IPv6 address that ends in an IPv4 one (INET6_ADDRSTRLEN, RFC 3493)."""


def is_address(text: str) -> bool:
    """Is it an IPv4 or IPv6 address, without brackets?  Probes, readers and rules ask this of every host name."""
    if not text or len(text) > LONGEST or (text[-1] not in "0123456789." and ":" not in text):
        return False  # most names, without the cost of an exception
    return _is_address(text)


@lru_cache(maxsize=65_536)
def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


PORTS = {"http": 80, "https": 443}
"""Scheme of a URL -> port where it names none."""


def endpoint(ip: str, port: int | str) -> str:
    """``192.0.2.1:443`` or ``[2001:db8::1]:443``."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def ip_of(place: str) -> str:
    """The address in what ``endpoint`` made."""
    return place.rpartition(":")[0].strip("[]")


PRIVATE_ENDINGS = (
    ".localhost",
    ".localdomain",
    ".local",
    ".home.arpa",
    ".internal",
    ".intranet",
    ".private",
    ".corp",
    ".home",
    ".lan",
    ".mail",
)
"""Ends of names that a home or company network gives itself, so that nothing outside can confirm them: RFC 6761
(``localhost``), RFC 6762 (``local``, and in appendix G what else networks use), RFC 8375 (``home.arpa``), ICANN's
reservation of ``internal`` (2024) and its promise never to delegate ``corp``, ``home`` and ``mail`` (2018);
``localdomain`` is what many systems append to a bare name."""


@lru_cache(maxsize=65_536)
def is_private_name(hostname: str) -> bool:
    """Does it mean something different in each network, as ``nas.lan`` and ``intranet`` do? False for IP
    addresses."""
    name = hostname.rstrip(".").lower()
    return bool(name) and not is_address(name) and ("." not in name or name.endswith(PRIVATE_ENDINGS))


_ORIGIN = re.compile(
    r"([a-z]{1,10}:)?//(\[[0-9a-f:.]+\]|[^/?#:@]{0,255})(:\d{1,5})?(.*)", re.IGNORECASE | re.DOTALL
)

LOCAL_NAME = "local-name"
"""Stands for the name of a machine in a user's own network."""


def shown_name(name: str) -> str:
    """A host name as it may be shown to anyone."""
    return LOCAL_NAME if is_private_name(name) else name


def shown_url(url: str, asked: str) -> str:
    """A URL as it may be shown to anyone: unless it is the one that was asked for, what follows its host may name the
    visitor.
    """
    match = _ORIGIN.match(url)
    if url == asked or not url or match is None:
        return url if url == asked else "..." if url else ""
    scheme, host, port, rest = match.groups("")
    return f"{scheme}//{shown_name(host)}{port}{'/...' if rest not in ('', '/') else rest}"


# --- parts of a service ----------------------------------------------------------------------------------------


class Role(StrEnum):
    """Part of a service, the one that its users miss most first.

    To say that Telegram was blocked is to say that its users could not use it.  They could if only its web client, or
    only a site that links to it, is cut.  The parts are those that OONI's nettests of apps test one by one (ooni/spec
    ts-018, ts-019, ts-020, ts-029), and what the hosts of a platform are for (``refdata/platforms.toml``).
    """

    CHAT = "chat"
    """The one server without which the app does nothing (Signal's chat.signal.org)."""
    API = "api"
    """What the app talks to: Telegram's access points, WhatsApp's chat servers."""
    MESSENGER = "messenger"
    """A messenger that shares the service's hosts (Facebook Messenger)."""
    WEB = "web"
    """The service in a browser."""
    CLIENT = "client"
    """The web client of a service that is an app in the first place."""
    REGISTRATION = "registration"
    """What only new accounts need (WhatsApp's v.whatsapp.net)."""
    MEDIA = "media"
    """Where pictures, video and files come from."""
    SITE = "site"
    """Sites that describe an app or link to it, and are not the service (t.me)."""


APP = frozenset({Role.CHAT, Role.API})
"""Without these the app does not work."""

WAYS_IN = (Role.CHAT, Role.API, Role.MESSENGER, Role.WEB, Role.CLIENT)
"""Roles by which people use a service: if one is cut, the loss of the others is a detail."""

SERVICE = "service"
"""Instead of a role: the service itself, where it has to be distinguished from a part of it (``telegram/service``)."""

REDIRECT = "redirect"
"""Instead of a role: another service's host, to which the target's own pages sent the probe on."""


def is_service(cut: Collection[Role], spared: Collection[Role]) -> bool:
    """Is the service itself cut, and not only parts of it?

    It is if its app is, or where no app was tried, if the service in a browser is.  If either still worked, only the
    other is cut.

    Args:
        cut: roles that failed.
        spared: roles that were tried and worked.
    """
    if APP.intersection(cut):
        return not {Role.WEB, Role.CLIENT}.intersection(spared)
    return Role.WEB in cut and not APP.intersection(spared)


def named(target: str, cut: Collection[Role], spared: Collection[Role]) -> tuple[str, ...]:
    """What may be called cut: the target (``telegram``), or parts of it (``telegram/client``).

    Args:
        cut, spared: as for ``is_service``; if no role is known, the target is named.
    """
    if not cut or is_service(cut, spared):
        return (target,)
    missed = [role for role in WAYS_IN if role in cut] or [role for role in Role if role in cut]
    return tuple(dict.fromkeys(f"{target}/{Role.API if role in APP else role}" for role in missed))
