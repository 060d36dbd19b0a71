"""What the engine counts is what the votes say."""

from collections import Counter
from pathlib import Path

import pytest

from fanous.charts.grid import columns_of, filled, network_times
from fanous.model.verdict import State
from fanous.store.local import open_store
from tests.builders import verdict
from tests.store.cases import NOON, judged, random_batch

DAY = 86_400.0


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("targets", [["x"], ["x", "youtube"]])
def test_counting_in_the_store_gives_the_grid_of_the_votes(
    tmp_path: Path, seed: int, targets: list[str]
) -> None:
    since, until = NOON - DAY, NOON + DAY
    with open_store(tmp_path / "store") as store:
        store.append(random_batch(seed, 400), rules_version="1")
        votes = store.facts.votes("PK", since, until, targets)
        ends = store.facts.ends("PK", since, until, targets)
        assert ends == (votes.times[0], votes.times[-1])
        columns = columns_of("PK", *ends)
        edges = columns.edges()
        counted = store.facts.outcomes("PK", since, until, targets, [at for at, _ in edges])
    made, failed = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for one in counted:
        made[one.asn, dict(edges)[int(one.start)]] += one.made
        failed[one.asn, dict(edges)[int(one.start)]] += one.failed
    assert filled(columns, made, failed, []) == network_times(votes, [], "PK")


@pytest.mark.parametrize(("since", "until"), [(-9, 9), (-2.1, 1.2), (-0.4, 0.4), (2.9, 3.1)])
def test_the_ends_are_the_first_and_the_last_that_speak_in_a_window_of_many_days(
    tmp_path: Path, since: float, until: float
) -> None:
    batch = [
        judged(f"m{n}-{hour}", verdict(state, target=target), started_at=NOON + n * DAY + hour * 3600)
        for n in range(-3, 4)
        for hour, state, target in [
            (-9, State.INSUFFICIENT, "x"),
            (-8, State.OK, "vimeo"),
            (-2, State.OK, "x"),
            (1, State.BLOCKED, "x"),
            (3, State.OK, "youtube"),
            (7, State.DOWN, "x"),
        ]
    ]
    window = "PK", NOON + since * DAY, NOON + until * DAY
    with open_store(tmp_path / "store") as store:
        store.append(batch, rules_version="1")
        votes = store.facts.votes(*window, ["x", "youtube"])
        assert store.facts.ends(*window, ["x", "youtube"]) == (votes.times[0], votes.times[-1])


def test_where_nothing_says_yes_or_no_there_are_no_ends(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        store.append(random_batch(1, 50), rules_version="1")
        assert store.facts.ends("PK", NOON - DAY, NOON + DAY, ["never measured"]) is None
        assert store.facts.ends("PK", NOON + DAY, NOON + 2 * DAY, ["x"]) is None
