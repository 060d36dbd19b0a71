"""Ready-made series: bin by bin, once, and the last word of the source wins."""

from math import inf, nan

import numpy as np
import pytest

from fanous.errors import FanousError
from fanous.model.coverage import SeriesArrival
from fanous.model.measurement import Provenance
from fanous.model.place import Access, Place
from fanous.model.series import Series, SeriesKey, SourceSeries, Spread
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous.store.series import KnownSignal, Pulled
from tests.store.cases import judged
from tests.store.servers import EVERYWHERE

T0 = 1_700_000_400
PK = Place("PK")


def levels(
    values: list[float],
    entity: Place = PK,
    signal: str = "bgp",
    source: str = "ioda",
    subtype: str = "",
    start: int = T0,
    step: int = 600,
) -> SourceSeries:
    times = start + max(step, 1) * np.arange(len(values))
    key = SeriesKey(entity, "", signal, Access.ANY, 0, source, subtype)
    return SourceSeries(key, step, times, np.array(values))


def shown(series: list[Series]) -> list[tuple[str, str, list[float]]]:
    return [(str(s.key.place), s.key.signal, s.values.tolist()) for s in series]


@EVERYWHERE
def test_what_is_put_is_there(store: Store) -> None:
    (fresh,) = store.facts.put_series([levels([10, 0, nan, 12])])
    (series,) = store.facts.levels("PK")
    assert fresh.tolist() == [True] * 4
    assert series.values.tolist() == [10, 0, 12], "a measured 0 stays, what was not measured is not listed"
    assert series.times.tolist() == [T0, T0 + 600, T0 + 1800]
    assert series.key == levels([]).key
    assert series.step == 600


def test_the_same_again_changes_nothing(store: Store) -> None:
    store.facts.put_series([levels([10, nan])])
    (fresh,) = store.facts.put_series([levels([10, nan, 11])])
    assert fresh.tolist() == [False, False, True]
    assert shown(store.facts.levels("PK")) == [("PK", "bgp", [10, 11])]


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [([10.0], [9.0], [9.0]), ([10.0], [nan], []), ([nan], [10.0], [10.0]), ([0.0], [nan], [])],
)
def test_a_late_correction_wins(
    store: Store, first: list[float], second: list[float], kept: list[float]
) -> None:
    store.facts.put_series([levels(first)])
    (fresh,) = store.facts.put_series([levels(second)])
    assert fresh.tolist() == [True]
    assert [v for s in store.facts.levels("PK") for v in s.values] == kept


