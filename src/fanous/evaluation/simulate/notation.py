"""Notation: a series as one line that can be read by eye, ``"1x72 0.2x6 _x2"``.

Each word is a value, then ``x`` and how many bins it fills (1 where left out); ``_`` = nothing was
measured, so the bin is not listed.
"""

from collections.abc import Iterator
from math import nan

import numpy as np

from fanous.model.place import Access, Place
from fanous.model.series import Series, SeriesKey

DAY = 1_699_920_000
"""Tuesday 14 November 2023, 00:00 UTC: an arbitrary beginning, a multiple of every bin width in use."""

STEP = 600


def make_series(
    notation: str,
    *,
    step: int = STEP,
    start: int = DAY,
    counts: int | str = 1,
    controlled: int | str | None = None,
    measurements: int | str | None = None,
    key: SeriesKey | None = None,
) -> Series:
    """The series that ``notation`` spells.

    Args:
        step: bin width in seconds.
        start: unix seconds of the first bin, a multiple of ``step``.
        counts: probes behind each bin: one number for all, or a notation with as many bins.
        controlled: of those, with a normal control; default = all of them.
        measurements: default = one a probe.

    Raises:
        ValueError: a word cannot be read, or a notation has another number of bins.
    """
    if start % step:
        raise ValueError(f"start {start} is not a multiple of step {step}")
    values = spell(notation)
    measured = ~np.isnan(values)
    behind = _whole(counts, len(values))
    normal = behind if controlled is None else _whole(controlled, len(values))
    made = behind if measurements is None else _whole(measurements, len(values))
    return Series(
        key=key or series_key(),
        step=step,
        times=(start + step * np.arange(len(values), dtype=np.int64))[measured],
        values=values[measured],
        counts=behind[measured],
        controlled=normal[measured],
        measurements=made[measured],
    )


def series_key(
    country: str = "PK",
    asn: int = 17557,
    target: str = "x",
    signal: str = "blocked_path",
    access: Access = Access.ANY,
    resolver_asn: int = 0,
) -> SeriesKey:
    """A key in which a test names only what matters."""
    return SeriesKey(Place(country, asn), target, signal, access, resolver_asn)


def spell(notation: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """float64, shape (bins,); NaN where ``_`` stands."""
    return np.array([value for word in notation.split() for value in _repeat(word)], dtype=np.float64)


def _repeat(word: str) -> Iterator[float]:
    text, times, count = word.partition("x")
    try:
        value = nan if text == "_" else float(text)
        repeats = int(count) if times else 1
    except ValueError:
        raise ValueError(
            f"cannot read {word!r}: write a value or _, then x and a count, as in 0.2x6"
        ) from None
    yield from [value] * repeats


def _whole(given: int | str, bins: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if isinstance(given, int):
        return np.full(bins, given, dtype=np.int64)
    values = spell(given)
    if len(values) != bins:
        raise ValueError(f"{given!r} has {len(values)} bins, the values have {bins}")
    return np.nan_to_num(values).astype(np.int64)
