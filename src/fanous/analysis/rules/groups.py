"""Groups: the endpoints of one target and role as a whole, for nettests that no helper controls.

Of a dozen endpoints some are always slow or down, so what counts is the share that fails, and where.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from fanous.analysis.rules.failures import Cause, cause_of
from fanous.model.measurement import Layer, Observation
from fanous.model.role import Role

LEAST_SHARE = 0.5
"""Share of a target's endpoints that must fail.  In real measurements 1-4 of 12 fail normally, and 8-12 of 12 if
blocked."""

LEAST_APP_SHARE = 0.66
"""The same of the endpoints of an app: it tries them until one answers (ooni/spec ts-018), so it works where half of
them do, as where one of the two ports of each is cut.  OONI asks for all (ts-018, ts-020).  In 2,344 measurements of
Telegram in Kenya 0 to 4 of 12 failed, or 8 to 12."""

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
