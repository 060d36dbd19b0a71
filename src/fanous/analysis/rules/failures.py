"""Failures: OONI's failure strings (df-007), sorted by what happened on the wire, and how many of a target's endpoints
failed.

The names used by OONI's older probes and by its test helper are included, so that a record of 2014 and one of today are
judged alike.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from fanous.model.measurement import Layer, Observation, Role
from fanous.model.threshold import threshold


class Cause(StrEnum):
    """What happened, distinguished only as far as a conclusion needs it."""

    TIMEOUT = "timeout"
    RESET = "reset"
    REFUSED = "refused"
    CLOSED = "closed"
    UNREACHABLE = "unreachable"
    NXDOMAIN = "nxdomain"
    NO_DATA = "no data"
    NO_ANSWER = "no answer"
    DNS_REFUSED = "dns refused"
    SERVFAIL = "servfail"
    AUTHORITY = "unknown authority"
    HOSTNAME = "wrong name"
    CERTIFICATE = "invalid certificate"
    ALERT = "handshake alert"
    REDIRECT = "redirect"
    ANSWER = "unexpected answer"
    LOCAL = "local"
    UNKNOWN = "unknown"


NAMES: dict[str, Cause] = {
    "generic_timeout_error": Cause.TIMEOUT,
    "timed_out": Cause.TIMEOUT,
    "tcp_timed_out_error": Cause.TIMEOUT,
    "deferred_timeout_error": Cause.TIMEOUT,
    "task_timed_out": Cause.TIMEOUT,
    "dns_timeout_error": Cause.TIMEOUT,
    "timeout_error": Cause.TIMEOUT,
    "connection_reset": Cause.RESET,
    "connection_aborted": Cause.RESET,
    "network_reset": Cause.RESET,
    "connection_refused": Cause.REFUSED,
    "connection_refused_error": Cause.REFUSED,
    "eof_error": Cause.CLOSED,
    "connection_closed": Cause.CLOSED,
    "response_never_received": Cause.CLOSED,
    "host_unreachable": Cause.UNREACHABLE,
    "network_unreachable": Cause.UNREACHABLE,
    "dns_nxdomain_error": Cause.NXDOMAIN,
    "dns_name_error": Cause.NXDOMAIN,
    # "getaddrinfo failed and we have no way of knowing why" (df-007; ooni/probe issue 2029).
    "android_dns_cache_no_data": Cause.NO_DATA,
    "dns_no_answer": Cause.NO_ANSWER,
    "dns_refused_error": Cause.DNS_REFUSED,
    "dns_servfail_error": Cause.SERVFAIL,
    "dns_server_misbehaving": Cause.SERVFAIL,
    "dns_server_failure": Cause.SERVFAIL,
    "dns_temporary_failure": Cause.SERVFAIL,
    "dns_non_recoverable_failure": Cause.SERVFAIL,
    # The Python probe writes this for every failed lookup; nothing says how it failed.
    "dns_lookup_error": Cause.SERVFAIL,
    "ssl_unknown_authority": Cause.AUTHORITY,
    "ssl_invalid_hostname": Cause.HOSTNAME,
    "ssl_invalid_certificate": Cause.CERTIFICATE,
    "ssl_failed_handshake": Cause.ALERT,
    "quic_incompatible_version": Cause.ALERT,
    "http_invalid_redirect_location_host": Cause.REDIRECT,
    "http_invalid_redirect_url": Cause.REDIRECT,
    "http_unexpected_redirect_url": Cause.ANSWER,
    "http_unexpected_status_code": Cause.ANSWER,
    "http_request_failed": Cause.ANSWER,
    "network_down": Cause.LOCAL,
    "address_not_available": Cause.LOCAL,  # connect() failed in the probe's own kernel
    "permission_denied": Cause.LOCAL,
    "address_family_not_supported": Cause.LOCAL,
    "address_in_use": Cause.LOCAL,
    "bad_file_descriptor": Cause.LOCAL,
    "no_buffer_space": Cause.LOCAL,
    "interrupted": Cause.LOCAL,
    "operation_canceled": Cause.LOCAL,
    "connection_already_closed": Cause.LOCAL,
    "proxy_error": Cause.LOCAL,
}

PHRASES: tuple[tuple[str, Cause], ...] = (
    ("redirect", Cause.REDIRECT),
    ("unsupported protocol scheme", Cause.REDIRECT),
    ("no host in request url", Cause.REDIRECT),
    ("no such host", Cause.NXDOMAIN),
    ("connection reset", Cause.RESET),
    ("forcibly closed", Cause.RESET),
    ("connection refused", Cause.REFUSED),
    ("no route to host", Cause.UNREACHABLE),
    ("unreachable", Cause.UNREACHABLE),
    ("timeout", Cause.TIMEOUT),
    ("timed out", Cause.TIMEOUT),
    ("deadline exceeded", Cause.TIMEOUT),
    ("unexpected eof", Cause.CLOSED),
    ("unknown authority", Cause.AUTHORITY),
    ("remote error: tls", Cause.ALERT),
    ("too many open files", Cause.LOCAL),
    ("buffer space", Cause.LOCAL),
    ("network is down", Cause.LOCAL),
    ("dead network", Cause.LOCAL),
    ("operation not permitted", Cause.LOCAL),
    ("permission denied", Cause.LOCAL),
    ("context canceled", Cause.LOCAL),
)
"""Free text that probes wrap into ``unknown_failure: ...``, in the words of Go and Python."""

CUT_CAUSES = frozenset({Cause.RESET, Cause.TIMEOUT, Cause.CLOSED})
"""How a handshake ends if it is cut; an alert comes from the server itself."""
ANSWERING = frozenset({Cause.RESET, Cause.REFUSED, Cause.CLOSED, Cause.ALERT})
"""How a connection or handshake fails if a packet came back."""
CERTIFICATE_CAUSES = frozenset({Cause.AUTHORITY, Cause.HOSTNAME, Cause.CERTIFICATE})
SILENT_CAUSES = frozenset({Cause.TIMEOUT, Cause.UNREACHABLE, Cause.LOCAL, Cause.UNKNOWN, Cause.SERVFAIL})
"""Failures that a machine without any network shows too; a reset or an NXDOMAIN had a sender."""
LOOKUP_CAUSES = frozenset({Cause.NXDOMAIN, Cause.NO_DATA, Cause.NO_ANSWER, Cause.DNS_REFUSED, Cause.SERVFAIL})


@lru_cache(maxsize=4096)
def cause_of(failure: str) -> Cause:
    """What a failure string means; ``UNKNOWN`` if it says nothing that a rule could use."""
    name = NAMES.get(failure)
    if name is not None:
        return name
    text = failure.lower()
    for words, cause in PHRASES:
        if words in text:
            return cause
    return Cause.UNKNOWN


# --- the endpoints of a target as a whole ---------------------------------------------------------------
# For nettests that no helper controls: of a dozen endpoints some are always slow or down, so what counts is the share
# that fails, and where.

LEAST_SHARE = threshold(
    "rules.endpoint_share",
    0.5,
    "Share of a target's endpoints that must fail: in real measurements 1 to 4 of 12 fail at normal times, and "
    "8 to 12 of 12 where they are blocked.",
)

LEAST_APP_SHARE = threshold(
    "rules.app_share",
    0.66,
    "As `rules.endpoint_share` for an app (role `api`): it tries its endpoints until one answers (OONI ts-018), "
    "so it works where half of them do, as where one of the two ports of each is cut. OONI asks for all "
    "(ts-018, ts-020). In 2,344 measurements of Telegram in Kenya 0 to 4 of 12 failed, or 8 to 12.",
)

_DEPTH = {Layer.DNS: 0, Layer.TCP: 1, Layer.TLS: 2, Layer.QUIC: 2, Layer.HTTP: 3, Layer.TRANSFER: 4}


@dataclass(frozen=True, slots=True)
class Group:
    """How the endpoints of one target and role fared.

    Attributes:
        endpoints: number tried.
        failed: of those, at which a step failed and never worked.
        layer: the layer at which most of them failed; None = none failed.
        cause: how most of those at ``layer`` failed.
        least: share that must fail for the group to count as failing.
    """

    endpoints: int
    failed: int
    layer: Layer | None
    cause: Cause | None
    least: float = LEAST_SHARE

    @property
    def fails(self) -> bool:
        return self.failed >= self.least * self.endpoints > 0


def groups_of(observations: Iterable[Observation]) -> dict[tuple[str, str, bool], Group]:
    """Groups by target, role, and whether they are lookups (counted by name) or connections (by endpoint)."""
    members: dict[tuple[str, str, bool], dict[str, list[Observation]]] = {}
    without_address = []
    for o in observations:
        endpoints = members.setdefault((o.target, o.role, o.layer is Layer.DNS), {})
        if o.ip or o.layer is Layer.DNS:
            endpoints.setdefault(_endpoint(o), []).append(o)
        else:
            without_address.append((endpoints, o))
    for endpoints, o in without_address:
        _add_by_name(endpoints, o)
    return {
        key: _group(endpoints.values(), LEAST_APP_SHARE if key[1] == Role.API else LEAST_SHARE)
        for key, endpoints in members.items()
    }


def _add_by_name(endpoints: dict[str, list[Observation]], o: Observation) -> None:
    """A step whose address is unknown belongs to all endpoints of its name and port; if there are none, it is one."""
    same = [
        steps
        for steps in endpoints.values()
        if o.hostname and any((s.hostname, s.port) == (o.hostname, o.port) for s in steps)
    ]
    for steps in same or [endpoints.setdefault(_endpoint(o), [])]:
        steps.append(o)


def _endpoint(o: Observation) -> str:
    if o.layer is Layer.DNS:
        return o.hostname
    if not o.ip:
        return f"{o.hostname or o.url} {o.port}"
    return f"{o.ip} {o.port}"


def _group(endpoints: Iterable[list[Observation]], least: float) -> Group:
    count = 0
    failures: list[tuple[Layer, Cause]] = []
    for steps in endpoints:
        count += 1
        failure = _first_failure(steps)
        if failure is not None:
            failures.append(failure)
    if not failures:
        return Group(count, 0, None, None, least)
    layer = Counter(at for at, _ in failures).most_common(1)[0][0]
    cause = Counter(how for at, how in failures if at is layer).most_common(1)[0][0]
    return Group(count, len(failures), layer, cause, least)


def _first_failure(steps: list[Observation]) -> tuple[Layer, Cause] | None:
    """Where an endpoint failed first; None = every step has an attempt that worked."""
    worked = {o.layer for o in steps if o.failure is None}
    broken = sorted(
        (_DEPTH[o.layer], o.layer, cause_of(o.failure))
        for o in steps
        if o.failure is not None and o.layer not in worked
    )
    return (broken[0][1], broken[0][2]) if broken else None
