"""The map: no streaks, all countries, another file where the owner wants it."""

import re
from pathlib import Path

import pytest
from tools.draw_world import path_of, pieces

from fanous.errors import FanousError
from fanous.refdata.countries import HEIGHT, NO_CODE, WIDTH, is_country, shapes

LONGEST_STEP = 60
"""Pixels: the longest straight border is some 40; a streak across the map is 1,000."""


def steps(path: str) -> list[tuple[float, float]]:
    """Relative steps of the lines of a path."""
    found = []
    for run in re.findall(r"l([^Mz]+)", path):
        numbers = [float(number) for number in re.findall(r"-?\d+", run)]
        found += list(zip(numbers[::2], numbers[1::2], strict=True))
    return found


def test_no_country_is_drawn_across_the_map() -> None:
    longest = {
        code: max((max(map(abs, step)) for step in steps(path)), default=0) for code, path in shapes().items()
    }
    assert {code: step for code, step in longest.items() if step > LONGEST_STEP} == {}


def test_every_shape_is_on_the_map() -> None:
    for code, path in shapes().items():
        for x, y in re.findall(r"M(-?\d+) (-?\d+)", path):
            assert -3 <= int(x) <= WIDTH + 3, code
            assert -12 <= int(y) <= HEIGHT, code


def test_almost_every_country_has_a_shape_and_every_code_is_one() -> None:
    assert {code for code in shapes() if code != NO_CODE and not is_country(code)} <= {
        "TF",
        "HM",
        "GS",
        "AQ",
        "BV",
    }
    assert {"PK", "IR", "FJ", "RU", "MV", "BH", "XK"} - {"XK"} <= shapes().keys()


def test_a_ring_across_the_cut_becomes_two() -> None:
    ring = [(-170.0, 0.0), (-160.0, 0.0), (-160.0, 10.0), (-170.0, 10.0)]
    parts = pieces(ring)
    assert len(parts) == 2
    assert all(max(x for x, _ in part) - min(x for x, _ in part) < 10 for part in parts)


def test_a_country_too_small_to_see_is_a_dot() -> None:
    assert "a2.5 2.5" in path_of([[(10.0, 10.0), (10.1, 10.0), (10.1, 10.1)]])


def test_the_owner_may_set_another_map(tmp_path: Path) -> None:
    file = tmp_path / "world.tsv"
    file.write_text("# ours\nPK\tM1 1l2 2z\n")
    assert shapes(file) == {"PK": "M1 1l2 2z"}


@pytest.mark.parametrize("text", ["PK M1 1", "PK\t<script>"])
def test_a_line_that_is_no_shape_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "world.tsv"
    file.write_text(f"# ours\n{text}\n")
    with pytest.raises(FanousError, match=r"world\.tsv:2"):
        shapes(file)


def test_a_map_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match=r"none\.tsv"):
        shapes(tmp_path / "none.tsv")
