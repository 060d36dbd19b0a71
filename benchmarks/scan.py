"""Our own active probing over a country of 20,000 blocks, in two network namespaces; needs root.

    python -m benchmarks.scan

Prints the rate and the share of answers captured, what is seen when networks are switched off, halved or made
lossy, and the lowest level in 200 quiet rounds (these without a wire: 200 rounds are 33 hours).
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from fanous.model.series import Ints
from fanous.scan.icmp import Icmp
from fanous.scan.rounds import BlockStates, Flags, probe_round, unknown
from fanous.scan.targets import Targets, read_targets

BLOCKS = 20_000
RATE = 20_000.0
WAIT = 0.5
"""Seconds for the last answers: the cable is short."""
HOUR = 6
"""Rounds, so that each stage begins with a whole budget."""
QUIET_ROUNDS = 200
OURS, WORLD = f"fanbench-a{os.getpid()}", f"fanbench-b{os.getpid()}"


def country() -> Targets:
    """Blocks from 10.16.0.0/24 on; addresses answer nine times out of ten."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "targets"
        with path.open("w") as file:
            for block in range(BLOCKS):
                prefix = f"10.{16 + block // 256}.{block % 256}"
                file.writelines(f"{prefix}.{host},AS{64500 + block % 20},,0.9\n" for host in range(1, 16))
        return read_targets(path, "PK", [], lambda *_: None, lab=True)


def run(command: str) -> None:
    subprocess.run(command.split(), check=True, capture_output=True, timeout=60)


def stage(name: str, targets: Targets, state: BlockStates, number: int, icmp: Icmp) -> BlockStates:
    before = (icmp.traffic.sent, icmp.traffic.answered, icmp.traffic.seconds)
    began = time.monotonic()
    state = probe_round(targets, state, number, icmp.ask, lambda _: None)
    took = time.monotonic() - began
    sent, answered, sending = (
        now - then
        for now, then in zip(
            (icmp.traffic.sent, icmp.traffic.answered, icmp.traffic.seconds), before, strict=True
        )
    )
    print(
        f"{name}: {state.is_up.sum():,} of {len(targets):,} blocks up; {sent:,} pings, {answered:,} answers, "
        f"{sent / sending:,.0f} pings a second while sending, most of one block {state.spent[0].max()}, "
        f"round {took:.1f} s",
        flush=True,
    )
    return state


def switched(world: str, what: str, networks: range) -> None:
    """Networks of 256 blocks, ``10.n.0.0/16``, off (``del``) or on (``add``)."""
    for network in networks:
        run(f"ip -n {world} route {what} local 10.{network}.0.0/16 dev lo")


def inside(world: str) -> None:
    """The stages, in our namespace."""
    targets = country()
    with Icmp(RATE, WAIT) as icmp:
        state = stage("quiet", targets, unknown(BLOCKS), HOUR, icmp)
        print(f"captured {icmp.traffic.answered / icmp.traffic.sent:.4%} of what was sent and is up")
        switched(world, "del", range(16, 20))  # 1,024 blocks
        state = stage("5 % switched off", targets, state, 2 * HOUR, icmp)
        switched(world, "del", range(20, 55))  # 8,960 more
        state = stage("half switched off", targets, state, 3 * HOUR, icmp)
        switched(world, "add", range(16, 55))
        state = stage("all back", targets, state, 4 * HOUR, icmp)
        a_fifth = "-m statistic --mode random --probability 0.2 -j DROP"
        lossy = f"ip netns exec {world} iptables -A INPUT -p icmp {a_fifth}"
        run(lossy)
        stage("20 % loss", targets, state, 5 * HOUR, icmp)


def quiet() -> None:
    """Many quiet rounds without a wire: one probe in ten is lost."""
    targets, chance = country(), np.random.default_rng(1)

    def ask(addresses: Ints) -> Flags:
        return np.asarray(chance.random(len(addresses)) < 0.9)

    state, lowest, began = unknown(BLOCKS), BLOCKS, time.monotonic()
    for number in range(1, QUIET_ROUNDS + 1):
        state = probe_round(targets, state, number, ask, lambda _: None)
        lowest = min(lowest, int(state.is_up.sum()))
    seconds = time.monotonic() - began
    print(
        f"{QUIET_ROUNDS} quiet rounds: never fewer than {lowest:,} of {BLOCKS:,} blocks up ({seconds:.0f} s)"
    )


def main() -> None:
    steps = [
        f"ip netns add {OURS}",
        f"ip netns add {WORLD}",
        f"ip -n {OURS} link add v0 type veth peer name v1 netns {WORLD}",
        f"ip -n {OURS} addr add 10.200.0.1/30 dev v0",
        f"ip -n {WORLD} addr add 10.200.0.2/30 dev v1",
        f"ip -n {OURS} link set v0 up",
        f"ip -n {WORLD} link set v1 up",
        f"ip -n {WORLD} link set lo up",
        f"ip -n {OURS} route add default via 10.200.0.2",
        *(f"ip -n {WORLD} route add local 10.{n}.0.0/16 dev lo" for n in range(16, 16 + BLOCKS // 256 + 1)),
    ]
    try:
        for step in steps:
            run(step)
        command = ["ip", "netns", "exec", OURS, sys.executable, "-m", "benchmarks.scan", WORLD]
        subprocess.run(command, check=True, timeout=300)
    finally:
        for name in (OURS, WORLD):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True, timeout=20)
    quiet()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        inside(sys.argv[1])
    else:
        main()
