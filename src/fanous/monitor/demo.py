"""The demonstration: Fanous on one event, offline, in a separate store.

The event was recorded in the lab (``fanous lab record pakistan-2023-12-17``): real packets, the real probe,
staged censors.  It consists only of raw measurements, so that everything said about it comes from the rules;
each is marked, so that everything derived from them says that it is synthetic.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path

import msgspec
from rich.console import Console

from fanous.config import data_folder
from fanous.errors import FanousError
from fanous.model.instant import HOUR
from fanous.monitor.recording import unpack
from fanous.pipeline import ingest, replay
from fanous.pipeline.detect import detect_all
from fanous.pipeline.judge import Ingested
from fanous.questions import country as query
from fanous.questions.country import CountryAnswer
from fanous.store.local import open_store
from fanous.store.protocol import Store

EVENT = "pakistan-2023-12-17"
COUNTRY = "PK"
NOTICE = (
    "Demonstration: a staged event modelled on Pakistan, 17 December 2023. Every measurement is synthetic."
)
"""Shown on each page of the demonstration."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """A store that holds the whole event, and its times.

    Attributes:
        folder: the store's.
        begins, until: unix seconds, UTC; where a replay begins, and when the last measurement was made.
    """

    folder: Path
    begins: float
    until: float


INTO = HOUR
"""Seconds into the event at which the replay begins: by then it is confirmed, and ongoing."""


class DemoReplay:
    """The recorded event as if it were happening now: imported as it was measured, by a clock that may run faster.

    Args:
        folder: an empty one, for a separate store.
        speed: seconds of the event per second.
        ticks: reads a monotonic clock, in seconds.
    """

    def __init__(
        self, folder: Path, recorded: RecordedEvent, speed: float, ticks: Callable[[], float]
    ) -> None:
        self.folder = folder / "store"
        self._recording = folder / "recording.jsonl"
        self._recorded, self._speed, self._ticks = recorded, speed, ticks
        self._began: float | None = None
        self._seen = -inf

    def clock(self) -> float:
        """Unix seconds, UTC; it stands still until the event has been imported up to that point, and again at its
        end."""
        passed = 0.0 if self._began is None else self._ticks() - self._began
        return min(self._recorded.begins + self._speed * passed, self._recorded.until)

    def begin(self, store: Store) -> Store:
        """Import what was measured before; then the clock starts.  Returns the store."""
        unpack(EVENT, self._recording)
        self.follow(store)
        self._began = self._ticks()
        return store

    def follow(self, store: Store) -> None:
        """Import what was measured since, and detect, as a monitor does."""
        now = self.clock()
        if now > self._seen:
            tally = Ingested()
            ingest.bring_in(store, "edge", [self._recording], tally, began=(self._seen, now))
            self._seen = now
            if tally.stored:
                detect_all(store)


def demonstrate(console: Console, store: Path | None, show: Callable[[CountryAnswer], None]) -> RecordedEvent:
    """Import the recording, and show the answer.  Nothing is deleted: records already in the store are recognised.

    Args:
        store: a new folder, or one that an earlier demonstration made; ``None`` = in the user's data folder.
        show: puts the answer on the console.

    Raises:
        FanousError: the store has data that no demonstration made.
    """
    folder = store or data_folder() / "demo"
    console.print(
        "A staged event modelled on Pakistan, 17 December 2023, [bold]recorded in the lab[/bold]: real packets met "
        "our own censors in network namespaces.  It is [bold]synthetic[/bold] and says nothing about Pakistan."
    )
    with (
        open_store(folder, staged=True) as opened,
        tempfile.TemporaryDirectory(prefix="fanous-demo-") as temporary,
    ):
        recording = Path(temporary) / f"{EVENT}.jsonl"
        unpack(EVENT, recording)
        _refuse_others(opened, recording, folder)
        replay.rejudge(opened)  # imported by an older version
        tally = ingest.ingest(opened, "edge", [recording])
        answer = query.confirm(opened, COUNTRY, [], None, None)
    count = tally.stored + tally.duplicate
    inside = f", {answer.within.measurements:,} of them in Pakistan" if answer.within else ""
    console.print(f"{count:,} raw measurements judged{inside}; the others are controls from outside.\n")
    show(answer)
    console.print(f"\nTo ask more: fanous confirm {COUNTRY} --json --store {folder}")
    onsets = [incident.onset for incident in answer.incidents if incident.confirmed_at is not None]
    return RecordedEvent(folder, min([onset + INTO for onset in onsets], default=answer.until), answer.until)


class _Named(msgspec.Struct):
    measurement_uid: str


def _refuse_others(store: Store, recording: Path, folder: Path) -> None:
    """Refuse a store that has anything but this recording: it belongs to someone."""
    uids = [
        msgspec.json.decode(line, type=_Named).measurement_uid for line in recording.read_bytes().splitlines()
    ]
    real, staged = store.sides()
    held = sum(1 for segment in store.archive.segments() for _ in store.archive.records(segment))
    is_own = (
        held == len(staged.facts.known(uids))
        and not real.facts.countries()
        and not store.ledger.claims()
        and not store.ledger.events()
    )
    if not is_own:
        raise FanousError(
            f"{folder} has data that are not from the demonstration, so it was left unchanged: choose a new "
            f"folder with --store"
        )
