"""Parse: turns one raw OONI record into its header and all its observations.  Pure.

Parts that cannot be read are noted in ``ParsedMeasurement.bogus``, and the rest is used.  A record is rejected only
if it is not a JSON object, or lacks a nettest's name or a time.

The observations of web_connectivity (ts-017) are made here: a probe's steps, and what the outside test helper saw.  Our
own probe adds second opinions: what happened to a browser's ClientHello after the probe's was cut
(``x_second_opinions``). Those of the other nettests are in ``nettests``.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from fanous.errors import Rejected
from fanous.model.measurement import (
    Layer,
    Observation,
    Observer,
    ParsedMeasurement,
    Record,
    changed,
    is_address,
)
from fanous.model.registry import registered
from fanous.refdata.platforms import role_of, target_of
from fanous.sources.ooni.content import canonical_hash, check_size, repair, stamp_of, uid_of
from fanous.sources.ooni.document import (
    MOST_ANSWERS,
    MOST_STEPS,
    Control,
    Document,
    Header,
    HelperConnect,
    HelperLookup,
    HelperPage,
    IPInfo,
    Opinion,
    StepKeys,
    TooCostly,
    WebDocument,
    WebKeys,
    decode,
)
from fanous.sources.ooni.nettests import OTHERS, Contents, Nettest, downloads
from fanous.sources.ooni.page import by_name, headers_of
from fanous.sources.ooni.steps import Reader, cert_valid
from fanous.sources.ooni.values import (
    LONGEST_URL,
    address_of,
    asn_of,
    clip,
    count_of,
    endpoint_of,
    failure_of,
    host_and_port,
    input_of,
    measurement_of,
    name_of,
    seconds_of,
)

K = TypeVar("K", bound=Struct)

_NULLS = (b"null", b"")
_web_document = msgspec.json.Decoder(WebDocument)
_WEB = b'"web_connectivity"'
_EDGE = 500
"""Bytes at either end of a record in which probes write ``test_name``."""


class Identified(NamedTuple):
    """A record as decoded for its identity; taking ``document`` apart changes it."""

    document: dict[str, Any]
    content: str


OWN = "edge"
"""Name of the source of our own probes, and of what was sent to our collector."""


class Decoded(NamedTuple):
    """A record as structures; ``keys`` is ``None`` if it has none that are read."""

    header: Header
    keys: Struct | None


def parse(record: Record) -> ParsedMeasurement:
    """The measurement in ``record`` with its observations; raises ``Rejected``."""
    return parse_whole(record)[1]


def parse_whole(record: Record) -> tuple[Decoded, ParsedMeasurement]:
    """The measurement, and the record as decoded for it; raises ``Rejected``."""
    data, notes = record.data, list[str]()
    known = record.decoded if isinstance(record.decoded, Identified) else None
    decoded = _converted(known.document) if known else None
    if decoded is None:
        decoded, data = decode_record(data, notes)
    found = _contents(decoded, notes)
    observations = tuple(bounded(found.observations))
    header = decoded.header
    content = known.content if known else stamp_of(data)
    measurement = measurement_of(
        header,
        lambda: uid_of(content, clip(header.report_id)) if content else canonical_hash(data),
        found.target,
        found.defect,
        notes,
        content,
        is_own=record.source == OWN,
    )
    return decoded, ParsedMeasurement(measurement, observations, found.control_failure, tuple(notes))


def decode_record(data: bytes, notes: list[str]) -> tuple[Decoded, bytes]:
    """``data`` as structures, and the JSON that was read, which is ``data`` unless it had to be made legal.

    Raises:
        Rejected: it is not a JSON object, or too costly.
    """
    check_size(data)
    try:
        return _decoded(data, notes), data
    except TooCostly:
        raise
    except Rejected:
        legal = repair(data)
        if legal == data:
            raise
        notes[:] = ["NaN, Infinity or half a surrogate pair, which JSON does not have: read as null"]
        return _decoded(legal, notes), legal


def _decoded(data: bytes, notes: list[str]) -> Decoded:
    whole = _web_at_once(data)
    if whole is not None:
        return Decoded(whole, whole.test_keys)
    document = decode(data, Document, "record", notes)
    if document is None:
        raise Rejected("not a JSON object")
    nettest = NETTESTS.get(document.test_name or "")
    return Decoded(document, keys_of(document, nettest.keys, notes) if nettest else None)


def _web_at_once(data: bytes) -> WebDocument | None:
    """A well-formed record of web_connectivity; ``None`` = another nettest, or it has to be taken apart."""
    if _WEB not in data[-_EDGE:] and _WEB not in data[:_EDGE]:
        return None
    try:
        document = _web_document.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return document if document.test_name == "web_connectivity" and document.test_keys else None


def _converted(document: dict[str, Any]) -> Decoded | None:
    """An already decoded record as structures, at a third of the cost; ``None`` = it has to be taken apart.

    Of nettests that make no observations, the steps that all nettests have in common are taken: they are kept.
    """
    name, keys = document.get("test_name"), document.get("test_keys")
    if not (isinstance(name, str) and isinstance(keys, dict) and keys):
        return None
    try:
        if name == "web_connectivity":
            whole = msgspec.convert(document, WebDocument)
            return Decoded(whole, whole.test_keys)
        del document["test_keys"]
        kind = NETTESTS[name].keys if name in NETTESTS else StepKeys
        return Decoded(msgspec.convert(document, Document), msgspec.convert(keys, kind))
    except (msgspec.ValidationError, RecursionError):
        return None


def _contents(decoded: Decoded, notes: list[str]) -> Contents:
    """What the keys of any nettest contain; nothing for one that makes no observations."""
    header, keys = decoded
    nettest = NETTESTS.get(header.test_name or "")
    if nettest is None:
        return Contents()
    return nettest.contents(header, keys if isinstance(keys, nettest.keys) else None, notes)


def bounded(steps: Iterable[Observation]) -> Iterator[Observation]:
    """The steps, unchanged.

    Raises:
        TooCostly: there are more than ``MOST_STEPS``, or more than ``MOST_ANSWERS`` in them.
    """
    answers = 0
    for count, one in enumerate(steps, 1):
        answers += len(one.answers)
        if count > MOST_STEPS:
            raise TooCostly(f"it has more than {MOST_STEPS:,} steps, more than any real measurement")
        if answers > MOST_ANSWERS:
            raise TooCostly(
                f"it has more than {MOST_ANSWERS:,} addresses in its lookups, more than any real measurement"
            )
        yield one


def _web(header: Header, keys: WebKeys | None, notes: list[str]) -> Contents:
    url = input_of(header.input)[:LONGEST_URL] or url_of(keys)
    host, _ = host_and_port(url)
    target = target_of(host)
    if keys is None:
        return Contents(target, (), SILENT_HELPER)
    failure = failure_of(keys.control_failure)
    control = keys.control if failure is None else None
    if failure is None and (control is None or not _answered(control)):
        failure = SILENT_HELPER
    return Contents(target, observe(url, host, target, keys, control, notes), failure)


NETTESTS = registered(
    Nettest("web_connectivity", WebKeys, _web),
    *OTHERS,
)
"""Those whose records are judged, by name."""


def keys_of(document: Document, kind: type[K], notes: list[str]) -> K | None:
    """The ``test_keys`` of a nettest; ``None`` if they are null or cannot be read."""
    if bytes(memoryview(document.test_keys)[:4]) in _NULLS:
        notes.append("test_keys: missing")
        return None
    return decode(document.test_keys, kind, "test_keys", notes)


SILENT_HELPER = "control_empty"
"""``control_failure`` of a record that has no answer from the helper and does not say why."""


def url_of(keys: WebKeys | None) -> str:
    """The URL that was measured, where the record has no ``input``: what the helper was asked for, else that of the
    oldest request, else the name of the first lookup."""
    if keys is None:
        return ""
    if keys.x_control_request and keys.x_control_request.http_request:
        return keys.x_control_request.http_request[:LONGEST_URL]
    for transaction in reversed(keys.requests or []):
        if transaction.request and transaction.request.url:
            return transaction.request.url[:LONGEST_URL]
    for query in keys.queries or []:
        if query.hostname and name_of(query.hostname):
            return f"//{query.hostname}/"
    return ""


@lru_cache(maxsize=65_536)
def web_role(target: str, host: str) -> str:
    """Role of a host in a measurement of ``target``: its own endpoint, or where its pages sent us on."""
    if not host:
        return "web"
    return role_of(host) if target_of(host) == target else "redirect"


def observe(
    url: str, host: str, target: str, keys: WebKeys, control: Control | None, notes: list[str]
) -> Iterator[Observation]:
    """The probe's observations, then those of the helper.

    Args:
        control: the helper's answer; ``None`` = it gave none.
    """
    # The probe also tries the addresses that the helper got from its resolver: they are the site's own.
    told = control.dns.addrs or () if control and control.dns and not is_address(host) else ()
    reader = Reader(target, partial(web_role, target), notes)
    seen = reader.read(keys, newest_first=True, also=dict.fromkeys(told, host))
    yield from with_opinions(seen, keys.x_second_opinions) if keys.x_second_opinions else seen
    if keys.x_doh and keys.x_doh.queries:
        yield from reader.resolver(keys.x_doh.queries)
    if keys.x_transfers:
        yield from downloads(target, keys.x_transfers)
    if control:
        yield from _helper(url, host, target, control)


def _answered(control: Control) -> bool:
    return bool(
        (control.dns and _looked_up(control.dns))
        or (control.http_request and _asked(control.http_request))
        or control.tcp_connect
        or control.tls_handshake
    )


def _looked_up(lookup: HelperLookup) -> bool:
    """An empty list is an answer; a missing one is not."""
    return lookup.addrs is not None or failure_of(lookup.failure) is not None


def _asked(page: HelperPage) -> bool:
    return bool(page.status_code and page.status_code > 0) or failure_of(page.failure) is not None


def _helper(url: str, host: str, target: str, control: Control) -> Iterator[Observation]:
    role = web_role(target, host)
    name = "" if is_address(host) else host
    if control.dns and name and _looked_up(control.dns):
        yield _lookup(name, target, role, control.dns, control.ip_info or {})
    for layer, endpoints in (
        (Layer.TCP, control.tcp_connect),
        (Layer.TLS, control.tls_handshake),
        (Layer.QUIC, control.quic_handshake),
    ):
        for endpoint, seen in (endpoints or {}).items():
            yield _endpoint(layer, endpoint, seen, name, target, role)
    if control.http_request and _asked(control.http_request):
        yield from _page(url, name, target, role, control.http_request)


def _lookup(
    host: str, target: str, role: str, lookup: HelperLookup, info: dict[str, IPInfo | None]
) -> Observation:
    answers = tuple([address for text in lookup.addrs or () if (address := address_of(text))])
    known = [info.get(address) for address in answers]
    return Observation(
        layer=Layer.DNS,
        target=target,
        hostname=host,
        vantage=Observer.HELPER,
        role=role,
        failure=failure_of(lookup.failure),
        resolver="helper",
        answers=answers,
        answer_asns=tuple([asn_of(entry.asn) if entry else 0 for entry in known]),
        ttls=(-1,) * len(answers),
    )


def _endpoint(
    layer: Layer, endpoint: str, seen: HelperConnect, host: str, target: str, role: str
) -> Observation:
    ip, port = endpoint_of(endpoint)
    failure = failure_of(seen.failure, seen.status)
    return Observation(
        layer=layer,
        target=target,
        hostname=name_of(seen.server_name) or host,
        vantage=Observer.HELPER,
        role=role,
        ip=ip,
        port=port,
        failure=failure,
        cert_valid=None if layer is Layer.TCP else cert_valid(failure, None),
    )


LEAST_BYTES = 65_536
"""Bytes of a page that shows how fast the site can be; a smaller one shows only the time of its round trips."""


def _page(url: str, host: str, target: str, role: str, page: HelperPage) -> Iterator[Observation]:
    """The page, and how fast the site was from outside, including connecting, so never too high."""
    headers = headers_of(page.headers)
    named = by_name(headers)
    address, port = host_and_port(url)
    failure, length = failure_of(page.failure), count_of(page.body_length)
    status = int(page.status_code) if page.status_code and 0 < page.status_code < 1000 else 0
    yield Observation(
        layer=Layer.HTTP,
        target=target,
        hostname=host,
        vantage=Observer.HELPER,
        role=role,
        ip="" if host else address,
        port=port,
        failure=failure,
        url=url,
        status_code=status,
        body_length=length if status else -1,
        title=(page.title or "")[:500].strip(),
        header_names=tuple(sorted(named)),
        location=named.get("location", ""),
        server=named.get("server", "")[:200],
        headers="\n".join([f"{name}: {value}" for name, value in headers]),
    )
    seconds = seconds_of(page.x_seconds)
    if failure is None and length >= LEAST_BYTES and seconds > 0:
        yield Observation(
            layer=Layer.TRANSFER,
            target=target,
            hostname=host,
            vantage=Observer.HELPER,
            role=role,
            seconds=seconds,
            url=url,
            received=length,
            kbps=length * 8 / 1000 / seconds,
        )


ANSWERED, CUT = "answered", "cut"
ANSWERS = ("server_hello", "alert")
"""Either is TLS; our probe notes no other answer."""

_Place = tuple[str, str, int]


def with_opinions(observed: Iterable[Observation], given: list[Opinion]) -> Iterator[Observation]:
    """``observed``, with the result of a browser's handshake at the same name, address and port for each failed one."""
    opinions = _by_place(given)
    for one in observed:
        if one.layer is Layer.TLS and one.failure is not None:
            one = changed(one, browser=opinions.get((one.hostname, one.ip, one.port), ""))
        yield one


def _by_place(given: list[Opinion]) -> dict[_Place, str]:
    """Opinions by place; *answered* means that every one there was, since a single one may slip through by chance."""
    opinions: dict[_Place, str] = {}
    for one in given:
        place = (name_of(one.server_name), *endpoint_of(one.address))
        answered = one.answer in ANSWERS
        if answered or one.failure is not None:
            opinions[place] = ANSWERED if answered and opinions.get(place) != CUT else CUT
    return opinions
