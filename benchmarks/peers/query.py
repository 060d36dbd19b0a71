"""Query: verdicts of one target in ten-minute bins by network, compared with SQLite with the same index.

Both hold the same verdicts, and answer the same question.
"""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.peers.figure import Figure

from fanous.errors import FanousError
from fanous.store.local import open_store
from fanous.store.protocol import Store

T = TypeVar("T")
COUNTRY, TARGET, STEP = "PK", "x", 600
START, DAYS = 1_672_531_200, 30
NETWORKS, TARGETS, RUNS = 40, 300, 5

ALL = "SELECT country, asn, toUnixTimestamp(started_at), target, state FROM verdicts"
SQLITE = f"""
    SELECT asn, at / {STEP} AS bin, count(*), sum(state = 'blocked') FROM verdicts
    WHERE country = '{COUNTRY}' AND target = '{TARGET}' AND at >= ? AND at < ? GROUP BY asn, bin
"""


def measured(verdicts: int) -> list[Figure]:
    """Median wall-clock time of some runs.

    Raises:
        FanousError: the two answers differ.
    """
    since, until = float(START), float(START + DAYS * 86_400)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with open_store(folder / "store") as store:
            _fill(store, verdicts)
            rows = store.facts.engine.rows(
                "SELECT country, asn, toUnixTimestamp(started_at), target, state FROM verdicts"
            )
            ours, found = _timed(lambda: store.facts.series(COUNTRY, since, until, STEP, [TARGET]))
        other = sqlite3.connect(folder / "peer.sqlite")
        other.execute("CREATE TABLE verdicts (country, asn, at, target, state)")
        other.executemany("INSERT INTO verdicts VALUES (?, ?, ?, ?, ?)", rows)
        other.execute("CREATE INDEX place ON verdicts (country, target, at, asn, state)")
        other.commit()
        theirs, bins = _timed(lambda: other.execute(SQLITE, (since, until)).fetchall())
        other.close()
    path = [one for one in found if one.key.signal == "blocked_path"]
    if sum(int(one.measurements.sum()) for one in path) != sum(row[2] for row in bins):
        raise FanousError("the store and SQLite count different verdicts: this is a bug")
    what = f"{DAYS} days of one target on {NETWORKS} networks out of {verdicts:,} verdicts"
    return [
        Figure(
            "fanous to SQLite",
            float(f"{theirs / ours:.2g}"),
            "x",
            "answers a second, the first to the second",
        ),
        Figure("fanous, series", round(ours * 1e3, 1), "ms", f"{what}: three signals, witnesses, arrays"),
        Figure(
            "SQLite, counts",
            round(theirs * 1e3, 1),
            "ms",
            f"{what}: counted by an index that covers all of it",
        ),
    ]


def _fill(store: Store, verdicts: int) -> None:
    """By SQL: no rule runs."""
    site = f"concat('site', toString(cityHash64(number, 3) % {TARGETS}))"
    store.facts.engine.run(f"""INSERT INTO verdicts (uid, country, asn, started_at, segment, access, probe,
        test_name, source, rules_version, number, target, layer, state, rule_id, mechanism, why, symptom,
        controlled, kbps)
        SELECT concat('u', toString(number)), '{COUNTRY}',
        toUInt32(9000 + cityHash64(number, 2) % {NETWORKS}),
        toDateTime64({START} + cityHash64(number, 1) % {DAYS * 86_400}, 6, 'UTC'), 'bench', 'any',
        concat('r', toString(intDiv(number, 20))), 'web_connectivity', 'ooni', '1', 0,
        if(cityHash64(number, 3) % 10 = 0, '{TARGET}', {site}), 'tls',
        if(cityHash64(number, 4) % 50 = 0, 'blocked', 'ok') AS said, if(said = 'ok', 'tls.ok', 'tls.reset'),
        if(said = 'ok', '', 'tls.reset.sni'), '', 0, 1, nan FROM numbers({verdicts})""")


def _timed(ask: Callable[[], T]) -> tuple[float, T]:
    """Seconds, median; and the answer."""
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        answer = ask()
        took.append(time.perf_counter() - began)
    return statistics.median(took), answer
