"""Prices: what a lie costs in connections, networks, names and hours, and how often it works at that price.

Made-up reports and denials go through the live series, detectors and confirmation rules, and each row is drawn many
times on seeds on which nothing was tuned.  What was drawn is kept in a file, so that hours of it can be stopped and
gone on with; it counts only with the rules and detectors that it was drawn with.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np

from fanous.analysis.detectors.drop import QUANTITY_DETECTOR_VERSION
from fanous.analysis.detectors.interference import DETECTOR_VERSION
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.names import listed_only
from fanous.analysis.incidents.outage import Quantities
from fanous.base.overwrite import check_file
from fanous.model.incident import Incident, Status
from fanous.model.instant import HOUR
from fanous.model.measurement import is_late
from fanous.model.place import UserWeights
from fanous.model.score import Draw, Price, PriceScore, price_score
from fanous.pipeline.interference import TICK
from fanous.pipeline.judge import rules_version
from fanous.pipeline.outages import found_in
from fanous.refdata.users import weights
from fanous.refdata.watchlist import watched
from fanous_lab.evaluation.adversary import COUNTRY, equal_users
from fanous_lab.evaluation.simulate.lines import (
    ATTACKED,
    BLOCK_HOURS,
    LIE_HOURS,
    LURE,
    PRELUDE,
    QUIET,
    SILENCED_HOURS,
    SILENCED_UNTIL,
    Prelude,
    Raid,
    Silencing,
    lied_about,
    prelude_attempts,
    raid_attempts,
    silencing_attempts,
    works_abroad,
)
from fanous_lab.evaluation.simulate.votes import START, SimulatedAttempt, votes_of
from fanous_lab.evaluation.votes import incidents_of

DRAWS = 20
"""Draws of each row, if no other number is asked for."""

SHARED = 256
"""Conclusions that a process keeps: what is true without liars is the same in many rows of one seed."""

FIRST_SEED = 14_000_000
"""Of the draws; nothing was tuned on them."""

HONEST = (0, 3, 8, 12)
SWEEP = (0, 1, 3, 5, 8, 10, 12)
"""Volunteers on each network, from none to a dozen."""

CLAIMED = ((1, 28.0), (1, 72.0), (2, 4.0), (2, 24.0), (5, 4.0))
"""Networks that a laptop claims, and hours for which it is patient."""

NAMES = (1, 3, 9)
"""Runs of a laptop in a round, each with software of its own."""

VOICES = (3, 5, 8, 10)
"""Volunteers on each network whom someone wants to silence."""

SILENCERS = (
    ("line", "edge", 1, 2, 1),
    ("line", "edge", 1, 2, None),
    ("line", "edge", 2, 2, None),
    ("line", "edge", 8, 2, None),
    ("operator", "edge", 50, 2, 1),
    ("laptop", "ooni", 1, 3, None),
    ("laptop", "ooni", 1, 24, None),
)
"""Who denies, through what, on how many lines for each network, under how many names a line, and on how many networks,
the largest first (``None`` = all)."""

BLOCKED_ON = {
    "PK": (45669, 59257, 24499, 56167, 17557),
    "KE": (33771, 37061, 36926, 12455),
    "ET": (24757, 328988),
}
"""Country -> networks of a block, largest first: five operators with nine in ten users; four, of a country without
figures of users; and two, one of which has nearly all users."""


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A row of the table, and how one attempt at it is drawn from a seed."""

    price: Price
    draw: Callable[[int], Draw]


def price_rows() -> list[PriceRow]:
    """All rows, in order."""
    rows: list[PriceRow] = []
    for honest, lines, hours in product(HONEST, (1, 2), (3.0, 24.0, 72.0)):
        rows.append(_of_raid("T1", Raid(lines, 1, hours, honest, "edge")))
    for honest, lines in product(HONEST, (1, 2, 8)):
        rows.append(_of_raid("T2", Raid(lines, 2, 12.0, honest, "edge", denies=True)))
    for lines, networks, honest in product((1, 2), (1, 2), HONEST):
        rows.append(_of_past("T3", Prelude(lines, networks, 168.0, honest, _own(honest), 0.5)))
    for lines, networks, honest in product((1, 2), (1, 2), HONEST):
        rows.append(_of_past("T4", Prelude(lines, networks, 20.0, honest, _own(honest))))
    for honest, lines in product(HONEST, (1, 2)):
        rows.append(_of_raid("T5", Raid(lines, 2, 12.0, honest, "edge", back=720.0)))
    for honest, lines in product(HONEST, (1, 2)):
        raid = Raid(lines, 1, 72.0, honest, "edge")
        rows.append(PriceRow(_price("T6", raid), partial(of_name, raid)))
    for (networks, hours), names, honest in product(CLAIMED, NAMES, SWEEP):
        rows.append(_of_raid("T7", Raid(1, networks, hours, honest, "ooni", names=names)))
    for by, liars, others in (("publisher", 1, ()), ("publisher", 2, ("gtr",)), ("mirror", 1, ("gtr",))):
        price = Price("T8", by, liars, 1, LIE_HOURS, 1, 0)
        rows.append(PriceRow(price, partial(of_publisher, others, by == "mirror")))
    for country, silencer, honest in product(BLOCKED_ON, SILENCERS, VOICES):
        rows.append(_of_silencing(country, silencer, honest))
    return rows


