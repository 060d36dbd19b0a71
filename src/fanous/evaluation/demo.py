"""The demonstration: Fanous on one event, offline, in a store of its own.

The event was recorded in the lab (``fanous lab record pakistan-2023-12-17``): real packets, the real probe,
staged censors.  Raw measurements only, so that everything said of it comes from the rules, and the output
says that the event is synthetic.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from fanous.config import data_folder
from fanous.errors import FanousError
from fanous.evaluation.rehearsal.capture import unpack
from fanous.pipeline import ingest, query
from fanous.pipeline.query import CountryAnswer
from fanous.store.local import open_store

EVENT = "pakistan-2023-12-17"
COUNTRY = "PK"
MARK = "made-by-fanous-demo"
NOTICE = "Demonstration: a made-up event after Pakistan, 17 December 2023. Every measurement is synthetic."
"""Said on every page of it."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """Attributes:
    folder: of the store.
    until: unix seconds, UTC; when its last measurement was made.
    """

    folder: Path
    until: float


def demonstrate(console: Console, store: Path | None, show: Callable[[CountryAnswer], None]) -> RecordedEvent:
    """Generate the event, ingest it, show the answer.

    Args:
        store: an empty or new folder, or one that an earlier demonstration made; ``None`` = the user's
            data folder.
        show: puts the answer on the console.
    """
    folder = store or data_folder() / "demo"
    _clear(folder)
    console.print(
        "A staged event after Pakistan, 17 December 2023, [bold]recorded in the lab[/bold]: real packets met "
        "censors of ours in network namespaces.  It is [bold]synthetic[/bold]: no finding about Pakistan."
    )
    with tempfile.TemporaryDirectory(prefix="fanous-demo-") as temporary:
        recording = Path(temporary) / f"{EVENT}.jsonl"
        unpack(EVENT, recording)
        with open_store(folder) as opened:
            tally = ingest.ingest(opened, "edge", [recording])
            answer = query.confirm(opened, COUNTRY, [], None, None)
    (folder.parent / f"{folder.name}.{MARK}").touch()
    console.print(f"{tally.stored:,} raw measurements judged; this is what they amount to:\n")
    show(answer)
    console.print(f"\nAsk on: fanous confirm {COUNTRY} --json --store {folder}")
    return RecordedEvent(folder, answer.until)


def notice_for(folder: Path) -> str:
    """What has to be said of all that stands in this store; empty = nothing."""
    return NOTICE if (folder.parent / f"{folder.name}.{MARK}").exists() else ""


def _clear(folder: Path) -> None:
    """Remove an earlier demonstration, and nothing else."""
    mark = folder.parent / f"{folder.name}.{MARK}"
    if mark.exists() and folder.is_dir():
        shutil.rmtree(folder)
        mark.unlink()
    elif folder.exists() and any(folder.iterdir()):
        raise FanousError(
            f"{folder} holds something that no demonstration made: name a new folder with --store"
        )
