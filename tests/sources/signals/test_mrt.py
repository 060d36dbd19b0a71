"""Routing tables and updates."""

import gzip
import struct
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.sources.connector import About, PublishedClaim, Reading
from fanous.sources.publishers import SERIES_FILES
from fanous.sources.signals.mrt import country_of, routes
from tests.each import each
from tests.shared_data import shared_file
from tests.sources.signals.mrt_files import record, table, update

T0 = 1_700_006_400
PTCL, JAZZ, GOOGLE = "39.32.0.0/16", "119.160.0.0/16", "8.8.8.0/24"
TABLE = table(
    T0,
    {
        PTCL: {0: 17557, 1: 17557, 2: 17557},
        JAZZ: {0: 45669, 1: 45669, 2: 45669},
        GOOGLE: {0: 15169, 1: 15169, 2: 15169},
    },
)


def series_of(found: Iterable[Reading | PublishedClaim]) -> list[Reading]:
    return [one for one in found if isinstance(one, Reading)]


def shown(folder: Path, *files: bytes) -> list[dict[tuple[str, str], list[float]]]:
    """For each file in turn: (place, signal) -> values."""
    reader = SERIES_FILES["mrt"].begin()
    found = []
    for number, data in enumerate(files):
        path = folder / f"{number}.mrt"
        path.write_bytes(data)
        readings = series_of(reader.read(path, About("PK"), lambda *_: None, lambda _: None))
        keys = [(str(r.levels.key.place), r.levels.key.signal) for r in readings]
        found.append(dict(zip(keys, (r.levels.values.tolist() for r in readings), strict=True)))
    return found


def test_a_table_says_how_much_is_visible(tmp_path: Path) -> None:
    (found,) = shown(tmp_path, TABLE)
    assert found["PK", "prefixes_v4"] == [2]
    assert found["PK", "prefixes_v6"] == [0]
    assert found["PK", "asns"] == [2]
    assert found["AS17557", "prefixes_v4"] == [1]
    assert ("AS15169", "prefixes_v4") not in found


def test_updates_go_on_from_the_table_bin_by_bin(tmp_path: Path) -> None:
    gone = b"".join(update(T0 + 310 + peer, peer, withdrawn=(PTCL,)) for peer in range(3))
    back = b"".join(update(T0 + 950 + peer, peer, announced=(PTCL,), origin=17557) for peer in range(2))
    _, found = shown(tmp_path, TABLE, gone + back)
    assert found["PK", "prefixes_v4"] == [1, 1, 2]
    assert found["AS17557", "prefixes_v4"] == [0, 0, 1], "gone is 0, which was measured"


def test_updates_without_a_table_say_nothing_of_levels(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="give a table"):
        shown(tmp_path, update(T0, 0, withdrawn=(PTCL,)))


def test_a_new_command_starts_again(tmp_path: Path) -> None:
    shown(tmp_path, TABLE)
    with pytest.raises(FanousError, match="give a table"):
        shown(tmp_path, update(T0, 0, withdrawn=(PTCL,)))


def test_a_change_far_from_the_others_is_rejected(tmp_path: Path) -> None:
    reader, rejects = SERIES_FILES["mrt"].begin(), []
    for name, data in (("t", TABLE), ("u", update(T0, 0, (PTCL,)) + update(4_000_000_000, 0, (PTCL,)))):
        (tmp_path / name).write_bytes(data)
        list(reader.read(tmp_path / name, About("PK"), lambda *told: rejects.append(told), lambda _: None))
    assert [line for line, _ in rejects] == [2]


@pytest.mark.parametrize("data", [b"", b"x" * 5, b"hello, this is a letter", TABLE[:20]])
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(FanousError, match=r"not an MRT file|any route"):
        shown(tmp_path, data)


def test_a_broken_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(TABLE)[:15])
    with pytest.raises(FanousError, match="Cannot read"):
        list(SERIES_FILES["mrt"].read(path, About("PK"), lambda *_: None, lambda _: None))


@each(
    ("more", "said"),
    [
        (
            bytes(80 << 20),
            "no MRT record begins at byte",
        ),  # it unpacked to the end, which Ctrl-C did not stop
        (record(0, 13, 2, bytes(64)) * (1 << 20), "more than 100 times its size"),
        (struct.pack("!IHHI", 0, 13, 2, 1 << 31) + bytes(1 << 20), "no MRT record begins at byte"),
    ],
    ids=len,
)
def test_a_bomb_is_refused_before_it_is_parsed(more: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "rib.gz"
    path.write_bytes(gzip.compress(table(0, {"39.0.0.0/16": {0: 17557}}) + more))
    began = time.process_time()
    with pytest.raises(FanousError, match=said):
        next(routes(path))
    assert time.process_time() - began < 5


def test_a_file_that_ends_within_a_record_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "rib"
    path.write_bytes(table(0, {"39.0.0.0/16": {0: 17557}}) + record(0, 13, 2, bytes(64))[:40])
    assert [route[3] for route in routes(path)] == ["39.0.0.0/16"]


def test_an_address_belongs_to_a_country() -> None:
    assert country_of("39.32.0.0") == "PK"
    assert country_of("2400:adc0::") == "PK"
    assert country_of("10.0.0.0") is None
    assert country_of("nonsense") is None


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("ris.rrc06.updates.1427846400.gz", 1557),
        ("routeviews.route-views.jinx.updates.1427846400.bz2", 8611),
        ("updates.20100722.2015.gz", 5614),
    ],
)
def test_real_updates_are_read(name: str, count: int) -> None:
    found = list(routes(shared_file(f"bgp/mrt/{name}")))
    assert len(found) == count
    assert {announced for announced, *_ in found} == {True, False}
    assert all(origin for announced, *_, origin in found if announced)


@pytest.mark.shared_data
def test_real_updates_move_a_table(tmp_path: Path) -> None:
    updates = shared_file("bgp/mrt/ris.rrc06.updates.1427846400.gz")
    reader = SERIES_FILES["mrt"].begin()
    (tmp_path / "t").write_bytes(TABLE)
    list(reader.read(tmp_path / "t", About("JP"), lambda *_: None, lambda _: None))
    readings = series_of(reader.read(updates, About("JP"), lambda *_: None, lambda _: None))
    assert {r.levels.key.signal for r in readings} >= {"prefixes_v4", "prefixes_v6", "asns"}
