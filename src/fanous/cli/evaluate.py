"""``fanous evaluate``: how often Fanous is right where the truth is known, as tables or JSON."""

import os
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanous.base.text import printable
from fanous.cli.common import console, print_document
from fanous.cli.options import JsonOptions, argument, command, option
from fanous.errors import FanousError
from fanous.model.score import (
    Attack,
    Calibration,
    Evaluation,
    EventScore,
    ExplanationRates,
    Fifth,
    PriceScore,
    QuietIntervalScore,
    RoundsScore,
    SlowdownScore,
    Spared,
    Total,
    TrueLevel,
    TrueTime,
    VolunteerPrice,
    VolunteerSpeed,
    WeighedIncident,
    explanation_rates,
    total,
)
from fanous.wording.words import counted


class EvaluateOptions(JsonOptions):
    """Options of ``fanous evaluate``."""

    corpus: list[Path] | None = argument(None, "Folders that contain an events.toml.", metavar="CORPUS...")
    adversary: bool = option(
        False, "Instead, measure what lies cost, and how many lying probes an attack needs (takes an hour)."
    )
    attack: list[str] | None = option(
        None,
        "With --adversary: only what this attack costs (T1 to T8, or silence); may be repeated.",
        metavar="NAME",
    )
    draws: int = option(20, "With --adversary: draws for each price.", min=1)
    draws_file: Path | None = option(
        None,
        "With --adversary: keep each draw here, and go on from those kept by the same rules and detectors.",
        metavar="FILE",
    )
    calibration: bool = option(
        False,
        "Instead, measure how often incidents of a stated confidence are right, in simulated weeks, "
        "in the lab's truth table (--truth-table) and in the given corpora.",
    )
    slowdowns: bool = option(
        False,
        "Instead, measure how many probes or speed tests show a general slow-down, after how long, and what "
        "rush hours raise falsely (takes 3 minutes).",
    )
    rounds: bool = option(
        False,
        "Instead, measure after how many rounds of own probes a block is suspected, confirmed and ended.",
    )
    explanations: bool = option(
        False,
        "Instead, count how often each explanation of the table holds of what happened, and of what did not: "
        "in the given corpora, in the records of the lab (--truth-table) and where a fifth of the probes lie.",
    )
    data: Path | None = option(
        None,
        "Folder of research data that may not be redistributed; a corpus that lacks some is not judged.",
        envvar="FANOUS_SHARED_DATA",
        metavar="FOLDER",
    )
    truth_table: Path | None = option(None, "Truth table written by `make lab`.", metavar="FILE")


@command
def evaluate(options: EvaluateOptions) -> None:
    """Replay labelled events through the live code path; report hits, misses and delays."""
    if options.calibration:
        _evaluate_calibration(options.corpus or [], options.data, options.truth_table, options.as_json)
        return
    if options.adversary:
        _evaluate_adversary(options.attack or [], options.draws, options.draws_file, options.as_json)
        return
    if options.slowdowns:
        _evaluate_slowdowns(options.as_json)
        return
    if options.rounds:
        _evaluate_rounds(options.as_json)
        return
    if options.explanations:
        _evaluate_explanations(options.corpus or [], options.data, options.truth_table, options.as_json)
        return
    if not options.corpus:
        raise typer.BadParameter(
            "name at least one corpus folder, or pass --adversary, --calibration, --explanations, --slowdowns or "
            "--rounds",
            param_hint="CORPUS...",
        )
    from fanous.evaluation.corpus import how_to_give
    from fanous.evaluation.evaluate import evaluate_corpora

    evaluations = evaluate_corpora(options.corpus, options.data)
    if options.as_json:
        print_document(evaluations_document(evaluations))
    else:
        print_evaluation(console(), evaluations)
    if names := sorted({name for one in evaluations for name in one.missing}):
        raise FanousError(
            f"not everything was judged, for want of {', '.join(names)}; {how_to_give(options.data)}"
        )


def _evaluate_adversary(only: list[str], draws: int, file: Path | None, as_json: bool) -> None:
    from fanous.evaluation.adversary import attacks, fifths, spared
    from fanous.evaluation.prices import price_rows, prices
    from fanous.evaluation.volunteers import volunteer_prices, volunteer_speeds

    known = {row.price.attack for row in price_rows()}
    if unknown := sorted({*only} - known):
        raise typer.BadParameter(
            f"{', '.join(map(printable, unknown))}: known are {', '.join(sorted(known))}",
            param_hint="--attack",
        )
    found = list(prices(draws, file, only, len(os.sched_getaffinity(0))))
    if as_json:
        document: dict[str, Any] = {"prices": [msgspec.to_builtins(one) for one in found]}
        if not only:
            document |= {
                "attacks": [attack_document(attack) for attack in attacks()],
                "fifths": [fifth_document(fifth) for fifth in fifths()],
                "spared": [msgspec.to_builtins(one) for one in spared()],
                "volunteer_prices": [msgspec.to_builtins(one) for one in volunteer_prices()],
                "volunteer_speeds": [msgspec.to_builtins(one) for one in volunteer_speeds()],
            }
        print_document(document)
    else:
        print_prices(console(), found)
        if not only:
            print_attacks(console(), attacks())
            print_fifths(console(), fifths())
            print_spared(console(), spared())
            print_volunteers(console(), volunteer_prices(), volunteer_speeds())
    if cheap := sorted({one.price.attack for one in found if one.is_too_cheap}):
        raise FanousError(f"one line, or one publisher, is enough: {', '.join(cheap)}")


