"""Silence: who is expected, who is silent, and what a probe itself wrote down."""

import pytest

from fanous.analysis.series.silence import SilenceWindow, silence_series, silence_votes
from fanous.model.coverage import LineState, Look
from fanous.model.place import Access

STEP = 600
WINDOW = SilenceWindow(0, 40 * STEP, STEP)
MARKS = {"1": LineState.ONLINE, "0": LineState.OFFLINE, "i": LineState.INTRANET, "l": LineState.ALLOW_LIST}


def beats(notation: str, asn: int = 1, probe: str = "a", country: str = "PK") -> list[Look]:
    """One look a bin: ``1`` online, ``0`` offline, ``i`` intranet only, ``l`` a list, ``.`` nothing."""
    return [
        Look(
            f"{probe}{n}",
            country,
            asn,
            Access.ANY,
            probe,
            n * STEP + 5.0,
            MARKS[mark],
            "edge",
            n * STEP + 5.0,
            True,
        )
        for n, mark in enumerate(notation)
        if mark in MARKS
    ]


def silent_bins(found: list[Look], asn: int = 1) -> list[int]:
    series = {s.key.place.asn: s for s in silence_series(found, "PK", WINDOW)}
    if asn not in series:
        return []
    one = series[asn]
    return [int(t) // STEP for t, value in zip(one.times, one.values, strict=True) if value > 0.5]


@pytest.mark.parametrize(
    ("notation", "silent"),
    [
        ("1" * 40, []),
        ("1" * 10 + "." * 5 + "1" * 25, [10, 11, 12, 13, 14]),
        ("1" * 10 + "0" * 5 + "1" * 25, [10, 11, 12, 13, 14]),  # it says itself that it has no network
        ("1....1......1.....1....", []),  # comes and goes: never expected
        ("11", []),  # not known for long enough
    ],
)
def test_only_who_was_heard_regularly_is_silent(notation: str, silent: list[int]) -> None:
    assert silent_bins(beats(notation)) == silent


def test_the_bin_that_is_still_going_on_counts_against_no_probe() -> None:
    found = beats("1" * 10)
    now = SilenceWindow(0, 11 * STEP + 10, STEP)
    (series,) = silence_series(found, "PK", now)
    assert int(series.times[-1]) < 10 * STEP


def test_a_probe_that_is_gone_for_more_than_a_day_is_no_longer_expected() -> None:
    found = beats("1" * 10)
    (series,) = silence_series(found, "PK", SilenceWindow(0, 400 * STEP, STEP))
    assert int(series.times[-1]) <= 9 * STEP + 86_400


def test_others_who_are_heard_are_the_control() -> None:
    found = beats("1" * 10 + "." * 5) + beats("1" * 14 + ".", asn=2, probe="b", country="SE")
    (series,) = silence_series(found, "PK", SilenceWindow(0, 15 * STEP, STEP))
    assert [int(c) for c in series.controlled] == [1] * len(series)
    late = silence_series(found, "PK", SilenceWindow(0, 16 * STEP, STEP))[0]
    assert int(late.controlled[-1]) == 0  # no one else was heard either: perhaps it is the collector


def test_what_a_probe_wrote_down_is_a_vote_and_silence_is_none() -> None:
    votes = silence_votes(beats("11.0il") + beats("111111", asn=2, probe="b"), "PK", STEP)
    own = votes.where(votes.asns == 1)
    assert own.seen.tolist() == [False, False, True, True, True]
    assert own.mechanisms.tolist() == ["", "", "outage", "outage.intranet", "outage.allow_list"]
    assert own.controlled.all()
    assert set(own.targets) == {""}


def test_probes_of_other_countries_have_no_vote() -> None:
    assert len(silence_votes(beats("111", country="SE"), "PK", STEP)) == 0
