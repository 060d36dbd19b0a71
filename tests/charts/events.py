"""Incidents with defaults, so that a test states only what it is about: X, blocked on Zong, now over."""

from typing import Any

from fanous.model.explanation import Standing, Weighed
from fanous.model.incident import (
    EvidenceCounts,
    Incident,
    Interval,
    Kind,
    NetworkPart,
    Part,
    Scope,
    Status,
    UsersShare,
)
from fanous.model.instant import from_iso
from fanous.model.place import Access
from fanous.model.reason import Reason

START, END = from_iso("2023-12-17T14:45Z"), from_iso("2023-12-17T17:55Z")
"""19:45 to 22:55 in Pakistan."""

ONGOING = {"status": Status.CONFIRMED, "end": None, "intervals": (Interval(START, None),)}
SUSPECTED = ONGOING | {
    "status": Status.SUSPECTED,
    "confirmed_at": None,
    "rule": "",
    "reasons": (Reason("lacks.probes", {"probes": 2, "needed": 3}),),
}
NATION = {
    "scope": Scope.NATION,
    "entities": ("PK", "AS59257"),
    "users": UsersShare(0.834, 0.71, 0.9, 0.94),
}
EXPLAINED = {
    "explanations": (
        Weighed(
            "route.may_fail", Standing.EXCLUDED, Reason("several_networks", {"entities": ("AS1", "AS2")})
        ),
        Weighed("platform.down", Standing.EXCLUDED, Reason("helper_reached_it")),
        Weighed("host.may_fail", Standing.UNTESTED, Reason("few_sites", {"some": 1, "needed": 3})),
        Weighed("site.own_page", Standing.HOLDS, Reason("site.own_page")),
    )
}


def incident(**given: Any) -> Incident:
    """``given`` replaces fields; ``targets`` and ``mechanisms`` are short for parts that are otherwise alike."""
    targets = given.pop("targets", ("x",))
    mechanisms = given.pop("mechanisms", ("tls.reset.sni",))
    entities = given.get("entities", ("AS59257",))
    fields: dict[str, Any] = {
        "country": "PK",
        "kind": Kind.BLOCKING,
        "status": Status.ENDED,
        "scope": Scope.ISP,
        "access": Access.ANY,
        "entities": entities,
        "parts": tuple(part(target, mechanisms=mechanisms, entities=entities) for target in targets),
        "networks": tuple(network(entity) for entity in entities if entity.startswith("AS")),
        "onset": START,
        "onset_earliest": START - 900,
        "onset_latest": START + 900,
        "end": END,
        "intervals": (Interval(START, END),),
        "confirmed_at": START + 1800,
        "confidence": 0.98765432,
        "users": UsersShare(0.1, 0.05, 0.2, 0.4),
        "kbps": None,
        "level": None,
        "evidence": EvidenceCounts(1412, 23, 7, 398, ("ooni",)),
        "rule": "C2",
        "reasons": (Reason("rule.c2", {"probes": 23, "networks": 7, "control": "helper"}),),
        "rules_version": "1",
        "detector_version": "2026.11",
        "id": "PK-2023-0042",
    }
    return Incident(**(fields | given))


def part(target: str = "x", kind: Kind = Kind.BLOCKING, **given: Any) -> Part:
    fields: dict[str, Any] = {"mechanisms": ("tls.reset.sni",), "entities": ("AS59257",)}
    return Part(target, kind, **(fields | given))


def network(entity: str = "AS59257", **given: Any) -> NetworkPart:
    fields: dict[str, Any] = {
        "targets": ("x",),
        "intervals": (Interval(START, END),),
        "measurements": 104,
        "probes": 28,
        "probability": 0.99987654,
    }
    return NetworkPart(entity, **(fields | given))
