"""Values: what a record says about itself (df-000), and its addresses, URLs, numbers and failures.

Each has one form, regardless of the version of OONI's probe. A value that cannot be read becomes empty, 0 or
NaN, which means *unknown* in an observation. A failure becomes the df-007 name of the network error; a name that
df-007 lists stays as it is, unless a current name means exactly the same.

A failure is free text in which programs quote what they were doing: paths, names of machines, networks and users.  So
only words of ``FAILURE_WORDS`` are kept, and whatever stands between them becomes an asterisk.  Names that df-007 lists
consist of such words, as do the phrases by which rules know a failure (``analysis.rules.failures``).
"""

import re
from collections.abc import Callable
from functools import lru_cache
from math import nan
from typing import Any
from urllib.parse import urlsplit

from msgspec import UNSET

from fanous.analysis.rules.failures import NAMES, PHRASES
from fanous.errors import Rejected
from fanous.model.instant import DAY, from_iso
from fanous.model.measurement import LATE, PORTS, STATED, Measurement, is_address, is_late
from fanous.model.place import UNKNOWN_COUNTRY, Access
from fanous.model.threshold import threshold
from fanous.refdata.platforms import normal_host
from fanous.sources.ooni.document import Header
from fanous.sources.redaction import HIDDEN

LONGEST_URL = 8192
"""Characters kept of a URL: what servers commonly accept at most (RFC 9110 section 4.1 asks for 8000)."""

LONGEST_HOST = 255
"""RFC 1035 section 2.3.4."""

EARLIEST_STEP, LATEST_STEP = -DAY, DAY
"""Seconds.  A step that seems longer than a day means that the clock was set."""


LONGEST_ADDRESS = 64
"""Characters of an address with brackets, and to spare."""


def address_of(text: str | None) -> str:
    """The address, without brackets; empty if the text is not one (``[scrubbed]`` is not)."""
    if text is None or len(text) > LONGEST_ADDRESS:
        return ""
    bare = text.strip("[]")
    return bare if is_address(bare) else ""


