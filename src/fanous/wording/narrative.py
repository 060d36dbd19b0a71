"""Narrative: an incident as a headline and as whole sentences, in one language.

English has the one sentence of ``wording.sentence``; other languages say the same in several short ones,
each translated as a whole.  Nothing is claimed here that the incident does not say: below nation scope a
number of networks stands, not the country, and a suspicion stays one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fanous.model.incident import Incident, Kind, Scope, Status
from fanous.model.place import asn_of
from fanous.model.provenance import Provenance
from fanous.refdata.countries import country_name
from fanous.wording.clocks import both_clocks
from fanous.wording.language import ENGLISH, Language
from fanous.wording.sentence import ONSET_SURE, SYNTHETIC, sentence
from fanous.wording.words import (
    NAMED,
    counts_users,
    in_country,
    mechanism_words,
    network_title,
    status_word,
    target_title,
)

ACROSS = {
    (Kind.BLOCKING, True): "{targets} blocked across {country}",
    (Kind.THROTTLING, True): "{targets} slowed down across {country}",
    (Kind.OUTAGE, True): "Internet access cut off across {country}",
    (Kind.SLOWDOWN, True): "Internet access slowed down across {country}",
    (None, True): "{targets} restricted across {country}",
    (Kind.BLOCKING, False): "{targets} may be blocked across {country}",
    (Kind.THROTTLING, False): "{targets} may be slowed down across {country}",
    (Kind.OUTAGE, False): "Internet access may be cut off across {country}",
    (Kind.SLOWDOWN, False): "Internet access may be slowed down across {country}",
    (None, False): "{targets} may be restricted across {country}",
}
"""(kind, sure) -> headline of nation scope; no kind = several kinds together."""

ON_SOME = {
    (Kind.BLOCKING, True): "{targets} blocked on {networks} in {country}",
    (Kind.THROTTLING, True): "{targets} slowed down on {networks} in {country}",
    (Kind.OUTAGE, True): "Internet access cut off on {networks} in {country}",
    (Kind.SLOWDOWN, True): "Internet access slowed down on {networks} in {country}",
    (None, True): "{targets} restricted on {networks} in {country}",
    (Kind.BLOCKING, False): "{targets} may be blocked on {networks} in {country}",
    (Kind.THROTTLING, False): "{targets} may be slowed down on {networks} in {country}",
    (Kind.OUTAGE, False): "Internet access may be cut off on {networks} in {country}",
    (Kind.SLOWDOWN, False): "Internet access may be slowed down on {networks} in {country}",
    (None, False): "{targets} may be restricted on {networks} in {country}",
}
"""The same below nation scope."""

IN_PARTS: dict[tuple[Kind | None, bool], str] = {
    (Kind.OUTAGE, True): "Internet access cut off in parts of {country}",
    (Kind.SLOWDOWN, True): "Internet access slowed down in parts of {country}",
    (Kind.OUTAGE, False): "Internet access may be cut off in parts of {country}",
    (Kind.SLOWDOWN, False): "Internet access may be slowed down in parts of {country}",
}
"""The same where levels of regions show it, and no network is named."""


@dataclass(frozen=True, slots=True)
class Narrative:
    """A sentence and the language it came out in."""

    text: str
    language: Language


ORIGIN = "Where the data come from"
IMPORTED = "It rests on files that were handed in; nothing says where they were before."


def provenance_note(incident: Incident, language: Language) -> Narrative | None:
    """What has to be said of what an incident is made of; ``None`` = nothing."""
    text = {Provenance.SYNTHETIC: SYNTHETIC, Provenance.IMPORTED: IMPORTED}.get(incident.provenance)
    if text is None:
        return None
    own = language if language.knows(text) else ENGLISH
    return Narrative(own.say(text, country=place(incident.country, own)), own)


def led(incident: Incident, text: str, language: Language) -> str:
    """A text about an incident, which begins by saying so if the incident was staged."""
    return f"[{language.say('Synthetic')}] {text}" if incident.provenance.is_synthetic else text


def headline(incident: Incident, names: Mapping[int, str], language: Language) -> Narrative:
    """At most two lines: what and where, after *Synthetic* or *Retracted* if it is."""
    claim = claimed(incident, names, language)
    return Narrative(f"{lead(incident, claim.language)}{claim.text}", claim.language)


def lead(incident: Incident, language: Language) -> str:
    """What a headline has to begin with, and a blank; usually empty."""
    taken_back = f"{language.say('Retracted')}: " if incident.status is Status.RETRACTED else ""
    return led(incident, taken_back, language)


def claimed(incident: Incident, names: Mapping[int, str], language: Language) -> Narrative:
    """What is, or once was, claimed: a headline without its lead."""
    kinds = {part.kind for part in incident.parts} or {incident.kind}
    kind = next(iter(kinds)) if len(kinds) == 1 else None
    sure = incident.confirmed_at is not None
    text = _headlines(incident)[kind, sure]
    language = language if language.knows(text) else ENGLISH
    return Narrative(
        language.say(
            text,
            targets=target_names(incident, language),
            country=place(incident.country, language),
            networks=networks_named(incident, names, language),
        ),
        language,
    )


def _headlines(incident: Incident) -> Mapping[tuple[Kind | None, bool], str]:
    """The table that says where."""
    if incident.scope is Scope.NATION:
        return ACROSS
    places = [place for place in incident.entities if place != incident.country]
    regions_alone = bool(places) and not any(map(asn_of, places))
    return ON_SOME | IN_PARTS if regions_alone else ON_SOME


def claim_line(
    incident: Incident, names: Mapping[int, str], language: Language, before: str = ""
) -> Narrative:
    """The headline with its status before it: for whatever leaves the pages and may be read alone.

    Args:
        before: a word that stands before the status, such as ``Correction``.
    """
    said = _stated(incident, names, language)
    corrected = f"{said.language.say(before)}: {said.text}" if before else said.text
    return Narrative(led(incident, corrected, said.language), said.language)


def _stated(incident: Incident, names: Mapping[int, str], language: Language) -> Narrative:
    claim = claimed(incident, names, language)
    own = claim.language if claim.language.knows(CLAIM) else ENGLISH
    return Narrative(own.say(CLAIM, status=own.say(status_word(incident)), claim=claim.text), own)


def sentences(incident: Incident, names: Mapping[int, str], language: Language) -> list[Narrative]:
    """The claim, hedged as its status demands; in order."""
    first = _stated(incident, names, language)
    if language.code == "en" or first.language is not language:
        return [Narrative(sentence(incident, names), ENGLISH)]
    note = provenance_note(incident, language) if incident.provenance.is_synthetic else None
    return [*([note] if note else []), first, *_rest(incident, language)]


def _rest(incident: Incident, language: Language) -> list[Narrative]:
    told = []
    for text, values in (_when(incident, language), _how(incident, language), _users(incident, language)):
        if text:
            own = language if language.knows(text) else ENGLISH
            told.append(Narrative(own.say(text, **values), own))
    return told


WHEN = {
    ("before", False): "Already under way at {onset}, when our data begin; no end has been seen.",
    ("before", True): "Already under way at {onset}, when our data begin; it ended about {end}.",
    ("between", False): "It began between {earliest} and {latest}; no end has been seen.",
    ("between", True): "It began between {earliest} and {latest}, and ended about {end}.",
    ("about", False): "Since about {onset}; no end has been seen.",
    ("about", True): "From about {onset} to about {end}.",
}
"""(how well the onset is known, has it ended) -> sentence."""

CLAIM = "{status}: {claim}."
HOW = "Seen as: {methods}."
USERS = "An estimated {mean} of users were affected ({low} to {high})."
NETWORKS = "An estimated {mean} of networks were affected ({low} to {high}); no user figures are known."

Clause = tuple[str, dict[str, str]]
"""A text of the catalogues, and what fills its places; empty = nothing to say."""


def _when(incident: Incident, language: Language) -> Clause:
    at = {
        "onset": both_clocks(incident.onset, incident.country, language),
        "latest": both_clocks(incident.onset_latest, incident.country, language),
    }
    earliest, end = incident.onset_earliest, incident.end
    if end is not None:
        at["end"] = both_clocks(end, incident.country, language)
    if earliest is None:
        return WHEN["before", end is not None], at
    if incident.onset_latest - earliest > ONSET_SURE:
        at["earliest"] = both_clocks(earliest, incident.country, language)
        return WHEN["between", end is not None], at
    return WHEN["about", end is not None], at


def roughly_when(incident: Incident, language: Language) -> Narrative:
    """From when to when in one line, for the foot of a picture; how sure it is stands on the page."""
    known = "before" if incident.onset_earliest is None else "about"
    text = WHEN[known, incident.end is not None]
    own = language if language.knows(text) else ENGLISH
    return Narrative(own.say(text, **_when(incident, own)[1]), own)


def _how(incident: Incident, language: Language) -> Clause:
    words = methods(incident, language)
    return (HOW, {"methods": joined(words, language)}) if words else ("", {})


def methods(incident: Incident, language: Language) -> list[str]:
    """Mechanisms in words, each once; the speed stands beside what was slowed."""
    said = []
    for mechanism in incident.mechanisms:
        words = language.say(mechanism_words(mechanism))
        if incident.kbps is not None and "throttle" in mechanism:
            words = language.say(
                "{method} (about {kbps} kbit/s)", method=words, kbps=language.number(incident.kbps.mean)
            )
        said.append(words)
    return list(dict.fromkeys(said))


def _users(incident: Incident, language: Language) -> Clause:
    users = incident.users
    if users is None or incident.scope is not Scope.NATION:
        return "", {}
    figures = {name: language.percent(getattr(users, name)) for name in ("mean", "low", "high")}
    return (USERS if counts_users(incident.country) else NETWORKS), figures


def target_names(incident: Incident, language: Language) -> str:
    titles = [target_title(target) for target in incident.targets if target]
    return joined(titles, language) or language.say("Internet access")


def networks_named(incident: Incident, names: Mapping[int, str], language: Language) -> str:
    """One network by its name, more than one by their number."""
    asns = [asn_of(place) for place in incident.entities if asn_of(place)]
    if len(asns) == 1:
        return network_title(asns[0], names) or f"AS{asns[0]}"
    if not asns:
        return language.say("some networks")
    return language.count("{n} network", "{n} networks", len(asns))


def place(country: str, language: Language) -> str:
    """The country inside a sentence: English needs an article before some names."""
    if language.code == "en":
        return in_country(country).removeprefix("in ")
    return country_name(country, language.code)


def joined(names: list[str], language: Language) -> str:
    """``a, b and c`` as the language writes lists; beyond ``NAMED`` the rest is counted."""
    from babel.lists import format_list

    names = [language.apart(name) for name in names]
    if len(names) > NAMED:
        rest = len(names) - NAMED + 1
        names = [*names[: NAMED - 1], language.count("{n} more", "{n} more", rest)]
    if language.code == "en" and names:
        return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return format_list(names, locale=language.locale)


def is_open(incident: Incident) -> bool:
    """Does it go on, as far as anybody has seen?"""
    return incident.status in (Status.SUSPECTED, Status.CONFIRMED)
