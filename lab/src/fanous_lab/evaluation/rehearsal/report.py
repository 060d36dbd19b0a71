"""Report: a rehearsal as text for people, and as the document that ``fanous lab run --json`` prints.

While it runs, ``watched`` shows it on stderr: networks x targets changing colour, the incidents, the clock.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fanous.model.instant import to_iso
from fanous.model.verdict import State
from fanous.probe.outcome import Outcome
from fanous.refdata.platforms import title
from fanous_lab.evaluation.rehearsal.run import Rehearsal, Watcher, settings_for
from fanous_lab.evaluation.rehearsal.score import Found, LabClock, Met, Score, Sighting
from fanous_lab.evaluation.rehearsal.vantage_point import SCREENING, Duty, profile_document
from fanous_lab.scenario import Expectation, Scenario


def report_lines(rehearsal: Rehearsal, score: Score) -> list[str]:
    """What happened, what was found, what was missed, and whether the lab kept up."""
    scenario = rehearsal.scenario
    lines = [f"{scenario.title} (one second stands for {scenario.stretch:.0f})", ""]
    for event, hit in zip(scenario.events, rehearsal.hit, strict=True):
        about = f" {', '.join(event.targets)}" if event.targets else ""
        where = f"{len(event.networks)} network{'s' if len(event.networks) > 1 else ''}"
        when = f"{event.at:5.0f} - {event.until:.0f} s"
        lines.append(f"{when}  {event.technique}{about} on {where}, {len(hit)} vantage points")
    lines += ["nothing happened"] if not scenario.events else []
    lines.append("")
    lines += [line for incident in score.found for line in _found(incident)]
    lines += ["nothing was found"] if not score.found else []
    for met in score.missed:
        wanted = met.expectation
        scope = f", {wanted.scope}" if wanted.scope else ""
        lines.append(
            f"MISSED  {wanted.kind} of {', '.join(wanted.targets) or 'the network'}{scope}: {met.why}"
        )
    if not score.missed and not score.false:
        lines.append("as expected: nothing missed, nothing false")
    lines += ["", _kept(rehearsal)]
    return lines


def _found(incident: Found) -> list[str]:
    document = incident.sighting.document
    named = ", ".join(title(part["target"]) or "the network" for part in document["parts"])
    how = ", ".join(document["mechanisms"]) or "how: open"
    claim = f"{document['kind']} of {named}, {document['scope']}, {how}"
    if not incident.events:
        return [f"FALSE   {document['id']} {document['status']}: {claim} ({document['reason']})"]
    parts = [f"suspected at {incident.sighting.suspected:.1f} s"]
    if incident.seconds_to_confirm is not None:
        parts.append(f"confirmed {incident.seconds_to_confirm:.1f} s after it began")
    if incident.seconds_to_end is not None:
        parts.append(f"over {incident.seconds_to_end:.1f} s after it ended")
    return [f"found   {document['id']} {document['status']}: {claim}", f"        {', '.join(parts)}"]


def _kept(rehearsal: Rehearsal) -> str:
    kept = rehearsal.kept.values()
    rounds, missed = sum(probe.rounds for probe in kept), sum(probe.missed for probe in kept)
    sent, arrived = sum(probe.measurements for probe in kept), sum(probe.acknowledged for probe in kept)
    slowest = max((probe.slowest for probe in kept), default=0.0)
    return (
        f"{rehearsal.seconds:.0f} s in all; {rounds} rounds made and {missed} left out, "
        f"{sent:,} measurements, {arrived:,} acknowledged; the slowest round took {slowest:.1f} s"
    )


def rehearsal_document(rehearsal: Rehearsal, score: Score) -> dict[str, Any]:
    """Seconds are of the lab; the times in incidents are of the monitor's clock."""
    return {
        "scenario": rehearsal.scenario.title,
        "country": rehearsal.scenario.country,
        "events": _events(rehearsal),
        "incidents": [incident.sighting.document for incident in score.found],
        "expected": [_expected(met) for met in score.met],
        "seconds_to_confirm": _seconds(score.found, "seconds_to_confirm"),
        "seconds_to_end": _seconds(score.found, "seconds_to_end"),
        "labels": {incident.id: incident.label for incident in score.found if incident.events},
        "missed": [_expected(met) for met in score.missed],
        "false": [_false(incident) for incident in score.false],
        "lab": _lab(rehearsal),
    }


def _events(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    return [
        {
            "at": event.at,
            "until": event.until,
            "technique": event.technique,
            "targets": list(event.targets),
            "networks": list(event.networks),
            "hit": list(hit),
        }
        for event, hit in zip(rehearsal.scenario.events, rehearsal.hit, strict=True)
    ]


def _expected(met: Met) -> dict[str, Any]:
    wanted: Expectation = met.expectation
    return {
        "kind": str(wanted.kind),
        "scope": str(wanted.scope) if wanted.scope else None,
        "access": str(wanted.access) if wanted.access else None,
        "targets": list(wanted.targets),
        "mechanisms": list(wanted.mechanisms),
        "status": wanted.status,
        "incident": met.by or None,
        "why_missed": met.why or None,
    }


def _seconds(found: tuple[Found, ...], name: str) -> dict[str, float | None]:
    return {incident.id: getattr(incident, name) for incident in found if incident.events}


def _false(incident: Found) -> dict[str, Any]:
    document = incident.sighting.document
    return {
        "incident": incident.id,
        "status": document["status"],
        "was_confirmed": incident.sighting.confirmed is not None,
        "kind": document["kind"],
        "entities": document["entities"],
        "targets": document["targets"],
        "mechanisms": document["mechanisms"],
        "reason": document["reason"],
    }


def _lab(rehearsal: Rehearsal) -> dict[str, Any]:
    kept = rehearsal.kept.values()
    scenario = rehearsal.scenario
    return {
        "seed": scenario.seed,
        "tick_seconds": scenario.tick,
        "tick_stands_for_seconds": scenario.tick_stands_for,
        "stretch": scenario.stretch,
        "duration_seconds": scenario.duration,
        "seconds": rehearsal.seconds,
        "vantage_points": len(rehearsal.kept),
        "rounds": sum(probe.rounds for probe in kept),
        "rounds_missed": sum(probe.missed for probe in kept),
        "slowest_round_seconds": max((probe.slowest for probe in kept), default=0.0),
        "measurements": sum(probe.measurements for probe in kept),
        "acknowledged": sum(probe.acknowledged for probe in kept),
        "stored": rehearsal.stored,
        "profile": profile_document(settings_for(scenario, SCREENING)),
    }


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
    """A watcher that draws on the terminal of ``console``; one that does nothing if there is no terminal."""
    if not console.is_terminal:
        yield Watcher()
        return
    picture = Picture(scenario)
    with Live(get_renderable=picture.drawn, console=console, refresh_per_second=4):
        yield picture


class Picture(Watcher):
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
        return Group(self._head(), self._grid(), *(self._line(sighting) for sighting in self._sightings))

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