def _of_raid(attack: str, raid: Raid) -> PriceRow:
    return PriceRow(_price(attack, raid), partial(of_raid, raid))


def _price(attack: str, raid: Raid) -> Price:
    by = "laptop" if raid.through == "ooni" else "line"
    return Price(attack, by, raid.lines, raid.networks, raid.hours, raid.names, raid.honest)


def _of_past(attack: str, prelude: Prelude) -> PriceRow:
    price = Price(attack, "line", prelude.lines, prelude.networks, prelude.hours, 2, prelude.honest)
    return PriceRow(price, partial(of_past, attack, prelude))


def _of_silencing(country: str, silencer: tuple[str, str, int, int, int | None], honest: int) -> PriceRow:
    by, through, lines, names, networks = silencer
    asns = BLOCKED_ON[country]
    spoken_for = networks or len(asns)
    price = Price("silence", by, lines, spoken_for, SILENCED_HOURS, names, honest, country)
    silencing = Silencing(asns, honest, through, lines, spoken_for, names)
    return PriceRow(price, partial(of_silencing, country, silencing))


# --- one draw --------------------------------------------------------------------------------------------


def of_raid(raid: Raid, seed: int) -> Draw:
    """It works if it confirms what never was, or takes back or narrows what was."""
    standing = _standing(raid, seed)
    sure = [incident for incident in standing if incident.confirmed_at is not None]
    if raid.denies:
        named = {network.entity for incident in sure for network in incident.networks}
        return Draw(len(named) < raid.networks, bool(standing))
    confirmed = min((i.confirmed_at for i in sure if i.confirmed_at is not None), default=None)
    hours = None if confirmed is None else (confirmed - START) / HOUR - QUIET
    return Draw(bool(sure), bool(standing), hours=hours)


def of_name(raid: Raid, seed: int) -> Draw:
    """It works if readers see a name that is on no list; they may see that there is such a site."""
    shown = [listed_only(incident, watched().__contains__) for incident in _standing(raid, seed, LURE)]
    return Draw(LURE in repr(shown), bool(shown))


def _standing(raid: Raid, seed: int, target: str = "x") -> list[Incident]:
    """What Fanous says after a raid."""
    attempts = raid_attempts(raid, seed)
    return _concluded(attempts, raid.until, seed, COUNTRY, equal_users(raid.networks), target)


def _concluded(
    attempts: Sequence[SimulatedAttempt],
    until: float,
    seed: int,
    country: str,
    users: UserWeights | None,
    target: str = "x",
) -> list[Incident]:
    votes = votes_of(attempts, target=target)
    # What a stranger dates back by more than is allowed supports nothing.
    pairs = zip(votes.times.tolist(), votes.receipts.tolist(), strict=True)
    late = np.fromiter((is_late(made, received) for made, received in pairs), np.bool_, len(votes))
    votes = votes.where(votes.vouched | ~late)
    abroad = votes_of(works_abroad(until, seed), target=target)
    software = {attempt.probe: attempt.software for attempt in attempts}
    incidents = incidents_of(votes, abroad, country, users, software)
    return [incident for incident in incidents if incident.status is not Status.RETRACTED]


ENOUGH = 8
"""Volunteers on each of two networks who confirm a block of half a day by themselves."""


def _own(honest: int) -> int:
    """Own probes on each network, where too few volunteers measure to confirm anything."""
    return 0 if honest >= ENOUGH else 3


def of_past(attack: str, prelude: Prelude, seed: int) -> Draw:
    """Lies about the time before a true block work if they keep it from confirmation or narrow it (T3), or move its
    onset or its confirmation by more than a bin (T4)."""
    true = _widest(_block(replace(prelude, lines=0, networks=0, hours=0.0, share=0.0), seed))
    if true is None:
        return Draw(worked=False, reported=False, is_counted=False)
    standing = _block(prelude, seed)
    changed = _widest(standing)
    is_less = changed is None or len(changed.networks) < len(true.networks)
    has_moved = False
    if changed is not None:
        earlier = (true.confirmed_at or 0.0) - (changed.confirmed_at or 0.0)
        has_moved = abs(changed.onset - true.onset) > TICK or earlier > TICK
    return Draw(is_less if attack == "T3" else has_moved, bool(standing), is_less or has_moved)


@lru_cache(SHARED)
def _block(prelude: Prelude, seed: int) -> list[Incident]:
    attempts = prelude_attempts(prelude, seed)
    return _concluded(attempts, PRELUDE + BLOCK_HOURS, seed, COUNTRY, equal_users(ATTACKED))


