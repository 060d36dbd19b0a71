"""Terminal: the answer for people - a sentence an incident, the grid, what could not be said.

Colour is never the only sign: every state has a mark and the legend has its word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

from fanous.model.incident import Incident, Status
from fanous.publishers.grid import Cell, Grid
from fanous.publishers.sentence import clock, sentence
from fanous.refdata.countries import country_name, has_several_clocks, main_zone, zone_name
from fanous.refdata.networks import network_name
from fanous.refdata.platforms import title

MARKS = {
    Cell.NO_DATA: (" ", "dim"),
    Cell.REACHABLE: ("·", "green"),
    Cell.SOME_FAILED: ("'", "yellow"),
    Cell.IN_SESSIONS: ("▒", "red"),
    Cell.CUT: ("█", "red"),
}
STYLES = {
    Status.CONFIRMED: "bold red",
    Status.SUSPECTED: "yellow",
    Status.ENDED: "bold",
    Status.RETRACTED: "dim",
}
NETWORKS_SHOWN = 12
NAME_WIDTH = 34


@dataclass(frozen=True, slots=True)
class Answer:
    """What ``confirm`` found.  ``names``: ASN -> name as the measurements give it.

    Attributes:
        insufficient: (target, why) of what nothing can be said about.
        grid: ``None`` = nothing was measured.
    """

    country: str
    since: float
    until: float
    incidents: Sequence[Incident]
    insufficient: Sequence[tuple[str, str]]
    grid: Grid | None
    names: Mapping[int, str]


def print_answer(console: Console, answer: Answer) -> None:
    """The whole answer, most certain first."""
    console.print(_headline(answer))
    shown = [i for i in answer.incidents if i.status is not Status.RETRACTED]
    for incident in sorted(shown, key=lambda i: (i.confirmed_at is None, i.onset)):
        console.print()
        console.print(incident_text(incident, answer.names))
    retracted = len(answer.incidents) - len(shown)
    if retracted:
        console.print(f"\n{retracted} suspicion(s) faded; `fanous incidents list {answer.country}` has them.")
    if answer.grid is not None and answer.grid.rows:
        console.print()
        console.print(grid_text(answer.grid, answer.names))
    for target, why in answer.insufficient[:NETWORKS_SHOWN]:
        console.print(Text(f"Not enough to judge {title(target)}: {why}", "dim"))
    if len(answer.insufficient) > NETWORKS_SHOWN:
        console.print(f"... and {len(answer.insufficient) - NETWORKS_SHOWN} more targets (--json has all).")


def _headline(answer: Answer) -> Text:
    confirmed = sum(i.confirmed_at is not None for i in answer.incidents)
    suspected = sum(i.status is Status.SUSPECTED for i in answer.incidents)
    text = f"{country_name(answer.country)}: {confirmed} confirmed, {suspected} suspected"
    window = f"{clock(answer.since, answer.country)} to {clock(answer.until, answer.country)}"
    several = " (the capital's clock)" if has_several_clocks(answer.country) else ""
    zone = f"{zone_name(answer.since, answer.country)} = {main_zone(answer.country)}{several}"
    return Text.assemble((text, "bold"), f"\n{window}; {zone}")


def incident_text(incident: Incident, names: Mapping[int, str]) -> Group:
    """Label, sentence, and the lines that stand under it."""
    head = Text.assemble(
        (f"{incident.id or '(no id)'}", "bold"),
        "  ",
        (str(incident.status).upper(), STYLES[incident.status]),
        f"  {incident.kind}, scope {incident.scope}, confidence {incident.confidence:.3f}",
    )
    lines = [Text(sentence(incident, dict(names)))]
    for network in incident.networks[:NETWORKS_SHOWN]:
        asn = int(network.entity.removeprefix("AS"))
        name = network_name(asn) or names.get(asn, "")
        lines.append(
            Text(
                f"{network.entity} {name}: {network.measurements} failing measurements by {network.probes} "
                f"probes in {len(network.intervals)} interval{'s' if len(network.intervals) > 1 else ''}",
                "dim",
            )
        )
    return Group(head, *(Padding(line, (0, 0, 0, 2)) for line in lines))


def grid_text(grid: Grid, names: Mapping[int, str]) -> Group:
    """Networks x days with a legend; a month has its number above its first column."""
    title_line = "".join(_month_mark(grid, n) for n in range(len(grid.days)))
    lines = [Text(f"{'':{NAME_WIDTH}}  {title_line}", "dim")]
    for asn, cells, measurements in grid.rows[:NETWORKS_SHOWN]:
        name = f"AS{asn} {network_name(asn) or names.get(asn, '')}"[:NAME_WIDTH]
        row = Text(f"{name:{NAME_WIDTH}}  ")
        for cell in cells:
            row.append(*MARKS[cell])
        row.append(f"  {measurements:,}", "dim")
        lines.append(row)
    if len(grid.rows) > NETWORKS_SHOWN:
        lines.append(Text(f"... and {len(grid.rows) - NETWORKS_SHOWN} more networks", "dim"))
    legend = Text("  ".join(f"{mark} {cell}" for cell, (mark, _) in MARKS.items() if mark != " "), "dim")
    return Group(*lines, legend, Text("blank = no data; one column a day; at the right: measurements", "dim"))


def _month_mark(grid: Grid, column: int) -> str:
    """Day of the month under every seventh column's first digit, so that a reader can count."""
    day = grid.days[column]
    if column % 7 == 0:
        return f"{day.day:02d}"[0]
    if column % 7 == 1:
        return f"{grid.days[column - 1].day:02d}"[1]
    return " "
