"""Brief: a claim with less and less detail, for a post or a text message; its status always stays."""

from collections.abc import Mapping

from fanous.model.incident import Incident, Kind, Scope
from fanous.refdata.countries import country_name
from fanous.wording.language import Language
from fanous.wording.narrative import claim_line, networks_named, target_names
from fanous.wording.words import status_word

STATES = {
    Kind.OUTAGE: "Offline",
    Kind.BLOCKING: "Blocked",
    Kind.THROTTLING: "Slowed",
    Kind.SLOWDOWN: "Slowed",
}


def shorter(incident: Incident, names: Mapping[int, str], language: Language) -> tuple[str, ...]:
    """The claim, and what is left where there is no room: words of the glossary, then where to look."""
    claim = claim_line(incident, names, language).text
    status = language.say(status_word(incident))
    place = country_name(incident.country, language.code)
    where = f"{status}: {place}, {incident.id}"
    kinds = {part.kind for part in incident.parts} or {incident.kind}
    if len(kinds) > 1:
        return claim, where
    what = language.say(STATES[next(iter(kinds))])
    targets = target_names(incident, language)
    if incident.scope is not Scope.NATION:
        place = f"{networks_named(incident, names, language)}, {place}"
    return claim, f"{status}: {targets} - {what}, {place}", where