def test_a_batch_reads_only_the_series_that_it_writes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It read all places of the source: the time for a table of 300,000 networks grew with its square."""
    for first in (1, 11):
        store.facts.put_series([levels([1.0], Place("PK", asn)) for asn in range(first, first + 10)])
    read: list[tuple[object, ...]] = []
    rows = store.facts.engine.rows

    def seen(sql: str, **parameters: object) -> list[tuple[object, ...]]:
        found = rows(sql, **parameters)
        read.extend(found)
        return found

    monkeypatch.setattr(store.facts.engine, "rows", seen)
    (new,) = store.facts.put_series([levels([1.0, 2.0], Place("PK", 3))])
    assert new.tolist() == [False, True]
    assert len(read) == 1


@EVERYWHERE
def test_an_older_fetch_does_not_undo_a_newer_one(store: Store) -> None:
    store.facts.put_series([levels([10])], fetched_at=T0 + 200)
    store.facts.put_series([levels([9])], fetched_at=T0 + 100)
    assert shown(store.facts.levels("PK")) == [("PK", "bgp", [10])]


def test_what_came_after_an_instant_is_counted_by_signal_and_late_where_newer_bins_were_known(
    store: Store,
) -> None:
    network = Place("PK", 17557)
    store.facts.put_series([levels([10, nan, 12, 13])], fetched_at=T0 + 1800)
    again = [
        levels([10, 11, 14, 13, 15, 16]),  # one late, one corrected, two new
        levels([7], network),  # of a line about which nothing was known
        levels([5, 5], signal="ping-slash24"),
        levels([5], Place("IR")),
    ]
    store.facts.put_series(again, fetched_at=T0 + 7200)
    after = T0 + 3600
    assert store.facts.series_arrived("PK", T0, None, after) == [
        SeriesArrival("ioda", "bgp", 5, 2),
        SeriesArrival("ioda", "ping-slash24", 2, 0),
    ]
    assert store.facts.series_arrived("PK", T0 + 1200, T0 + 1800, after) == [
        SeriesArrival("ioda", "bgp", 1, 1)
    ]
    assert store.facts.series_arrived("PK", T0, None, T0 + 7200) == []
    assert store.facts.series_arrived("AF", T0, None, after) == []


@EVERYWHERE
def test_series_are_told_apart_by_source_subtype_place_and_step(store: Store) -> None:
    several = [
        levels([1]),
        levels([2], source="ioda-csv"),
        levels([3], subtype="WEB_SEARCH"),
        levels([4], entity=Place("PK", region="PK-PB")),
        levels([5], entity=Place("PK", 17557)),
        levels([6], step=300),
    ]
    store.facts.put_series(several)
    assert sorted(s.values[0] for s in store.facts.levels("PK")) == [1, 2, 3, 4, 5, 6]
    assert {s.key for s in store.facts.levels("PK")} == {one.key for one in several}


def test_a_question_names_signals_places_and_a_window(store: Store) -> None:
    ptcl, iran = Place("PK", 17557), Place("IR")
    store.facts.put_series(
        [levels([1, 2]), levels([3], signal="gtr"), levels([4], entity=ptcl), levels([5], entity=iran)]
    )
    assert shown(store.facts.levels("PK", signals=["gtr"])) == [("PK", "gtr", [3])]
    assert shown(store.facts.levels("PK", entities=[ptcl])) == [("AS17557", "bgp", [4])]
    assert shown(store.facts.levels("PK", entities=[iran])) == []
    assert shown(store.facts.levels("PK", T0 + 600, inf)) == [("PK", "bgp", [2])]
    assert shown(store.facts.levels("PK", T0, T0)) == []
    assert shown(store.facts.levels("IR")) == [("IR", "bgp", [5])]


def test_a_country_with_levels_alone_is_known_with_its_span(store: Store) -> None:
    store.facts.put_series([levels([1, 2, nan])])
    store.append([judged("m", country="IR")], rules_version="1")
    assert store.facts.countries() == ["IR", "PK"]
    assert store.facts.span("PK") == (T0, T0 + 600)
    assert store.facts.countries(T0 + 1800, T0 + 2400) == []


def test_each_source_says_when_it_was_fetched(store: Store) -> None:
    store.facts.put_series([levels([1])], fetched_at=T0)
    store.facts.put_series([levels([1], source="ripestat")], fetched_at=T0 + 5)
    assert store.facts.series_fetched("PK") == {"ioda": T0, "ripestat": T0 + 5}


def test_each_source_says_how_new_its_values_are_whenever_they_were_fetched(store: Store) -> None:
    store.facts.put_series([levels([1, 2, nan])], fetched_at=T0 + 900_000)
    assert store.facts.series_latest("PK") == {"ioda": T0 + 600}


def test_pulled_windows_are_remembered_with_the_last_time(store: Store) -> None:
    store.facts.put_pulled(
        "ioda", "PK", [Pulled("country/PK", T0, T0 + 60, 1.0), Pulled("asn/1", T0, T0 + 60, 1.0)]
    )
    store.facts.put_pulled("ioda", "PK", [Pulled("country/PK", T0, T0 + 60, 2.0)])
    assert store.facts.pulled("ioda", "PK") == [
        Pulled("asn/1", T0, T0 + 60, 1.0),
        Pulled("country/PK", T0, T0 + 60, 2.0),
    ]
    assert store.facts.pulled("ioda", "IR") == []


@pytest.mark.parametrize(
    "wrong", [levels([1], source="nobody"), levels([1, 2], step=0), levels([1], start=-600)]
)
def test_what_no_connector_may_give_is_refused(store: Store, wrong: SourceSeries) -> None:
    if wrong.step == 0:
        wrong = SourceSeries(wrong.key, 600, np.array([T0, T0]), np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match=r"source|twice|outside"):
        store.facts.put_series([wrong])


def test_levels_outlive_the_process_and_cannot_be_written_read_only(tmp_path: str) -> None:
    where = f"{tmp_path}/store"
    with open_store(where) as first:
        first.facts.put_series([levels([1])])
    with open_store(where, read_only=True) as second:
        assert shown(second.facts.levels("PK")) == [("PK", "bgp", [1])]
        with pytest.raises(FanousError, match="read-only"):
            second.facts.put_series([levels([2])])


@EVERYWHERE
def test_series_are_put_into_steps_with_median_lowest_and_highest(store: Store) -> None:
    store.facts.put_series(
        [levels([10, 20, nan, 6]), levels([1], Place("PK", 17557)), levels([5], signal="ibr")]
    )
    network, country = sorted(
        store.facts.binned("PK", "bgp", [T0, T0 + 1200, T0 + 2400]), key=lambda one: one.step
    )
    if network.key.place == PK:
        network, country = country, network
    assert country.key == levels([]).key
    assert country.step == 600
    assert country.bins == {T0: Spread(15, 10, 20, 2), T0 + 1200: Spread(6, 6, 6, 1)}
    assert network.bins == {T0: Spread(1, 1, 1, 1)}
    assert store.facts.binned("PK", "bgp", [T0 + 6000, T0 + 7200]) == []


def test_known_signals_say_where_and_when(store: Store) -> None:
    store.facts.put_series([levels([10, 20, nan]), levels([1], Place("PK", 0, "PK-PB"), start=T0 + 600)])
    store.facts.put_series([levels([1], Place("PK", 17557))])
    assert store.facts.known_signals() == [
        KnownSignal("PK", "bgp", "country", T0, T0 + 600),
        KnownSignal("PK", "bgp", "network", T0, T0),
        KnownSignal("PK", "bgp", "region", T0 + 600, T0 + 600),
    ]


@EVERYWHERE
def test_bins_that_were_fetched_too_early_have_not_settled_until_a_later_answer(store: Store) -> None:
    """IODA has its usual delay of twenty minutes; the bins are ten minutes wide."""

    def settled() -> list[float]:
        return [value for one in store.facts.levels("PK", settled=True) for value in one.values]

    real = Provenance.REAL
    store.facts.put_series([levels([1, 2, 3, 4])], real, fetched_at=T0 + 2400)
    assert settled() == [1, 2], "the third was over ten minutes before it was fetched"
    store.facts.put_series([levels([1, 2, 3, 5, 6])], real, fetched_at=T0 + 3600)
    assert settled() == [1, 2, 3, 5], "the third is unchanged, and was fetched again with the fifth"
    store.facts.put_series([levels([9])], real, fetched_at=T0 + 90_000)
    assert settled() == [9, 2, 3, 5], "a correction of the past says nothing of the newest"
    assert shown(store.facts.levels("PK")) == [("PK", "bgp", [9, 2, 3, 5, 6])]


@pytest.mark.parametrize(
    ("source", "signal", "kept"), [("csv", "connectivity", 4), ("ioda-csv", "bgp", 2), ("ris", "bgp", 4)]
)
def test_a_file_shows_only_that_it_was_made_after_its_newest_bin_began(
    store: Store, source: str, signal: str, kept: int
) -> None:
    store.facts.put_series([levels([1, 2, 3, 4, 5], source=source, signal=signal)])
    (one,) = store.facts.levels("PK", settled=True)
    assert len(one) == kept
    (earlier,) = store.facts.levels("PK", T0, T0 + 1200, settled=True)
    assert earlier.values.tolist() == [1, 2], "what was asked for, as it has settled by now"
