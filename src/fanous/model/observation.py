"""Observation: one flat fact from one measurement - one lookup, connection, handshake or request.

An observation concludes nothing: it says what was tried, what came back, and when.
"""

from dataclasses import field
from enum import StrEnum
from math import nan

from fanous.model.noun import noun


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


@noun
class Observation:
    """One fact.  What was not measured is ``None``, NaN or empty, never 0.

    Attributes:
        layer: the step observed.
        target: what people use: a platform (``telegram``) or a host name without ``www.``.
        hostname: the name looked up, the SNI, or the host of the URL; empty where an address was used.
        vantage: who observed.
        role: ``web``, ``api`` or ``media`` endpoint of the target; ``redirect`` = a host that the
            target's own pages sent the probe on to.
        ip: address contacted, empty = unknown.  Never an address of the probe.
        port: 0 = unknown.
        failure: OONI df-007 failure string; ``None`` = it worked.
        at: seconds since the measurement began; NaN = unknown.
        seconds: how long the step took; NaN = unknown (a negative clock reading counts as unknown).
        resolver: for DNS: ``system``, ``udp``, ``doh``, ``dot`` or ``helper``.
        query_type: for DNS: ``A``, ``AAAA``, ``HTTPS``, ``CNAME``; empty = unknown.
        answers: for DNS: the addresses answered, in order.
        answer_asns: for DNS: the origin ASN of each of ``answers``; 0 = unknown.
        ttls: for DNS: the TTL of each of ``answers`` in seconds; -1 = unknown.
        cert_valid: for TLS and QUIC: did the certificate validate for ``hostname``; ``None`` = no
            certificate was seen or nobody checked.
        cert_sha256: hex digest of the leaf certificate; empty = none seen.
        cert_subject: subject common name and alternative names of the leaf, space separated.
        cert_issuer: issuer common name of the leaf.
        browser: for a TLS handshake that failed: what a browser's ClientHello with the same name met at
            the same address right after: ``answered``, ``cut``; empty = nobody tried.  Like ``body`` it is
            held only while the measurement is judged.
        url: for HTTP: the URL requested.
        status_code: for HTTP: 0 = no response.
        body_length: for HTTP: bytes of body received; -1 = unknown.
        body_truncated: for HTTP: the recorded body is only a beginning.
        title: for HTTP: the ``<title>`` of the page; empty = none.
        header_names: for HTTP: lower-case names of the response headers, sorted.
        location: for HTTP: where a redirect pointed.
        server: for HTTP: the ``Server`` header.
        body: for HTTP: the body as text, held only while the measurement is judged; facts do not
            store it (the archive does).
        headers: for HTTP: the response headers as ``name: value`` lines; likewise not stored.
        received: bytes received when the step ended or stalled; -1 = unknown.
        kbps: for transfers: kilobits a second; NaN = unknown.
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
