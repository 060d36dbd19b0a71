"""Mechanisms: how a target was blocked, in OONI's taxonomy (ooni/data ontology section 12) with our additions.

The deepest node that the evidence supports is named: the parent, if nothing shows which leaf it is.
"""

from fanous.analysis.rules.evidence import Controls
from fanous.analysis.rules.failures import LOOKUP_CAUSES, Cause
from fanous.model.measurement import Observation

SERVER_DOWN = "server.down"
GEO_BLOCK = "server.geo_block"
BOGON = "dns.injection.bogon"
BLOCK_ADDRESS = "dns.injection.blockpage"
FORGED = "dns.injection.other"
FROZEN = "tls.freeze.sni"
OTHER_PAGE = "http.blockpage.unknown"
"""Our addition: another page than the control's, which no fingerprint knows for a notice."""
ERROR_PAGE = "http.error"

_DNS = {Cause.NXDOMAIN: "dns.nxdomain", Cause.DNS_REFUSED: "dns.refused", Cause.TIMEOUT: "dns.timeout"}
_TCP = {
    Cause.REFUSED: "tcp.refused",
    Cause.TIMEOUT: "tcp.timeout",
    Cause.RESET: "tcp.reset",
    Cause.UNREACHABLE: "ip.unreachable",
}
_BY_LOOKS = {Cause.RESET: "tls.reset.fingerprint", Cause.TIMEOUT: "tls.timeout.fingerprint"}
"""Our addition: the form of the ClientHello is the trigger."""
_ENCRYPTED = {"doh": "encdns.doh", "dot": "encdns.dot"}
_MITM = {Cause.HOSTNAME: "tls.mitm.ca_signed"}


def of_lookup(_o: Observation, c: Controls) -> str:
    return _DNS.get(c.cause, "dns")


def of_lookup_group(_o: Observation, c: Controls) -> str:
    return _DNS.get(c.group.cause or c.cause, "dns")


def of_resolver(o: Observation, _c: Controls) -> str:
    return _ENCRYPTED.get(o.resolver, "encdns")


def of_connection(_o: Observation, c: Controls) -> str:
    return _TCP.get(c.cause, "tcp")


def of_connection_group(_o: Observation, c: Controls) -> str:
    return _TCP.get(c.group.cause or c.cause, "tcp")


def of_handshake(o: Observation, c: Controls) -> str:
    return _handshake(o, c, c.cause)


def of_handshake_group(o: Observation, c: Controls) -> str:
    return _handshake(o, c, c.group.cause or c.cause)


def _handshake(o: Observation, c: Controls, cause: Cause) -> str:
    if c.browser_gets_through and cause in _BY_LOOKS:
        return _BY_LOOKS[cause]
    if cause is Cause.TIMEOUT:
        return "tls.timeout"
    if cause in (Cause.AUTHORITY, Cause.HOSTNAME, Cause.CERTIFICATE):
        return of_certificate(o, c)
    if cause is not Cause.RESET:
        return "tls"  # closed without a reset, for which the taxonomy has no leaf
    if not o.hostname:
        return "tls.reset"
    return "tls.reset.other" if c.address_also_fails_for_others else "tls.reset.sni"


def of_certificate(o: Observation, c: Controls) -> str:
    if o.cert_issuer and o.cert_issuer in o.cert_subject.split():
        return "tls.mitm.self_signed"
    return _MITM.get(c.cause, "tls.mitm")


def of_quic(_o: Observation, c: Controls) -> str:
    return "quic.drop.target" if c.another_name_works else "quic.drop"


def of_request(o: Observation, c: Controls) -> str:
    return _request(o, c, c.cause)


def of_request_group(o: Observation, c: Controls) -> str:
    return _request(o, c, c.group.cause or c.cause)


def _request(o: Observation, c: Controls, cause: Cause) -> str:
    """The mechanism of a failed request.  Over TLS, the ``Host`` header cannot be the trigger."""
    if cause in LOOKUP_CAUSES:
        return _DNS.get(cause, "dns")
    if cause in (Cause.REFUSED, Cause.UNREACHABLE):
        return _TCP[cause]
    over_tls = o.url.startswith("https:")
    if over_tls and not c.tls_was_seen:
        return _handshake(o, c, cause)
    if cause is Cause.TIMEOUT:
        return "http.timeout"
    if cause is Cause.RESET:
        return "tls.reset" if over_tls else "http.reset.host"
    return "tls" if over_tls else "http"


def of_other_page(o: Observation, _c: Controls) -> str:
    """The mechanism of another page; for an empty page, which is not a notice, the taxonomy has no leaf."""
    if o.status_code // 100 == 4:
        return ERROR_PAGE
    return "http" if o.body_length == 0 else OTHER_PAGE


def of_slow_data(o: Observation, _c: Controls) -> str:
    return "http.throttle.host" if o.url.startswith("http:") else "tls.throttle.sni"
