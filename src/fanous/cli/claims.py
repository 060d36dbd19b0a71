"""``fanous claims``: record what others say about disruptions, and check it against the evidence."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from fanous.cli.common import act, ask, country_code, moment, network_number, tell
from fanous.cli.options import CountryArgument, OneCountry, ReadOptions, argument, command, option
from fanous.model.claim import Claim, Said
from fanous.model.incident import Scope
from fanous.model.instant import to_iso

if TYPE_CHECKING:
    from fanous.analysis.claims import Checked

claims_app = typer.Typer(
    help="Record what others say about disruptions, and check it against the evidence.", no_args_is_help=True
)

NONE = "no claims; record one with `fanous claims add`"


class ClaimsAddOptions(ReadOptions):
    """Options of ``fanous claims add``."""

    country: CountryArgument
    who: str = option(..., "Who makes the claim.")
    said: Said = option(..., "What they say happened; normal: no disruption.", "--what")
    since: str = option(..., "Start of the time the claim is about, in UTC unless it gives an offset.")
    until: str = option(..., "End of that time, exclusive.")
    target: list[str] | None = option(
        None, "Target the claim is about, such as x or bbc.com; may be repeated."
    )
    network: list[int] | None = option(
        None, "Network the claim is about; may be repeated.", parser=network_number, metavar="ASN"
    )
    scope: Scope | None = option(None, "How widespread, according to the claim.")
    began_before: str | None = option(None, "They say it began before this time.")
    hours: float | None = option(None, "How many hours they say it lasted.", min=0)
    level: float | None = option(
        None, "Share of normal connectivity they say was left, 0 to 1.", min=0, max=1
    )
    link: str = option("", "URL where they said it.")
    quote: str = option("", "The claim in their own words.")


@claims_app.command("add")
@command
def claims_add(options: ClaimsAddOptions) -> None:
    """Record a claim that someone made. Give only what they said."""
    from fanous.pipeline.actions import RecordClaim

    start, end = moment(options.since, "--since"), moment(options.until, "--until")
    if start is None or end is None or start >= end:
        raise typer.BadParameter("--since must be before --until")
    if not options.who.strip():
        raise typer.BadParameter("--who must not be empty: name who makes the claim")
    if options.link and not options.link.startswith(("https://", "http://")):
        raise typer.BadParameter(
            f"--link must be a URL such as https://example.org/statement, not {options.link!r}"
        )
    moment(options.began_before, "--began-before")
    claim = RecordClaim(
        who=options.who.strip(),
        what=options.said,
        country=country_code(options.country),
        since=options.since,
        until=options.until,
        networks=tuple(options.network or ()),
        targets=tuple(options.target or ()),
        scope=options.scope,
        level=options.level,
        began_before=options.began_before or "",
        hours=options.hours,
        link=options.link,
        quote=options.quote,
    )
    recorded: Claim = act(options, claim, begins=True)
    tell(options.as_json, claim_document(recorded), [f"{recorded.id}: {_sentence(recorded)}"])


class ClaimsListOptions(ReadOptions):
    """Options of ``fanous claims list``."""

    country: OneCountry = None


@claims_app.command("list")
@command
def claims_list(options: ClaimsListOptions) -> None:
    """List all claims, ordered by the time they are about."""
    from fanous.questions.listings import ListClaims

    claims = ask(options, ListClaims(country_code(options.country) if options.country else None))
    lines = (f"{claim.id}  {_sentence(claim)}" for claim in claims)
    tell(options.as_json, {"claims": [claim_document(claim) for claim in claims]}, lines, NONE)


class ClaimsCheckOptions(ReadOptions):
    """Options of ``fanous claims check``."""

    claim_id: str | None = argument(None, "Check only this claim.", metavar="[ID]")


@claims_app.command("check")
@command
def claims_check(options: ClaimsCheckOptions) -> None:
    """Check claims against the evidence: supported, contradicted or undecidable, and why."""
    from fanous.questions.claims import CheckClaims

    checked = ask(options, CheckClaims(options.claim_id))
    documents = [claim_document(claim) | answer_document(found) for claim, found in checked]
    tell(
        options.as_json,
        {"claims": documents},
        (line for claim in checked for line in _answer_lines(*claim)),
        NONE,
    )


def _answer_lines(claim: Claim, check: "Checked") -> Iterator[str]:
    from fanous.wording.reasons import reasons_text
    from fanous.wording.words import STAGED

    if check.synthetic:
        yield STAGED
    yield f"{claim.id}  {str(check.answer).replace('_', ' ').upper():12}  {_sentence(claim)}"
    for point in check.points:
        why = reasons_text(point.reasons)
        yield f"    {point.about:9} {str(point.answer).replace('_', ' '):12}  {why}"


def claim_document(claim: Claim) -> dict[str, Any]:
    """The claim as ``--json`` gives it."""
    return {
        "id": claim.id,
        "who": claim.who,
        "what": str(claim.said),
        "country": claim.country,
        "since": to_iso(claim.since),
        "until": to_iso(claim.until),
        "networks": list(claim.networks),
        "targets": list(claim.targets),
        "scope": claim.scope and str(claim.scope),
        "level": claim.level,
        "began_before": None if claim.began_before is None else to_iso(claim.began_before),
        "hours": claim.hours,
        "link": claim.link or None,
        "quote": claim.quote or None,
        "recorded_at": to_iso(claim.recorded_at),
    }


def answer_document(checked: "Checked") -> dict[str, Any]:
    from fanous.wording.reasons import why_document

    return {
        "synthetic": checked.synthetic,
        "answer": str(checked.answer),
        **why_document(checked.reasons),
        "incidents": list(checked.incidents),
        "points": [
            {"about": point.about, "answer": str(point.answer)} | why_document(point.reasons)
            for point in checked.points
        ],
    }


def _sentence(claim: Claim) -> str:
    """What was said, in one line."""
    parts = [f"{claim.who}: {claim.said} in {claim.country}"]
    parts += [f"of {', '.join(claim.targets)}"] if claim.targets else []
    parts += [f"on {', '.join(f'AS{asn}' for asn in claim.networks)}"] if claim.networks else []
    parts += [f"scope {claim.scope}"] if claim.scope else []
    parts += [f"beginning before {to_iso(claim.began_before)}"] if claim.began_before is not None else []
    parts += [f"for {claim.hours:g} h"] if claim.hours is not None else []
    parts += [f"at {claim.level:.0%} of the baseline"] if claim.level is not None else []
    return f"{' '.join(parts)} ({to_iso(claim.since)} to {to_iso(claim.until)})"
