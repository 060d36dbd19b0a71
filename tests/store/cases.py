"""Cases: judged measurements and incidents with defaults, so that a test states only what it is about."""

import json
from dataclasses import replace
from random import Random
from typing import Any

from fanous.analysis.series.aggregate import VerdictRow
from fanous.model.incident import (
    Estimate,
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
from fanous.model.measurement import Layer, Observation, ParsedMeasurement, Record
from fanous.model.place import Access
from fanous.model.reason import Reason
from fanous.model.verdict import LINE, Judged, State, Verdict
from fanous.store.schema import SENT
from tests.builders import bundle, observation, verdict

NOON = 1_702_814_400.0
"""17 December 2023, 12:00 UTC."""


def judged(
    uid: str = "m1",
    *verdicts: Verdict,
    observations: tuple[Observation, ...] | None = None,
    source: str = "ooni",
    **given: Any,
) -> Judged:
    """A measurement of an own probe at noon that says ``x`` works; ``given`` replaces fields of its header."""
    facts = (observation(Layer.DNS), observation(Layer.TLS)) if observations is None else observations
    header = {"uid": uid, "started_at": NOON, "receipt": NOON, "vouched": True, **given}
    return Judged(
        Record(source, json.dumps({"uid": uid}).encode()),
        bundle(*facts, **header),
        verdicts or (verdict(),),
    )


def judge(record: Record) -> tuple[ParsedMeasurement, tuple[Verdict, ...]]:
    """What ``judged`` says of a raw record that it made."""
    again = judged(json.loads(record.data)["uid"])
    return again.parsed, again.verdicts


def rows(batch: list[Judged]) -> list[VerdictRow]:
    """The same verdicts as the pure reference takes them."""
    return [
        VerdictRow(
            header.uid,
            header.country,
            header.asn,
            header.resolver_asn,
            header.probe,
            header.started_at,
            said.target,
            said.layer,
            said.state,
            said.symptom,
            said.controlled,
            header.defect,
            said.mechanism,
            said.kbps,
            header.vouched,
        )
        for one in batch
        for header in [one.parsed.measurement]
        for said in one.verdicts
    ]


def random_batch(seed: int, size: int) -> list[Judged]:
    """Measurements with every mixture of states, layers, probes, resolvers and defects."""
    random = Random(seed)
    return [
        judged(
            f"{seed}-{n}",
            *(_random_verdict(random) for _ in range(random.randint(0, 5))),
            observations=(),
            country=random.choice(["PK", "PK", "PK", "IR", "ZZ"]),
            asn=random.choice([0, 17557, 45669]),
            resolver_asn=random.choice([0, 17557, 13335]),
            probe=f"{seed}-{n}" if random.random() < 0.2 else f"probe {random.randint(1, 6)}",
            started_at=NOON + random.randint(0, 7_200_000_000) / 1e6,
            defect=random.choice(["", "", "", "vpn"]),
            access=random.choice(list(Access)),
            source=random.choice([SENT, "ooni"]),
            vouched=n % 2 == 0,
        )
        for n in range(size)
    ]


def _random_verdict(random: Random) -> Verdict:
    state = random.choice(list(State))
    return verdict(
        state,
        random.choice(list(Layer)),
        target=random.choice(["x", "youtube", "wikipedia", "bbc"]),
        symptom=state is State.INSUFFICIENT and random.random() < 0.5,
        controlled=random.random() < 0.5,
        kbps=random.choice([float("nan"), 50.0, 137.0, 2000.0]),
        mechanism=random.choice(["", "tls.timeout", "tls.throttle.sni", "tls.throttle", "tls.freeze", LINE]),
    )


def incident(**given: Any) -> Incident:
    """X blocked in Pakistan from noon on, confirmed; ``given`` replaces fields."""
    return replace(
        Incident(
            country="PK",
            kind=Kind.BLOCKING,
            status=Status.CONFIRMED,
            scope=Scope.MULTI_ISP,
            access=Access.ANY,
            entities=("AS17557", "AS45669"),
            parts=(Part("x", Kind.BLOCKING, ("tls.reset.sni",), ("AS17557",)),),
            networks=(NetworkPart("AS17557", ("x",), (Interval(NOON, None),), 12, 3, 0.999),),
            onset=NOON,
            onset_earliest=None,
            onset_latest=NOON + 600,
            end=None,
            intervals=(Interval(NOON, None),),
            confirmed_at=NOON + 1800,
            confidence=0.998,
            users=UsersShare(0.8, 0.7, 0.9, 0.94),
            kbps=None,
            level=Estimate(0.2, 0.1, 0.3),
            evidence=EvidenceCounts(412, 23, 7, 398, ("edge", "ooni")),
            rule="C2",
            reasons=(Reason("rule.c2", {"probes": 23, "networks": 7, "control": "helper"}),),
            rules_version="1",
            detector_version="1",
        ),
        **given,
    )
