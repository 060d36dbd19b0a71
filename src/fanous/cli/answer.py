"""Prints the answer on a terminal: a sentence for each incident, the grid, and what the data could not settle.

Colour is never the only sign in the grid: every state has a mark, and the legend explains it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fanous.base.text import one_line
from fanous.charts.grid import Cell, Grid, GridRow
from fanous.model.coverage import Sensitivity
from fanous.model.incident import Incident, NetworkPart, Status
from fanous.model.instant import HOUR
from fanous.model.reason import Reason
from fanous.questions.country import CountryAnswer
from fanous.refdata.countries import country_name, has_several_clocks, main_zone, region_name
from fanous.refdata.networks import network_title
from fanous.wording.clocks import english_clocks, short_clock, span, zone_name
from fanous.wording.explanations import STANDINGS
from fanous.wording.language import ENGLISH, Sentence
from fanous.wording.narrative import AS_PUBLISHED, because, details, sentence, untested_said, what_else
from fanous.wording.reasons import reasons_said, reasons_text
from fanous.wording.words import SCOPES, counted, full_status, listed, target_title

STYLES = {
    Status.CONFIRMED: "bold red",
    Status.SUSPECTED: "yellow",
    Status.ENDED: "bold",
    Status.RETRACTED: "dim",
}
SHOWN = 12
"""Most networks, or targets, listed one by one."""


def incident_list(incidents: Sequence[Incident]) -> Table:
    """One row per incident, with its sentence wrapped next to its name."""
    table = Table.grid(padding=(0, 2))
    for fixed in (True, True, False):
        table.add_column(no_wrap=fixed)
    for incident in incidents:
        table.add_row(incident.id, Text(incident.status, STYLES[incident.status]), Text(sentence(incident)))
    return table


def print_answer(console: Console, answer: CountryAnswer, *, why: bool = False) -> None:
    """The whole answer, most certain first.

    Args:
        why: with everything else that it could be, one by one.
    """
    console.print(_headline(answer))
    gone = _retracted(answer)
    for incident in gone[:SHOWN]:
        console.print(Text(f"{incident.id}  {sentence(incident)} {_line(because(incident, ENGLISH))}"))
    if len(gone) > SHOWN:
        console.print(
            f"... and {len(gone) - SHOWN} more; `fanous incidents list {answer.country}` lists them."
        )
    for incident in sorted(_standing(answer), key=lambda i: (i.confirmed_at is None, i.onset)):
        console.print()
        known_until = answer.known_until.get(incident.id)
        console.print(incident_text(incident, answer.names, known_until, why=why))
    if answer.grid is not None and answer.grid.rows:
        console.print()
        zone = zone_name(answer.until, answer.country)
        console.print(grid_text(answer.grid, answer.names, zone, console.width))
    if answer.sensitivity is not None:
        console.print()
        console.print(_sensitivity(answer, answer.sensitivity))
    for target, reason in answer.insufficient[:SHOWN]:
        console.print(Text(f"Not enough to judge {target_title(target)}: {reasons_text([reason])}", "dim"))
    more = len(answer.insufficient) - SHOWN
    if more > 0:
        console.print(Text(f"... and {counted(more, 'more target')} (--json has all).", "dim"))


def _sensitivity(answer: CountryAnswer, sensitivities: Sequence[Sensitivity]) -> Group:
    """What would have been found: a row for each network and target, with the shortest such event."""
    from fanous.analysis.sensitivity import longest
    from fanous.model.coverage import CHANCE

    if not sensitivities:
        return Group(Text("Nothing was measured that could show blocking, so none would have been found."))
    most = longest(answer.since, answer.until)

    def hours(seconds: float | None) -> str:
        """Rounded up: a shorter event would be found less often."""
        return f"over {ceil(most / HOUR)} h" if seconds is None else f"{ceil(seconds / HOUR)} h"

    table = Table(
        "network", "target", "measurements", "if all fail", "if half fail", box=None, padding=(0, 2)
    )
    for sensitivity in sensitivities[:SHOWN]:
        name = one_line(f"AS{sensitivity.asn} {network_title(sensitivity.asn, answer.names)}".strip())
        row = (
            f"{sensitivity.measurements:,}",
            hours(sensitivity.seconds_all),
            hours(sensitivity.seconds_half),
        )
        table.add_row(Text(name), Text(target_title(sensitivity.target)), *row)
    head = f"Blocking on one network alone would have been found, {CHANCE * 10:.0f} times in 10, if it had lasted:"
    more = len(sensitivities) - SHOWN
    rest = [Text(f"... and {counted(more, 'more row')} (--json has all)")] if more > 0 else []
    return Group(Text(head), table, *rest)


def _standing(answer: CountryAnswer) -> list[Incident]:
    return [incident for incident in answer.incidents if incident.status is not Status.RETRACTED]


def _retracted(answer: CountryAnswer) -> list[Incident]:
    return [incident for incident in answer.incidents if incident.status is Status.RETRACTED]


def _headline(answer: CountryAnswer) -> Text:
    start, end = span(answer.since, answer.until, answer.country, about="")
    several = " (the capital's clock)" if has_several_clocks(answer.country) else ""
    zone = f"{zone_name(answer.since, answer.country)} = {main_zone(answer.country)}{several}"
    head = f"{country_name(answer.country)}: {_found(answer)}"
    if answer.synthetic:
        head = f"[Synthetic] {head}"
    return Text.assemble((head, "bold"), f"\n{start} to {end}; {zone}", _measured(answer))


def _measured(answer: CountryAnswer) -> str:
    """What the answer rests on: a line, or nothing where the headline says that there is nothing."""
    about = f" of {_asked(answer)}" if answer.targets else ""
    if not answer.within:
        nothing = f"\nNo measurements{about} in this time: what began before may have ended since."
        return nothing if _standing(answer) else ""
    within, sources = answer.within, answer.within.sources
    counts = [
        f"{counted(within.measurements, 'measurement')}{about} on {counted(within.networks, 'network')}"
    ]
    series = [f"series from {listed(sources)}"] if sources else []
    part = f", in {within.hours_measured:,} of {counted(answer.hours, 'hour')}"
    how_long = part if within.hours_measured < answer.hours else ""
    return f"\nMeasured: {'; '.join((counts if within.measurements else []) + series)}{how_long}."


def _asked(answer: CountryAnswer) -> str:
    return listed([target_title(target) for target in answer.targets])


def _found(answer: CountryAnswer) -> str:
    counted_ones = [one for one in _standing(answer) if one.provenance.is_synthetic is answer.synthetic]
    staged = len(_standing(answer)) - len(counted_ones)
    beside = f"; {counted(staged, 'staged event')} (synthetic)" if staged else ""
    confirmed = [incident for incident in counted_ones if incident.confirmed_at is not None]
    suspected = len(counted_ones) - len(confirmed)
    gone = len(_retracted(answer))
    taken_back = f"{counted(gone, 'incident')} retracted; " if gone else ""
    if not confirmed and not suspected and not answer.within:
        what = (
            f"{_asked(answer)} {'was' if len(answer.targets) == 1 else 'were'} not"
            if answer.targets
            else "nothing was"
        )
        return f"{taken_back}{what} measured in this time, so nothing can be said{beside}"
    if not confirmed and not suspected:
        return f"{taken_back}no {'other ' if gone else ''}disruption found in what was measured{beside}"
    over = sum(incident.status is Status.ENDED for incident in confirmed)
    which = f" ({'ended' if over == len(confirmed) else f'{over} ended'})" if over else ""
    return f"{taken_back}{len(confirmed)} confirmed{which}, {suspected} suspected{beside}"


def incident_text(
    incident: Incident, names: Mapping[int, str], known_until: float | None = None, *, why: bool = False
) -> Group:
    """Label, sentence, and the lines below it.

    Args:
        known_until: when the data about an open incident ended; ``None`` = they have not.
        why: with everything else that it could be, one by one.
    """
    kind = "loss of traffic" if incident.is_of_traffic else incident.kind
    head = Text.assemble(
        (f"{incident.id or '(no id)'}", "bold"),
        "  ",
        (full_status(incident).upper(), STYLES[incident.status]),
        f"  {kind}, {SCOPES[incident.scope]}, confidence {incident.confidence:.2f}",
    )
    account, reason = _line(details(incident, names, ENGLISH)), Text(_line(because(incident, ENGLISH)))
    if incident.status is Status.RETRACTED:
        gone = Text(f"{AS_PUBLISHED}:")
        lines = [Text(sentence(incident)), reason, gone, Text(account, "strike")]
    else:
        lines = [Text(sentence(incident)), Text(account), reason]
        if known_until is not None:
            end = english_clocks(known_until, incident.country)
            lines.append(Text(f"The data end on {end}: what has happened since is unknown."))
        lines += [Text(line) for line in hint_lines(incident.hints)]
    shown = [*lines, *_what_else(incident, why=why)]
    shown += [Text(one_line(line), "dim") for line in _network_lines(incident, names)]
    return Group(head, *(Padding(line, (0, 0, 0, 2), expand=False) for line in shown))


def _what_else(incident: Incident, *, why: bool) -> list[Text | Table]:
    """What else it could be: how many explanations stand how, or each with what decided it."""
    untested = untested_said(incident, ENGLISH)
    if untested is None:
        return []
    if not why:
        heading = f"What else could it be: {standings(incident)}; --why lists them"
        return [Text(heading), Text(untested.text, "dim")]
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    for explanation in what_else(incident, ENGLISH):
        because = one_line(explanation.because.text)
        table.add_row(
            explanation.word, Text.assemble(one_line(explanation.says.text), "\n", (because, "dim"))
        )
    return [Text("What else could it be?"), table, Text(untested.text)]


def standings(incident: Incident) -> str:
    """``1 possible, 5 not tested, 17 excluded``: how the other explanations stand."""
    n = Counter(explanation.standing for explanation in incident.explanations)
    return ", ".join(f"{n[standing]} {word.lower()}" for standing, word in STANDINGS.items())


def hint_lines(hints: Sequence[Reason]) -> list[str]:
    return [one_line(f"Hint, not evidence: {one.text}") for one in reasons_said(hints, ENGLISH)]


def _line(sentences: Sequence[Sentence]) -> str:
    return " ".join(one.text for one in sentences)


def _network_lines(incident: Incident, names: Mapping[int, str]) -> Iterator[str]:
    networks = sorted(incident.networks, key=lambda network: -network.measurements)
    for network in networks[:SHOWN]:
        asn = network.asn
        if asn:
            title = network_title(asn, names)
        elif network.entity == incident.country:
            title = country_name(incident.country)
        else:
            title = one_line(region_name(network.entity))
        name = " ".join(dict.fromkeys(filter(None, (network.entity, title))))
        by = "by" if incident.evidence.probes_are == "probes" else "in"
        unit = "probe" if by == "by" else "test run"
        seen = f"{counted(network.measurements, 'failing measurement')} {by} {counted(network.probes, unit)}"
        if not network.targets:
            seen = counted(network.measurements, "low bin")
        few = bool(network.targets) and set(network.targets) != set(incident.targets)
        only = f" ({listed([target_title(t) for t in network.targets])} only)" if few else ""
        yield f"{name}{only}: {seen}, {_times(network, incident.country)}"
    if len(networks) > SHOWN:
        what = "more network" if all(network.asn for network in networks) else "more place"
        yield f"... and {counted(len(networks) - SHOWN, what)} (--json has all)"


def _times(network: NetworkPart, country: str) -> str:
    """``8 Nov 14:05 to 24 Nov 17:10 EAT in 15 periods``."""
    if not network.intervals:
        return "times unknown"
    start, end = network.intervals[0].start, network.intervals[-1].end
    zone = zone_name(start, country)
    periods = f" in {len(network.intervals)} periods" if len(network.intervals) > 1 else ""
    if end is None:
        return f"since {short_clock(start, country)} {zone}{periods}"
    last = short_clock(end, country).removeprefix(short_clock(start, country)[: -len("14:05")])
    return f"{short_clock(start, country)} to {last} {zone}{periods}"


# --- the grid as lines of text -------------------------------------------------------------------------

MARKS = {
    Cell.NO_DATA: (" ", "dim"),
    Cell.REACHABLE: ("·", "green"),
    Cell.SOME_FAILED: ("'", "yellow"),
    Cell.SUSPECTED: ("?", "yellow"),
    Cell.IN_SESSIONS: ("▒", "red"),
    Cell.CUT: ("█", "red"),
}
NETWORKS_SHOWN = 12
COUNT_WIDTH = 8
"""Two spaces and ``99,999``."""

NAME_WIDTH = 34
NAME_LEAST = 12
"""``AS4294967295``; a narrower terminal cuts the columns instead."""

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


def grid_text(grid: Grid, names: Mapping[int, str], zone: str, width: int = 120) -> Group:
    """Networks x time with a legend.

    Args:
        zone: the name of the columns' time zone, as people call it.
        width: most characters in a line.
    """
    room = max(NAME_LEAST, min(NAME_WIDTH, width - len(grid.columns) - COUNT_WIDTH - 1))
    upper, lower = _labels(grid)
    lines = [_ruled(f"{'':{room}} {ruler}") for ruler in (_ruler(upper), _ruler(lower)) if ruler]
    lines += [_row_text(row, names, room) for row in grid.rows[:NETWORKS_SHOWN]]
    if len(grid.rows) > NETWORKS_SHOWN:
        lines.append(_ruled(f"... and {counted(len(grid.rows) - NETWORKS_SHOWN, 'more network')}"))
    used = {cell for row in grid.rows[:NETWORKS_SHOWN] for cell in row.cells}
    marks = [f"{mark} {cell}" for cell, (mark, _) in MARKS.items() if mark.strip() and cell in used]
    lines.append(Text("  ".join(marks), "dim"))
    lines.append(Text(_explained(grid, zone), "dim"))
    return Group(*lines)


def _ruled(text: str) -> Text:
    return Text(text.rstrip(), "dim", no_wrap=True, overflow="crop")


def _row_text(row: GridRow, names: Mapping[int, str], room: int) -> Text:
    name = f"AS{row.asn} {network_title(row.asn, names)}"[:room]
    text = Text(f"{name:{room}} ", no_wrap=True, overflow="crop")
    for cell in row.cells:
        text.append(*MARKS[cell])
    text.append(f"  {row.measurements:,}", "dim")
    return text


def _explained(grid: Grid, zone: str) -> str:
    hours = grid.step // timedelta(hours=1)
    width = {1: "an hour", 24: "a day", 168: "a week from Monday"}.get(hours, f"{hours} hours")
    text = f"blank = no data; one column = {width}, {zone}; right: measurements"
    if grid.left_out:
        text += f"; {counted(grid.left_out, 'earlier column')} left out"
    return text


def _labels(grid: Grid) -> tuple[list[str], list[str]]:
    """The labels above each column, in two lines; mostly empty."""
    columns, step = grid.columns, grid.step
    if step >= WEEK:
        return _changes(columns, "%Y"), _changes(columns, "%b")
    if step == DAY:
        mondays = [f"{day.day}" if day.weekday() == 0 or day == columns[0] else "" for day in columns]
        return _changes(columns, "%b"), mondays
    every = 6 if step <= timedelta(hours=2) else 24
    hours = [f"{at:%H}" if at.hour % every == 0 else "" for at in columns]
    return _changes(columns, "%d %b"), hours if step < DAY / 4 else []


def _changes(columns: Sequence[datetime], form: str) -> list[str]:
    """The text of each column if it differs from the previous column's."""
    texts = [at.strftime(form) for at in columns]
    return [text if n == 0 or text != texts[n - 1] else "" for n, text in enumerate(texts)]


def _ruler(labels: Sequence[str]) -> str:
    """Labels above their columns; one that would run into the next is left out."""
    line, reach = "", len(labels) + 99
    for n in range(len(labels) - 1, -1, -1):
        label = labels[n]
        if label and n + len(label) < reach:
            line = label + " " * (reach - n - len(label)) + line if line else label
            reach = n
    return " " * reach + line if line else ""
