"""DNS: one name through four resolvers - the system's, a public one over UDP, over HTTPS and over TLS.

Over UDP *all* answers of two seconds are kept with their TTL: an injector answers first, the resolver later.

Messages are encoded and decoded as in RFC 1035, and described as in OONI's df-002.
"""

import asyncio
from dataclasses import dataclass, field
from itertools import islice
from ssl import SSLContext
from urllib.parse import urlsplit

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from fanous.model.measurement import endpoint, is_address
from fanous.probe.net.failure import NETWORK_ERRORS, NetworkFailure, failure_of
from fanous.probe.net.http import HttpResponse, Request, exchange
from fanous.probe.net.network import Datagrams
from fanous.probe.net.tls import TLSStream, client_context
from fanous.probe.settings import Settings
from fanous.probe.trace import LOST, Entry, Trace, retried

FAILURES = {
    dns.rcode.NXDOMAIN: "dns_nxdomain_error",
    dns.rcode.REFUSED: "dns_refused_error",
    dns.rcode.SERVFAIL: "dns_servfail_error",
}

MISBEHAVING = "dns_server_misbehaving"
NO_ANSWER = "dns_no_answer"
WRONG_ID = "dns_reply_with_wrong_query_id"


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """What one response says.

    Attributes:
        failure: df-007; ``None`` = the response has an address.
        entries: df-002 ``answers``, in the order of the response.
        addresses: of those, in order.
    """

    failure: str | None
    entries: list[Entry] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)


def question(hostname: str, query_type: str) -> tuple[bytes, int]:
    """The query on the wire and its ID.

    Raises:
        ValueError: not a name that DNS can carry.
    """
    try:
        message = dns.message.make_query(hostname, query_type)
        return message.to_wire(), message.id
    except dns.exception.DNSException as error:
        raise ValueError(f"{hostname!r} is not a valid DNS name: {error}") from None


