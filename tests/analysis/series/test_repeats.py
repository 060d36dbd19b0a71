"""Whose repeats count: a probe against its neighbours.

A case is one line a probe: a letter an hour, ``F`` it fails, ``o`` it works, ``.`` not measured.
"""

import numpy as np

from fanous.analysis.series.aggregate import overruled
from tests.each import each

HOUR = 3600


def heard(*probes: str) -> list[str]:
    """The same lines, with ``-`` for what does not count."""
    said = [
        (probe, hour, letter)
        for probe, line in enumerate(probes)
        for hour, letter in enumerate(line)
        if letter in "Fo"
    ]
    bins = np.array([hour * HOUR for _, hour, _ in said], np.int64)
    out = overruled(np.array([p for p, _, _ in said], np.int64), bins, np.array([x == "F" for *_, x in said]))
    lines = [list(line) for line in probes]
    for (probe, hour, _), lost in zip(said, out, strict=True):
        lines[probe][hour] = "-" if lost else lines[probe][hour]
    return ["".join(line) for line in lines]


@each(
    ("probes", "counted"),
    [
        # Against three who have failed since, it has said its word.
        (["ooooo", "oF...", "o.F..", "o..F."], "ooo--"),
        (["FFFFF", "Fo...", "F.o..", "F..o."], "FFF--"),
        # Two are not enough, nor are four against two who say that it fails.
        (["ooooo", "oF...", "o.F.."], "ooooo"),
        (["FFFFF", "Fo...", "F.o..", "F..o.", "F..o.", "F.F.."], "FFFFF"),
        # That it works waits for those who are more: until they have spoken as often as there are of them.
        (["ooooo", "oF...", "o.F..", "o..F.", "o..F.", "o.o.."], "ooo--"),
        (["oooooooo", "oF..F..F", "o.F..F.F", "o..F..FF", "o.o..o.o"], "ooo--o-o"),
        (["ooooooo", "oFFFFFF", "o.FFFFF", "o..FFFF", "o.o..o."], "ooooooo"),
        (["ooooo", "oF...", "o.F..", "o.o.."], "ooooo"),
        (["ooooo", "oF..F", "o.F..", "o..F.", "o.o..", "oo...", "o..o."], "ooooo"),
        # Who was never heard before weighs half: four are as two, five are more.
        (["ooooo", ".F...", "..F..", "...F.", "...F."], "ooooo"),
        (["ooooo", ".F...", "..F..", "...F.", "...F.", "...F."], "ooo--"),
        # Four who are known say the same as this one: a new name each hour overrules none of them.
        (
            ["oooooo", "oooooo", "oooooo", "oooooo", *(f"{h * '.'}F{(5 - h) * '.'}" for h in range(6))],
            "oooooo",
        ),
        # Alone, or among neighbours who agree, each hour is news.
        (["FFFF"], "FFFF"),
        (["FFFF", "F.F.", ".F.F", "F..F"], "FFFF"),
        # Neighbours that measured before the change, or at the same time, contradict no probe.
        (["oooFFF", "oo....", "ooo...", "o.o...", "o..o.."], "oooFFF"),
        (["FFFooo", "FF....", "FFF...", "F.F...", "F..F.."], "FFFooo"),
        # What a neighbour said last is what counts.
        (["oooooo", "oF..o.", "o.F...", "o.F..."], "oo--oo"),
        # Who said the same once, and was not heard since, is one voice against many.
        (["oooooooo", "oF.F.F..", "o.F.F.F.", "oF..F..F", "oo......"], "oo--o---"),
        (["FFFFFFFF", "Fo.o.o..", "F.o.o.o.", "Fo..o..o", "FF......"], "FFFFF---"),
        (["FFFFFFFF", "Fo......", "F.o.....", "Fo......", "FF......"], "FFFFFFFF"),
        # The truth now and then does not make the lie news ...
        (["ooooFoo", "oF..F..", "o.F..F.", "o.F...."], "oo--F--"),
        # ... but a word that was not said for six hours is.
        (["o......o", "o.....F.", "o.....F.", "o.....F."], "o......o"),
        (["o....oo", "o...FF.", "o...F..", "o...F.."], "o....--"),
        # No probe is contradicted by a statement more than six hours old.
        (["oooooooooo", "oF........", "oF........", "o.F......."], "oo-----ooo"),
    ],
)
def test_a_repeat_counts_unless_most_neighbours_have_said_the_contrary_since(
    probes: list[str], counted: str
) -> None:
    assert heard(*probes)[0] == counted


def test_the_order_of_the_rows_does_not_matter() -> None:
    chance = np.random.default_rng(5)
    cells = chance.choice(5 * 40, 120, replace=False)
    probes, bins, seen = cells % 5, cells // 5 * 1800, chance.random(120) < 0.5
    seen[probes == 0] = False
    expected = overruled(probes, bins, seen)
    assert expected.any()
    assert (overruled(probes[::-1], bins[::-1], seen[::-1]) == expected[::-1]).all()


def test_what_comes_later_changes_nothing_before() -> None:
    """Or a replay would not say what a watcher saw."""
    chance = np.random.default_rng(6)
    cells = np.sort(chance.choice(6 * 60, 200, replace=False))
    bins, probes, seen = cells // 6 * 1800, cells % 6, chance.random(200) < 0.6
    seen[probes == 0] = False
    whole = overruled(probes, bins, seen)
    for now in range(1800, int(bins[-1]), 5400):
        early = bins <= now
        assert (overruled(probes[early], bins[early], seen[early]) == whole[early]).all()


def test_of_nothing_nothing_is_overruled() -> None:
    nobody = np.array([], np.int64)
    assert len(overruled(nobody, nobody, np.array([], np.bool_))) == 0
