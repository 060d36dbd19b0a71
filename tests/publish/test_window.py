"""How much of a window a page reads one by one."""

from typing import Any, cast

import numpy as np
import pytest

from fanous.model.instant import HOUR
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey
from fanous.publish import edition
from fanous.publish.edition import newest, oldest


class Busy:
    """A thousand measurements an hour on one network, for ten hours."""

    @property
    def facts(self) -> "Busy":
        return self

    def volume(self, country: str, since: float, until: float, step: int) -> list[Series]:
        hours = np.arange(10, dtype=np.int64) * HOUR
        times = hours[(hours >= since) & (hours < until)]
        made = np.full(len(times), 1000, np.int64)
        key = SeriesKey(Place(country, 1), "", "measurements")
        return [Series(key, step, times, made.astype(np.float64), made, made * 0, made)]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edition, "MOST_DRAWN", 3000)


STORE = cast(Any, Busy())


def test_a_page_reads_as_far_back_as_it_can() -> None:
    assert newest(STORE, "PK", 0, 10 * HOUR) == 7 * HOUR
    assert newest(STORE, "PK", 8 * HOUR, 10 * HOUR) == 8 * HOUR


def test_the_beginning_of_an_incident_is_never_cut() -> None:
    assert oldest(STORE, "PK", 0, 10 * HOUR) == 3 * HOUR
    assert oldest(STORE, "PK", 0, 2 * HOUR) == 2 * HOUR
