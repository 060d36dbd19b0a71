"""``fanous evaluate``: how often Fanous is right where the truth is known, as tables or JSON."""

from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanous.base.text import printable
from fanous.cli.common import JsonOption, console, print_document
from fanous.model.score import Attack, Calibration, Evaluation, EventScore, Fifth, SlowdownScore, Spared
from fanous.wording.words import counted


def evaluate(
    corpus: Annotated[
        list[Path] | None, typer.Argument(metavar="CORPUS...", help="Folders that contain an events.toml.")
    ] = None,
    adversary: Annotated[
        bool,
        typer.Option(
            "--adversary", help="Instead, measure how many lying probes an attack needs (takes 15 minutes)."
        ),
    ] = False,
    calibration: Annotated[
        bool,
        typer.Option(
            "--calibration",
            help="Instead, measure how often incidents of a stated confidence are right, in simulated weeks, "
            "in the lab's truth table (--truth-table) and in the given corpora.",
        ),
    ] = False,
    slowdowns: Annotated[
        bool,
        typer.Option(
            "--slowdowns",
            help="Instead, measure how many probes or speed tests show a general slow-down, after how long, and what "
            "rush hours raise falsely (takes 3 minutes).",
        ),
    ] = False,
    truth_table: Annotated[
        Path | None, typer.Option("--truth-table", metavar="FILE", help="Truth table written by `make lab`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Replay labelled events through the live code path; report hits, misses and delays."""
    if calibration:
        _evaluate_calibration(corpus or [], truth_table, as_json)
        return
    if adversary:
        _evaluate_adversary(as_json)
        return
    if slowdowns:
        _evaluate_slowdowns(as_json)
        return
    if not corpus:
        raise typer.BadParameter(
            "name at least one corpus folder, or pass --adversary, --calibration or --slowdowns",
            param_hint="CORPUS...",
        )
    from fanous.evaluation.evaluate import evaluate_corpora

    evaluations = evaluate_corpora(corpus)
    if as_json:
        print_document({"corpora": [evaluation_document(one) for one in evaluations]})
    else:
        print_evaluation(console(), evaluations)


def _evaluate_adversary(as_json: bool) -> None:
    from fanous.evaluation.adversary import attacks, fifths, spared

    if as_json:
        found = {
            "attacks": [attack_document(attack) for attack in attacks()],
            "fifths": [fifth_document(fifth) for fifth in fifths()],
            "spared": [msgspec.to_builtins(one) for one in spared()],
        }
        print_document(found)
    else:
        print_attacks(console(), attacks())
        print_fifths(console(), fifths())
        print_spared(console(), spared())


def _evaluate_slowdowns(as_json: bool) -> None:
    from fanous.evaluation.slowdowns import slowdown_scores

    if as_json:
        print_document({"slowdowns": [slowdown_document(one) for one in slowdown_scores()]})
    else:
        print_slowdowns(console(), slowdown_scores())


def slowdown_document(one: SlowdownScore) -> dict[str, Any]:
    """All figures of one row; shares of the speed that was left are the keys."""
    return {
        "by": one.by,
        "number": one.number,
        "found": {f"{left:g}": share for left, share in one.found.items()},
        "confirmed": {f"{left:g}": share for left, share in one.confirmed.items()},
        "minutes_to_confirm": {f"{left:g}": minutes for left, minutes in one.minutes.items()},
        "false_suspected_a_country_month": one.false_suspected,
        "false_confirmed_a_country_month": one.false_confirmed,
        "country_months": round(one.months, 2),
    }


def print_slowdowns(console: Console, scores: Iterable[SlowdownScore]) -> None:
    """A row for each source and number, as each is computed."""
    table = Table(
        "measured by",
        "number",
        "left",
        "found",
        "confirmed",
        "to confirm",
        "evenings: false, a month",
        box=None,
    )
    for one in scores:
        evenings = "; ".join(
            f"{name}: {one.false_confirmed[name]:.2f} confirmed, {share:.2f} suspected"
            for name, share in one.false_suspected.items()
        )
        for left, share in one.found.items():
            figures = (f"{left:.0%}", _share(share), _share(one.confirmed[left]), _minutes(one.minutes[left]))
            table.add_row(one.by, f"{one.number:g}", *figures, evenings)
            evenings = ""
    console.print(table)


def _evaluate_calibration(corpora: list[Path], truth_table: Path | None, as_json: bool) -> None:
    from fanous.evaluation.calibration import FAULTS, of_corpora, of_lab, of_series, of_weeks

    weeks = [one for faults in FAULTS for one in of_weeks(faults)]
    found = [*([of_lab(truth_table)] if truth_table else []), *weeks, of_series(), *of_corpora(corpora)]
    if as_json:
        print_document({"calibration": [msgspec.to_builtins(one) for one in found]})
        return
    for one in found:
        print_calibration(console(), one)


def evaluation_document(evaluation: Evaluation) -> dict[str, Any]:
    """All figures, with the rates that follow from them."""
    rate, at_most = evaluation.false_confirmed_a_world_year
    document: dict[str, Any] = msgspec.to_builtins(evaluation)
    return document | {
        "recall": evaluation.recall,
        "found": evaluation.found,
        "precision": evaluation.precision,
        "median_minutes_to_confirm": _median([e.minutes_to_confirm for e in evaluation.events]),
        "false_suspected_a_country_month": round(evaluation.false_suspected_a_country_month, 3),
        "false_suspected_a_quantity_month": evaluation.false_suspected_a_quantity_month,
        "false_confirmed_a_world_year": round(rate, 1),
        "false_confirmed_a_world_year_at_most": round(at_most, 1),
    }


def print_evaluation(console: Console, evaluations: list[Evaluation]) -> None:
    """A table for each corpus, then its rates with their exposure."""
    for evaluation in evaluations:
        size = f"  ({counted(evaluation.measurements, 'measurement')} or rows)"
        console.print(Text.assemble("\n", (printable(evaluation.title), "bold"), size))
        for event in evaluation.events:
            console.print(Text(_event_line(event)))
            if event.networks:
                console.print(_network_table(event))
        if evaluation.losses:
            console.print(_loss_table(evaluation))
            console.print(_quiet_table(evaluation))
        if evaluation.plants:
            console.print(_plant_table(evaluation))
        if evaluation.worlds:
            console.print(_world_table(evaluation))
        console.print(Text(_rates(evaluation)))


def _event_line(event: EventScore) -> str:
    scope = {None: "not labelled", True: "right", False: "wrong"}[event.scope_right]
    extra = ", ".join(f"AS{asn}" for asn in event.extra_networks) or "none"
    state = "confirmed" if event.confirmed else "NOT CONFIRMED"
    if event.found == "suspected":
        state += ", suspected"
    if not event.networks:
        return f"{event.id}: {_line_event(event, state, scope)}"
    return (
        f"{event.id}: {state} as {counted(event.incidents, 'incident')}; "
        f"to confirm {_minutes(event.minutes_to_confirm)}, onset {_minutes(event.onset_error_minutes)}, "
        f"end {_minutes(event.end_error_minutes)} off; scope {scope}; networks not labelled: {extra}"
    )


def _line_event(event: EventScore, state: str, scope: str) -> str:
    level = "" if event.level is None else f", {event.level:.0%} of the baseline left"
    if event.level_error is not None:
        level += f" ({event.level_error:+.0%} off)"
    onset, end = _minutes(event.onset_error_minutes), _minutes(event.end_error_minutes)
    subject = {None: "-", True: "right", False: "wrong"}[event.subject_right]
    return (
        f"{state} as {counted(event.incidents, 'incident')} in {counted(event.intervals, 'interval')}"
        f"{level}; onset {onset}, end {end} off; subject {subject}, scope {scope}"
    )


PLANT_COLUMNS = (
    "planted",
    "",
    "times",
    "hit",
    "found",
    "confirmed",
    "networks",
    "extra",
    "incidents",
    "onset",
    "end",
    "to confirm",
)
"""``hit``: measurements that met the block, the median; onset and end: median distance."""


def _plant_table(evaluation: Evaluation) -> Table:
    table = Table(*PLANT_COLUMNS, box=None, padding=(0, 1))
    for plant in evaluation.plants:
        shares = map(_share, (plant.found, plant.confirmed, plant.networks))
        times = (plant.onset_minutes, plant.end_minutes, plant.minutes_to_confirm)
        away = ["-" if minutes is None else f"{minutes:.0f} min" for minutes in times]
        extra, incidents = str(plant.extra_networks), _share(plant.incidents)
        table.add_row(
            plant.by, plant.value, str(plant.times), f"{plant.hit:.0f}", *shares, extra, incidents, *away
        )
    return table


WORLD_COLUMNS = (
    "what happens",
    "hours",
    "times",
    "blocks found",
    "confirmed",
    "false confirmed",
    "suspected",
    "retracted",
)
"""The last three columns: incidents in countries that block nothing."""


def _world_table(evaluation: Evaluation) -> Table:
    table = Table(*WORLD_COLUMNS, box=None, padding=(0, 1))
    for world in evaluation.worlds:
        counts = (world.false_confirmed, world.false_suspected, world.retracted)
        shares = map(_share, (world.found, world.confirmed))
        table.add_row(world.happening, f"{world.hours:g}", str(world.times), *shares, *map(str, counts))
    return table


LOSS_COLUMNS = (
    "lost at once",
    "loss",
    "hours",
    "recall",
    "IODA's rule",
    "incident",
    "confirmed",
    "onset in a bin",
    "depth off",
    "to raise",
)
"""``recall`` and IODA's rule use only the first signal; onset and depth refer to the incidents found."""


def _loss_table(evaluation: Evaluation) -> Table:
    table = Table(*LOSS_COLUMNS, box=None, padding=(0, 2))
    for loss in evaluation.losses:
        minutes = "-" if loss.minutes is None else f"{loss.minutes:.0f} min"
        what = (" + ".join(loss.signals), f"{loss.loss:.0%}", f"{loss.hours:g}")
        rates = (loss.recall, loss.peer_recall, loss.found, loss.confirmed)
        depth = "-" if loss.depth_error is None else f"{loss.depth_error:.0%}"
        table.add_row(*what, *map(_share, (*rates, loss.onset_within)), depth, minutes)
    return table


def _quiet_table(evaluation: Evaluation) -> Table:
    table = Table("raised untouched", "months", "here", "by IODA's rule", box=None, padding=(0, 2))
    for quiet in evaluation.quiet:
        peer = "-" if quiet.peer_raised is None else str(quiet.peer_raised)
        table.add_row(quiet.signal, f"{quiet.months:.2f}", str(quiet.raised), peer)
    return table


def _network_table(event: EventScore) -> Table:
    table = Table("network", "found", "interval overlap", "onset off", box=None, padding=(0, 2))
    for network in event.networks:
        overlap = "not measured" if network.overlap is None else f"{network.overlap:.2f}"
        onset = _minutes(network.onset_error_minutes)
        table.add_row(f"AS{network.asn}", network.found, overlap, onset)
    return table


def _rates(evaluation: Evaluation) -> str:
    rate, at_most = evaluation.false_confirmed_a_world_year
    to_confirm = _median([event.minutes_to_confirm for event in evaluation.events])
    suspected = evaluation.false_suspected_a_country_month
    return (
        f"recall {_share(evaluation.recall)} (found at all: {_share(evaluation.found)}), "
        f"precision {_share(evaluation.precision)}; median to confirm {_minutes(to_confirm)}\n"
        f"false confirmed {evaluation.false_confirmed}: {rate:.1f} a world-year, at most {at_most:.0f}, "
        f"on {evaluation.country_months:.2f} country-months, {evaluation.series_months:.1f} series-months\n"
        f"false suspected {evaluation.false_suspected}: {suspected:.2f} a country-month; "
        f"retracted {evaluation.retracted}" + _of_quantities(evaluation)
    )


def _of_quantities(evaluation: Evaluation) -> str:
    rate = evaluation.false_suspected_a_quantity_month
    if rate is None:
        return ""
    return f"; {rate:.3f} a month of one quantity series, on {evaluation.quantity_months:.0f} of these"


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value:+.0f} min"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def attack_document(attack: Attack) -> dict[str, Any]:
    """Everything known about one attack; ``share`` is of the probes on the attacked networks."""
    return {
        "goal": attack.goal,
        "scope": str(attack.scope),
        "strategy": attack.strategy,
        "networks": attack.networks,
        "honest_probes_a_network": attack.honest,
        "days": attack.days,
        "networks_attacked": attack.spread,
        "liars": attack.liars,
        "share": None if attack.share is None else round(attack.share, 3),
    }


def print_attacks(console: Console, attacks: Iterable[Attack]) -> None:
    """One row per attack, as each is computed."""
    table = Table("goal", "scope", "strategy", "networks", "honest", "days", "least liars", "share", box=None)
    for attack in attacks:
        liars = "none sufficed" if attack.liars is None else f"{attack.liars} on {attack.spread}"
        share = "-" if attack.share is None else f"{attack.share:.0%}"
        table.add_row(
            attack.goal,
            attack.scope.value,
            attack.strategy.partition(":")[0],
            str(attack.networks),
            f"{attack.honest} each",
            f"{attack.days:g}",
            liars,
            share,
        )
    console.print(table)


def fifth_document(fifth: Fifth) -> dict[str, Any]:
    """How often a fifth of the probes on one network in five reached a goal."""
    return {
        "goal": fifth.goal,
        "strategy": fifth.strategy or "all honest",
        "honest_probes": fifth.honest,
        "liars": fifth.liars,
        "times": fifth.times,
        "worked": fifth.worked,
        "national": fifth.national,
    }


def print_fifths(console: Console, fifths: Iterable[Fifth]) -> None:
    """One row per goal and strategy."""
    table = Table(
        "a fifth of one network's probes", "strategy", "probes", "times", "worked", "nation", box=None
    )
    goals = {"make": "make a claim of it", "unmake": "take it out of a true claim"}
    for fifth in fifths:
        table.add_row(
            goals[fifth.goal],
            fifth.strategy.partition(":")[0] or "all honest",
            f"{fifth.liars} of {fifth.honest + fifth.liars}",
            str(fifth.times),
            str(fifth.worked),
            str(fifth.national),
        )
    console.print(table)


def print_spared(console: Console, rows: Iterable[Spared]) -> None:
    """One row per number of probes."""
    table = Table(
        "a national block that own probes do not meet",
        "own on each",
        "times",
        "confirmed",
        "nation",
        "disagreement told",
        "missed",
        box=None,
    )
    for one in rows:
        counts = (one.own, one.times, one.confirmed, one.national, one.told, one.missed)
        table.add_row(f"{one.honest} users' probes on each", *map(str, counts))
    console.print(table)


WIDTH = 40
"""Characters in a bar of length 1."""


def print_calibration(console: Console, one: Calibration) -> None:
    """A table of confidence classes; the bar shows the share that was right, the mark what was stated."""
    brier = "no claims" if one.brier is None else f"Brier score {one.brier:.4f}"
    console.print(Text.assemble("\n", (one.name, "bold"), f": n = {one.n}, {one.right} right, {brier}"))
    if one.remark:
        console.print(Text(f"({one.remark})", "dim"))
    if not one.classes:
        return
    table = Table("stated", "mean", "right", "95 %", "n", "0 to 1: # right, | stated", box=None)
    for each in one.classes:
        table.add_row(
            f"{each.low:g} to {each.high:g}",
            f"{each.stated:.3f}",
            f"{each.right:.3f}",
            f"{each.right_low:.2f} to {each.right_high:.2f}",
            str(each.n),
            _bar(each.right, each.stated),
        )
    console.print(table)


def _bar(right: float, stated: float) -> str:
    filled, mark = round(right * WIDTH), min(round(stated * WIDTH), WIDTH - 1)
    return "".join("|" if n == mark else "#" if n < filled else "." for n in range(WIDTH))
