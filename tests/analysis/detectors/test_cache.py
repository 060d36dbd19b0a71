"""A cached result is what would have been computed; anything that changed at all is computed again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fanous.analysis.detectors.detector import Detector
from fanous.analysis.detectors.interference import BLOCKING, Recall
from fanous.model.place import Place
from fanous.model.series import Anomaly, Series, SeriesKey
from tests.each import each

STEP = 600
START = 1_700_000_400


def one(target: str, asn: int, bins: int = 300, failing: slice = slice(0), country: str = "PK") -> Series:
    """A series with ordinary trouble; ``failing`` says which bins fail altogether."""
    chance = np.random.default_rng(asn + bins)
    values = (chance.random(bins) < 0.01).astype(float)
    values[failing] = 1.0
    counts = chance.integers(1, 4, bins)
    key = SeriesKey(Place(country, asn=asn), target, "blocked_path")
    times = START + STEP * np.arange(bins)
    return Series(key, STEP, times, values, counts, counts, counts)


ALL = [
    *(one("x", asn, failing=slice(100, 160)) for asn in (1, 2, 3)),
    *(one("youtube", asn, 200 + asn, failing=slice(50, 50 + 30 * asn)) for asn in (1, 2)),
    *(one("site.example", asn, 40) for asn in (1, 5)),
    one("x", 7, failing=slice(200, 290), country="IR"),
]


def counting(seen: list[int]) -> Detector[Any]:
    """The detector of blocking, which notes how many series it is given."""

    def find(series: Sequence[Series], options: object) -> list[Anomaly]:
        seen.append(len(series))
        return BLOCKING.found(series)

    return replace(BLOCKING, find=find)


def test_only_what_changed_is_computed_again_and_the_answer_is_the_same() -> None:
    seen: list[int] = []
    recall, detector = Recall(), counting(seen)
    whole = BLOCKING.found(ALL)
    assert len({a.key.target for a in whole}) >= 2
    assert recall.find(detector, ALL) == whole
    assert recall.find(detector, ALL) == whole
    assert seen == [len(ALL), 0]
    changed = [*ALL[:-2], one("site.example", 5, 41), ALL[-1]]
    assert recall.find(detector, changed) == detector.found(changed)
    assert seen[2] == 2  # both series of that target, which watch each other
    assert recall.find(detector, ALL[:3]) == [a for a in whole if a.key.target == "x" and a.key.place.asn < 4]
    assert recall.find(detector, []) == []


@each("name", ["times", "values", "counts", "controlled", "measurements", "step"])
def test_every_change_of_a_series_is_seen(name: str) -> None:
    seen: list[int] = []
    recall, detector = Recall(), counting(seen)
    first = one("x", 1)
    recall.find(detector, [first])
    field = getattr(first, name)
    at = np.arange(len(first)) == 7
    changed: Any = field + 600 if name == "step" else np.where(at, field + 1, field)
    recall.find(detector, [replace(first, **{name: changed})])
    assert seen == [1, 1]


def test_series_of_other_signals_are_not_its_business() -> None:
    seen: list[int] = []
    throttled = replace(ALL[0], key=replace(ALL[0].key, signal="throttled"))
    assert Recall().find(counting(seen), [throttled]) == []
    assert seen == [0]


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    seen: list[int] = []
    recall, detector = Recall(most=2), counting(seen)
    for target in ("a", "b", "a", "c", "a", "b"):
        recall.find(detector, [one(target, 1)])
    assert seen == [1, 1, 0, 1, 0, 1]
