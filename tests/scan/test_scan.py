"""Rounds into the store, and a scan of a real network: two namespaces of the test's own and a cable."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fanous.cli.main import app
from fanous.model.series import Ints
from fanous.pipeline.jobs import BringSeries
from fanous.pipeline.series import Bring
from fanous.scan.icmp import _packets, _tokens, answer_of
from fanous.scan.rounds import BlockStates, Flags, load, probe_round, scan_round, unknown
from fanous.scan.targets import Targets, read_targets
from fanous.store.local import open_store
from fanous.store.protocol import Store

CONTROLS = np.array([0x0A09FF01, 0x0A09FF02, 0x0A09FF03], np.int64)
"""10.9.255.1 and on."""
BLOCKS = 40


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened


def target_list(blocks: int = BLOCKS) -> str:
    """Blocks 10.1.0.0/24 and on; the second half is another network's."""
    rows = []
    for block in range(blocks):
        asn = 17557 if block < blocks // 2 else 45669
        rows += [f"10.1.{block}.{host},AS{asn},Punjab,0.9\n" for host in range(1, 17)]
    return "".join(rows)


@pytest.fixture
def targets(tmp_path: Path) -> Targets:
    (tmp_path / "targets").write_text(target_list())
    return read_targets(tmp_path / "targets", "PK", [], lambda *_: None, lab=True)


class World:
    """Answers without a network.

    Attributes:
        dark: blocks that are down, by number.
        online: does our own line work?
    """

    def __init__(self) -> None:
        self.dark: set[int] = set()
        self.online = True
        self.asked = 0

    def __call__(self, addresses: Ints) -> Flags:
        self.asked += len(addresses)
        return np.array([self.online and (int(a) >> 8 & 0xFF) not in self.dark for a in addresses], np.bool_)


def into(store: Store) -> Bring:
    return lambda series: BringSeries(tuple(series)).perform(store)


def up(store: Store) -> dict[str, list[float]]:
    return {str(series.key.place): series.values.tolist() for series in store.facts.levels("PK")}


def test_a_round_is_a_level_of_the_country_its_regions_and_its_networks(
    tmp_path: Path, store: Store, targets: Targets
) -> None:
    world, journal = World(), tmp_path / "journal"
    state = scan_round(into(store), "PK", targets, unknown(BLOCKS), 100, world, CONTROLS, journal)
    assert state is not None
    world.dark = set(range(BLOCKS // 2))
    assert scan_round(into(store), "PK", targets, state, 101, world, CONTROLS, journal) is not None
    half = BLOCKS / 2
    assert up(store) == {
        "PK": [BLOCKS, half],
        "PK-PB": [BLOCKS, half],
        "AS17557": [half, 0],
        "AS45669": [half, half],
    }
    assert store.facts.levels("PK")[0].times.tolist() == [60_000, 60_600]


def test_when_our_own_line_is_broken_a_round_says_nothing(
    tmp_path: Path, store: Store, targets: Targets
) -> None:
    world = World()
    world.online = False
    assert (
        scan_round(into(store), "PK", targets, unknown(BLOCKS), 100, world, CONTROLS, tmp_path / "j") is None
    )
    assert up(store) == {}
    assert world.asked == len(CONTROLS), "no one else was asked"


def test_a_line_that_breaks_within_a_round_takes_the_round_back_but_not_what_was_spent(
    tmp_path: Path, store: Store, targets: Targets
) -> None:
    world = World()

    def breaking(addresses: Ints) -> Flags:
        world.online = world.asked < len(CONTROLS)
        return world(addresses)

    assert (
        scan_round(into(store), "PK", targets, unknown(BLOCKS), 100, breaking, CONTROLS, tmp_path / "j")
        is None
    )
    kept = load(tmp_path / "j", targets)
    assert kept.is_up.all() and (kept.belief == unknown(1).belief[0]).all()
    assert (kept.spent[0] > 0).all()


def test_a_restart_in_the_middle_of_a_round_goes_on_where_it_was(tmp_path: Path, targets: Targets) -> None:
    world = World()
    world.dark = {3, 4}
    kept: list[BlockStates] = []

    def dies(state: BlockStates) -> None:
        kept.append(state)
        if len(kept) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        probe_round(targets, unknown(BLOCKS), 100, world, dies)
    whole = probe_round(targets, unknown(BLOCKS), 100, world, lambda _: None)
    rest = probe_round(targets, replace(kept[-1]), 100, world, lambda _: None)
    assert rest.is_up.tolist() == whole.is_up.tolist()
    assert rest.spent[0].tolist() == whole.spent[0].tolist(), "no one was asked twice for it"


def test_a_request_has_a_right_checksum_and_only_its_own_answer_counts() -> None:
    (packet,) = _packets(_tokens(np.array([0x0A010203], np.int64), key=7), identity=0x1234)
    words = [int.from_bytes(packet.tobytes()[at : at + 2], "big") for at in range(0, 16, 2)]
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF  # RFC 1071
    reply = b"\x45" + bytes(11) + bytes([10, 1, 2, 3]) + bytes(4) + b"\0" + packet.tobytes()[1:]
    assert answer_of(reply, 0x1234) == (bytes([10, 1, 2, 3]), packet.tobytes()[8:])
    for wrong in (b"", reply[:30], reply[:20] + b"\x08" + reply[21:], reply.replace(b"\x12\x34", b"\0\0")):
        assert answer_of(wrong, 0x1234) is None


@contextmanager
def cable() -> Iterator[tuple[str, str]]:
    """Two namespaces: ours, and a world in which every address of 10.1.0.0/16 and 10.9.0.0/24 answers."""
    ours, world = f"fanscan-a{os.getpid()}", f"fanscan-b{os.getpid()}"
    steps = [
        f"ip netns add {ours}",
        f"ip netns add {world}",
        f"ip -n {ours} link add v0 type veth peer name v1 netns {world}",
        f"ip -n {ours} addr add 10.200.0.1/30 dev v0",
        f"ip -n {world} addr add 10.200.0.2/30 dev v1",
        *(f"ip -n {name} link set {link} up" for name, link in ((ours, "v0"), (world, "v1"))),
        f"ip -n {world} link set lo up",
        f"ip -n {ours} route add default via 10.200.0.2",
        f"ip -n {world} route add local 10.1.0.0/16 dev lo",
        f"ip -n {world} route add local 10.9.0.0/24 dev lo",
    ]
    try:
        for step in steps:
            subprocess.run(step.split(), check=True, capture_output=True, timeout=20)
        yield ours, world
    finally:
        for name in (ours, world):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True, timeout=20)


NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="not present: root, for namespaces and raw sockets")


