"""``fanous claims``: record what others say about disruptions, and check it against the evidence."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fanous.cli.common import (
    ConfigOption,
    CountryArgument,
    JsonOption,
    OneCountry,
    StoreOption,
    act,
    ask,
    country_code,
    moment,
    network_number,
    tell,
)
from fanous.model.claim import Claim, Said
from fanous.model.incident import Scope
from fanous.model.instant import to_iso

if TYPE_CHECKING:
    from fanous.analysis.claims import Checked

claims_app = typer.Typer(
    help="Record what others say about disruptions, and check it against the evidence.", no_args_is_help=True
)

NONE = "no claims; record one with `fanous claims add`"


@claims_app.command("add")
def claims_add(
    country: CountryArgument,
    who: Annotated[str, typer.Option("--who", help="Who makes the claim.")],
    said: Annotated[Said, typer.Option("--what", help="What they say happened; normal: no disruption.")],
    since: Annotated[
        str,
        typer.Option(
            "--since", help="Start of the time the claim is about, in UTC unless it gives an offset."
        ),
    ],
    until: Annotated[str, typer.Option("--until", help="End of that time, exclusive.")],
    target: Annotated[
        list[str] | None,
        typer.Option("--target", help="Target the claim is about, such as x or bbc.com; may be repeated."),
    ] = None,
    network: Annotated[
        list[int] | None,
        typer.Option(
            "--network",
            parser=network_number,
            metavar="ASN",
            help="Network the claim is about; may be repeated.",
        ),
    ] = None,
    scope: Annotated[
        Scope | None, typer.Option("--scope", help="How widespread, according to the claim.")
    ] = None,
    began_before: Annotated[
        str | None, typer.Option("--began-before", help="They say it began before this time.")
    ] = None,
    hours: Annotated[
        float | None, typer.Option("--hours", min=0, help="How many hours they say it lasted.")
    ] = None,
    level: Annotated[
        float | None,
        typer.Option("--level", min=0, max=1, help="Share of normal connectivity they say was left, 0 to 1."),
    ] = None,
    link: Annotated[str, typer.Option("--link", help="URL where they said it.")] = "",
    quote: Annotated[str, typer.Option("--quote", help="The claim in their own words.")] = "",
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record a claim that someone made. Give only what they said."""
    from fanous.pipeline.actions import RecordClaim

    start, end = moment(since, "--since"), moment(until, "--until")
    if start is None or end is None or start >= end:
        raise typer.BadParameter("--since must be before --until")
    if not who.strip():
        raise typer.BadParameter("--who must not be empty: name who makes the claim")
    if link and not link.startswith(("https://", "http://")):
        raise typer.BadParameter(f"--link must be a URL such as https://example.org/statement, not {link!r}")
    moment(began_before, "--began-before")
    claim = RecordClaim(
        who=who.strip(),
        what=said,
        country=country_code(country),
        since=since,
        until=until,
        networks=tuple(network or ()),
        targets=tuple(target or ()),
        scope=scope,
        level=level,
        began_before=began_before or "",
        hours=hours,
        link=link,
        quote=quote,
    )
    recorded: Claim = act(store, config, claim, begins=True)
    tell(as_json, claim_document(recorded), [f"{recorded.id}: {_sentence(recorded)}"])


@claims_app.command("list")
def claims_list(
    country: OneCountry = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List all claims, ordered by the time they are about."""
    from fanous.questions.listings import ListClaims

    found = ask(store, config, ListClaims(country_code(country) if country else None))
    lines = (f"{claim.id}  {_sentence(claim)}" for claim in found)
    tell(as_json, {"claims": [claim_document(claim) for claim in found]}, lines, NONE)


@claims_app.command("check")
def claims_check(
    claim_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Check only this claim.")] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check claims against the evidence: supported, contradicted or undecidable, and why."""
    from fanous.questions.claims import CheckClaims

    checked = ask(store, config, CheckClaims(claim_id))
    documents = [claim_document(claim) | answer_document(found) for claim, found in checked]
    tell(as_json, {"claims": documents}, (line for one in checked for line in _answer_lines(*one)), NONE)


def _answer_lines(claim: Claim, found: "Checked") -> Iterator[str]:
    from fanous.wording.reasons import reasons_text
    from fanous.wording.words import STAGED

    if found.synthetic:
        yield STAGED
    yield f"{claim.id}  {str(found.answer).replace('_', ' ').upper():12}  {_sentence(claim)}"
    for point in found.points:
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
