"""Networks all of whose paths pass the same neighbour."""

from pathlib import Path

from fanous.sources.signals.mrt import paths
from fanous.sources.signals.upstreams import LEAST_PEERS, AsPaths
from tests.each import each
from tests.shared_data import shared_file
from tests.sources.signals.mrt_files import PEERS, table, update

MANY = range(1, LEAST_PEERS + 1)


def found(*paths: tuple[int, str]) -> dict[int, int]:
    neighbours = AsPaths()
    neighbours.add_all(paths)
    return neighbours.upstreams()


def by_all(path: str) -> list[tuple[int, str]]:
    return [(peer, path) for peer in MANY]


@each(
    ("what", "told", "upstreams"),
    [
        ("all paths pass one", by_all("701 9 100"), {100: 9}),
        ("the origin is repeated", by_all("701 9 100 100 100"), {100: 9}),
        ("one path passes another", [*by_all("701 9 100"), (1, "701 8 100")], {}),
        ("the other one came first", [(1, "701 8 100"), *by_all("701 9 100")], {}),
        ("too few peers", by_all("701 9 100")[1:], {}),
        ("one peer's many routes", [(1, "701 9 100")] * 50, {}),
        ("an update shows another", [*by_all("701 9 100"), (0, "701 8 100")], {}),
        ("updates alone", [(0, "701 9 100")] * 50, {}),
        ("a set as origin", [*by_all("701 9 100"), (1, "701 8 {100,101}")], {100: 9}),
        ("a set before it", by_all("701 {9} 100"), {}),
        ("the origin itself is the peer", by_all("100"), {}),
    ],
)
def test_a_network_has_one_upstream_if_enough_peers_see_it_behind_no_other(
    what: str, told: list[tuple[int, str]], upstreams: dict[int, int]
) -> None:
    assert found(*told) == upstreams, what


def test_paths_of_tables_name_their_peers_and_those_of_updates_do_not(tmp_path: Path) -> None:
    (tmp_path / "bview").write_bytes(table(0, {"192.0.2.0/24": {0: 100, 2: 100}}, via=(701, 9)))
    (tmp_path / "updates").write_bytes(update(60, 1, ("192.0.2.0/24",), ("198.51.100.0/24",), 100, via=(8,)))
    first, third = PEERS[0][1], PEERS[2][1]
    assert list(paths(tmp_path / "bview")) == [(first, f"{first} 701 9 100"), (third, f"{third} 701 9 100")]
    assert list(paths(tmp_path / "updates")) == [(0, f"{PEERS[1][1]} 8 100")]


def test_paths_of_a_real_collector_are_read() -> None:
    neighbours = AsPaths()
    neighbours.add_all(paths(shared_file("bgp/mrt/updates.20160811.1600.gz")))
    assert (neighbours.only[28573], neighbours.only[135310]) == (4230, 0)
    assert neighbours.upstreams() == {}, "updates do not say what all peers prefer"
