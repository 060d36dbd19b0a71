"""How much of a window a page reads one by one."""

import numpy as np
import pytest

from fanous.model.instant import HOUR
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey
from fanous.publish import edition
from fanous.publish.edition import newest, oldest


def volume(first: int, end: int) -> list[Series]:
    """Five hundred measurements an hour on each of two networks, from one hour to another."""
    times = np.arange(first, end, dtype=np.int64) * HOUR
    made = np.full(len(times), 500, np.int64)
    return [
        Series(
            SeriesKey(Place("PK", asn), "", "measurements"),
            HOUR,
            times,
            made.astype(np.float64),
            made,
            made * 0,
            made,
        )
        for asn in (1, 2)
    ]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edition, "MOST_DRAWN", 3000)


def test_a_page_reads_as_far_back_as_it_can() -> None:
    assert newest(volume(0, 10), 0) == 7 * HOUR
    assert newest(volume(8, 10), 8 * HOUR) == 8 * HOUR


def test_the_beginning_of_an_incident_is_never_cut() -> None:
    assert oldest(volume(0, 10), 0, 10 * HOUR) == 3 * HOUR
    assert oldest(volume(0, 2), 0, 2 * HOUR) == 2 * HOUR
