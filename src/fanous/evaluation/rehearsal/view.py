"""View: shows a rehearsal on stderr: networks x targets changing colour, the incidents, the clock."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fanous.evaluation.rehearsal.course import LabClock, Sighting
from fanous.evaluation.rehearsal.run import Nobody, Watcher
from fanous.evaluation.rehearsal.vantage_point import Duty
from fanous.lab.scenario import Scenario
from fanous.model.instant import to_iso
from fanous.model.verdict import State
from fanous.probe.outcome import Outcome
from fanous.refdata.platforms import title

COLOURS = {
    State.OK: "green",
    State.BLOCKED: "red",
    State.THROTTLED: "magenta",
    State.DOWN: "yellow",
    State.INSUFFICIENT: "yellow",
}
SILENT = "dim"
LATEST = 4
"""Measurements of a cell that its colour rests on: those of the last tick or two."""

SILENT_TICKS = 4.0
"""Seconds after which a cell that was not measured counts as silent."""


@contextmanager
def watched(scenario: Scenario, console: Console) -> Iterator[Watcher]:
    """A watcher that draws on the terminal behind ``console``; one that does nothing if there is no
    terminal.
    """
    if not console.is_terminal:
        yield Nobody()
        return
    picture = Picture(scenario)
    with Live(get_renderable=picture.drawn, console=console, refresh_per_second=4):
        yield picture


class Picture(Nobody):
    """What is on the screen."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._clock: LabClock | None = None
        self._probes = 0
        self._cells: dict[tuple[int, str], deque[tuple[float, State]]] = {}
        self._on: set[int] = set()
        self._sightings: Sequence[Sighting] = ()

    def began(self, clock: LabClock, duties: list[Duty]) -> None:
        self._clock, self._probes = clock, len(duties)

    def happened(self, number: int, is_on: bool) -> None:
        (self._on.add if is_on else self._on.discard)(number)

    def saw(self, duty: Duty, outcome: Outcome) -> None:
        cell = self._cells.setdefault((duty.vantage.asn, outcome.target), deque(maxlen=LATEST))
        cell.append((self._now(), outcome.state))

    def found(self, sightings: list[Sighting]) -> None:
        self._sightings = sightings

    def drawn(self) -> Group:
        return Group(self._head(), self._grid(), *(self._line(one) for one in self._sightings))

    def _now(self) -> float:
        return self._clock.lab() if self._clock else 0.0

    def _head(self) -> Text:
        scenario, now = self._scenario, self._now()
        instant = to_iso(self._clock.monitor(now)) if self._clock else "the lab is going up"
        done = [scenario.events[n] for n in sorted(self._on)]
        acts = ", ".join(f"{e.technique} {' '.join(e.targets)} on {len(e.networks)} networks" for e in done)
        clock = f"{now:5.0f} of {scenario.duration:.0f} s   {instant}   {self._probes} probes"
        return Text(f"{scenario.title}   {clock}\n{acts or 'quiet'}")

    def _grid(self) -> Table:
        table = Table(box=None, padding=(0, 2))
        table.add_column("Network")
        for target in self._scenario.targets:
            table.add_column(title(target))
        for line in self._scenario.networks:
            cells = [self._cell(line.asn, target) for target in self._scenario.targets]
            table.add_row(f"{line.name} ({line.access})", *cells)
        return table

    def _cell(self, asn: int, target: str) -> Text:
        latest = self._cells.get((asn, target), deque())
        fresh = [s for at, s in latest if at > self._now() - SILENT_TICKS * self._scenario.tick]
        if not fresh:
            return Text("silent" if latest else "-", style=SILENT)
        state = Counter(fresh).most_common(1)[0][0]
        return Text("works" if state is State.OK else str(state), style=COLOURS[state])

    def _line(self, sighting: Sighting) -> Text:
        document = sighting.document
        named = [title(part["target"]) or "the network" for part in document["parts"]]
        text = (
            f"{document['id']}  {document['status']}  {document['kind']} of {', '.join(named)}  "
            f"{document['scope']}  {', '.join(document['mechanisms'])}  ({document['reason']})"
        )
        style = "bold red" if document["status"] == "confirmed" else "yellow"
        return Text(text, style="dim" if document["end"] else style)
