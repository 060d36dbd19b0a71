"""Values that a source only repeats, and the same numbers under two names."""

from dataclasses import replace

import numpy as np

from fanous.analysis.series.artefacts import copies, frozen, thawed
from fanous.model.place import Place
from fanous.model.series import Floats, Series, SeriesKey
from tests.each import each

BINS = 480


def noise(seed: int = 1, signal: str = "gtr", bins: int = BINS) -> Series:
    values = 100 + np.random.default_rng(seed).standard_normal(bins)
    return series(values, signal)


def series(values: Floats, signal: str = "gtr") -> Series:
    ones = np.ones(len(values), np.int64)
    key = SeriesKey(Place("KE"), "", signal, source="csv")
    return Series(key, 1800, 1800 * np.arange(len(values)), values.astype(float), ones, ones, ones)


def stuck(value: float, bins: int, one: Series) -> Series:
    rows = np.arange(len(one))
    return replace(one, values=np.where((rows >= 100) & (rows < 100 + bins), value, one.values))


@each(
    ("one", "repeated"),
    [
        (noise(), 0),
        (stuck(100.3, 12, noise()), 11),
        (stuck(100.3, 6, noise()), 5),
        (stuck(100.3, 5, noise()), 0),
        (stuck(40, 48, noise()), 0),  # a cut may leave a constant level: it fell to it
        (stuck(0, 48, noise()), 0),  # nothing is left: that is what a cut looks like
        (stuck(100.3, 48, series(np.round(noise().values))), 0),  # it repeats itself all the time
        (stuck(100.3, 200, noise()), 199),
        (stuck(100.3, 300, noise()), 0),  # it hardly ever moves
        (series(np.full(BINS, 8.0)), 0),
        (stuck(7, 1, series(np.full(BINS, 8.0))), 0),
    ],
)
def test_a_repeated_value_is_no_measurement(one: Series, repeated: int) -> None:
    assert frozen(one).sum() == repeated
    assert len(thawed(one)) == BINS - repeated


@each(
    ("other", "is_copy"),
    [
        (noise(1, "connectivity"), True),
        (series(np.round(noise(1).values / 100, 6), "connectivity"), True),  # 0 to 1 in place of 0 to 100
        (noise(2, "connectivity"), False),
        (noise(1, "google_traffic"), False),  # of one family, which is one witness anyway
        (replace(noise(1, "connectivity"), step=600), False),
        (noise(1, "connectivity", bins=90), False),
    ],
)
def test_the_same_numbers_under_two_names_are_one_witness(other: Series, is_copy: bool) -> None:
    for order in ([noise(), other], [other, noise()]):
        assert copies(order) == ([other] if is_copy else []), "what people do stays"


def test_lines_that_never_move_are_no_copies() -> None:
    flat = np.ones(BINS)
    assert copies([series(flat), series(flat, "connectivity")]) == []