def _widest(incidents: Iterable[Incident]) -> Incident | None:
    """The confirmed incident with most networks; ``None`` = there is none."""
    sure = (incident for incident in incidents if incident.confirmed_at is not None)
    return max(sure, key=lambda incident: len(incident.networks), default=None)


def of_publisher(others: Sequence[str], is_mirrored: bool, seed: int) -> Draw:
    """An observatory that lies about a whole country is believed, alone or together with others, or a mirror of all."""
    series = lied_about(seed, ("bgp", "ping-slash24"), others)
    setting = Setting(COUNTRY, None, rules_version(), QUANTITY_DETECTOR_VERSION)
    mirrors = {line.key.source: ("mirror.example",) for line in series if is_mirrored}
    incidents = found_in(Quantities(series, mirrors=mirrors), setting)
    deep = [incident for incident in incidents if incident.level is not None and incident.level.mean < 0.5]
    return Draw(any(incident.confirmed_at is not None for incident in deep), bool(deep))


def of_silencing(country: str, silencing: Silencing, seed: int) -> Draw:
    """Denials work if they keep a true block from confirmation that is confirmed without them."""
    true = _widest(_seen(country, replace(silencing, lines=0, networks=0, names=0), seed))
    if true is None:
        return Draw(worked=False, reported=False, is_counted=False)
    standing = _seen(country, silencing, seed)
    changed = _widest(standing)
    is_less = changed is None or len(changed.networks) < len(true.networks)
    return Draw(changed is None, bool(standing), is_less)


@lru_cache(SHARED)
def _seen(country: str, silencing: Silencing, seed: int) -> list[Incident]:
    attempts = silencing_attempts(silencing, seed)
    return _concluded(attempts, SILENCED_UNTIL, seed, country, weights(country))


# --- many draws ------------------------------------------------------------------------------------------


class _Kept(msgspec.Struct, array_like=True):
    """A line of the file of draws: of which row, by which rules and detectors, from which seed."""

    row: str
    versions: str
    seed: int
    draw: Draw


def prices(
    draws: int = DRAWS, file: Path | None = None, attacks: Collection[str] = (), processes: int = 1
) -> Iterator[PriceScore]:
    """Every row, drawn so many times, once all are drawn.

    Args:
        attacks: of these alone (``Price.attack``); empty = all.
        file: where each draw is kept as it is made, and from which those made before are taken; ``None`` = nowhere.
        processes: that draw at the same time.

    Raises:
        FanousError: the file is not one of draws.
    """
    if file is not None:
        check_file(file, lambda path: any(True for _ in _read(path)) or not path.read_bytes().strip())
    rows = [row for row in price_rows() if not attacks or row.price.attack in attacks]
    wanted = {_name(row.price): row for row in rows}
    draws_of: defaultdict[str, dict[int, Draw]] = defaultdict(dict)
    for kept in _read(file):
        if kept.versions == _versions():
            draws_of[kept.row][kept.seed] = kept.draw
    seeds = range(FIRST_SEED, FIRST_SEED + draws)
    # Seed by seed: rows share what is true, and have as many draws as the others, whenever it is stopped.
    tasks = [(name, seed) for seed in seeds for name in wanted if seed not in draws_of[name]]
    with ExitStack() as stack:
        out = None if file is None else stack.enter_context(file.open("ab"))
        if out is not None:
            out.write(b"\n")  # behind a line that was cut off
        for name, seed, draw in _drawn(tasks, wanted, processes):
            draws_of[name][seed] = draw
            if out is not None:
                out.write(msgspec.json.encode(_Kept(name, _versions(), seed, draw)) + b"\n")
                out.flush()
    for name, row in wanted.items():
        yield price_score(row.price, [draws_of[name][seed] for seed in seeds])


def _name(price: Price) -> str:
    return msgspec.json.encode(price).decode()


@cache
def _versions() -> str:
    return f"{rules_version()} {DETECTOR_VERSION} {QUANTITY_DETECTOR_VERSION}"


def _read(file: Path | None) -> Iterator[_Kept]:
    """What was kept; a line that was cut off when the program ended is drawn again."""
    if file is None or not file.exists():
        return
    for line in file.read_bytes().splitlines():
        try:
            yield msgspec.json.decode(line, type=_Kept)
        except msgspec.DecodeError:
            continue


_Task = tuple[str, int]


def _drawn(
    tasks: Sequence[_Task], rows: Mapping[str, PriceRow], processes: int
) -> Iterator[tuple[str, int, Draw]]:
    if processes == 1:
        yield from ((name, seed, rows[name].draw(seed)) for name, seed in tasks)
        return
    with get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(_draw, tasks, max(1, min(len(rows), len(tasks) // (8 * processes))))


@cache  # of a process that draws: rows cannot be sent to it
def _rows() -> dict[str, PriceRow]:
    return {_name(row.price): row for row in price_rows()}


def _draw(task: _Task) -> tuple[str, int, Draw]:
    name, seed = task
    return name, seed, _rows()[name].draw(seed)
