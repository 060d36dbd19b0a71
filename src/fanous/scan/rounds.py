"""Rounds: which blocks to ask next, within the budget, and how many are up according to the answers.

Each block is asked once, then those in doubt again.  The answers become a belief about each block, and series
of the number of blocks up in the country, its regions and its networks.

A round consists of waves; the state after each is all that is needed to continue, so a restart in the middle
of a round loses nothing.

The journal has the belief about each block, and is on disk after every wave; a crash leaves the previous one.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from fanous.base.files import make_folder
from fanous.errors import FanousError
from fanous.model.place import Access, Place
from fanous.model.series import Floats, Ints, SeriesKey, SourceSeries
from fanous.model.threshold import threshold
from fanous.scan.targets import Targets

Flags = NDArray[np.bool_]

REPLY_WHEN_DOWN = threshold(
    "scan.reply_when_down",
    0.99 / 256,
    "Probability of an answer from a block that is down: one stray address of 256 (Trinocular, section 3.3).",
)
LOWEST = threshold(
    "scan.belief_lowest", 0.01, "Lowest belief: it never becomes certain, or it could not change."
)
HIGHEST = threshold(
    "scan.belief_highest", 0.99, "Highest belief: it never becomes certain, or it could not change."
)
UP = threshold("scan.belief_up", 0.9, "Belief above which a block is up.")
DOWN = threshold("scan.belief_down", 0.1, "Belief below which a block is down.")


def updated(belief: Floats, available: Floats, replied: Flags) -> Floats:
    """Beliefs after one more probe of each block (Bayes).

    Args:
        belief: float64, (n,), probability that the block is up.
        available: float64, (n,), share of its probed addresses that answer while it is up.
        replied: bool, (n,).

    Returns:
        float64, (n,).
    """
    when_up = np.where(replied, available, 1 - available)
    when_down = np.where(replied, REPLY_WHEN_DOWN, 1 - REPLY_WHEN_DOWN)
    up = belief * when_up
    return np.clip(up / (up + (1 - belief) * when_down), LOWEST, HIGHEST)


def undecided(belief: Floats) -> Flags:
    """Which blocks need to be asked again."""
    return (belief >= DOWN) & (belief <= UP)


ROUND = threshold("scan.round_seconds", 600, "Length of a round, as IODA's (Trinocular's is 11 minutes).")
MOST_AN_HOUR = threshold(
    "scan.probes_an_hour",
    20,
    "Most probes of one block in an hour: Trinocular's own limit, below which there were no complaints.",
)
WAVES = threshold(
    "scan.waves", 15, "Waves of a round: one probe for all blocks, then at most 14 more for those in doubt."
)
ROUNDS_AN_HOUR = 3600 // ROUND
TOLD = threshold(
    "scan.probes_told",
    20,
    "Weight, in probes, of the list's figure of how often a block answers, which may be years old; first probes "
    "of rounds that found it up are counted with them.",
)
REMEMBERED = threshold(
    "scan.rounds_remembered", 1008, "Rounds in a week, after which earlier answers count half."
)


@dataclass(slots=True, eq=False)
class BlockStates:
    """The beliefs about n blocks; every array has shape (n,) except ``spent``.

    Attributes:
        number: unix seconds // ``ROUND`` of the current round; -1 = none yet.
        wave: the next wave of this round.
        belief: float64, probability that the block is up.
        is_up: bool, the last certain state.
        spent: int64, (``ROUNDS_AN_HOUR``, n): probes of each block in this round and those before.
        turn: int64, which of the block's addresses is next.
        surprised: bool, its last answer in this round contradicted the belief.
        asked: int64, first probes of rounds in which the block was believed up: its usual availability is
            learnt from these alone, since later ones are sent because something is odd.
        replied: int64, how many of them it answered.
    """

    number: int
    wave: int
    belief: Floats
    is_up: Flags
    spent: Ints
    turn: Ints
    surprised: Flags
    asked: Ints
    replied: Ints


def unknown(count: int) -> BlockStates:
    """Before the first round: a block is assumed to be up, since the operator saw it answer once."""
    return BlockStates(
        number=-1,
        wave=0,
        belief=np.full(count, 0.9),
        is_up=np.ones(count, np.bool_),
        spent=np.zeros((ROUNDS_AN_HOUR, count), np.int64),
        turn=np.zeros(count, np.int64),
        surprised=np.zeros(count, np.bool_),
        asked=np.zeros(count, np.int64),
        replied=np.zeros(count, np.int64),
    )


def begun(state: BlockStates, number: int) -> BlockStates:
    """The state at the beginning of a round; unchanged if that round has already begun.

    The hourly budget covers the previous rounds and this one.
    """
    if number == state.number:
        return state
    # If the clock was set back, that counts as one round: probes already spent stay spent.
    passed = min(ROUNDS_AN_HOUR, max(1, number - state.number))
    spent = np.roll(state.spent, passed, axis=0)
    spent[:passed] = 0
    calm = np.zeros(len(state.belief), np.bool_)
    return replace(state, number=number, wave=0, spent=spent, surprised=calm)


def wanted(state: BlockStates) -> NDArray[np.intp]:
    """Blocks to ask in the next wave, by index; empty = the round is over.

    Blocks are asked again if they are in doubt, or if they were silent though believed up, or the reverse: a
    single silence does not move a firm belief below ``UP``, and waiting for the next round would be late.
    """
    if state.wave >= WAVES:
        return np.array([], np.intp)
    ask = (
        np.ones(len(state.belief), np.bool_) if state.wave == 0 else undecided(state.belief) | state.surprised
    )
    left = MOST_AN_HOUR - state.spent.sum(axis=0)
    if state.wave > 0:  # the later rounds of the hour need one probe each
        used = np.asarray((state.spent[1:] > 0).sum(axis=0), np.int64)  # earlier rounds of the same hour
        left = left - (ROUNDS_AN_HOUR - 1 - used)
    return np.flatnonzero(ask & (left > 0))


def answered(state: BlockStates, blocks: NDArray[np.intp], available: Floats, replied: Flags) -> BlockStates:
    """The state after a wave.

    Args:
        blocks: those that were asked.
        available: float64, (n,), of all blocks.
        replied: bool, one for each of ``blocks``.
    """
    belief, spent, turn = state.belief.copy(), state.spent.copy(), state.turn.copy()
    belief[blocks] = updated(belief[blocks], available[blocks], replied)
    spent[0, blocks] += 1
    turn[blocks] += 1
    is_up = np.where(belief > UP, True, np.where(belief < DOWN, False, state.is_up))
    surprised = state.surprised.copy()
    surprised[blocks] = replied != is_up[blocks]
    asked, answers = _learnt_from(state, blocks, replied)
    return BlockStates(
        state.number, state.wave + 1, belief, is_up, spent, turn, surprised, asked=asked, replied=answers
    )


def _learnt_from(state: BlockStates, blocks: NDArray[np.intp], replied: Flags) -> tuple[Ints, Ints]:
    """Counts after a wave; old ones are halved, so that a block whose addresses change is learnt anew."""
    asked, answers = state.asked.copy(), state.replied.copy()
    if state.wave == 0:
        up = state.is_up[blocks]
        asked[blocks[up]] += 1
        answers[blocks[up]] += replied[up]
        full = asked >= REMEMBERED
        asked[full], answers[full] = asked[full] // 2, answers[full] // 2
    return asked, answers


def learnt(state: BlockStates, told: Floats) -> Floats:
    """Share of each block's addresses that answer while it is up, (n,): learnt from its own rounds, starting
    from the list's figure.

    Args:
        told: float64, (n,), the list's.
    """
    share = (told * TOLD + state.replied) / (TOLD + state.asked)
    return np.asarray(np.clip(share, 0.01, 0.99))


SOURCE, SIGNAL = "scan", "scan_up"


def levels(country: str, targets: Targets, state: BlockStates) -> list[SourceSeries]:
    """One value per place: blocks up at the end of the round."""
    places: dict[Place, int] = {Place(country): int(state.is_up.sum())}
    for asn in np.unique(targets.asns[targets.asns > 0]).tolist():
        places[Place(country, asn)] = int(state.is_up[targets.asns == asn].sum())
    for region in sorted(set(targets.regions) - {""}):
        own = np.array([name == region for name in targets.regions])
        places[Place(country, region=region)] = int(state.is_up[own].sum())
    at = np.array([state.number * ROUND], np.int64)
    return [
        SourceSeries(SeriesKey(place, "", SIGNAL, Access.ANY, 0, SOURCE), ROUND, at, np.array([float(up)]))
        for place, up in places.items()
    ]


def save(path: Path, targets: Targets, state: BlockStates) -> None:
    """Save the journal: written to another file, synced, renamed.

    Raises:
        FanousError: it cannot be written.
    """
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        make_folder(path.parent)
        with aside.open("wb") as file:
            np.savez(
                file,
                blocks=targets.blocks,
                clock=np.array([state.number, state.wave]),
                belief=state.belief,
                is_up=state.is_up,
                spent=state.spent,
                turn=state.turn,
                surprised=state.surprised,
                asked=state.asked,
                replied=state.replied,
            )
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise FanousError(f"cannot save the state of the scan to {path}: {error.strerror}") from error


def load(path: Path, targets: Targets) -> BlockStates:
    """The saved beliefs about these blocks; new blocks start from the beginning.

    Raises:
        FanousError: it is damaged.
    """
    state = unknown(len(targets))
    if not path.exists():
        return state
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            _, ours, theirs = np.intersect1d(targets.blocks, kept["blocks"], return_indices=True)
            state.number, state.wave = (int(n) for n in kept["clock"])
            state.belief[ours] = kept["belief"][theirs]
            state.is_up[ours] = kept["is_up"][theirs]
            state.spent[:, ours] = kept["spent"].reshape(ROUNDS_AN_HOUR, -1)[:, theirs]
            state.turn[ours] = kept["turn"][theirs]
            state.surprised[ours] = kept["surprised"][theirs]
            if "asked" in kept:  # older journals do not have it
                state.asked[ours], state.replied[ours] = kept["asked"][theirs], kept["replied"][theirs]
    except (OSError, EOFError, ValueError, TypeError, KeyError, IndexError, BadZipFile) as error:
        raise FanousError(
            f"{path} is damaged ({error}): delete it to start the scan from the beginning"
        ) from error
    return state


Ask = Callable[[Ints], Flags]
"""Addresses (numbers) -> which of them answered."""


def probe_round(
    targets: Targets, state: BlockStates, number: int, ask: Ask, keep: Callable[[BlockStates], None]
) -> BlockStates:
    """One whole round, or the rest of it.

    Args:
        number: unix seconds // ``ROUND``.
        keep: called with the state after every wave.
    """
    state = begun(state, number)
    available = learnt(state, targets.available)
    while len(blocks := wanted(state)):
        addresses = (targets.addresses[block] for block in blocks)
        asked = [of[turn % len(of)] for of, turn in zip(addresses, state.turn[blocks], strict=True)]
        state = answered(state, blocks, available, ask(np.array(asked, np.int64)))
        keep(state)
    return state


def scan_round(
    bring: Callable[[Sequence[SourceSeries]], object],
    country: str,
    targets: Targets,
    state: BlockStates,
    number: int,
    ask: Ask,
    controls: Ints,
    journal: Path,
) -> BlockStates | None:
    """One round: how many blocks are up, by place.

    Args:
        bring: stores the series of a round, and detects (``pipeline.jobs.BringSeries``).
        controls: addresses outside the country.  If most of them are silent, our own connection is down and
            the round is discarded.

    Returns:
        The state after it; ``None`` = our own connection was down, and nothing changed.
    """
    if not _is_online(ask, controls):
        return None
    after = probe_round(targets, state, number, ask, lambda now: save(journal, targets, now))
    if not _is_online(ask, controls):
        # The earlier beliefs and learning, but with the probes since then counted as spent.
        state = replace(
            after, belief=state.belief, is_up=state.is_up, asked=state.asked, replied=state.replied
        )
        save(journal, targets, state)
        return None
    bring(levels(country, targets, after))
    return after


def _is_online(ask: Ask, controls: Ints) -> bool:
    return bool(ask(controls).sum() * 2 > len(controls))
