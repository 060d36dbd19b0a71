"""Journal: what is believed of the blocks, on the disk after every wave; a crash leaves the one before."""

import os
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from fanous.errors import FanousError
from fanous.scan.rounds import ROUNDS_AN_HOUR, BlockStates, unknown
from fanous.scan.targets import Targets


def save(path: Path, targets: Targets, state: BlockStates) -> None:
    """Written aside, synced, renamed.

    Raises:
        FanousError: it cannot be written.
    """
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
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
        raise FanousError(f"cannot keep what the scan believes in {path}: {error.strerror}") from error


def load(path: Path, targets: Targets) -> BlockStates:
    """What was believed of these blocks; blocks that are new begin anew.

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
            if "asked" in kept:  # journals of before it was learnt have none
                state.asked[ours], state.replied[ours] = kept["asked"][theirs], kept["replied"][theirs]
    except (OSError, EOFError, ValueError, TypeError, KeyError, IndexError, BadZipFile) as error:
        raise FanousError(f"{path} is damaged ({error}): remove it, and the scan begins anew") from error
    return state
