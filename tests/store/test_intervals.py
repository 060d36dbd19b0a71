"""Intervals in a query: an instant is looked up among the ends of all of them."""

import random
from pathlib import Path

from fanous.model.incident import Interval
from fanous.model.verdict import State
from fanous.store.engine import IN_INTERVALS, IN_STRETCHES, in_any, in_stretches
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.builders import verdict
from tests.store.cases import NOON, judged

BLOCKED = verdict(State.BLOCKED)
WITHIN_ANY = f"SELECT count() FROM verdicts WHERE asn = {{asn:UInt32}} AND {IN_INTERVALS}"
WITHIN_OWN = f"SELECT count() FROM verdicts WHERE {IN_STRETCHES}"


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
        assert store.facts.engine.rows(WITHIN_OWN, **in_stretches(stretches)) == [(sum(within.values()),)]
        for asn, own in stretches.items():
            assert store.facts.engine.rows(WITHIN_ANY, asn=asn, **in_any(own)) == [(within.get(asn, 0),)]


def test_the_memory_of_a_query_does_not_grow_with_its_intervals(tmp_path: Path) -> None:
    limit = "SETTINGS max_memory_usage = 8000000"
    often = [Interval(NOON + n, NOON + n + 0.5) for n in range(2000)]
    with open_store(tmp_path / "store") as store:
        store.append([judged(f"{n}", BLOCKED, started_at=NOON + n) for n in range(2000)], rules_version="1")
        rows = store.facts.engine.rows
        assert rows(f"{WITHIN_ANY} {limit}", asn=17557, **in_any(often)) == [(2000,)]
        assert rows(f"{WITHIN_OWN} {limit}", **in_stretches({17557: often})) == [(2000,)]
