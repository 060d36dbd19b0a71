"""Scorecard: what Fanous concluded of labelled events next to what is known of them, as tables and as a document."""

from statistics import median
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from fanous.base.text import printable
from fanous.model.score import (
    Evaluation,
    EventScore,
    QuietIntervalScore,
    Total,
    TrueLevel,
    TrueTime,
    WeighedIncident,
    explanation_rates,
    total,
)
from fanous.wording.words import counted
from fanous_lab.evaluation.tables import distance, minutes, print_explanations, share, table


def evaluations_document(evaluations: list[Evaluation]) -> dict[str, Any]:
    """Every corpus, and the totals of real and of made-up ones, which are never added up."""
    return {
        "corpora": [evaluation_document(evaluation) for evaluation in evaluations],
        "totals": {
            name: msgspec.to_builtins(total(evaluations, is_real=is_real)) for name, is_real in KINDS.items()
        },
        "explanations": msgspec.to_builtins(explanation_rates("corpora", _weighed(evaluations))),
    }


def _weighed(evaluations: list[Evaluation]) -> list[WeighedIncident]:
    return [incident for evaluation in evaluations for incident in evaluation.weighed]


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
        labelled = [_event_cells(event) for event in evaluation.events]
        labelled += [_quiet_cells(quiet, is_real=evaluation.is_real) for quiet in evaluation.quiet_intervals]
        columns = "labelled | found | should be | to confirm | onset off | end off | left | also"
        console.print(table(columns, labelled))
    for event in evaluation.events:
        if truth := _truth(event):
            console.print(Text(f"  {printable(event.id)}: {truth}", "dim"))
        if event.networks:
            networks = (
                (
                    f"AS{network.asn}",
                    network.found,
                    "not measured" if network.overlap is None else f"{network.overlap:.2f}",
                    minutes(network.onset_error_minutes),
                )
                for network in event.networks
            )
            console.print(table("network | found | interval overlap | onset off", networks, gap=2))
    if evaluation.losses:
        # Recall and IODA's rule use only the first signal; onset and depth refer to the incidents found.
        losses = (
            (
                " + ".join(loss.signals),
                f"{loss.loss:.0%}",
                f"{loss.hours:g}",
                *map(share, (loss.recall, loss.peer_recall, loss.found, loss.confirmed, loss.onset_within)),
                "-" if loss.depth_error is None else f"{loss.depth_error:.0%}",
                distance(loss.minutes),
            )
            for loss in evaluation.losses
        )
        columns = "lost at once | loss | hours | recall | IODA's rule | incident | confirmed | onset in a bin"
        console.print(table(f"{columns} | depth off | to raise", losses, gap=2))
        untouched = (
            (
                quiet.signal,
                f"{quiet.months:.2f}",
                quiet.raised,
                "-" if quiet.peer_raised is None else quiet.peer_raised,
            )
            for quiet in evaluation.quiet
        )
        console.print(table("raised untouched | months | here | by IODA's rule", untouched, gap=2))
    if evaluation.plants:
        # Hit: measurements that met the block, the median; onset and end: median distance.
        plants = (
            (
                *(plant.by, plant.value, plant.times, f"{plant.hit:.0f}"),
                *map(share, (plant.found, plant.confirmed, plant.networks)),
                *(plant.extra_networks, share(plant.incidents)),
                *map(distance, (plant.onset_minutes, plant.end_minutes, plant.minutes_to_confirm)),
            )
            for plant in evaluation.plants
        )
        columns = "planted |  | times | hit | found | confirmed | networks | extra | incidents | onset | end"
        console.print(table(f"{columns} | to confirm", plants))
    if evaluation.worlds:
        # The last three columns: incidents in countries that block nothing.
        worlds = (
            (
                *(
                    world.happening,
                    f"{world.hours:g}",
                    world.times,
                    share(world.found),
                    share(world.confirmed),
                ),
                *(world.false_confirmed, world.false_suspected, world.retracted),
            )
            for world in evaluation.worlds
        )
        columns = "what happens | hours | times | blocks found | confirmed | false confirmed | suspected | retracted"
        console.print(table(columns, worlds))
    if evaluation.sensitivity:
        # Found should be at least the chance that is stated; of what is half as long, about as much as is stated.
        planted = (
            (
                *(
                    f"AS{planted.asn}",
                    f"{planted.measurements:,}",
                    f"{planted.depth:.0%}",
                    f"{planted.minutes / 60:.1f} h",
                ),
                *(
                    planted.times,
                    *map(share, (planted.found, planted.found_half_as_long, planted.stated_half_as_long)),
                ),
            )
            for planted in evaluation.sensitivity
        )
        columns = "planted on | measurements | failing | long | times | found | half as long | stated"
        console.print(table(columns, planted, gap=2))
    console.print(Text(_rates(evaluation)))


def _event_cells(event: EventScore) -> tuple[object, ...]:
    lacks_end = event.found != "missed" and event.truth.end is not None and event.end_error_minutes is None
    return (
        Text(printable(event.id)),
        f"{event.found} as {counted(event.incidents, 'incident')}, {counted(event.intervals, 'interval')}",
        event.truth.status if event.status_right else f"{event.truth.status.upper()}, WRONG",
        minutes(event.minutes_to_confirm),
        minutes(event.onset_error_minutes) + _bracket(event.onset_inside),
        "no end" if lacks_end else minutes(event.end_error_minutes) + _bracket(event.end_inside),
        _left(event),
        _also(event),
    )


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
    by = [f"{name} {_known(truth)}" for name, truth in known if truth is not None]
    parts = (
        truth.cut,
        f"Known: {'; '.join(by)}." if by else "",
        f"May be said: {truth.may_say}" if truth.may_say else "",
        f"Must not be said: {truth.must_not_say}" if truth.must_not_say else "",
    )
    return printable(" ".join(part for part in parts if part))


def _known(truth: TrueTime | TrueLevel) -> str:
    bounds = (
        f"{truth.low:.0%} to {truth.high:.0%}"
        if isinstance(truth, TrueLevel)
        else truth.earliest
        if truth.earliest == truth.latest
        else f"{truth.earliest} to {truth.latest}"
    )
    by = ", ".join(part for part in (truth.source.publisher, truth.source.published) if part)
    return f"{bounds} ({by}{', from the data that are judged' if truth.source.judged else ''})"


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
        f"median distance of onset {distance(whole.onset_error_minutes)}, end {distance(whole.end_error_minutes)}\n"
        f"quiet {whole.quiet_right} of {counted(whole.quiet, 'interval')}; false: {whole.false_confirmed} confirmed, "
        f"{whole.false_suspected} suspected, on {whole.country_months:.2f} country-months"
    )


def _rates(evaluation: Evaluation) -> str:
    rate, at_most = evaluation.false_confirmed_a_world_year
    to_confirm = _median([event.minutes_to_confirm for event in evaluation.events])
    suspected = evaluation.false_suspected_a_country_month
    return (
        f"recall {share(evaluation.recall)} (found at all: {share(evaluation.found)}), "
        f"precision {share(evaluation.precision)}; median to confirm {minutes(to_confirm)}\n"
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
