"""``fanous evaluate``: how often Fanous is right where the truth is known, as tables or JSON."""

import os
from pathlib import Path

import msgspec
import typer

from fanous.base.text import printable
from fanous.cli.common import console, print_document
from fanous.cli.options import JsonOptions, argument, command, option
from fanous.errors import FanousError


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
        _calibration(options)
    elif options.adversary:
        _adversary(options)
    elif options.slowdowns:
        from fanous_lab.evaluation.slowdowns import slowdown_scores
        from fanous_lab.evaluation.tables import print_slowdowns, slowdown_document

        if options.as_json:
            print_document({"slowdowns": [slowdown_document(score) for score in slowdown_scores()]})
        else:
            print_slowdowns(console(), slowdown_scores())
    elif options.rounds:
        from fanous_lab.evaluation.rounds import rounds_scores
        from fanous_lab.evaluation.tables import print_rounds

        if options.as_json:
            print_document({"rounds": msgspec.to_builtins(list(rounds_scores()))})
        else:
            print_rounds(console(), rounds_scores())
    elif options.explanations:
        _explanations(options)
    elif options.corpus:
        _corpora(options, options.corpus)
    else:
        raise typer.BadParameter(
            "name at least one corpus folder, or pass --adversary, --calibration, --explanations, --slowdowns or "
            "--rounds",
            param_hint="CORPUS...",
        )


def _corpora(options: EvaluateOptions, folders: list[Path]) -> None:
    from fanous_lab.evaluation.corpus import how_to_give
    from fanous_lab.evaluation.evaluate import evaluate_corpora
    from fanous_lab.evaluation.scorecard import evaluations_document, print_evaluation

    evaluations = evaluate_corpora(folders, options.data)
    if options.as_json:
        print_document(evaluations_document(evaluations))
    else:
        print_evaluation(console(), evaluations)
    if names := sorted({name for evaluation in evaluations for name in evaluation.missing}):
        raise FanousError(
            f"not everything was judged, for want of {', '.join(names)}; {how_to_give(options.data)}"
        )


def _adversary(options: EvaluateOptions) -> None:
    from fanous_lab.evaluation import tables
    from fanous_lab.evaluation.adversary import attacks, fifths, spared
    from fanous_lab.evaluation.prices import price_rows, prices
    from fanous_lab.evaluation.volunteers import volunteer_prices, volunteer_speeds

    only, attack_names = options.attack or [], {row.price.attack for row in price_rows()}
    if unknown := sorted({*only} - attack_names):
        raise typer.BadParameter(
            f"{', '.join(map(printable, unknown))}: known are {', '.join(sorted(attack_names))}",
            param_hint="--attack",
        )
    scores = list(prices(options.draws, options.draws_file, only, len(os.sched_getaffinity(0))))
    if options.as_json:
        document: dict[str, object] = {"prices": msgspec.to_builtins(scores)}
        if not only:
            document |= {
                "attacks": [tables.attack_document(attack) for attack in attacks()],
                "fifths": [tables.fifth_document(fifth) for fifth in fifths()],
                "spared": msgspec.to_builtins(list(spared())),
                "volunteer_prices": msgspec.to_builtins(list(volunteer_prices())),
                "volunteer_speeds": msgspec.to_builtins(list(volunteer_speeds())),
            }
        print_document(document)
    else:
        tables.print_prices(console(), scores)
        if not only:
            tables.print_attacks(console(), attacks())
            tables.print_fifths(console(), fifths())
            tables.print_spared(console(), spared())
            tables.print_volunteers(console(), volunteer_prices(), volunteer_speeds())
    if cheap := sorted({score.price.attack for score in scores if score.is_too_cheap}):
        raise FanousError(f"one line, or one publisher, is enough: {', '.join(cheap)}")


def _explanations(options: EvaluateOptions) -> None:
    from fanous_lab.evaluation.explanations import rates
    from fanous_lab.evaluation.tables import print_explanations, print_together

    records = options.truth_table and options.truth_table.with_suffix(".xz")
    if records and not records.exists():
        raise FanousError(
            f"{printable(str(records))} is missing: `make lab` writes it next to the truth table"
        )
    measured = list(rates(options.corpus or [], options.data, records))
    if options.as_json:
        print_document({"explanations": msgspec.to_builtins(measured)})
        return
    for kind in measured:
        print_explanations(console(), kind)
    print_together(console(), measured)


def _calibration(options: EvaluateOptions) -> None:
    from fanous_lab.evaluation.calibration import (
        FAULTS,
        of_corpora,
        of_lab,
        of_series,
        of_short_histories,
        of_weeks,
    )
    from fanous_lab.evaluation.tables import print_calibration

    weeks = [week for faults in FAULTS for week in of_weeks(faults)]
    measured = [*([of_lab(options.truth_table)] if options.truth_table else []), *weeks, of_series()]
    measured += [of_short_histories(), *of_corpora(options.corpus or [], options.data)]
    if options.as_json:
        print_document({"calibration": msgspec.to_builtins(measured)})
        return
    for calibration in measured:
        print_calibration(console(), calibration)
