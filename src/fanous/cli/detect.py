"""``fanous detect``: finds incidents in new measurements, with any number of processes.

Each process takes one country after another, under a lease in the ledger (``fanous.store.database``), and runs
the same code as ``fanous ingest``.  If a process dies, nothing is lost but the time until its lease runs out.
"""

import logging
import multiprocessing
import signal
import sys
import threading
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from fanous.cli.common import act, country_code, moment, reaching, say
from fanous.cli.options import OneCountry, SinceOption, StoreOptions, UntilOption, argument, command, option
from fanous.errors import FanousError
from fanous.log import log_to_stderr, logline

if TYPE_CHECKING:
    from fanous.store.location import StoreLocation

LEASE = 60.0
"""Equal to ``fanous.store.database.LEASE_SECONDS``, which a light probe cannot import; a test compares them."""

AGAIN = 1.0
"""Seconds until a worker that died is replaced."""

log = logging.getLogger("fanous.detect")


class DetectOptions(StoreOptions):
    """Options of ``fanous detect``."""

    countries: list[str] | None = argument(
        None, "Detect again in these countries; default: wherever new measurements wait.", metavar="[CC]..."
    )
    since: SinceOption = None
    until: UntilOption = None
    workers: int = option(1, "Number of processes among which the countries are shared.", min=1)
    every: float = option(
        0, "Keep running and look for new work at this interval; 0: stop when done.", min=0, metavar="SECONDS"
    )
    lease: float = option(
        LEASE,
        "Time after which another process takes over the work of one that died.",
        min=1,
        metavar="SECONDS",
    )


@command
def detect(options: DetectOptions) -> None:
    """Find incidents in measurements that have not been examined yet; `fanous ingest` also does this.

    With countries, or with --since and --until, detection is repeated for them, for example for a whole year.
    If the facts are on a server and the ledger is in PostgreSQL, any number of processes on any machines can
    share the work; only one process works on a country at a time.
    """
    from fanous.pipeline.jobs import Detect, mark
    from fanous.store.location import store_place

    first, last = moment(options.since, "--since"), moment(options.until, "--until")
    codes = [country_code(code) for code in options.countries or ()]
    place = store_place(options.store, options.config)
    # Are the facts where more than one process may read?
    shared = not isinstance(place, Path) and place.engine_folder is None
    if not shared and (options.workers > 1 or options.every):
        raise FanousError(
            "--workers and --every need the facts on a server (clickhouse://): only one process can open a "
            "store in a folder. Leave them out; `fanous run` detects continuously"
        )
    with reaching(options, read_only=shared, must_exist=True) as reach:
        if options.workers == 1 and not options.every:
            done = reach(Detect(tuple(codes), first, last, options.lease))
            say(f"detected in {len(done)} countries{': ' if done else ''}{', '.join(done)}")
            return
        if codes or first is not None or last is not None:
            assert reach.store is not None  # facts on a server have no single owner
            mark(reach.store, codes, first, last)
    assert not isinstance(place, Path)  # it is shared
    log_to_stderr()
    _all_work(place, options.workers, options.every, options.lease)


def _all_work(place: "StoreLocation", workers: int, every: float, lease: float) -> None:
    """Run processes until there is nothing left to do, or until SIGINT or SIGTERM.

    Raises:
        FanousError: some ended early, and none are left.
    """
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    pool = [_Worker(place, every, lease) for _ in range(workers)]
    try:
        while any(worker.process.is_alive() for worker in pool) and not stopping.wait(0.2):
            if every:
                pool = [worker if worker.process.is_alive() else _again(worker, stopping) for worker in pool]
    finally:
        for worker in pool:
            worker.lifeline.close()
        for worker in pool:
            worker.process.join()
    if not stopping.is_set() and all(worker.process.exitcode for worker in pool):
        raise FanousError("all workers ended early; the log above says why", permanent=False)


def _again(worker: "_Worker", stopping: threading.Event) -> "_Worker":
    log.error(logline("worker_ended", exitcode=worker.process.exitcode, restart_in=AGAIN))
    stopping.wait(AGAIN)
    worker.lifeline.close()
    return _Worker(*worker.told)


class _Worker:
    """A detecting process; it finishes its current country once ``lifeline`` is closed, then ends."""

    def __init__(self, place: "StoreLocation", every: float, lease: float) -> None:
        self.told = place, every, lease
        spawning = multiprocessing.get_context("spawn")
        theirs, self.lifeline = spawning.Pipe(duplex=False)
        self.process: BaseProcess = spawning.Process(target=work_until_closed, args=(*self.told, theirs))
        self.process.start()
        theirs.close()


def work_until_closed(place: "StoreLocation", every: float, lease: float, lifeline: Connection) -> None:
    """What a worker's process does."""
    from fanous.pipeline.jobs import work
    from fanous.store.local import open_store

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent decides when to stop
    log_to_stderr()
    try:
        with open_store(place, read_only=True) as opened:
            work(opened, every, lease, lifeline.poll)
    except FanousError as error:
        log.error(logline("not_detected", why=str(error)))
        sys.exit(1)


class RejudgeOptions(StoreOptions):
    """Options of ``fanous rejudge``."""

    country: OneCountry = None
    everything: bool = option(False, "Also rejudge what this version has already judged.", "--all")


@command
def rejudge(options: RejudgeOptions) -> None:
    """Recompute every conclusion from the raw records, with the rules of this version."""
    from fanous.pipeline.upkeep import Rejudge
    from fanous.wording.words import counted

    done = act(
        options, Rejudge(country_code(options.country) if options.country else None, options.everything)
    )
    say(f"judged {counted(done.measurements, 'measurement')} again")
    if not (done.measurements or done.remarks or options.everything):
        say("all were judged by these rules before; --all judges them again", file=sys.stderr)
    for remark in done.remarks:
        say(f"could not be used: {remark}", file=sys.stderr)
