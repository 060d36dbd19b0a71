"""Scan: pings of our own scanner over loopback, compared with fping if it is installed.  Needs root.

Every address of 127/8 answers, so what is measured is the program and the kernel, not a network.
"""

import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from benchmarks.peers.figure import Figure

from fanous.errors import FanousError
from fanous.scan.icmp import Icmp

FIRST = 127 << 24 | 16 << 16
RATE = 1e6
"""Pings a second: more than either program can send."""

WAIT = 0.5
"""Seconds to wait for the last answers: loopback has no distance."""

NO_PEER = "fping is not installed, so nothing is compared: apt-get install fping"


def measured(count: int) -> tuple[list[Figure], list[str]]:
    """In processor time, the kernel's part included.

    Raises:
        FanousError: no right to open a raw socket.
    """
    if os.geteuid() != 0:
        raise FanousError("pings need a raw socket: run it as root")
    addresses = np.arange(FIRST, FIRST + count, dtype=np.int64)
    start = time.process_time()
    with Icmp(RATE, WAIT) as icmp:
        answered = int(np.asarray(icmp.ask(addresses)).sum())
        sending = icmp.traffic.seconds
    ours = count / (time.process_time() - start)
    figures = [
        Figure("fanous", round(ours, 0), "pings/s and core", f"{count:,} addresses, {answered:,} answered"),
        Figure("fanous, while sending", round(count / sending, 0), "pings/s"),
    ]
    program = shutil.which("fping")
    if program is None:
        return figures, [NO_PEER]
    theirs, heard = _fping(program, count)
    ratio = Figure("fanous to fping", round(ours / theirs, 2), "x", "pings a second of processor time")
    peer = Figure("fping", round(theirs, 0), "pings/s and core", f"{count:,} addresses, {heard:,} answered")
    return [ratio, *figures, peer], []


def _fping(program: str, count: int) -> tuple[float, int]:
    """Pings a second of processor time, and how many were answered."""
    names = "\n".join(f"127.{16 + n // 65536}.{n // 256 % 256}.{n % 256}" for n in range(count))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "targets"
        file.write_text(names + "\n")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        words = [program, "-a", "-q", "-r", "0", "-i", "1", "-t", "500", "-f", str(file)]
        said = subprocess.run(words, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return count / max(spent, 0.001), len(said.stdout.splitlines())
