import random
from pathlib import Path

from fanous.evaluation.simulate.builders import verdict
from fanous.model.incident import Interval
from fanous.model.measurement import Layer
from fanous.model.verdict import State
from fanous.store.engine import IN_INTERVALS, IN_STRETCHES, in_any, in_stretches
from fanous.store.evidence import EvidenceCounts, MechanismCount
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.store.cases import NOON, judged
from tests.store.servers import EVERYWHERE

BLOCKED = verdict(State.BLOCKED)
ALWAYS = [Interval(NOON, None)]


@EVERYWHERE
def test_evidence_counts_who_saw_it_and_who_shows_that_it_worked(store: Store) -> None:
    store.append(
        [
            judged("a", BLOCKED, probe="p1"),
            judged("b", BLOCKED, verdict(), probe="p1"),
            judged("c", verdict(State.INSUFFICIENT, symptom=True, controlled=False), probe="p2"),
            judged("d", verdict(State.THROTTLED), asn=45669, probe="p3"),
            judged("works on a named network", verdict()),
            judged("works elsewhere", verdict(), asn=9541),
            judged("blocked elsewhere", BLOCKED, verdict(State.OK, Layer.DNS), asn=9541),
            judged("another target", verdict(State.BLOCKED, target="youtube")),
            judged("unsound", BLOCKED, defect="vpn"),
            judged("another country", BLOCKED, country="IR"),
            judged("too early", BLOCKED, started_at=NOON - 1),
        ],
        rules_version="1",
    )
    found = store.facts.evidence("PK", ["x"], [17557, 45669], ALWAYS)
    assert found == EvidenceCounts(
        measurements=4, probes=3, networks=2, controlled=3, elsewhere=1, sources=("ooni",)
    )
    assert found.controls == 4


def test_no_measurements_give_no_evidence(store: Store) -> None:
    assert store.facts.evidence("PK", ["x"], [17557], []) == EvidenceCounts(0, 0, 0, 0, 0, ())


def test_mechanisms_are_counted_in_the_intervals_only(store: Store) -> None:
    times = {"before": -1, "first": 0, "first too": 599, "between": 600, "second": 1200}
    store.append(
        [judged(uid, BLOCKED, started_at=NOON + at, probe="p") for uid, at in times.items()]
        + [judged("other network", BLOCKED, asn=45669)],
        rules_version="1",
    )
    found = store.facts.mechanisms(
        "PK", ["x"], [17557], [Interval(NOON, NOON + 600), Interval(NOON + 1200, None)]
    )
    assert found == [
        MechanismCount("x", 17557, Layer.TLS, "tls.reset.sni", "tls.test.blocked", State.BLOCKED, False, 3, 1)
    ]


def test_intervals_may_overlap_touch_be_empty_or_have_no_end(store: Store) -> None:
    times = range(-1, 12)
    store.append(
        [judged(f"{asn} {at}", BLOCKED, started_at=NOON + at, asn=asn) for at in times for asn in (1, 2, 3)],
        rules_version="1",
    )
    dice = random.Random(5)
    for _ in range(40):
        stretches = {
            asn: [
                Interval(NOON + start, dice.choice([None, NOON + start + dice.choice([0, 0.5, 1, 2, 5])]))
                for start in dice.sample(range(11), dice.choice([0, 1, 2, 5]))
            ]
            for asn in dice.sample([1, 2, 3, 4], dice.choice([0, 1, 3]))
        }
        within = {
            asn: sum(
                any(one.start <= NOON + at and (one.end is None or NOON + at < one.end) for one in own)
                for at in times
            )
            for asn, own in stretches.items()
            if asn != 4
        }
        ((count,),) = store.facts.engine.rows(
            f"SELECT count() FROM verdicts WHERE {IN_STRETCHES}", **in_stretches(stretches)
        )
        assert count == sum(within.values())
        for asn, own in stretches.items():
            found = store.facts.evidence("PK", ["x"], [asn], own)
            assert found.measurements == within.get(asn, 0)


def test_the_memory_of_a_claim_does_not_grow_with_its_intervals(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        store.append([judged(f"{n}", BLOCKED, started_at=NOON + n) for n in range(2000)], rules_version="1")
        often = [Interval(NOON + n, NOON + n + 0.5) for n in range(2000)]
        limited = {"asn": 17557, **in_any(often)}
        claim = f"SELECT count() FROM verdicts WHERE asn = {{asn:UInt32}} AND {IN_INTERVALS}"
        ((count,),) = store.facts.engine.rows(f"{claim} SETTINGS max_memory_usage = 8000000", **limited)
        lines = f"SELECT count() FROM verdicts WHERE {IN_STRETCHES} SETTINGS max_memory_usage = 8000000"
        assert count == 2000
        assert store.facts.engine.rows(lines, **in_stretches({17557: often})) == [(2000,)]


def test_the_most_frequent_mechanism_comes_first(store: Store) -> None:
    dns = verdict(State.BLOCKED, Layer.DNS, mechanism="dns.nxdomain")
    store.append([judged("a", dns), judged("b", BLOCKED), judged("c", BLOCKED)], rules_version="1")
    found = store.facts.mechanisms("PK", ["x"], [17557], ALWAYS)
    assert [(one.mechanism, one.measurements) for one in found] == [("tls.reset.sni", 2), ("dns.nxdomain", 1)]
