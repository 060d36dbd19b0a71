"""Steps: the lookups, connections, handshakes and requests of a probe as observations.

Every nettest that connects somewhere writes them in the same form (df-001, df-002, df-005, df-006).  Network events
(df-008) add how many bytes came and when, which tells "data trickled in, then it timed out" from "nothing came"; the
failure string does not.  Of a leaf certificate (RFC 5280), only what an observation needs is read, without trusting
it; one that cannot be read keeps its fingerprint and has no names, as a forged one may.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from math import isnan, nan
from typing import Any, NamedTuple

import msgspec

from fanous.analysis.rules.authorities import known_issuer, names_for
from fanous.analysis.rules.evidence import RESOLVER
from fanous.analysis.rules.failures import LOOKUP_CAUSES, cause_of
from fanous.model.measurement import ENCRYPTED, Layer, Observation, changed, is_address, noun
from fanous.refdata.platforms import target_of
from fanous.sources.marks import LAB_AUTHORITY
from fanous.sources.ooni.document import (
    MAX_NOTES,
    MOST_EVENTS_READ,
    MOST_STEPS,
    Chain,
    Connect,
    ConnectStatus,
    Handshake,
    NetworkEvent,
    QueryRecord,
    ShownCertificate,
    StepKeys,
    TooCostly,
    Transaction,
)
from fanous.sources.ooni.page import by_name, page_of
from fanous.sources.ooni.values import (
    ENCRYPTED_RESOLVERS,
    LONGEST_URL,
    address_of,
    asn_of,
    count_of,
    duration,
    encrypted_resolver,
    endpoint_of,
    failure_of,
    host_and_port,
    name_of,
    port_of,
    query_type_of,
    seconds_of,
    ttl_of,
)


class Effort:
    """The cost of one record so far."""

    def __init__(self) -> None:
        self._steps = self._events = 0

    def steps(self, count: int) -> None:
        """Count further steps of a probe."""
        self._steps += count
        if self._steps > MOST_STEPS:
            raise TooCostly(f"it has more than {MOST_STEPS:,} steps, more than any real measurement")

    def events(self, count: int) -> None:
        """Count network events that are read."""
        self._events += count
        if self._events > MOST_EVENTS_READ:
            raise TooCostly("its steps refer to more network events than those of any real measurement")


SLACK = 0.01
"""Seconds by which an event may be outside its step: probes timestamp both separately."""

CUMULATIVE = "bytes_received_cumulative"
"""Samples of a connection's total, in probes since 3.20."""


@noun
class TraceFacts:
    """What arrived during one step.

    Attributes:
        received: bytes; -1 = not counted.
        largest_gap: longest silence between two reads, or between the last read and the failure; NaN =
            fewer than two of these.
        start: seconds since the measurement began; NaN = unknown.
        address: of the connection, as written; empty = unknown.
    """

    received: int = -1
    largest_gap: float = nan
    start: float = nan
    address: str = ""


NO_TRACE = TraceFacts()


class Traces:
    """The events of one measurement, arranged by transaction, or by handshake if there are no transactions."""

    def __init__(self, events: Iterable[NetworkEvent], effort: Effort | None = None) -> None:
        self._effort = effort or Effort()
        self._of: dict[float, list[NetworkEvent]] = defaultdict(list)
        loose: list[NetworkEvent] = []
        for event in events:
            if event.transaction_id:
                self._of[event.transaction_id].append(event)
            else:
                loose.append(event)
        self._handshakes = _handshakes(loose) if loose and not self._of else {}

    def of(self, step: Handshake | Transaction) -> TraceFacts:
        """What was received from the beginning to the end of a step in its transaction.

        A handshake without one is known by its end, and each is given once.
        """
        if step.t is None:
            return NO_TRACE
        if not step.transaction_id:
            waiting = self._handshakes.get(step.t) if isinstance(step, Handshake) else None
            return waiting.popleft() if waiting else NO_TRACE
        events = self._of.get(step.transaction_id)
        if not events:
            return NO_TRACE
        self._effort.events(len(events))
        failed = failure_of(step.failure) is not None
        return _trace(events, seconds_of(step.t0), seconds_of(step.t), failed)