@lru_cache(maxsize=65_536)
def _endpoint(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return address_of(host), port_of(int(port)) if port.isascii() and port.isdigit() else 0


def endpoint_of(text: str | None) -> tuple[str, int]:
    """``[2001:db8::1]:443`` -> address and port; empty and 0 where unknown."""
    if not text or len(text) > 80:
        return "", 0
    return _endpoint(text)


@lru_cache(maxsize=16_384)
def _split(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", 0
    return host_of(host), port or PORTS.get(parts.scheme, 0)


def host_and_port(url: str | None) -> tuple[str, int]:
    """Host of a URL (lower case, punycode; IPv6 without brackets) and port; empty and 0 where unknown."""
    if not url:
        return "", 0
    return _split(url[:LONGEST_URL])


@lru_cache(maxsize=65_536)
def _host(name: str) -> str:
    return name if is_address(name) else normal_host(name)[:LONGEST_HOST]


def host_of(name: str | None) -> str:
    """A host name as the rest of Fanous writes it; empty = unknown."""
    return _host(name) if name and len(name) <= 4 * LONGEST_HOST else ""


def address_form(text: str) -> str | None:
    return text if len(text) <= LONGEST_ADDRESS and is_address(text.strip("[]")) else None


_HOST = re.compile(rf"[\w.*-]{{1,{LONGEST_HOST}}}")


def name_form(text: str) -> str | None:
    """A host name, of any script, or an address."""
    return text if _HOST.fullmatch(text) or address_form(text) else None


@lru_cache(maxsize=65_536)
def _name(text: str) -> str:
    return host_of(text) if name_form(text) else ""


def name_of(text: str | None) -> str:
    """``host_of`` a text of the form in which names are stored, so that a stored record says the same."""
    return _name(text) if text and len(text) <= LONGEST_HOST else ""


ENCRYPTED_RESOLVERS = {
    "https://dns.google/dns-query": "dns.google",
    "https://dns.nextdns.io/dns-query": "dns.nextdns.io",
    "https://dns.quad9.net/dns-query": "dns.quad9.net",
    "https://mozilla.cloudflare-dns.com/dns-query": "mozilla.cloudflare-dns.com",
}
"""URL -> name of each resolver over HTTPS that OONI's engine asks, one in each run, as its records of versions 0.5.26
and 0.5.28 name them.  Of any other, the path may be a person's account."""


def encrypted_resolver(address: str | None) -> str:
    """The name of a resolver that OONI's engine asks over HTTPS; empty = another one."""
    return ENCRYPTED_RESOLVERS.get(address or "", "")


def port_of(value: float | None) -> int:
    """0 = unknown."""
    return int(value) if value is not None and 0 < value < 65_536 else 0


def asn_of(value: Any) -> int:
    """``AS17557``, ``"17557"`` or ``17557`` -> 17557; 0 = unknown."""
    if isinstance(value, str):
        digits = value[:16].strip().upper().removeprefix("AS")
        value = int(digits) if digits.isascii() and digits.isdigit() else 0
    if isinstance(value, int | float) and 0 < value < 2**32:
        return int(value)
    return 0


def ttl_of(value: float | str | None) -> int:
    """Seconds for which an answer may be kept; -1 = unknown."""
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    return int(value) if value is not None and 0 <= value < 2**31 else -1


def count_of(value: float | None, unknown: int = -1) -> int:
    """A count of bytes; a negative or absurd one is unknown."""
    return int(value) if value is not None and 0 <= value < 2**53 else unknown


def seconds_of(value: float | None) -> float:
    """Seconds since the measurement began; NaN = unknown."""
    if value is None or not EARLIEST_STEP <= value <= LATEST_STEP:
        return nan
    return value if type(value) is float else float(value)


def duration(start: float | None, end: float | None) -> float:
    """Seconds from ``start`` to ``end``; NaN = unknown, also if the clock went backwards."""
    if start is None or end is None or not EARLIEST_STEP <= start <= end <= LATEST_STEP:
        return nan
    return float(end - start)


EARLIEST, LATEST = from_iso("2010-01-01"), from_iso("2100-01-01")
"""OONI's first measurements are from 2012; a time outside these limits means that the probe's clock was not set."""

LONGEST_NAME = 200
"""Characters kept of names and identifiers; OONI's longest report ids have 115."""

NO_NETWORK = frozenset({"no_internet", "none", "no internet"})
"""``network_type`` as written by OONI's apps where the phone had no connection."""

NETWORK_TYPES = frozenset({"wifi", "mobile", "vpn", "wired_ethernet", "usb", "unknown"}) | NO_NETWORK
"""Values of the annotation ``network_type`` that are stored; it is free text, in which a probe may put a name."""


SOFTWARE = frozenset(
    (
        *(
            "ooniprobe",
            "miniooni",
            "oonimkall",
            "ooni",
            "measurement",
            "kit",
            "mk",
            "ithena",
            "netmon",
            "probe",
        ),
        *("android", "ios", "desktop", "cli", "web", "unattended", "mobile", "windows", "macos", "linux"),
        *("fanous", "generator", "globalping", "ripe", "atlas", "legacy", "lite", "news", "media", "scan"),
    )
)
"""Words of which the names of measuring programs consist; as free text, a name may be anyone's."""

OTHER_SOFTWARE = "other"

_SOFTWARE = re.compile(r"[A-Za-z_ -]*")
_SOFTWARE_WORD = re.compile(r"[A-Za-z]+")
_VERSION = re.compile(
    r"(?:0|[1-9]\d?)(?:\.(?:0|[1-9]\d{0,3})){0,3}(?:-(?:alpha|beta|rc|dev)(?:\.?[0-9]{1,3})?)?", re.ASCII
)


QUERY_TYPES = frozenset(
    (
        *("A", "AAAA", "ANY", "CNAME", "PTR", "NS", "MX", "TXT", "SOA", "SRV"),
        *("HTTPS", "SVCB", "CAA", "DS", "DNSKEY"),
    )
)


def query_type_of(text: str | None) -> str:
    """The type of a lookup; empty = unknown."""
    upper = (text or "")[:20].upper()
    return upper if upper in QUERY_TYPES else ""


def software_of(text: str) -> str:
    """The name of the measuring program, if it is one of those known."""
    return _software(text) if len(text) <= LONGEST_NAME else OTHER_SOFTWARE


@lru_cache(maxsize=1024)
def _software(text: str) -> str:
    is_known = _SOFTWARE.fullmatch(text) and SOFTWARE.issuperset(_SOFTWARE_WORD.findall(text.lower()))
    return text if is_known else OTHER_SOFTWARE


def version_of(text: str) -> str:
    """A version; empty = it is not one."""
    return text if _VERSION.fullmatch(text) else ""


def measurement_of(
    document: Header,
    make_uid: Callable[[], str],
    target: str,
    defect: str,
    notes: list[str],
    content: str = "",
    *,
    is_own: bool = False,
) -> Measurement:
    """The header.

    Args:
        make_uid: gives the identity if the record has none of its own.
        target: what the nettest is about.
        defect: a defect of the instrument that the nettest itself found; empty = none.
        content: digest of its content when it arrived; empty = unknown.
        is_own: does it come from the source of our own probes?

    Raises:
        Rejected: no name of a nettest, or no time.
    """
    test_name = clip(document.test_name)
    if not test_name:
        raise Rejected("no test_name: it is not an OONI measurement")
    own_uid = document.measurement_uid or ""
    uid = (clip(own_uid) if len(own_uid) <= LONGEST_NAME else "") or make_uid()
    # `verification_status` is ignored: it shows that a credential was used, of which anyone may have many.
    stated = clip(document.probe_id)
    country, asn = country_of(document.probe_cc), asn_of(document.probe_asn)
    network_type = (document.annotations.network_type if document.annotations else None) or ""
    no_line = "vpn" if network_type == "vpn" else "no network" if network_type in NO_NETWORK else ""
    began = started_at(document, notes)
    uploaded = _from_identifier(document.measurement_uid)
    # A clock that is behind cannot be told from a late upload.
    no_time = "clock ahead" if uploaded is not None and began - uploaded > AHEAD else ""
    receipt, vouched = _receipt(document, is_own=is_own), is_own and is_vouched(document)
    late = LATE if not vouched and is_late(began, receipt) else ""
    return Measurement(
        uid=uid,
        test_name=test_name,
        test_version=version_of(clip(document.test_version)),
        country=country,
        asn=asn,
        resolver_asn=asn_of(document.resolver_asn),
        access=Access.MOBILE if network_type == "mobile" else Access.ANY,
        started_at=began,
        probe=(f"{STATED}{stated}" if stated else clip(document.report_id)) or uid,
        software=f"{software_of(clip(document.software_name))} {version_of(clip(document.software_version))}".strip(),
        input=input_of(document.input)[:LONGEST_URL],
        target=target,
        defect=late
        or no_line
        or defect
        or no_time
        or ("unknown network" if asn == 0 or country == UNKNOWN_COUNTRY else ""),
        network_name=clip(document.probe_network_name),
        report=clip(document.report_id),
        content=content,
        receipt=receipt,
        vouched=vouched,
        volunteer=is_own
        and not vouched
        and (document.x_collector is not None and document.x_collector.volunteer is True),
    )


def is_vouched(document: Header) -> bool:
    """Does no collector say that a stranger sent it?  The lab answers for what it staged, which counts only as that."""
    note, recorded = document.x_collector, document.x_recorded not in (None, UNSET)
    return recorded or note is None or note.vouched is True


def _receipt(document: Header, *, is_own: bool) -> float:
    """When a collector received it, unix seconds; NaN = only its sender says when it was made.

    OONI writes the time of receipt into the identity that it gives; whatever else such a record says of its receipt may
    be its sender's.  Our collector notes it, and a record that left a store keeps it.  The lab's clock dates what was
    recorded in it.
    """
    if document.x_recorded not in (None, UNSET):
        return nan
    note = document.x_collector
    texts = (note.received if note else None, document.x_received)
    noted = (instant_of(text) for text in texts if text)
    given = None if is_own else _from_identifier(document.measurement_uid)
    return next((instant for instant in (given, *noted) if instant is not None), nan)


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
            notes.append(f"{field}: {text[:40]!r} is not a time")
    for text in (document.measurement_uid, document.report_id):
        instant = _from_identifier(text)
        if instant is not None:
            return instant
    raise Rejected("no time: measurement_start_time and test_start_time are missing or unreadable")


def instant_of(text: str) -> float | None:
    """Unix seconds of a date or time; ``None`` = not one, or before OONI existed."""
    return _instant(text[:40])


@lru_cache(maxsize=4096)
def _instant(text: str) -> float | None:
    """The same; each is asked for twice, and all records of a report share the time of its start."""
    try:
        instant = from_iso(text)
    except (ValueError, OverflowError):
        return None
    return instant if EARLIEST <= instant < LATEST else None


def _from_identifier(text: str | None) -> float | None:
    """OONI's identifiers begin with the time: ``20230706183840.20``, ``20230706T183830Z_``."""
    digits = (text or "")[:16].replace("T", "")[:14]
    if len(digits) < 14 or not digits.isascii() or not digits.isdigit():
        return None
    return _instant(f"{digits[:8]}T{digits[8:]}")


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


def country_of(code: str | None) -> str:
    """Two capital letters.  Letters outside ASCII may become two capitals (``ß``), and no code has any."""
    letters = (code or "")[:40].strip()
    return (
        letters.upper() if len(letters) == 2 and letters.isascii() and letters.isalpha() else UNKNOWN_COUNTRY
    )


AHEAD = threshold(
    "sources.clock_ahead_seconds",
    3600.0,
    "Time by which a measurement may begin after OONI received it, which its `measurement_uid` tells: beyond, "
    "the probe's clock was wrong, and when it measured is not known. Below 25 minutes in 62 real records and "
    "131,496 rows of tables.",
)


# --- failures ---------------------------------------------------------------------------------------------

UNKNOWN_FAILURE = "unknown_failure"
"""It failed, and the record does not say why."""

LONGEST_FAILURE = 200
"""Characters kept of a failure that no table knows; Go's messages are below 150."""

SAME_FAILURE = {
    "connection_refused_error": "connection_refused",
    "tcp_timed_out_error": "generic_timeout_error",
    "deferred_timeout_error": "generic_timeout_error",
    "task_timed_out": "generic_timeout_error",
    "timed_out": "generic_timeout_error",
    "generic_timeout": "generic_timeout_error",
    "dns_name_error": "dns_nxdomain_error",
    "dns_nxdomain": "dns_nxdomain_error",
    "address_family_not_supported_error": "address_family_not_supported",
    "true": UNKNOWN_FAILURE,
}
"""ooni/probe-legacy's and Measurement Kit's names (df-007, second table) -> today's."""

MESSAGES = (
    ("no route to host", "host_unreachable"),
    ("host is unreachable", "host_unreachable"),
    ("network is unreachable", "network_unreachable"),
    ("unreachable network", "network_unreachable"),
    ("network is down", "network_down"),
    ("actively refused", "connection_refused"),
    ("connection refused", "connection_refused"),
    ("forcibly closed", "connection_reset"),
    ("connection reset", "connection_reset"),
    ("connection aborted", "connection_aborted"),
    ("use of closed network connection", "connection_already_closed"),
    ("server misbehaving", "dns_server_misbehaving"),
    ("no such host", "dns_nxdomain_error"),
    ("certificate has expired", "ssl_invalid_certificate"),
    ("certificate verify failed", "ssl_invalid_certificate"),
    ("certificate is valid for", "ssl_invalid_hostname"),
    ("unknown authority", "ssl_unknown_authority"),
    ("does not look like a tls handshake", "ssl_failed_handshake"),
    ("tls: handshake failure", "ssl_failed_handshake"),
    ("awaiting response headers", "generic_timeout_error"),
    ("operation timed out", "generic_timeout_error"),
    ("i/o timeout", "generic_timeout_error"),
    ("deadline exceeded", "generic_timeout_error"),
    ("unexpected eof", "eof_error"),
)
"""What Go, Windows and OpenSSL say -> df-007; consulted only if the probe had no name for it."""


FAILURE_WORDS = frozenset(
    re.findall(
        r"[a-z0-9]+",
        " ".join(
            (
                *NAMES,
                *SAME_FAILURE,
                *SAME_FAILURE.values(),
                *(words for words, _ in PHRASES),
                *(words for words, _ in MESSAGES),
            )
        )
        # of Go's net, tls and x509, of Python's ssl, socket and OSError, and of OONI's nettests
        + " abort aborted accept alert allocate an and any argument assign at auth bad bind block bogon broken"
        " by bytes can cannot clientlib close code compute connect could dead decode decrypt derived"
        " descriptor device dial digest directory does done download empty errno exceeded exchange executable"
        " exists expected failure file find first for format frame from function get getaddrinfo getsockopt"
        " handshake head header hello https if illegal in incompatible incorrect input insufficient internal"
        " into is it json key large length limit listen local long lookup lost mac malformed match memory"
        " message method mismatch missing name nameserver not ntor number of on open oserror out overflow"
        " packet padding parameter parse peer pipe plaintext port post proto protocol quic read received"
        " record redirected redirects refused remote request requested required resolver resource response"
        " route rst seconds secret section self send server setsockopt shutdown signature signed size small"
        " sni socket socks stats stopped stream sys syscall tcp temporarily that the this tls to too transport"
        " tunnel type udp unable unavailable unexpected unknown unreadable unrecognized unsupported url valid"
        " value verify version was while with write wrong x509",
    )
)
"""Words that may be kept of a failure, in lower case.  None names anyone; the numbers are those of protocols."""

_TOKEN = re.compile(r"[^\W_]+")
_BETWEEN = re.compile(r"[^\w\s:,;.()\[\]'/>-]+|[^\S ]+")
_HIDDEN_RUN = re.compile(r"\*(?:[\s:,;.()\[\]'/>_-]*+\*)++")


def in_words(text: str) -> str:
    """``text`` with an asterisk in place of everything but ``FAILURE_WORDS`` and the marks between them."""
    return _in_words(text) if len(text) < 4 * LONGEST_FAILURE else _in_words(text[:LONGEST_FAILURE])


@lru_cache(maxsize=4096)
def _in_words(text: str) -> str:
    said = _TOKEN.sub(lambda found: found[0] if found[0].lower() in FAILURE_WORDS else HIDDEN, text)
    return _HIDDEN_RUN.sub(HIDDEN, _BETWEEN.sub(HIDDEN, said))[:LONGEST_FAILURE]


def failure_of(value: Any, success: bool | None = None) -> str | None:
    """The failure string; ``None`` = it worked.

    Args:
        value: null and false mean no failure, absent is null; true or another type is a failure
            without a reason.
        success: what the record says next to it; ``False`` without a reason is a failure.
    """
    if value is None or value is False or value == "":
        return UNKNOWN_FAILURE if success is False else None
    return _named(in_words(value)) if isinstance(value, str) else UNKNOWN_FAILURE


@lru_cache(maxsize=4096)
def _named(text: str) -> str:
    if text in SAME_FAILURE:
        return SAME_FAILURE[text]
    if text.startswith(("unknown_failure", "unknown_error", "ssl_error")) or " " in text:
        lower = text.lower()
        for words, name in MESSAGES:
            if words in lower:
                return name
        if lower.endswith(": eof"):
            return "eof_error"
    return text
