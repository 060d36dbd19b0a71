"""``fanous cost``: estimates what a disruption costs, as a range for each method."""

from typing import TYPE_CHECKING

import typer

from fanous.analysis.cost import WHOLE, Cost, Disruption, Phrase, Range
from fanous.cli.common import ask, country_code, language_given, print_document
from fanous.cli.options import LangOption, ReadOptions, argument, command, option
from fanous.model.claim import MOST_HOURS
from fanous.model.incident import Kind

if TYPE_CHECKING:
    from fanous.model.incident import Incident


class CostOptions(ReadOptions):
    """Options of ``fanous cost``."""

    where: str = argument(..., "A country, such as PK, or an incident's ID.", metavar="CC|ID")
    hours: float | None = option(None, "Duration of the disruption in hours.", min=0)
    targets: list[str] | None = option(
        None, "Blocked targets, such as x,youtube; default: the whole internet.", "--target", "--targets"
    )
    regions: list[str] | None = option(
        None, "Affected regions, such as PK-PB,PK-SD; default: the whole country.", "--region", "--regions"
    )
    affected: str | None = option(None, "Share of users affected, such as 0.3 or 0.2-0.4.")
    dependence: str | None = option(
        None, "Share of online activity that depends on the targets, such as 0.3 or 0.2-0.4."
    )
    lang: LangOption = "en"


@command
def cost(options: CostOptions) -> None:
    """Estimate what a disruption costs, by each published method: per hour, in total, and with every input.

    A country needs --hours.  An incident in the store already has a duration, a share of users and a kind.
    """
    from fanous.analysis.cost import cost_of
    from fanous.questions.incident import EstimateCost
    from fanous.refdata.economies import economy
    from fanous.wording.cost import cost_document, cost_lines
    from fanous.wording.headline import provenance_note
    from fanous.wording.names import target_wanted

    language = language_given(options.lang)
    incident: Incident | None = None
    if "-" in options.where:
        disruption, incident = ask(options, EstimateCost(options.where))
    else:
        if options.hours is None:
            raise typer.BadParameter("give the duration with --hours, or name an incident")
        if not 0 <= options.hours <= MOST_HOURS:
            raise typer.BadParameter(
                f"{options.hours:g} is not from 0 to ten years of hours", param_hint="--hours"
            )
        named = tuple(map(target_wanted, _listed(options.targets)))
        whom, note = _affected(country_code(options.where), _listed(options.regions), options.affected)
        stopped, why = _dependence(named, options.dependence)
        kind = Kind.BLOCKING if named else Kind.OUTAGE
        notes = tuple(filter(None, (*note, why)))
        disruption = Disruption(country_code(options.where), kind, options.hours, named, whom, stopped, notes)
    estimate: Cost = cost_of(disruption, economy(disruption.country))
    if options.as_json:
        about = {"incident": incident.id, "provenance": str(incident.provenance)} if incident else {}
        print_document(about | cost_document(estimate))
    else:
        if incident is not None and (staged := provenance_note(incident, language)):
            print(staged.text)
        print("\n".join(cost_lines(estimate, language)))


def _listed(given: list[str] | None) -> list[str]:
    return [one.strip() for text in given or () for one in text.split(",") if one.strip()]


def _affected(country: str, regions: list[str], share_given: str | None) -> tuple[Range, tuple[Phrase, ...]]:
    from fanous.analysis.cost import REGION_SHARE, REGION_UNKNOWN, USERS_GIVEN
    from fanous.refdata.economies import region_share

    if share_given is not None:
        return _share(share_given, "--affected"), (Phrase(USERS_GIVEN),)
    if not regions:
        return WHOLE, ()
    notes: list[Phrase] = []
    share = 0.0
    for region in dict.fromkeys(_region(country, name) for name in regions):
        figure = region_share(region)
        if figure is None:
            return Range(0.0, 1.0), (Phrase(REGION_UNKNOWN, {"region": region, "country": country}),)
        share += figure.value
        params: dict[str, str | float | Phrase] = {"region": region, "share": figure.value}
        notes.append(Phrase(REGION_SHARE, params | {"source": figure.source}))
    return Range(min(share, 1.0), min(share, 1.0)), tuple(notes)


def _region(country: str, name: str) -> str:
    """The code of a region, which may be given by its name."""
    from fanous.refdata.countries import near_regions, region_name, region_of

    region = region_of(country, name)
    if ":" not in region:
        return region
    near = [f"{code} ({region_name(code)})" for code in near_regions(country, name)]
    hint = (
        f"did you mean {' or '.join(near)}?" if near else "give its code (ISO 3166-2, such as PK-PB) or name"
    )
    raise typer.BadParameter(f"{name!r} is not a region of {country}: {hint}", param_hint="--region")


def _dependence(targets: tuple[str, ...], share_given: str | None) -> tuple[Range, Phrase | None]:
    from fanous.analysis.cost import DEPENDENCE_GIVEN, NO_DEPENDENCE, UNKNOWN_SHARE

    if share_given is not None:
        return _share(share_given, "--dependence"), Phrase(DEPENDENCE_GIVEN)
    return (UNKNOWN_SHARE, Phrase(NO_DEPENDENCE)) if targets else (WHOLE, None)


def _share(text: str, option: str) -> Range:
    first, dash, last = text.partition("-")
    try:
        low, high = float(first), float(last if dash else first)
    except ValueError:
        low, high = -1.0, -1.0
    if not 0 <= low <= high <= 1:
        raise typer.BadParameter(f"{text!r} is not a share such as 0.3 or 0.2-0.4", param_hint=option)
    return Range(low, high)
