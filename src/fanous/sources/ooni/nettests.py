"""Nettests: the observations of every nettest except web_connectivity, which ``parse`` handles.

- Speed tests, ndt (ts-022) and dash (ts-021), and our own probe's downloads in turn: rates.
- Messengers, telegram, whatsapp, facebook_messenger and signal (ts-018, ts-019, ts-020, ts-029): no outside helper
  takes part; each connects to the app's access points and to its web client.
- Tor's directory authorities and bridges (ts-023): one observation each, at the layer of the last step that was
  taken.  A directory answers HTTP, a relay TLS.  What follows a connection to a bridge (obfs4) is designed to look like
  no known protocol, so it has no layer of its own: if that handshake is cut, the connection counts as cut.
- Our own ``fanous_health``, in which a probe examines its line.  Of its steps only the lookups over TLS and HTTPS
  become observations: do encrypted resolvers answer?
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from math import nan
from typing import Any, NamedTuple

from msgspec import Struct

from fanous.analysis.rules.authorities import SIGNAL
from fanous.analysis.rules.evidence import RESOLVER
from fanous.model.coverage import ALLOW_LIST, NO_NETWORK, NOTHING_OUTSIDE, PORTAL
from fanous.model.measurement import Layer, Observation, Role, is_address
from fanous.refdata.platforms import role_of, target_of
from fanous.sources.ooni.document import (
    DownloadRecord,
    Header,
    HealthKeys,
    Number,
    QueryRecord,
    StepKeys,
    TorKeys,
    TorTarget,
    TransferKeys,
)
from fanous.sources.ooni.steps import Effort, Reader
from fanous.sources.ooni.values import (
    LONGEST_URL,
    clip,
    count_of,
    duration,
    endpoint_of,
    failure_of,
    host_and_port,
    name_of,
    query_type_of,
    seconds_of,
)


class Contents(NamedTuple):
    """What the keys of a record contain."""

    target: str = ""
    observations: Iterable[Observation] = ()
    control_failure: str | None = None
    defect: str = ""


class Nettest(NamedTuple):
    """A nettest whose records are judged; of others, only the steps that all have in common are stored.

    Attributes:
        keys: structure of its ``test_keys``: what is read of them, and stored.
        contents: of the keys (``None`` = missing or unreadable); notes on them go to the list.
    """

    name: str
    keys: type[Struct]
    contents: Callable[[Header, Any, list[str]], Contents]


FASTEST_KBPS = 1e9
"""1 Tbit/s: no probe measured more."""


def observe_rates(test_name: str, keys: TransferKeys) -> Iterator[Observation]:
    """The download; a test that failed has no rate."""
    server = (keys.server.hostname if keys.server else None) or keys.server_address
    kbps = _kbps(test_name, keys)
    received, seconds = _received(test_name, keys)
    failure = failure_of(keys.failure)
    if failure is None and kbps != kbps and received < 0:
        return  # neither a rate nor a reason: nothing was observed
    yield Observation(
        layer=Layer.TRANSFER,
        target=test_name,
        hostname=name_of(server),
        role="media",
        failure=failure,
        seconds=seconds,
        received=received,
        kbps=kbps,
    )


def downloads(target: str, made: list[DownloadRecord]) -> Iterator[Observation]:
    """The downloads of ``x_transfers``; a control's has its own name as target.

    The rate is that after the first third, if it is known: a policer lets a burst through.
    """
    for one in made:
        url = (one.url or "")[:LONGEST_URL]
        host, port = host_and_port(url)
        ip, _ = endpoint_of(one.address)
        late = _rate(one.kbps_late)
        yield Observation(
            layer=Layer.TRANSFER,
            target=target if one.role == "target" else target_of(host),
            hostname="" if is_address(host) else host,
            role=role_of(host) if one.role == "target" else "control",
            ip=ip,
            port=port,
            failure=failure_of(one.failure),
            at=seconds_of(one.t0),
            seconds=seconds_of(one.seconds),
            url=url,
            status_code=int(one.code) if one.code and 0 < one.code < 1000 else 0,
            received=count_of(one.bytes),
            kbps=_rate(one.kbps) if late != late else late,
            largest_gap=seconds_of(one.largest_gap),
        )


def _rate(value: Number) -> float:
    return float(value) if value is not None and 0 < value < FASTEST_KBPS else nan


def _kbps(test_name: str, keys: TransferKeys) -> float:
    rates = keys.summary if test_name == "ndt" and keys.summary else keys.simple
    return _rate((rates.download if test_name == "ndt" else rates.median_bitrate) if rates else None)


def _received(test_name: str, keys: TransferKeys) -> tuple[int, float]:
    """Bytes and seconds of the download; -1 and NaN if not stated."""
    if test_name == "ndt":
        last = next((s.progress for s in reversed(keys.download or []) if s.progress), None)
        if last is None or last.microseconds is None:
            return -1, nan
        return count_of(last.num_bytes), seconds_of(last.microseconds / 1e6)
    samples = keys.receiver_data or []
    if not samples:
        return -1, nan
    elapsed = [seconds_of(sample.elapsed) for sample in samples]
    received = sum(count_of(sample.received, 0) for sample in samples)
    return received, seconds_of(sum(seconds for seconds in elapsed if seconds > 0))


PLATFORMS = {
    "telegram": "telegram",
    "whatsapp": "whatsapp",
    "facebook_messenger": "facebook",
    "signal": "signal",
}
"""Nettest -> target.  Messenger shares Facebook's hosts, so it is one target with them."""

