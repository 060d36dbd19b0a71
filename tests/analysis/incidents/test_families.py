"""Two families that agree confirm, however many lines there are."""

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
import pytest

from fanous.analysis.explanations.fall import SeriesEvent
from fanous.analysis.incidents import families
from fanous.analysis.incidents.confirm import OUTAGE_FAMILIES
from fanous.analysis.incidents.families import agree, judged
from fanous.analysis.series.anomalies import family_of
from fanous.analysis.series.parts import Parts
from fanous.analysis.series.signals import deliverer_of
from fanous.model.incident import Kind
from fanous.model.place import Family
from fanous.model.series import Anomaly
from tests.analysis.incidents.levels import drop
from tests.each import each

SIGNALS = ("ping-slash24", "bgp", "gtr", "merit-nt", "transfer_kbps", "prefixes_v6")


class LargeParts(Parts):
    """Each part may stand for its country, and was not taken over by another network."""

    def account_for(self, whole: Anomaly, parts: Iterable[Anomaly]) -> bool:  # noqa: ARG002
        return True

    def lost_by_country(self, part: Anomaly) -> bool:  # noqa: ARG002
        return True


def by_all_pairs(group: Sequence[Anomaly], kind: Kind) -> tuple[str, float | None, tuple[str, ...]]:
    """Rule, moment and the two families: every anomaly held against every other."""
    order = list(Family)
    rule, at = "", None
    families: tuple[str, ...] = ()
    for first, second in product(group, group):
        one, other = family_of(first), family_of(second)
        if order.index(one) >= order.index(other) or not agree(first, second):
            continue
        if (
            first.raised_at is None
            or second.raised_at is None
            or deliverer_of(first.key) == deliverer_of(second.key)
        ):
            continue
        moment = max(first.raised_at, second.raised_at)
        if at is None or moment < at:
            rule = "C3" if kind is Kind.OUTAGE and {one, other} <= OUTAGE_FAMILIES else "C1"
            at, families = moment, (str(one), str(other))
    return rule, at, families


def some(chance: np.random.Generator) -> Anomaly:
    """Whole hours and few of them, so that onsets, ends and alarms meet."""
    start = float(chance.integers(0, 12))
    open_ = chance.random() < 0.3
    return drop(
        str(chance.choice(SIGNALS)),
        start,
        None if open_ else start + float(chance.integers(0, 8)),
        left=float(chance.choice([0.1, 0.6, 0.8])),
        asn=int(chance.integers(0, 3)),
        unlike=float(chance.choice([0.0, 1.0])),
        raised=float(chance.integers(0, 4)),
        last_seen=start + 9,
    )


@each("seed", range(30))
@each("kind", [Kind.OUTAGE, Kind.SLOWDOWN])
def test_the_first_agreement_is_that_of_all_pairs(seed: int, kind: Kind) -> None:
    chance = np.random.default_rng(seed)
    met = 0
    for _ in range(40):
        group = [some(chance) for _ in range(int(chance.integers(1, 8)))]
        found = judged(SeriesEvent("XA", group, (), LargeParts(())), kind).ruling
        rule, at, families = by_all_pairs(group, kind)
        assert (found.rule, found.at) == (rule, at)
        assert at is None or found.reason.params["families"] == families
        met += at is not None
    assert 5 < met < 40


def test_lines_of_different_places_are_never_held_against_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pairs = []
    monkeypatch.setattr(families, "agree", lambda one, other: pairs.append((one, other)))
    group = [drop(s, 0, 5, asn=asn) for asn in range(1, 201) for s in ("ping-slash24", "gtr")]
    nation = [drop("bgp", 0, 5), drop("bgp", 24, 29)]
    assert judged(SeriesEvent("XA", [*group, *nation], (), Parts(()))).ruling.at is None
    assert len(pairs) == 200 + len(group), "each place by itself, and once with the country's line"
