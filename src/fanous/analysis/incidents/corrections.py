"""Corrections: what a revision of a claim takes back or narrows, in words; widening is no correction."""

from fanous.model.incident import Incident, Scope, Status

_WIDTH = {Scope.INSUFFICIENT: 0, Scope.ISP: 1, Scope.REGION: 2, Scope.MULTI_ISP: 2, Scope.NATION: 3}


def taken_back(before: Incident, after: Incident) -> tuple[str, ...]:
    """Everything that ``before`` claimed and ``after`` no longer does."""
    if after.status is Status.RETRACTED:
        return ("the whole claim",) if before.status is not Status.RETRACTED else ()
    found = []
    if before.confirmed_at is not None and after.confirmed_at is None:
        found.append("that it is confirmed")
    if _WIDTH[after.scope] < _WIDTH[before.scope]:
        found.append(f"the scope {before.scope}: it is {after.scope}")
    gone = sorted(set(before.targets) - set(after.targets))
    if gone:
        found.append(f"the targets {', '.join(gone)}")
    networks = {n.entity for n in after.networks}
    lost = [n.entity for n in before.networks if n.entity not in networks]
    if lost:
        found.append(f"the networks {', '.join(lost)}")
    return tuple(found)
