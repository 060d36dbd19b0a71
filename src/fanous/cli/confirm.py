"""``fanous confirm`` and ``fanous signals``: disruptions in a country, and each source's latest value."""

import time
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

from fanous.cli.common import ask, console, country_code, moment, print_document, say
from fanous.cli.options import (
    CountryArgument,
    ReadOptions,
    SinceOption,
    UntilOption,
    WhyOption,
    command,
    option,
)
from fanous.model.instant import to_iso

if TYPE_CHECKING:
    from fanous.questions.country import CountryAnswer

FOUND = 3
"""Exit code if ``--fail-on`` finds what it names: 1 and 2 already mean errors."""


class FailOn(StrEnum):
    """The status from which a disruption counts as a failure; ``suspected`` includes confirmed."""

    CONFIRMED = "confirmed"
    SUSPECTED = "suspected"


class ConfirmOptions(ReadOptions):
    """Options of ``fanous confirm``."""

    country: CountryArgument
    target: list[str] | None = option(
        None, "Only this target, such as x, Twitter or bbc.com; may be repeated."
    )
    since: SinceOption = None
    until: UntilOption = None
    fail_on: FailOn | None = option(
        None, "For scripts: exit with code 3 if a disruption was confirmed in this time, or suspected."
    )
    why: WhyOption = False
    sensitivity: bool = option(
        False,
        "Also say how long an event on each network had to last to be found, with what was measured there.",
    )


@command
def confirm(options: ConfirmOptions) -> None:
    """Show what is disrupted in a country: on which networks, how, from when to when, and how certain it is.

    This only reads the store: bring measurements in first with `fanous ingest`.

    With --fail-on, disruptions that have ended count too: choose the time with --since.
    """
    from fanous.questions.country import ConfirmCountry

    code, targets = country_code(options.country), _targets(options.target)
    start, end = moment(options.since, "--since"), moment(options.until, "--until")
    if start is not None and end is not None and start >= end:
        raise typer.BadParameter("--since must be before --until")
    answer = ask(options, ConfirmCountry(code, targets, start, end, options.sensitivity))
    if options.as_json:
        from fanous.publish.document import (
            incident_document,
            known_document,
            networks_document,
            sensitivity_document,
        )
        from fanous.wording.reasons import why_document

        print_document(
            {
                "country": answer.country,
                "since": to_iso(answer.since),
                "until": to_iso(answer.until),
                "incidents": [
                    incident_document(incident)
                    | networks_document(incident)
                    | known_document(answer.known_until.get(incident.id))
                    for incident in answer.incidents
                ],
                "insufficient": [
                    {"target": name} | why_document([reason]) for name, reason in answer.insufficient
                ],
                "measured": asdict(answer.within) | {"hours": answer.hours},
            }
            | sensitivity_document(answer.sensitivity)
        )
    else:
        from fanous.cli.answer import print_answer

        print_answer(console(), answer, why=options.why)
    if options.fail_on is not None and _has(answer, options.fail_on):
        raise typer.Exit(FOUND)


def _targets(names: list[str] | None) -> tuple[str, ...]:
    if not names:
        return ()
    from fanous.wording.names import target_wanted  # it knows names in six languages, which take time to load

    return tuple(map(target_wanted, names))


def _has(answer: "CountryAnswer", fail_on: FailOn) -> bool:
    """Is there such a disruption, ongoing or ended?  Retracted ones do not count."""
    from fanous.model.incident import Status

    standing = [incident for incident in answer.incidents if incident.status is not Status.RETRACTED]
    return any(fail_on is FailOn.SUSPECTED or incident.confirmed_at is not None for incident in standing)


class SignalsOptions(ReadOptions):
    """Options of ``fanous signals``."""

    country: CountryArgument
    at: str | None = option(None, "Show the state at this date or time; default: now.")


@command
def signals(options: SignalsOptions) -> None:
    """Show each source's signals for a country: latest value in % of its baseline, with age and licence.

    This only reads the store: bring series in first with `fanous pull` or `fanous ingest`.
    """
    from fanous.charts.connectivity import connectivity_document, print_connectivity
    from fanous.questions.series import ReadSignals
    from fanous.wording.words import STAGED

    code, then = country_code(options.country), moment(options.at, "--at")
    now = time.time() if then is None else then
    found = ask(options, ReadSignals(code, now))
    levels, staged = found.series, found.synthetic
    if options.as_json:
        print_document(connectivity_document(code, levels, now) | {"synthetic": staged})
    else:
        if staged:
            say(STAGED)
        print_connectivity(console(), code, levels, now)
