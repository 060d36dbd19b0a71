"""What a lie costs, and whether it works at that price."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fanous.model.score import Draw, price_score
from fanous_lab.evaluation import prices as priced
from fanous_lab.evaluation.prices import (
    BLOCKED_ON,
    FIRST_SEED,
    HONEST,
    PriceRow,
    of_name,
    of_past,
    of_publisher,
    of_raid,
    of_silencing,
    price_rows,
    prices,
)
from fanous_lab.evaluation.simulate.lines import LURE, Prelude, Raid, Silencing, raid_attempts
from fanous_lab.evaluation.simulate.votes import votes_of
from fanous_lab.evaluation.votes import incidents_of

SEEDS = range(FIRST_SEED, FIRST_SEED + 2)


def worked(raid: Raid, seeds: Collection[int] = SEEDS) -> list[bool]:
    return [of_raid(raid, seed).worked for seed in seeds]


def laptop(networks: int, hours: float, honest: int, names: int = 3) -> list[bool]:
    return worked(Raid(1, networks, hours, honest, "ooni", names=names))


@pytest.mark.parametrize("hours", [3.0, 72.0])
def test_one_line_confirms_nothing_by_a_collectors_door(hours: float) -> None:
    assert not any(worked(Raid(1, 1, hours, 0, "edge")))


def test_one_patient_laptop_succeeds_where_nobody_watches_after_as_long_as_the_page_says() -> None:
    assert [all(laptop(2, hours, 0)) for hours in (1.0, 2.0, 4.0)] == [False, False, True]
    assert [all(laptop(1, hours, 0)) for hours in (8.0, 28.0)] == [False, True]
    assert not any(laptop(2, 4.0, max(HONEST)))


def test_nor_under_one_name_on_two_networks() -> None:
    """Runs alike in software and resolver are one probe, however many they are."""
    assert not any(laptop(2, 24.0, 0, names=1))


def test_it_says_when_it_was_confirmed() -> None:
    (hours,) = {of_raid(Raid(1, 2, until, 0, "ooni", names=3), FIRST_SEED).hours for until in (4.0, 24.0)}
    assert hours is not None and 2 <= hours < 4


def test_no_crowd_of_strangers_takes_back_what_own_probes_see() -> None:
    assert not any(worked(Raid(8, 2, 12.0, 0, "edge", denies=True), SEEDS[:1]))


def past(attack: str, lines: int, honest: int, own: int) -> Draw:
    share = 0.5 if attack == "T3" else 1.0
    hours = 72.0 if attack == "T3" else 20.0
    return of_past(attack, Prelude(lines, 1, hours, honest, own, share), FIRST_SEED)


def test_one_line_neither_hides_nor_moves_what_own_probes_see() -> None:
    assert not past("T3", 1, 0, 3).changed
    assert not past("T4", 1, 0, 3).changed


def test_two_lines_move_the_onset_and_one_moves_none() -> None:
    """What the page admits."""
    assert past("T4", 2, 3, 3).worked
    assert not past("T4", 1, 8, 0).worked, "where volunteers alone see the event"


def test_no_line_makes_an_event_of_a_month_ago() -> None:
    dated_back = Raid(2, 2, 12.0, 0, "edge", back=720.0)
    assert of_raid(dated_back, FIRST_SEED) == Draw(worked=False, reported=False)
    assert of_raid(replace(dated_back, back=0.0), FIRST_SEED).reported, "as it goes on, it is a suspicion"


def test_a_name_on_no_list_is_seen_by_no_reader() -> None:
    made = votes_of(raid_attempts(Raid(2, 1, 3.0, 0, "edge"), 1), target=LURE)
    found = incidents_of(made, made.where(np.zeros(len(made), np.bool_)), "XA", None)
    assert {target for one in found for target in one.targets} == {LURE}, "the desk sees it"
    assert of_name(Raid(2, 1, 3.0, 0, "edge"), FIRST_SEED) == Draw(worked=False, reported=True)


def test_one_line_reports_nothing_and_two_are_a_suspicion() -> None:
    one, two = (of_raid(Raid(lines, 1, 72.0, 0, "edge"), FIRST_SEED) for lines in (1, 2))
    assert (one.worked, one.reported, two.reported) == (False, False, True)


def test_a_second_publisher_must_lie_too() -> None:
    alone, together = (of_publisher(others, False, FIRST_SEED) for others in ((), ("gtr",)))
    assert (alone.worked, alone.reported, together.worked) == (False, True, True)
    mirrored = of_publisher(("gtr",), True, FIRST_SEED)
    assert (mirrored.worked, mirrored.reported) == (False, True)


# --- silence ---------------------------------------------------------------------------------------------


def silenced(country: str, honest: int, **fields: int | str) -> Draw:
    plain = Silencing(BLOCKED_ON[country], honest, "edge", 1, 1)
    return of_silencing(country, replace(plain, **fields), FIRST_SEED)  # type: ignore[arg-type]


def test_one_line_silences_no_network_of_five() -> None:
    assert silenced("PK", 3) == Draw(worked=False, reported=True)


def test_the_operator_of_one_network_takes_it_out_and_silences_the_others_where_it_is_nearly_all() -> None:
    assert silenced("PK", 5, lines=50) == Draw(worked=False, reported=True, changed=True)
    assert silenced("ET", 5, lines=50).worked


def test_a_laptop_silences_what_volunteers_alone_see() -> None:
    """What the page admits: nobody answers for either."""
    assert silenced("PK", 10, through="ooni", networks=5, names=24).worked


def test_an_event_that_is_not_confirmed_anyway_counts_for_nothing() -> None:
    assert not silenced("ET", 1).is_counted


# --- the table -------------------------------------------------------------------------------------------


def test_each_attack_has_rows_and_none_has_two_of_the_same() -> None:
    made = [row.price for row in price_rows()]
    assert {one.attack for one in made} == {*(f"T{n}" for n in range(1, 9)), "silence"}
    assert len(set(made)) == len(made)


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two rows, whose draws are noted."""
    drawn: list[int] = []

    def draw(seed: int) -> Draw:
        drawn.append(seed)
        return Draw(worked=seed % 2 == 1, reported=True, hours=float(seed - FIRST_SEED))

    rows = [PriceRow(row.price, draw) for row in price_rows()[:2]]
    monkeypatch.setattr(priced, "price_rows", lambda: rows)
    return drawn


