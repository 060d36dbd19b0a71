"""Keep: which parts of a record are stored: the fields that rules read, by nettest, and no others.

Regardless of its writer (a stranger's probe, our own, a file), a record is decoded into the structures of
``document`` and written again, so an unforeseen field is never stored.  Each text that remains has its form: a field
for an address contains an address or nothing, one for a kind of step a name from a list, one for a failure words from
a list.  So neither a probe nor the author of a record can put a name where rules expect something else.  Texts without
a form here are what was measured, or parts of pages (``page``).  Of a chain of certificates, only what rules know of
its leaf stays (``analysis.rules.authorities``).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Raw, Struct
from msgspec.structs import astuple

from fanous.analysis.rules.authorities import known_issuer, names_for
from fanous.model.measurement import (
    Layer,
    Observation,
    Observer,
    ParsedMeasurement,
    Provenance,
    Record,
    changed,
    weakest,
)
from fanous.model.place import UNKNOWN_COUNTRY
from fanous.sources.marks import LAB_AUTHORITY
from fanous.sources.marks import WORDS as MARKS
from fanous.sources.ooni.content import content_of, stamped
from fanous.sources.ooni.document import (
    NULL,
    Document,
    Header,
    ShownCertificate,
    StepKeys,
    Transaction,
    WebDocument,
    WebKeys,
    decode,
)
from fanous.sources.ooni.page import reduce_pages
from fanous.sources.ooni.parse import NETTESTS, Decoded, decode_record, parse_whole
from fanous.sources.ooni.steps import leaf_of
from fanous.sources.ooni.values import (
    NETWORK_TYPES,
    address_form,
    asn_of,
    country_of,
    encrypted_resolver,
    endpoint_of,
    host_and_port,
    in_words,
    input_of,
    instant_of,
    is_vouched,
    name_form,
    name_of,
    query_type_of,
    software_of,
    version_of,
)


def take(record: Record) -> tuple[Record, ParsedMeasurement]:
    """A record as it is stored, and its measurement, read from the whole record except for what names a person.

    One that bears a mark (``sources.marks``) is synthetic, and one that a collector took from a stranger is unvouched,
    wherever it came from.

    Raises:
        Rejected: it cannot be used.
    """
    decoded, parsed = parse_whole(record)
    quieted: dict[str, str] = {}
    decoded = _reduce_all(decoded, quieted)
    header, content = decoded.header, parsed.measurement.content
    header.measurement_uid = parsed.measurement.uid or header.measurement_uid
    provenance = weakest((record.provenance, _shown_by(header)))
    if quieted:
        seen = tuple([_quiet(one, quieted) for one in parsed.observations])
        parsed = changed(parsed, observations=seen)
    written = encoded(decoded)
    return Record(
        record.source,
        stamped(written, content) if content else written,
        record.file,
        record.line,
        record.items,
        record.duplicates,
        provenance,
        record.published,
    ), parsed


def _shown_by(header: Header) -> Provenance:
    """The same as ``sources.marks.shown_by`` would find in what is stored of it."""
    notes = header.annotations
    if header.x_recorded not in (None, UNSET) or (notes is not None and notes.synthetic is not UNSET):
        return Provenance.SYNTHETIC
    return Provenance.REAL if is_vouched(header) else Provenance.UNVOUCHED


def kept(data: bytes, *, with_pages: bool = True) -> bytes:
    """A record of a probe as it is stored.

    Args:
        with_pages: whether the bodies of responses are kept; a record without them says that they are cut off.

    Raises:
        Rejected: it is not a JSON object, or too costly.
    """
    decoded = reduced(data)
    if not with_pages and decoded.keys is not None:
        for steps in steps_of(decoded.keys):
            for transaction in steps.requests or ():
                if transaction.response is not None and transaction.response.body is not None:
                    transaction.response.body, transaction.response.body_is_truncated = None, True
    return encoded(decoded)


def reduced(data: bytes) -> Decoded:
    """The parts of a record that are stored.

    Raises:
        Rejected: it is not a JSON object, or too costly.
    """
    decoded, _ = decode_record(data, [])
    return _reduce_all(decoded, {})


def kept_own(data: bytes) -> bytes:
    """A record of this machine's own probe as it is stored and sent.

    Others know only what is sent, so its identity is taken from that: a collector that received it, and OONI
    which published it, derive the same.
    """
    written = kept(data)
    return stamped(written, content_of(written))


def _quiet(one: Observation, quieted: dict[str, str]) -> Observation:
    """The fact with its URLs and title as they are stored."""
    said = (one.url, one.location, one.title)
    if (
        one.layer not in (Layer.HTTP, Layer.TRANSFER)
        or one.vantage is not Observer.PROBE
        or quieted.keys().isdisjoint(said)
    ):
        return one
    url, location, title = (quieted.get(text, text) for text in said)
    return changed(one, url=url, location=location, title=title)


def _reduce_all(decoded: Decoded, quieted: dict[str, str]) -> Decoded:
    """Args:
    quieted: receives URLs and titles that are stored in another form, each with that form.
    """
    header, keys = decoded
    reduce(header)
    if keys is None and isinstance(header, Document) and header.test_keys is not NULL:
        keys = decode(header.test_keys, StepKeys, "test_keys", [])  # all nettests have steps in common
    if keys is not None:
        if isinstance(header, Document):  # else they are a part of it
            reduce(keys)
        _reduce_steps(keys, input_of(header.input), quieted)
    return Decoded(header, keys)


_json = msgspec.json.Encoder()


def encoded(decoded: Decoded) -> bytes:
    header, keys = decoded
    if isinstance(header, Document):
        header.test_keys = NULL if keys is None else Raw(_json.encode(keys))
    return _json.encode(header)


def _reduce_steps(keys: Struct, asked: str, quieted: dict[str, str]) -> None:
    """Remove what is not kept from pages, URLs, headers and certificates.

    Args:
        asked: the URL that was to be measured, which is public.
    """
    transactions: list[Transaction] = []
    for steps in steps_of(keys):
        transactions += steps.requests or ()
        looked_up = {host_and_port(asked)[0], *(name_of(query.hostname) for query in steps.queries or ())}
        for handshake in (*(steps.tls_handshakes or ()), *(steps.quic_handshakes or ())):
            if handshake.peer_certificates is not UNSET:
                hosts = {*looked_up, name_of(handshake.server_name)} - {""}
                handshake.peer_certificates = shown_of(handshake.peer_certificates, hosts)
    reduce_pages(keys if isinstance(keys, WebKeys) else None, transactions, asked, quieted)


def steps_of(keys: Struct) -> Iterator[StepKeys]:
    """The steps in the keys of a nettest, at any depth."""
    if isinstance(keys, StepKeys):
        yield keys
    for name in _with_steps(type(keys)):
        parts: Any = getattr(keys, name) or ()
        for part in (
            parts.values() if isinstance(parts, dict) else parts if isinstance(parts, list) else [parts]
        ):
            yield from steps_of(part)


@cache
def _with_steps(kind: type[Struct]) -> tuple[str, ...]:
    """The fields of a structure that have steps in them, as a part, a list or a map of parts."""
    return tuple(
        name
        for name, hint in get_type_hints(kind).items()
        if any(issubclass(one, StepKeys) or _with_steps(one) for one in _structures(hint))
    )


def shown_of(chain: Any, hosts: Iterable[str]) -> tuple[ShownCertificate, ...]:
    """What rules read of the first certificate: who issued it, of those that they know, and which of its names are for
    one of the hosts; none if it cannot be read."""
    leaf = leaf_of(chain)
    issuer = leaf.issuer if leaf.issuer == LAB_AUTHORITY else known_issuer(leaf.issuer)
    names = names_for(hosts, leaf.names)
    return (ShownCertificate(x_issuer=issuer or None, x_names=names or None),) if issuer or names else ()


# --- the form of each text ------------------------------------------------------------------------------

Form = Callable[[Any], Any]
"""A value as it is kept; ``None`` = not at all."""


MOST_REMEMBERED, LONGEST_REMEMBERED = 8192, 64
"""Texts whose form is remembered, for each kind of form, and the characters of one: a day's records name some thousands
of hosts, and a stranger's names must not fill the memory."""