def _trace(
    events: list[NetworkEvent], start: float, end: float, failed: bool, address: str = ""
) -> TraceFacts:
    received, before, last, gap = 0, 0, nan, nan
    for event in events:
        operation, at = event.operation, seconds_of(event.t)
        if operation not in ("read", CUMULATIVE) or at > end + SLACK or isnan(at):
            continue
        count = count_of(event.num_bytes, 0)
        if at < start:
            before = max(before, count) if operation == CUMULATIVE else before
            continue
        arrived = count if operation == "read" else count - before - received
        if arrived <= 0 and event.failure is None:
            continue
        if not isnan(last) and at >= last:
            gap = at - last if isnan(gap) else max(gap, at - last)
        if event.failure is None:
            received, last = received + arrived, at
    if failed and not isnan(last) and end > last:
        gap = end - last if isnan(gap) else max(gap, end - last)
    return TraceFacts(received, gap, start, address)


def _handshakes(events: list[NetworkEvent]) -> dict[float, deque[TraceFacts]]:
    """Traces of handshakes by the time of their end, if events carry no transaction.

    Old probes wrote the events of parallel connections into one list.  A handshake can be told apart only
    while no other is open: parsers that pair them by position report negative handshake times.
    """
    found: dict[float, deque[TraceFacts]] = defaultdict(deque)
    connect: NetworkEvent | None = None
    inside: list[NetworkEvent] = []
    start, waiting, address, mixed, overlap = nan, 0, "", False, False
    for event in events:
        if event.operation == "connect":
            connect, mixed = event, True
        elif event.operation == "tls_handshake_start":
            overlap, waiting = waiting > 0, waiting + 1
            start, inside, mixed = seconds_of(event.t), [], False
            address = _near(connect, start)
        elif event.operation == "tls_handshake_done":
            if event.t is not None:
                alone = waiting == 1 and not overlap
                found[event.t].append(_finished(event, inside, start, address, mixed) if alone else NO_TRACE)
            waiting = max(waiting - 1, 0)
        else:
            inside.append(event)
    return found


def _finished(
    done: NetworkEvent, inside: list[NetworkEvent], start: float, address: str, mixed: bool
) -> TraceFacts:
    if mixed:  # another connection was made in between, and the reads may belong to it
        return TraceFacts(start=start, address=address)
    return _trace(inside, start, seconds_of(done.t), done.failure is not None, address)


def _near(connect: NetworkEvent | None, start: float) -> str:
    """The address of the connection on which a handshake began: the one made right before."""
    if connect is None or connect.failure is not None or not abs(start - seconds_of(connect.t)) < SLACK:
        return ""
    return connect.address or ""


COMMON_NAME = bytes.fromhex("0603550403")
"""OID 2.5.4.3."""

ALTERNATIVE_NAMES = bytes.fromhex("0603551d11")
"""OID 2.5.29.17; DNS names in it carry the context tag 2."""

MOST_NAMES = 100
"""Most names kept from a leaf; content networks put hundreds of customers on one certificate."""

LEAVES_KEPT = 2048
"""Leaves remembered: the addresses of one site, and the next probe, show the same one."""

LONGEST_LEAF_KEPT = 8 << 10
"""Letters of base64: real ones have 1 to 4 thousand, and forged ones must not fill the memory."""


class Leaf(NamedTuple):
    """What a chain shows; empty = none seen.

    Attributes:
        names: for which it is.
        issuer: of those that rules know (``known_issuer``).
    """

    names: tuple[str, ...] = ()
    issuer: str = ""


NO_LEAF = Leaf()


