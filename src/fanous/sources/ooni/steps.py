"""Steps: the lookups, connections, handshakes and requests of a probe as observations.

Every nettest that connects somewhere writes them alike (df-001, df-002, df-005, df-006).
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from math import isnan

from fanous.model.address import is_address
from fanous.model.observation import Layer, Observation
from fanous.sources.ooni.certificate import leaf_of
from fanous.sources.ooni.document import (
    AnswerRecord,
    Connect,
    ConnectStatus,
    Handshake,
    QueryRecord,
    StepKeys,
    Transaction,
)
from fanous.sources.ooni.failure import failure_of
from fanous.sources.ooni.page import header_named, page_of, title_of
from fanous.sources.ooni.place import (
    LONGEST_URL,
    address_of,
    asn_of,
    duration,
    endpoint_of,
    host_and_port,
    host_of,
    port_of,
    seconds_of,
)
from fanous.sources.ooni.trace import Traces

RESOLVERS = {"udp": "udp", "tcp": "udp", "doh": "doh", "dot": "dot"}
"""df-002 ``engine`` -> resolver; all others (getaddrinfo, go, unknown, none) are the system's."""

BAD_CERTIFICATE = frozenset({"ssl_invalid_hostname", "ssl_unknown_authority", "ssl_invalid_certificate"})

Role = Callable[[str], str]
"""Host name (empty for a bare address) -> role of the endpoint."""


class Reader:
    """Turns the steps of one measurement into observations.

    Attributes:
        names: address -> the host name that it was first answered for; empty where it was answered for
            hosts of different roles, and then counts as an address without a name.
    """

    def __init__(self, target: str, role: Role, notes: list[str]) -> None:
        self.target = target
        self.names: dict[str, str] = {}
        self._notes = notes
        self._role = cache(role)

    def read(
        self, steps: StepKeys, newest_first: bool = False, also: Mapping[str, str] | None = None
    ) -> Iterator[Observation]:
        """All observations of ``steps``: lookups, connections, handshakes, requests.

        Args:
            newest_first: ``requests`` stand in reverse order.
            also: address -> host name, as known from elsewhere than the probe's own lookups.
        """
        traces = Traces(steps.network_events or ())
        for query in steps.queries or ():
            yield self._lookup(query)
        for address, hostname in (also or {}).items():
            self.names.setdefault(address, hostname)
        for connect in steps.tcp_connect or ():
            if connect.status is not None:
                yield self._connection(connect, connect.status)
            else:
                self._notes.append("tcp_connect: one without its status, so nobody knows whether it worked")
        for handshake in steps.tls_handshakes or ():
            yield self._handshake(handshake, traces, Layer.TLS)
        for handshake in steps.quic_handshakes or ():
            yield self._handshake(handshake, traces, Layer.QUIC)
        requests = steps.requests or []
        for transaction in reversed(requests) if newest_first else requests:
            if transaction.request is not None:
                yield self._request(transaction, traces)
            else:
                self._notes.append("requests: one without its request, so nobody knows what was asked")

    def _lookup(self, query: QueryRecord) -> Observation:
        hostname = host_of(query.hostname)
        answers = [(address, answer) for answer in query.answers or () if (address := _answered(answer))]
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
            query_type=(query.query_type or "")[:20].upper(),
            answers=tuple(address for address, _ in answers),
            answer_asns=tuple(asn_of(answer.asn) for _, answer in answers),
            ttls=tuple(_ttl(answer.ttl) for _, answer in answers),
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
        failure = failure_of(handshake.failure)
        if handshake.transaction_id:
            trace = traces.step(handshake.transaction_id, handshake.t0, handshake.t, failure is not None)
        else:
            trace = traces.handshake(handshake.t)
        ip, port = endpoint_of(handshake.address or trace.address)
        name = handshake.server_name
        hostname = (host_of(name) if not is_address(name or "") else "") or self.names.get(ip, "")
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
            cert_sha256=leaf.sha256,
            cert_subject=leaf.subject,
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
        trace = traces.step(transaction.transaction_id, transaction.t0, transaction.t, failure is not None)
        response = transaction.response
        status = int(response.code) if response and response.code and 0 < response.code < 1000 else 0
        page = page_of(response, "requests.response", self._notes) if response else None
        headers = page.headers if page else []
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
            title=title_of(page.body) if page else "",
            header_names=tuple(sorted({name.lower() for name, _ in headers})),
            location=header_named(headers, "location"),
            server=header_named(headers, "server")[:200],
            body=page.body if page else "",
            headers="\n".join([f"{name}: {value}" for name, value in headers]),
            received=trace.received,
            largest_gap=trace.largest_gap,
        )


def cert_valid(failure: str | None, unverified: bool | None) -> bool | None:
    """Did the certificate validate?  ``None`` = none was seen, or nobody checked."""
    if failure is None:
        return None if unverified else True
    return False if failure in BAD_CERTIFICATE else None


def _answered(answer: AnswerRecord) -> str:
    return address_of(answer.ipv4 or answer.ipv6)


def _ttl(value: float | str | None) -> int:
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    return int(value) if value is not None and 0 <= value < 2**31 else -1


def _name_only(text: str | None) -> str:
    """Old probes wrote a host name where the address belongs; a scrubbed one is neither."""
    return "" if not text or text.startswith("[") else host_of(text)