@pytest.mark.matrix
@NEEDS_ROOT
def test_a_network_that_is_switched_off_is_seen_over_a_real_cable(tmp_path: Path) -> None:
    (tmp_path / "targets").write_text(target_list())
    words = [
        sys.executable,
        "-m",
        "fanous",
        "scan",
        "--country",
        "PK",
        "--targets",
        str(tmp_path / "targets"),
    ]
    words += ["--control", "10.9.0.1", "--control", "10.9.0.2", "--store", str(tmp_path / "store")]
    words += [
        "--rounds",
        "1",
        "--rate",
        "20000",
        "--timeout",
        "0.3",
        "--lab",
        "--i-answer-for-this",
        "--json",
    ]
    environment = os.environ | {"XDG_DATA_HOME": str(tmp_path / "data")}

    def scanned(ours: str) -> dict[str, int | None]:
        inside = ["ip", "netns", "exec", ours, *words]
        done = subprocess.run(
            inside, env=environment, capture_output=True, text=True, timeout=120, check=True
        )
        (row,) = json.loads(done.stdout)["rounds"]
        return dict(row)

    with cable() as (ours, world):
        quiet = scanned(ours)
        assert quiet["up"] == BLOCKS
        assert quiet["answered"] == quiet["sent"] == BLOCKS + 2 * 2
        subprocess.run(
            f"ip -n {world} route add blackhole 10.1.0.0/20 table local".split(),
            check=True,
            capture_output=True,
        )
        (tmp_path / "data" / "fanous" / "scan" / "PK.npz").unlink()  # as if an hour had passed
        assert scanned(ours)["up"] == BLOCKS - 16
        subprocess.run(f"ip -n {world} link set v1 down".split(), check=True, capture_output=True)
        assert scanned(ours)["up"] is None, "our own line is broken"
    with open_store(tmp_path / "store") as store:
        assert up(store)["PK"] == [BLOCKS - 16]


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        ([], 1, "--i-answer-for-this"),
        (["--i-answer-for-this", "--json"], 2, "needs --rounds"),
        (["--i-answer-for-this", "--control", "example.org"], 2, "example.org"),
        (["--i-answer-for-this", "--rounds", "1"], 1, "Cannot read"),
    ],
)
def test_nothing_is_sent_without_an_operator_who_answers_for_it(
    tmp_path: Path, words: list[str], code: int, why: str
) -> None:
    command = ["scan", "--country", "PK", "--targets", str(tmp_path / "no"), "--control", "192.0.2.1"]
    result = CliRunner().invoke(app, [*command, "--store", str(tmp_path / "store"), *words])
    assert result.exit_code == code
    assert why in result.output + str(result.exception)