def leaf_of(chain: Any) -> Leaf:
    """The first of ``peer_certificates``; empty if there is none."""
    first = shown_first(chain)
    if first.x_issuer or first.x_names:  # of a stored record
        return Leaf(tuple(first.x_names or ()), first.x_issuer or "")
    data = first.data or ""
    return (_known_leaf if len(data) <= LONGEST_LEAF_KEPT else _leaf)(data) if data else NO_LEAF


def shown_first(chain: Any) -> ShownCertificate:
    """The first certificate; one without data if there is none, or if this is no chain."""
    if isinstance(chain, list) and chain:
        try:
            first = msgspec.convert({"shown": chain}, Chain).shown[0]
        except msgspec.ValidationError:
            return ShownCertificate()
        return first if isinstance(first, ShownCertificate) else ShownCertificate(first)
    return ShownCertificate()


def _leaf(data: str) -> Leaf:
    try:
        names, issuer = _names(b64decode(data))
    except (Base64Error, ValueError):
        return NO_LEAF
    return Leaf(names, issuer if issuer == LAB_AUTHORITY else known_issuer(issuer, names))


_known_leaf = lru_cache(maxsize=LEAVES_KEPT)(_leaf)


def _places(der: bytes | bytearray, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(tag, begin and end of its content) of each element; stops where the bytes make no sense."""
    at = start
    while at + 2 <= end:
        tag, size, begin = der[at], der[at + 1], at + 2
        if size & 0x80:
            begin += size & 0x7F
            size = int.from_bytes(der[at + 2 : begin], "big")
        if begin + size > end:
            return
        yield tag, begin, begin + size
        at = begin + size


def _names(der: bytes) -> tuple[tuple[str, ...], str]:
    """Subject names and issuer name: RFC 5280 section 4.1 puts the issuer before the subject."""
    try:
        tbs = next(_elements(next(_elements(der))[1]))[1]
        parts = [value for tag, value in _elements(tbs) if tag == 0x30]
        issuer, subject = _common_name(parts[1]), _common_name(parts[3])
    except (StopIteration, IndexError):
        return (), ""
    names = dict.fromkeys(([subject] if subject else []) + list(_alternative_names(tbs)))
    return tuple(names)[:MOST_NAMES], issuer


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, content) of each element of a DER sequence; stops where the bytes make no sense."""
    return ((tag, der[begin:end]) for tag, begin, end in _places(der, 0, len(der)))


def _common_name(name: bytes) -> str:
    found = name.rfind(COMMON_NAME)
    value = next(_elements(name[found + len(COMMON_NAME) :]), None) if found >= 0 else None
    return _text(value[1]) if value else ""


def _alternative_names(tbs: bytes) -> Iterator[str]:
    found = tbs.find(ALTERNATIVE_NAMES)
    if found < 0:
        return
    for tag, value in _elements(tbs[found + len(ALTERNATIVE_NAMES) :]):
        if tag == 0x04:
            for kind, name in _elements(next(_elements(value), (0, b""))[1]):
                if kind == 0x82:
                    yield _text(name)
            return


def _text(value: bytes) -> str:
    name = value[:255].decode("utf-8", "replace")
    return name if name.isprintable() else "".join(c for c in name if c.isprintable())


NO_ANSWERS: dict[str, Any] = {"answers": (), "answer_asns": (), "ttls": ()}
RESOLVERS = {"udp": "udp", "tcp": "udp", "doh": "doh", "dot": "dot"}
"""df-002 ``engine`` -> resolver; all others (getaddrinfo, go, unknown, none) are the system's."""

BAD_CERTIFICATE = frozenset({"ssl_invalid_hostname", "ssl_unknown_authority", "ssl_invalid_certificate"})

RoleOf = Callable[[str], str]
"""Host name (empty for a bare address) -> role of the endpoint."""


class Reader:
    """Turns the steps of one measurement into observations.

    Attributes:
        names: address -> the host name that it was first answered for; empty if it was answered for
            hosts with different roles, and then it counts as an address without a name.
    """

    def __init__(self, target: str, role: RoleOf, notes: list[str], effort: Effort | None = None) -> None:
        self.target = target
        self.names: dict[str, str] = {}
        self._notes = notes
        self._effort = effort or Effort()
        self._role = role

    def read(
        self, steps: StepKeys, newest_first: bool = False, also: Mapping[str, str] | None = None
    ) -> Iterator[Observation]:
        """All observations of ``steps``: lookups, connections, handshakes, requests.

        Args:
            newest_first: ``requests`` are in reverse order.
            also: address -> host name, known other than from the probe's own lookups.
        """
        taken = (
            steps.queries,
            steps.tcp_connect,
            steps.tls_handshakes,
            steps.quic_handshakes,
            steps.requests,
        )
        self._effort.steps(sum(len(each) for each in taken if each))
        traces = Traces(steps.network_events or (), self._effort)
        for query in steps.queries or ():
            yield from self._lookups(query)
        for address, hostname in (also or {}).items():
            self.names.setdefault(address, hostname)
        for connect in steps.tcp_connect or ():
            if connect.status is not None:
                yield self._connection(connect, connect.status)
            else:
                self._note("tcp_connect: one without its status, so it is unknown whether it worked")
        for handshake in steps.tls_handshakes or ():
            yield self._handshake(handshake, traces, Layer.TLS)
        for handshake in steps.quic_handshakes or ():
            yield self._handshake(handshake, traces, Layer.QUIC)
        requests = steps.requests or []
        for transaction in reversed(requests) if newest_first else requests:
            if transaction.request is not None:
                yield self._request(transaction, traces)
            else:
                self._note("requests: one without its request, so it is unknown what was requested")

    def _note(self, text: str) -> None:
        if len(self._notes) < MAX_NOTES:
            self._notes.append(text)

    def resolver(self, queries: Iterable[QueryRecord]) -> Iterator[Observation]:
        """How the name of an encrypted resolver was itself looked up; of one that has a name here."""
        for query in queries:
            if query.hostname in ENCRYPTED_RESOLVERS.values():
                yield changed(self._lookup(query), target=target_of(query.hostname), role=RESOLVER)

    def _lookups(self, query: QueryRecord) -> Iterator[Observation]:
        """What a lookup shows about the name that was asked for, and about an encrypted resolver that it went through.

        If the resolver was not reached, nothing is known about the name.  Perhaps the resolver's own name was not
        found, which the engine writes as if it were the site's (``getaddrinfo_error``).
        """
        seen = self._lookup(query)
        if seen.resolver not in ENCRYPTED:
            yield seen
            return
        unreached = not seen.answers and (
            query.getaddrinfo_error is not None
            or (seen.failure is not None and cause_of(seen.failure) not in LOOKUP_CAUSES)
        )
        if not unreached:
            yield seen
        name = encrypted_resolver(query.resolver_address)
        if name or unreached:
            failure = seen.failure if unreached else None
            target = target_of(name) if name else seen.target
            yield changed(seen, target=target, hostname=name, role=RESOLVER, failure=failure, **NO_ANSWERS)

    def _lookup(self, query: QueryRecord) -> Observation:
        hostname = name_of(query.hostname)
        answers = [
            (address, answer)
            for answer in query.answers or ()
            if (address := address_of(answer.ipv4 or answer.ipv6))
        ]
        for address, _ in answers:
            known = self.names.setdefault(address, hostname)
            if known != hostname and self._role(hostname) != self._role(known) != self._role(""):
                self.names[address] = ""
        return Observation(
            layer=Layer.DNS,
            target=self.target,
            hostname=hostname,
            role=self._role(hostname),
            failure=failure_of(query.failure),
            at=seconds_of(query.t if query.t0 is None else query.t0),
            seconds=duration(query.t0, query.t),
            resolver=RESOLVERS.get(query.engine or "", "system"),
            query_type=query_type_of(query.query_type),
            answers=tuple([address for address, _ in answers]),
            answer_asns=tuple([asn_of(answer.asn) for _, answer in answers]),
            ttls=tuple([ttl_of(answer.ttl) for _, answer in answers]),
        )

    def _connection(self, connect: Connect, status: ConnectStatus) -> Observation:
        ip = address_of(connect.ip)
        hostname = self.names.get(ip, "") if ip else _name_only(connect.ip)
        return Observation(
            layer=Layer.TCP,
            target=self.target,
            hostname=hostname,
            role=self._role(hostname),
            ip=ip,
            port=port_of(connect.port),
            failure=failure_of(status.failure, status.success),
            at=seconds_of(connect.t if connect.t0 is None else connect.t0),
            seconds=duration(connect.t0, connect.t),
        )

    def _handshake(self, handshake: Handshake, traces: Traces, layer: Layer) -> Observation:
        trace, failure = traces.of(handshake), failure_of(handshake.failure)
        ip, port = endpoint_of(handshake.address or trace.address)
        name = handshake.server_name
        hostname = (name_of(name) if not is_address(name or "") else "") or self.names.get(ip, "")
        leaf = leaf_of(handshake.peer_certificates)
        start = trace.start if handshake.t0 is None and not isnan(trace.start) else handshake.t0
        return Observation(
            layer=Layer.QUIC if handshake.network in ("udp", "quic") else layer,
            target=self.target,
            hostname=hostname,
            role=self._role(hostname),
            ip=ip,
            port=port,
            failure=failure,
            at=seconds_of(handshake.t if start is None else start),
            seconds=duration(start, handshake.t),
            cert_valid=cert_valid(failure, handshake.no_tls_verify),
            cert_subject=" ".join(names_for([hostname], leaf.names)),
            cert_issuer=leaf.issuer,
            received=trace.received,
            largest_gap=trace.largest_gap,
        )

    def _request(self, transaction: Transaction, traces: Traces) -> Observation:
        url = ((transaction.request.url if transaction.request else None) or "")[:LONGEST_URL]
        host, port = host_and_port(url)
        ip, connected_port = endpoint_of(transaction.address)
        hostname = "" if is_address(host) else host
        failure = failure_of(transaction.failure)
        trace = traces.of(transaction)
        response = transaction.response
        status = int(response.code) if response and response.code and 0 < response.code < 1000 else 0
        page = page_of(response, "requests.response", self._notes) if response else None
        headers = page.headers if page else []
        named = by_name(headers)
        return Observation(
            layer=Layer.HTTP,
            target=self.target,
            hostname=hostname,
            role=self._role(host),
            ip=ip or (host if not hostname else ""),
            port=connected_port or port,
            failure=failure,
            at=seconds_of(transaction.t if transaction.t0 is None else transaction.t0),
            seconds=duration(transaction.t0, transaction.t),
            url=url,
            status_code=status,
            body_length=page.length if page and status else -1,
            body_truncated=bool(response and response.body_is_truncated),
            title=page.title if page else "",
            header_names=tuple(sorted(named)),
            location=named.get("location", ""),
            server=named.get("server", "")[:200],
            body=page.body if page else "",
            headers="\n".join([f"{name}: {value}" for name, value in headers]),
            received=trace.received,
            largest_gap=trace.largest_gap,
        )


def cert_valid(failure: str | None, unverified: bool | None) -> bool | None:
    """Did the certificate validate?  ``None`` = none was seen, or it was not checked."""
    if failure is None:
        return None if unverified else True
    return False if failure in BAD_CERTIFICATE else None


def _name_only(text: str | None) -> str:
    """The host name that old probes wrote in place of the address; a scrubbed address is not a name."""
    return "" if not text or text.startswith("[") else name_of(text)