def _evaluate_slowdowns(as_json: bool) -> None:
    from fanous.evaluation.slowdowns import slowdown_scores

    if as_json:
        print_document({"slowdowns": [slowdown_document(one) for one in slowdown_scores()]})
    else:
        print_slowdowns(console(), slowdown_scores())


def _evaluate_rounds(as_json: bool) -> None:
    from fanous.evaluation.rounds import rounds_scores

    if as_json:
        print_document({"rounds": [msgspec.to_builtins(one) for one in rounds_scores()]})
    else:
        print_rounds(console(), rounds_scores())


def _evaluate_explanations(
    corpora: list[Path], data: Path | None, truth_table: Path | None, as_json: bool
) -> None:
    from fanous.evaluation.explanations import rates

    records = truth_table and truth_table.with_suffix(".xz")
    if records and not records.exists():
        raise FanousError(
            f"{printable(str(records))} is missing: `make lab` writes it next to the truth table"
        )
    found = rates(corpora, data, records)
    if as_json:
        print_document({"explanations": [msgspec.to_builtins(one) for one in found]})
        return
    for one in found:
        print_explanations(console(), one)


def print_explanations(console: Console, rates: ExplanationRates) -> None:
    """How many true events the table holds back, and a row for each explanation."""
    console.print(
        Text.assemble("\n", (f"What else it could be: {rates.kind}", "bold"), "\n", _suspended(rates))
    )
    table = Table("held for", "of an event", "of none", "untested", "", box=None, padding=(0, 2))
    for row in rates.rows:
        counts = (row.held_right, row.held_false, row.untested_right, row.untested_false)
        table.add_row(row.code, *map(str, counts))
    console.print(table)


def print_rounds(console: Console, scores: Iterable[RoundsScore]) -> None:
    """A row for each number of probes and networks, and each interval."""
    table = Table(
        "every", "networks", "probes", "suspected", "confirmed", "ended", "three rounds are kept", box=None
    )
    for one in scores:
        figures = (_rounds(number, one.minutes) for number in (one.suspected, one.confirmed, one.ended))
        kept = "yes" if one.is_kept else "no"
        table.add_row(f"{one.minutes:g} min", f"{one.networks}", f"{one.probes}", *figures, kept)
    console.print(table)


def _rounds(number: int | None, minutes: float) -> str:
    return "-" if number is None else f"{number} ({number * minutes:g} min)"


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


def _evaluate_calibration(
    corpora: list[Path], data: Path | None, truth_table: Path | None, as_json: bool
) -> None:
    from fanous.evaluation.calibration import (
        FAULTS,
        of_corpora,
        of_lab,
        of_series,
        of_short_histories,
        of_weeks,
    )

    weeks = [one for faults in FAULTS for one in of_weeks(faults)]
    found = [*([of_lab(truth_table)] if truth_table else []), *weeks, of_series()]
    found += [of_short_histories(), *of_corpora(corpora, data)]
    if as_json:
        print_document({"calibration": [msgspec.to_builtins(one) for one in found]})
        return
    for one in found:
        print_calibration(console(), one)


def evaluations_document(evaluations: list[Evaluation]) -> dict[str, Any]:
    """Every corpus, and the totals of real and of made-up ones, which are never added up."""
    return {
        "corpora": [evaluation_document(one) for one in evaluations],
        "totals": {
            name: msgspec.to_builtins(total(evaluations, is_real=is_real)) for name, is_real in KINDS.items()
        },
        "explanations": msgspec.to_builtins(explanation_rates("corpora", _weighed(evaluations))),
    }


def _weighed(evaluations: list[Evaluation]) -> list[WeighedIncident]:
    return [incident for one in evaluations for incident in one.weighed]


def evaluation_document(evaluation: Evaluation) -> dict[str, Any]:
    """All figures, with the rates that follow from them."""
    rate, at_most = evaluation.false_confirmed_a_world_year
    document: dict[str, Any] = msgspec.to_builtins(evaluation)
    if evaluation.missing:
        return {key: document[key] for key in ("title", "is_real", "missing")}
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


