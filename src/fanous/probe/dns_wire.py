"""DNS wire format: encodes and decodes DNS messages (RFC 1035), and describes them as df-002 does."""

from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from fanous.probe.trace import Entry

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
        failure: df-007; ``None`` = it has an address.
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
        raise ValueError(f"{hostname!r} is no name for DNS: {error}") from None


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
    for rrset in message.answer:
        for record in rrset:
            entry = _entry(rrset.rdtype, record.to_text(), int(rrset.ttl))
            entries.append(entry)
            address = entry.get("ipv4") or entry.get("ipv6")
            addresses += [address] if address else []
    rcode = message.rcode()
    if rcode != dns.rcode.NOERROR:
        return DnsAnswer(FAILURES.get(rcode, MISBEHAVING), entries, addresses)
    return DnsAnswer(None if addresses else NO_ANSWER, entries, addresses)


def _entry(kind: dns.rdatatype.RdataType, text: str, ttl: int) -> Entry:
    entry: Entry = {"answer_type": dns.rdatatype.to_text(kind), "ttl": ttl}
    if kind == dns.rdatatype.A:
        return entry | {"ipv4": text}
    if kind == dns.rdatatype.AAAA:
        return entry | {"ipv6": text}
    return entry | {"hostname": text.rstrip(".")}
