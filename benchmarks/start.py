"""Start: processor time and memory of `fanous --help`, `incidents list`, `confirm` and an idle `fanous run`, and of the
same commands while it has the store.

    python -m benchmarks.start STORE CC

STORE is a folder that `fanous demo --once --store STORE` or `fanous ingest` made.  Resident memory (VmRSS) counts the
engine's program file, which the kernel can drop at any time; RssAnon is what the process itself needs.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

TIMES = 7
"""Runs of each command; the lowest and the median are printed."""

SETTLED = 20.0
"""Seconds after which the monitor has started."""


def memory(pid: int) -> tuple[int, int]:
    """(VmRSS, RssAnon) of a process, in kB; zeros once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0, 0
    fields = dict(line.split(":", 1) for line in status.splitlines())
    resident, anonymous = (int(fields.get(name, "0").split()[0]) for name in ("VmRSS", "RssAnon"))
    return resident, anonymous


def once(words: list[str]) -> tuple[float, int, int]:
    """(seconds of processor time, most kB resident, most kB anonymous) of one run."""
    child = subprocess.Popen([sys.executable, "-m", "fanous", *words], stdout=subprocess.DEVNULL)
    resident = anonymous = 0
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_utime + usage.ru_stime, resident, anonymous
        now = memory(child.pid)
        resident, anonymous = max(resident, now[0]), max(anonymous, now[1])
        time.sleep(0.002)


def measure(commands: list[list[str]], note: str = "") -> None:
    """Run and print each command."""
    for words in commands:
        runs = [once(words) for _ in range(TIMES)]
        seconds = [run[0] for run in runs]
        print(
            f"fanous {' '.join(words).partition(' --store')[0]}{note}: {min(seconds):.3f} s of processor time "
            f"(median {median(seconds):.3f}); VmRSS {max(run[1] for run in runs) / 1000:.0f} MB, "
            f"RssAnon {max(run[2] for run in runs) / 1000:.0f} MB"
        )


def main(store: str, country: str) -> None:
    asked = [["incidents", "list", "--store", store], ["confirm", country, "--store", store]]
    measure([["--help"], *asked])
    monitor = subprocess.Popen(
        [sys.executable, "-m", "fanous", "run", "--no-probe", "--no-collector", "--store", store],
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(SETTLED)
        resident, anonymous = memory(monitor.pid)
        print(f"fanous run, idle: VmRSS {resident / 1000:.0f} MB, RssAnon {anonymous / 1000:.0f} MB")
        measure(asked, " while `fanous run` has the store")
    finally:
        monitor.send_signal(signal.SIGTERM)
        monitor.wait()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("store", metavar="STORE")
    options.add_argument("country", metavar="CC")
    given = options.parse_args()
    main(given.store, given.country)