class _Remembered(dict[str, Any]):
    """The form of texts, remembered if they are short: records name the same hosts and failures again and again."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def __missing__(self, text: str) -> Any:
        kept = self._form(text)
        if len(text) <= LONGEST_REMEMBERED:
            if len(self) >= MOST_REMEMBERED:
                self.clear()
            self[text] = kept
        return kept


@cache
def _remembered(form: Form) -> Form:
    return _Remembered(form).__getitem__


_failure_in_words = _remembered(in_words)


def _listed(*names: str) -> Form:
    return dict(zip(names, names, strict=True)).get


def _failure(value: Any) -> Any:
    """A value that is neither text nor a boolean is a failure without a reason."""
    return _failure_in_words(value) if type(value) is str else value if value in (None, True, False) else True


def _endpoint(text: str) -> str | None:
    """An address with or without a port; of a name, only the port."""
    address, port = endpoint_of(text)
    return text if address or address_form(text) else f":{port}" if port else None


def _server(text: str) -> str | None:
    return name_form(text) or _endpoint(text)


_FRONT = re.compile(r"(https?://[\w.:\[\]-]{1,300})(?:[/?#].*)?", re.DOTALL)


def _site(text: str) -> str | None:
    """A site of the probe's lists, by name, or by the URL of which only the front page's is kept."""
    match = _FRONT.fullmatch(text)
    return f"{match[1]}/" if match and name_form(host_and_port(text)[0]) else name_form(text)


def _time(text: str) -> str | None:
    return text if len(text) <= 40 and instant_of(text) is not None else None


_ASKED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://\S.*|[^\s@]+")
"""A URL, or a name, an address or a path."""


def _asked(text: str) -> str | None:
    return text if _ASKED.fullmatch(text) else None


def _inputs(value: Any) -> Any:
    """One, or a list of them."""
    return _members(_asked, value) if isinstance(value, list) else _if_text(_asked, value)


_NETWORK_NUMBER = re.compile(r"(?:AS|as)?[0-9]{1,10}")


def network_form(text: str) -> str | None:
    """As written if it has the usual form; otherwise as it is parsed."""
    if _NETWORK_NUMBER.fullmatch(text):
        return text
    return f"AS{asn}" if (asn := asn_of(text)) else None


def _country(text: str) -> str | None:
    """The same."""
    known = country_of(text)
    return text if text.upper() == known else known if known != UNKNOWN_COUNTRY else None


_DIGEST = re.compile("[0-9a-f]{32}")


def _mark(value: Any) -> Any:
    """A mark says only that it is there."""
    is_known = isinstance(value, str) and (value in MARKS or _CLOCK.fullmatch(value))
    return value if value is UNSET or is_known else True


_CLOCK = re.compile(r"[0-9.e+]{1,12} times as fast since [0-9TZ:-]{10,20}")

ENGINES = frozenset(
    (
        *("system", "getaddrinfo", "udp", "tcp", "doh", "dot", "doh3", "unknown", "none"),
        *("go", "netgo", "golang_net_resolver", "libc", "android"),
    )
)
"""How a name may have been looked up."""

_ANY: dict[str, Form] = {
    "input": _inputs,
    **dict.fromkeys(("failure", "control_failure"), _failure),
    **dict.fromkeys(("synthetic", "x_clock", "x_recorded"), _mark),
}
"""Of fields that may have any type."""

_TEXTS: dict[str, Form] = {
    "ipv4": address_form,
    "ipv6": address_form,
    "ip": name_form,
    "address": _endpoint,
    "target_address": _endpoint,
    "server_address": _server,
    "hostname": name_form,
    "server_name": name_form,
    "x_resolver_name": name_form,
    "resolver_address": lambda text: text if encrypted_resolver(text) else None,
    "ttl": lambda text: text if text.isdecimal() else None,
    "url": _asked,
    "query_type": lambda text: query_type_of(text) or None,
    "engine": lambda text: text if text in ENGINES else None,
    "network": _listed("tcp", "udp", "quic"),
    "operation": _listed(
        *("read", "write", "connect", "bytes_received_cumulative", "read_from", "write_to"),
        *("resolve_start", "resolve_done", "tls_handshake_start", "tls_handshake_done"),
        *("quic_handshake_start", "quic_handshake_done", "http_transaction_start", "http_transaction_done"),
    ),
    "target_protocol": _listed("dir_port", "or_port", "or_port_dirauth", "obfs4", "tcp"),
    "role": _listed("target", "control"),
    "answer": _listed("server_hello", "alert"),
    "format": _listed("base64"),
    "network_type": _listed(*NETWORK_TYPES),
    "software_name": software_of,
    "software_version": lambda text: version_of(text) or None,
    "test_version": lambda text: version_of(text) or None,
    "probe_cc": _country,
    "probe_asn": network_form,
    "resolver_asn": network_form,
    "measurement_start_time": _time,
    "test_start_time": _time,
    "received": _time,
    "x_received": _time,
    "credential": lambda text: text if _DIGEST.fullmatch(text) else None,
}
"""Field -> the form of its text, in all structures that have it."""

_MEMBERS: dict[str, Form] = {"addrs": address_form, "spared": _site}
"""Field -> the form of each text in its list."""

_KEYS: dict[str, Form] = {
    "tcp_connect": _endpoint,
    "tls_handshake": _endpoint,
    "quic_handshake": _endpoint,
    "ip_info": address_form,
    "controls": _site,
}
"""Field -> the form of each key of its map."""


_NUMBERED = frozenset({"targets"})
"""Maps whose keys are names that anyone may choose, and that no rule reads: they become numbers."""


_AS_IT_IS = frozenset(
    (
        *("test_name", "measurement_uid", "report_id", "probe_id", "probe_network_name"),
        *("body", "data", "title", "headers", "headers_list", "http_request", "peer_certificates"),
    )
)
"""Texts without a form here: names of what was measured and by whom, which ``redact`` hides where a record becomes
public, and pages, URLs and certificates, which ``_reduce_steps`` reduces."""

_Plan = tuple[tuple[int, str, Form], ...]


def reduce(part: Struct) -> Struct:
    """Bring each text of a part of a record, at any depth, into its form; returns the part."""
    _reduce_each(_plan(type(part)), (part,))
    return part


def _reduce_each(plan: _Plan, parts: Iterable[Struct]) -> Any:
    """The same for parts of one kind; returns them."""
    for part in parts:
        values = astuple(part)
        for place, name, form in plan:
            value = values[place]
            if value is not None and (kept := form(value)) is not value and kept != value:
                setattr(part, name, kept)
    return parts


@cache
def _plan(kind: type[Struct]) -> _Plan:
    """The fields of a structure that have a form, or parts with one below them: the place and name of each, and what
    becomes of it."""
    hints = get_type_hints(kind)
    found = ((place, name, _form_of(name, hints[name])) for place, name in enumerate(kind.__struct_fields__))
    return tuple((place, name, form) for place, name, form in found if form is not None)


def _form_of(name: str, hint: Any) -> Form | None:
    kinds = get_args(hint)
    if name in _ANY:
        return _ANY[name]
    if name in _TEXTS and str in kinds:
        form = _remembered(_TEXTS[name])
        return form if len(kinds) == 2 else partial(_if_text, form)
    containers = [get_origin(one) for one in kinds]
    if name in _MEMBERS and list in containers:
        return partial(_members, _remembered(_MEMBERS[name]))
    plan = next(filter(None, map(_plan, _structures(hint))), ())
    if dict in containers and name in _NUMBERED | _KEYS.keys():
        return partial(_map, _remembered(_KEYS[name]) if name in _KEYS else None, plan)
    if _has_text(hint) and name not in _AS_IT_IS:
        raise TypeError(
            f"{name} may be any text: give it a form in sources/ooni/keep.py, so that no one is named by it"
        )
    if not plan:
        return None
    return partial(_reduce_each, plan) if list in containers else _if_part if str in kinds else reduce


def _has_text(hint: Any) -> bool:
    """Can it be a text, or contain one outside of its parts?"""
    return hint in (str, Any) or any(map(_has_text, get_args(hint)))


def _structures(hint: Any) -> Iterator[type[Struct]]:
    if isinstance(hint, type) and issubclass(hint, Struct):
        yield hint
    for one in get_args(hint):
        yield from _structures(one)


def _if_text(form: Form, value: Any) -> Any:
    return form(value) if type(value) is str else value


def _members(form: Form, listed: list[str]) -> list[str]:
    return [kept for text in listed if type(text) is str and (kept := form(text)) is not None]


def _map(form: Form | None, plan: _Plan, value: Any) -> Any:
    """A map with its keys in their form (``None`` = numbered), or a list of the same parts."""
    if not isinstance(value, dict):
        return _reduce_each(plan, value)
    if form is None:
        value = {str(n): one for n, one in enumerate(value.values())}
    else:
        value = {kept: one for key, one in value.items() if (kept := form(key))}
    if plan:
        _reduce_each(plan, [one for one in value.values() if one is not None])
    return value


def _if_part(value: Any) -> Any:
    """The value if it is a part; the text of a page is not."""
    return value if isinstance(value, str) else reduce(value)


for _kind in (Document, WebDocument, *(one.keys for one in NETTESTS.values())):
    _plan(_kind)  # now, since it raises if a text has no form