def read_answer(wire: bytes, query_id: int) -> DnsAnswer:
    """What a response says; garbage is a failure like any other."""
    try:
        message = dns.message.from_wire(wire, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        return DnsAnswer(MISBEHAVING)
    if message.id != query_id:
        return DnsAnswer(WRONG_ID)
    if not message.flags & dns.flags.QR:
        return DnsAnswer(MISBEHAVING)
    entries: list[Entry] = []
    addresses: list[str] = []
    records = ((rrset, record) for rrset in message.answer for record in rrset)
    for rrset, record in islice(records, MOST_RECORDS):
        entry = _dns_wire_entry(rrset.rdtype, record.to_text(), int(rrset.ttl))
        entries.append(entry)
        address = entry.get("ipv4") or entry.get("ipv6")
        addresses += [address] if address else []
    rcode = message.rcode()
    if rcode != dns.rcode.NOERROR:
        return DnsAnswer(FAILURES.get(rcode, MISBEHAVING), entries, addresses)
    return DnsAnswer(None if addresses else NO_ANSWER, entries, addresses)


def _dns_wire_entry(kind: dns.rdatatype.RdataType, text: str, ttl: int) -> Entry:
    entry: Entry = {"answer_type": dns.rdatatype.to_text(kind), "ttl": ttl}
    if kind == dns.rdatatype.A:
        return entry | {"ipv4": text}
    if kind == dns.rdatatype.AAAA:
        return entry | {"ipv6": text}
    return entry | {"hostname": text[:LONGEST_TEXT].rstrip(".")}


MOST_RECORDS, MOST_DIFFERENT, MOST_RESPONSES = 100, 20, 100
"""Records of one response, different responses to one query that are recorded, and responses that are read at all: real
ones have some dozens of records, and there are two where one is forged.  A datagram holds 4,000 addresses, and a
resolver may send any number of them."""

LONGEST_TEXT = 256
"""Characters of a record other than an address: a name has at most 255, a text may have 65,535."""

RESEND = 0.3
"""Share of the time-out after which an unanswered query is sent again: a lost packet is not a finding."""

NXDOMAIN = "dns_nxdomain_error"

LONGEST_ANSWER = 65_535


async def by_system(trace: Trace, settings: Settings, hostname: str, first: int = 1) -> list[str]:
    """Addresses from the system's resolver; empty = none, and the trace says why.

    Args:
        first: number of the first attempt; 2 = go on after one that failed.
    """

    async def attempt(number: int) -> tuple[list[str] | None, str | None]:
        found, failure = await _by_system(trace, settings, hostname, number)
        return found or None, failure

    return await retried(trace, settings, settings.lookup_timeout, attempt, first) or []


async def addresses_of(trace: Trace, settings: Settings, host: str) -> list[str]:
    """``host`` itself if it is an address, otherwise what the system's resolver says."""
    return [host] if is_address(host) else await by_system(trace, settings, host)


async def by_system_once(trace: Trace, settings: Settings, hostname: str) -> tuple[list[str], bool]:
    """The first attempt alone: addresses, and whether to go on with ``by_system``."""
    found, failure = await _by_system(trace, settings, hostname, 1)
    return found, failure in LOST


async def _by_system(
    trace: Trace, settings: Settings, hostname: str, number: int
) -> tuple[list[str], str | None]:
    entry = _entry(trace, "getaddrinfo", hostname, "ANY", "") | {"x_attempt": number}
    try:
        async with asyncio.timeout(settings.lookup_timeout):
            addresses = (await trace.network.look_up(hostname))[:MOST_RECORDS]
    except (*NETWORK_ERRORS, UnicodeError) as error:
        # A name that IDNA cannot encode (UnicodeError) exists nowhere.
        failure = NXDOMAIN if isinstance(error, UnicodeError) else failure_of(error)
        _add(trace, entry, DnsAnswer(failure))
        return [], failure
    entries: list[Entry] = [
        {"answer_type": "AAAA", "ipv6": address} if ":" in address else {"answer_type": "A", "ipv4": address}
        for address in addresses
    ]
    failed = None if addresses else "dns_no_answer"
    _add(trace, entry, DnsAnswer(failed, entries, addresses))
    return addresses, failed


async def by_udp(trace: Trace, settings: Settings, hostname: str, query_type: str) -> list[str]:
    """Addresses from the public resolver; each different answer within the window is recorded as a separate
    query.
    """
    ip, port = _place(settings.resolver, 53)
    entry = _entry(trace, "udp", hostname, query_type, endpoint(ip, port))
    answers: list[DnsAnswer] = []
    try:
        wire, query_id = question(hostname, query_type)
        datagrams = await trace.network.open_udp(ip, port)
    except (*NETWORK_ERRORS, ValueError) as error:
        _add(trace, entry, DnsAnswer(failure_of(error)))
        return []
    try:
        await _collect(trace, settings, datagrams, wire, query_id, entry, answers)
    except NETWORK_ERRORS as error:
        if not answers:
            _add(trace, entry, DnsAnswer(failure_of(error)))
    finally:
        datagrams.close()
    return [address for answer in answers for address in answer.addresses]


async def _collect(
    trace: Trace,
    settings: Settings,
    datagrams: Datagrams,
    wire: bytes,
    query_id: int,
    entry: Entry,
    answers: list[DnsAnswer],
) -> None:
    """Send the query and record each new answer; ends after the window, or at the time-out if there was no
    answer.
    """
    clock = trace.network.now
    began = clock()
    await datagrams.send(wire)
    resent, responses = False, 0
    while responses < MOST_RESPONSES:
        patience = settings.lookup_timeout * (1 if resent else RESEND)
        window = settings.answers_window if answers else patience
        try:
            async with asyncio.timeout(max(began + window - clock(), 0)):
                answer = read_answer(await datagrams.receive(), query_id)
        except TimeoutError:
            if answers:
                return
            if resent:
                raise
            resent = True
            await datagrams.send(wire)
            continue
        responses += 1
        if answer not in answers:
            _add(trace, entry | {"x_further_answer": bool(answers)}, answer)
            answers.append(answer)
            if len(answers) == MOST_DIFFERENT:
                return


async def by_doh(trace: Trace, settings: Settings, hostname: str) -> list[str]:
    """IPv4 addresses over HTTPS (RFC 8484), connecting to the resolver by its address."""
    entry = _entry(trace, "doh", hostname, "A", settings.doh_url)
    parts = urlsplit(settings.doh_url)
    host, port = parts.hostname or "", parts.port or 443
    entry["x_resolver_name"] = host
    try:
        wire, query_id = question(hostname, "A")
        async with asyncio.timeout(settings.lookup_timeout):
            context = client_context(("h2", "http/1.1"), settings.ca_file)
            stream = await _open_tls(trace, settings.doh_ip, port, host, context)
            try:
                page = HttpResponse(LONGEST_ANSWER)
                request = Request(parts.netloc, parts.path or "/", "POST", headers=_DOH_HEADERS, body=wire)
                await exchange(stream, request, page, stream.alpn)
            finally:
                stream.close()
        if page.code != 200:
            raise NetworkFailure("http_request_failed")
        answer = read_answer(bytes(page.body), query_id)
    except (*NETWORK_ERRORS, ValueError) as error:
        answer = DnsAnswer(failure_of(error))
    _add(trace, entry, answer)
    return answer.addresses


_DOH_HEADERS = (("accept", "application/dns-message"), ("content-type", "application/dns-message"))


async def by_dot(trace: Trace, settings: Settings, hostname: str) -> list[str]:
    """IPv4 addresses over TLS (RFC 7858)."""
    ip, port = _place(settings.dot_ip, 853)
    entry = _entry(trace, "dot", hostname, "A", endpoint(ip, port))
    entry["x_resolver_name"] = settings.dot_name  # df-002 records only its address
    try:
        wire, query_id = question(hostname, "A")
        async with asyncio.timeout(settings.lookup_timeout):
            stream = await _open_tls(trace, ip, port, settings.dot_name, client_context((), settings.ca_file))
            try:
                await stream.write(len(wire).to_bytes(2, "big") + wire)
                size = int.from_bytes(await _exactly(stream, 2), "big")
                answer = read_answer(await _exactly(stream, size), query_id)
            finally:
                stream.close()
    except (*NETWORK_ERRORS, ValueError) as error:
        answer = DnsAnswer(failure_of(error))
    _add(trace, entry, answer)
    return answer.addresses


async def _open_tls(trace: Trace, ip: str, port: int, name: str, context: SSLContext) -> TLSStream:
    raw = await trace.network.open_tcp(ip, port)
    stream = TLSStream(raw, name, context)
    try:
        await stream.handshake()
    except BaseException:
        raw.close()
        raise
    return stream


async def _exactly(stream: TLSStream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = await stream.read(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _place(text: str, port: int) -> tuple[str, int]:
    """``192.0.2.1``, ``192.0.2.1:5353``, ``2001:db8::1`` or ``[2001:db8::1]:5353``."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest.startswith(":") else port
    if text.count(":") == 1:
        host, _, rest = text.partition(":")
        return host, int(rest)
    return text, port


def _entry(trace: Trace, engine: str, hostname: str, query_type: str, resolver: str) -> Entry:
    return {
        "engine": engine,
        "hostname": hostname,
        "query_type": query_type,
        "resolver_address": resolver,
        "t0": trace.at(),
        "transaction_id": trace.next_transaction(),
    }


def _add(trace: Trace, entry: Entry, answer: DnsAnswer) -> None:
    trace.queries.append(entry | {"answers": answer.entries, "failure": answer.failure, "t": trace.at()})