KINDS = {"real": True, "made_up": False}
"""Name of the total -> are its corpora real?"""


def print_evaluation(console: Console, evaluations: list[Evaluation]) -> None:
    """For each corpus what happened next to what was found, then its rates with their exposure; totals at the end."""
    for evaluation in evaluations:
        size = f"  ({counted(evaluation.measurements, 'measurement')} or rows)"
        if evaluation.missing:
            size = f"  NOT JUDGED: {', '.join(map(printable, evaluation.missing))} missing"
        console.print(Text.assemble("\n", (printable(evaluation.title), "bold"), size))
        if not evaluation.missing:
            _print_corpus(console, evaluation)
    if weighed := _weighed(evaluations):
        print_explanations(console, explanation_rates("corpora", weighed))
    for name, is_real in KINDS.items():
        whole = total(evaluations, is_real=is_real)
        if whole.corpora or whole.missing:
            console.print(
                Text.assemble("\n", (f"{name.replace('_', '-')} cases", "bold"), "\n", _total(whole))
            )


def _print_corpus(console: Console, evaluation: Evaluation) -> None:
    if evaluation.events or evaluation.quiet_intervals:
        console.print(_label_table(evaluation))
    for event in evaluation.events:
        if truth := _truth(event):
            console.print(Text(f"  {printable(event.id)}: {truth}", "dim"))
        if event.networks:
            console.print(_network_table(event))
    if evaluation.losses:
        console.print(_loss_table(evaluation))
        console.print(_quiet_table(evaluation))
    if evaluation.plants:
        console.print(_plant_table(evaluation))
    if evaluation.worlds:
        console.print(_world_table(evaluation))
    if evaluation.sensitivity:
        console.print(_sensitivity_table(evaluation))
    console.print(Text(_rates(evaluation)))


def _label_table(evaluation: Evaluation) -> Table:
    """A row for each labelled event and each quiet interval."""
    columns = ("labelled", "found", "should be", "to confirm", "onset off", "end off", "left", "also")
    table = Table(*columns, box=None, padding=(0, 1))
    for event in evaluation.events:
        should = event.truth.status if event.status_right else f"{event.truth.status.upper()}, WRONG"
        table.add_row(
            Text(printable(event.id)),
            f"{event.found} as {counted(event.incidents, 'incident')}, {counted(event.intervals, 'interval')}",
            should,
            _minutes(event.minutes_to_confirm),
            _minutes(event.onset_error_minutes) + _bracket(event.onset_inside),
            "no end" if _lacks_end(event) else _minutes(event.end_error_minutes) + _bracket(event.end_inside),
            _left(event),
            _also(event),
        )
    for quiet in evaluation.quiet_intervals:
        table.add_row(*_quiet_cells(quiet, is_real=evaluation.is_real))
    return table


def _lacks_end(event: EventScore) -> bool:
    return event.found != "missed" and event.truth.end is not None and event.end_error_minutes is None


def _bracket(inside: bool | None) -> str:
    return {None: "", True: ", in its bracket", False: ", OUTSIDE ITS BRACKET"}[inside]


def _left(event: EventScore) -> str:
    """What was left of the baseline, and how far off that is."""
    if event.level is None:
        return "-"
    off = "" if event.level_error is None else f" ({100 * event.level_error:+.0f} points)"
    return f"{event.level:.0%}{off}{_bracket(event.level_inside)}"


def _also(event: EventScore) -> str:
    """What else is wrong: scope, targets, and networks that no label names."""
    wrong = [
        name
        for name, right in (("scope", event.scope_right), ("targets", event.subject_right))
        if right is False
    ]
    extra = [f"AS{asn}" for asn in event.extra_networks]
    said = [f"{' and '.join(wrong)} wrong"] if wrong else []
    return "; ".join([*said, *([f"not labelled: {', '.join(extra)}"] if extra else [])])


def _quiet_cells(quiet: QuietIntervalScore, *, is_real: bool) -> tuple[str, str, str]:
    where = ", ".join(f"AS{asn}" for asn in quiet.networks) or quiet.country
    label = f"{where} quiet, {quiet.since[:10]} to {quiet.until[:10]}"
    if not quiet.measured:
        return label, "NOT JUDGED: nothing measured", "nothing confirmed"
    found = f"{quiet.confirmed} confirmed, {quiet.suspected} suspected"
    is_known = quiet.source or not is_real  # a generator knows what it did
    should = "nothing confirmed" if is_known else "nothing confirmed (no truth known)"
    return label, found, f"{should.upper()}, WRONG" if quiet.confirmed else should


