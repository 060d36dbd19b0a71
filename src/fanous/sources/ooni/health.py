"""Health: our own nettest ``fanous_health`` - a probe looked at its line; what it found is the finding.

Of its steps only the look-ups over TLS and HTTPS are facts beyond that: do encrypted resolvers answer?
"""

from collections.abc import Iterator

from fanous.analysis.rules.controls import RESOLVER
from fanous.model.observation import Layer, Observation
from fanous.refdata.platforms import target_of
from fanous.sources.ooni.document import HealthKeys, QueryRecord
from fanous.sources.ooni.failure import failure_of
from fanous.sources.ooni.place import duration, host_of, seconds_of

TEST_NAME = "fanous_health"

NO_NETWORK = "no network"
PORTAL = "captive portal"
NOTHING_OUTSIDE = "nothing outside the country answers"
ALLOW_LIST = "outside the country only sites of a list answer"
UNREADABLE = "no look at the line in it"

NO_CONTROL = "no_plain_answer"
"""``control_failure`` where nothing else worked beside which a silent resolver would mean something."""

SLOW_LINE = "slow_line"
"""Likewise where what worked took nearly as long as the silent ones were given."""

PATIENCE = 4.0
"""A resolver's answer takes three round trips and a handshake one: on a line whose handshakes take more than
a quarter of the time that was given, silence means little."""


def defect_of(keys: HealthKeys | None) -> str:
    """Why nothing may be concluded about single sites from there; empty = the line was sound."""
    look = keys.x_health if keys else None
    if look is None or look.online is None:
        return UNREADABLE
    if not look.online:
        return NO_NETWORK
    if look.portal:
        return PORTAL
    if look.spared:
        return ALLOW_LIST
    return NOTHING_OUTSIDE if look.intranet_only else ""


def observe(keys: HealthKeys | None) -> Iterator[Observation]:
    """Each encrypted look-up as a fact about its resolver."""
    for query in (keys.queries if keys else None) or ():
        name = _resolver(query)
        if name:
            yield Observation(
                layer=Layer.DNS,
                target=target_of(name),
                hostname=name,
                role=RESOLVER,
                failure=failure_of(query.failure),
                at=seconds_of(query.t if query.t0 is None else query.t0),
                seconds=duration(query.t0, query.t),
                resolver=query.engine or "",
                query_type=(query.query_type or "")[:20].upper(),
            )


def control_failure_of(keys: HealthKeys | None) -> str | None:
    """``None`` = a public resolver answered over plain UDP, and a known-good site gave its page over TLS."""
    answered = any(
        query.engine == "udp" and query.failure is None and query.answers
        for query in (keys.queries if keys else None) or ()
    )
    pages = keys.x_health.controls if keys and keys.x_health else None
    if not answered or not any((pages or {}).values()):
        return NO_CONTROL
    return SLOW_LINE if keys and _is_slow(keys) else None


def _is_slow(keys: HealthKeys) -> bool:
    given = [
        duration(query.t0, query.t)
        for query in keys.queries or ()
        if _resolver(query) and failure_of(query.failure) == "generic_timeout_error"
    ]
    took = [duration(one.t0, one.t) for one in keys.tls_handshakes or () if one.failure is None]
    return bool(given) and PATIENCE * max(took, default=0.0) > min(given)


def _resolver(query: QueryRecord) -> str:
    """Name of an encrypted resolver; empty = it is another one, or the record does not name it."""
    return host_of(query.x_resolver_name) if query.engine in ("doh", "dot") else ""