def test_what_is_stopped_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drawn = counting(monkeypatch)
    whole = list(prices(6))
    assert drawn == [seed for seed in range(FIRST_SEED, FIRST_SEED + 6) for _ in range(2)]
    assert [(one.draws, one.worked, one.hours, one.soonest) for one in whole] == [(6, 3, 2.5, 0)] * 2
    drawn.clear()
    file = tmp_path / "draws.jsonl"
    list(prices(4, file))
    with file.open("ab") as out:
        out.write(b'["half a li')  # it was killed while it wrote
    assert list(prices(6, file)) == whole
    assert len(drawn) == 12
    assert list(prices(6, file)) == whole
    assert len(drawn) == 12


def test_what_other_detectors_concluded_is_drawn_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn = counting(monkeypatch)
    file = tmp_path / "draws.jsonl"
    list(prices(1, file))
    monkeypatch.setattr(priced, "_versions", lambda: "others")
    list(prices(1, file))
    assert len(drawn) == 4


def test_processes_draw_what_one_draws() -> None:
    apart, together = (list(prices(2, None, ["T8"], processes)) for processes in (1, 2))
    assert apart == together
    assert [one.price.lines for one in apart] == [1, 2, 1]


def test_a_row_at_which_one_line_confirms_is_too_cheap() -> None:
    price = price_rows()[0].price
    assert (price.by, price.lines) == ("line", 1)
    held, broken = (price_score(price, [Draw(worked=one, reported=True)]) for one in (False, True))
    assert (held.is_too_cheap, broken.is_too_cheap) == (False, True)
    assert not price_score(replace(price, lines=2), [Draw(worked=True, reported=True)]).is_too_cheap


@pytest.mark.matrix
@pytest.mark.parametrize("attack", ["T1", "T2", "T3", "T4", "T5", "T6", "T8"])
def test_at_no_price_is_one_line_enough(attack: str) -> None:
    alone = [row for row in price_rows() if row.price.attack == attack and row.price.lines == 1]
    scores = [price_score(row.price, [row.draw(FIRST_SEED)]) for row in alone]
    assert attack == "T8" or {one.price.honest for one in scores} == {*HONEST}
    assert [one for one in scores if one.is_too_cheap or one.changed] == []
    assert attack in ("T2", "T3", "T4", "T8") or [one for one in scores if one.reported] == []