def _truth(event: EventScore) -> str:
    """What is known of an event, from whom, and what its measurements support."""
    truth = event.truth
    known = (("onset", truth.onset), ("end", truth.end), ("level", truth.level))
    by = [f"{name} {_known(one)}" for name, one in known if one is not None]
    parts = (
        truth.cut,
        f"Known: {'; '.join(by)}." if by else "",
        f"May be said: {truth.may_say}" if truth.may_say else "",
        f"Must not be said: {truth.must_not_say}" if truth.must_not_say else "",
    )
    return printable(" ".join(part for part in parts if part))


def _known(one: TrueTime | TrueLevel) -> str:
    bounds = (
        f"{one.low:.0%} to {one.high:.0%}"
        if isinstance(one, TrueLevel)
        else one.earliest
        if one.earliest == one.latest
        else f"{one.earliest} to {one.latest}"
    )
    by = ", ".join(part for part in (one.source.publisher, one.source.published) if part)
    return f"{bounds} ({by}{', from the data that are judged' if one.source.judged else ''})"


def _total(whole: Total) -> str:
    judged = f"judged {whole.corpora}" + (f", {whole.missing} NOT JUDGED" if whole.missing else "")
    if not whole.corpora:
        return judged
    return (
        f"{judged}\n"
        f"status right {whole.status_right} of {counted(whole.events, 'event')}; "
        f"onset in its bracket {whole.onsets_inside} of {whole.onsets}, "
        f"end {whole.ends_inside} of {whole.ends}, "
        f"level {whole.levels_inside} of {whole.levels}; "
        f"median distance of onset {_distance(whole.onset_error_minutes)}, end {_distance(whole.end_error_minutes)}\n"
        f"quiet {whole.quiet_right} of {counted(whole.quiet, 'interval')}; false: {whole.false_confirmed} confirmed, "
        f"{whole.false_suspected} suspected, on {whole.country_months:.2f} country-months"
    )


def _distance(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} min"


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
        away = map(_distance, times)
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


def _sensitivity_table(evaluation: Evaluation) -> Table:
    """``found`` should be at least the chance that is stated; of what is half as long, about as much as ``stated``."""
    columns = ("planted on", "measurements", "failing", "long", "times", "found", "half as long", "stated")
    table = Table(*columns, box=None, padding=(0, 2))
    for one in evaluation.sensitivity:
        size = (f"{one.measurements:,}", f"{one.depth:.0%}", f"{one.minutes / 60:.1f} h", str(one.times))
        table.add_row(
            f"AS{one.asn}", *size, *map(_share, (one.found, one.found_half_as_long, one.stated_half_as_long))
        )
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


def _suspended(rates: ExplanationRates) -> str:
    """How many of the events that happened are kept from being confirmed by the table of explanations."""
    share = f" ({rates.right_suspended / rates.right:.1%})" if rates.right else ""
    return (
        f"Of {counted(rates.right, 'incident')} of known events, explanations that hold keep "
        f"{rates.right_suspended}{share} from being confirmed; of {counted(rates.false, 'incident')} of no event, "
        f"{rates.false_suspended}."
    )


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


def print_prices(console: Console, rows: Iterable[PriceScore]) -> None:
    """One row per attack, price and number of honest people."""
    table = Table(
        "attack",
        "by",
        "lines",
        "networks",
        "hours",
        "names a line",
        "honest",
        "draws",
        "worked",
        "after (soonest)",
        "event changed",
        "published",
        box=None,
    )
    for one in rows:
        price = one.price
        paid = (price.lines, price.networks, f"{price.hours:g}", price.names, price.honest, one.counted)
        worked = f"{one.worked}, TOO CHEAP" if one.is_too_cheap else str(one.worked)
        after = "-" if one.hours is None else f"{one.hours:g} h ({one.soonest:g})"
        table.add_row(
            f"{price.attack} {price.country}".strip(),
            price.by,
            *map(str, paid),
            worked,
            after,
            str(one.changed),
            str(one.reported),
        )
    console.print(table)


def print_volunteers(
    console: Console, prices: Iterable[VolunteerPrice], speeds: Iterable[VolunteerSpeed]
) -> None:
    """What known volunteers cost a liar, and how soon they confirm what is true."""
    table = Table(
        *("lines", "networks", "names each", "days before", "hours", "draws", "worked", "suspicion"), box=None
    )
    for one in prices:
        paid = (one.lines, one.networks, one.names, one.days, f"{one.hours:g}")
        table.add_row(*map(str, (*paid, one.draws, one.worked, one.reported)))
    console.print(table)
    table = Table("volunteers", "networks", "draws", "minutes, known", "minutes, strangers", box=None)
    for row in speeds:
        minutes = ("-" if one is None else f"{one:g}" for one in (row.known, row.strangers))
        table.add_row(str(row.volunteers), str(row.networks), str(row.draws), *minutes)
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