SIGNAL_KNOWS_IT = (0, 2, 2)
"""First version of the signal nettest that trusts Signal's authority (ts-029)."""


APART = frozenset({Role.CHAT, Role.CLIENT, Role.REGISTRATION, Role.SITE})
"""Roles that are no endpoints of the app among many: what it cannot do without, and what it can."""


def messenger_role(test_name: str, host: str) -> str:
    """Which part of the app's service it is; the app itself talks to what has no other role.

    Signal's chat server has its role under its present name: nettests before 0.2.3 ask under a former one.
    """
    if test_name == "facebook_messenger":
        return Role.MESSENGER.value
    role = role_of(host)
    return role if role in APART else Role.API.value


def observe_messenger(test_name: str, steps: StepKeys, notes: list[str]) -> Iterator[Observation]:
    return Reader(PLATFORMS[test_name], partial(messenger_role, test_name), notes).read(steps)


def messenger_defect(test_name: str, test_version: str | None, observations: tuple[Observation, ...]) -> str:
    """Why the probe itself is at fault; empty = it is not.

    An old version of the signal nettest calls Signal's own certificates forged.
    """
    if test_name != "signal" or _version(clip(test_version)) >= SIGNAL_KNOWS_IT:
        return ""
    for seen in observations:
        if seen.layer is Layer.TLS and seen.failure == "ssl_unknown_authority" and seen.cert_issuer == SIGNAL:
            return "the probe is older than Signal's certificate authority"
    return ""


def _version(text: str) -> tuple[int, ...]:
    return tuple(
        int(part) if part.isascii() and part.isdigit() else 0 for part in text.split("-")[0].split(".")
    )


TARGET = "tor"

LAYERS = {
    "dir_port": Layer.HTTP,
    "or_port": Layer.TLS,
    "or_port_dirauth": Layer.TLS,
    "obfs4": Layer.TCP,
    "tcp": Layer.TCP,
}
"""``target_protocol`` -> the last step."""


CUT = frozenset({"generic_timeout_error", "connection_reset", "connection_aborted", "eof_error"})
"""How a handshake ends if it was cut on the way; all other failures are the bridge's own (``ntor AUTH mismatch`` in the
first half of 2022, ts-023)."""


def tor_role(_: str) -> str:
    """Relays and bridges are what the program talks to."""
    return "api"


def observe_tor(keys: TorKeys, notes: list[str]) -> Iterator[Observation]:
    targets, effort = keys.targets or (), Effort()
    for target in targets.values() if isinstance(targets, dict) else targets:
        yield _observation(target, notes, effort)


def _observation(target: TorTarget, notes: list[str], effort: Effort) -> Observation:
    layer = LAYERS.get(target.target_protocol or "", Layer.TCP)
    steps = list(Reader(TARGET, tor_role, notes, effort).read(target))
    failed = [step for step in steps if step.failure is not None]
    of_layer = [step for step in steps if step.layer is layer]
    if failed:
        return replace(failed[0], target=TARGET)
    if of_layer:
        failure = failure_of(target.failure)
        return replace(of_layer[-1], failure=failure) if failure in CUT else of_layer[-1]
    ip, port = endpoint_of(target.target_address)
    return Observation(layer, TARGET, role="api", ip=ip, port=port, failure=failure_of(target.failure))


TEST_NAME = "fanous_health"

UNREADABLE = "no look at the line in it"

NO_CONTROL = "no_plain_answer"
"""``control_failure`` if nothing else worked, so that a resolver's silence means nothing."""

SLOW_LINE = "slow_line"
"""The same if successful steps took nearly as long as the silent ones were given."""

PATIENCE = 4.0
"""A resolver's answer takes three round trips and a handshake one: on a line whose handshakes take more than
a quarter of the time that was given, silence means little."""


def health_defect(keys: HealthKeys | None) -> str:
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


def observe_health(keys: HealthKeys | None) -> Iterator[Observation]:
    """Each encrypted lookup as a fact about its resolver.

    Those over HTTPS come first, as browsers use them: where both are cut, the first one names how.
    """
    for query in sorted((keys.queries if keys else None) or (), key=lambda query: query.engine or ""):
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
                query_type=query_type_of(query.query_type),
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
    """Name of an encrypted resolver; empty = another kind, or the record does not name it."""
    return name_of(query.x_resolver_name) if query.engine in ("doh", "dot") else ""


def _rates(header: Header, keys: TransferKeys | None, _: list[str]) -> Contents:
    name = header.test_name or ""
    return Contents(name, observe_rates(name, keys or TransferKeys()))


def _messenger(header: Header, keys: StepKeys | None, notes: list[str]) -> Contents:
    name = header.test_name or ""
    observations = tuple(observe_messenger(name, keys or StepKeys(), notes))
    defect = messenger_defect(name, header.test_version, observations)
    return Contents(PLATFORMS[name], observations, None, defect)


def _tor(_: Header, keys: TorKeys | None, notes: list[str]) -> Contents:
    return Contents(TARGET, observe_tor(keys or TorKeys(), notes))


def _health(_: Header, look: HealthKeys | None, __: list[str]) -> Contents:
    defect = health_defect(look)
    observations = () if defect else observe_health(look)
    return Contents("", observations, control_failure_of(look), defect)


OTHERS = (
    Nettest("tor", TorKeys, _tor),
    Nettest("ndt", TransferKeys, _rates),
    Nettest("dash", TransferKeys, _rates),
    Nettest(TEST_NAME, HealthKeys, _health),
    *(Nettest(name, StepKeys, _messenger) for name in PLATFORMS),
)
"""All nettests that are read but web_connectivity."""
