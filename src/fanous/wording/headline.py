"""Headline: what happened where, in one line, after any necessary warning and who alone reports it.

Below nation scope it gives a number of networks, not the country, and a suspicion stays a suspicion.  Staged or
retracted incidents say so first.  ``nth_sentence`` says how often it happened: "Seventh restriction of X (Twitter)
in Pakistan since 2022."
"""

from collections.abc import Mapping, Sequence

from fanous.model.incident import Basis, Incident, Kind, Part, RolePart, Scope, Status
from fanous.model.instant import HOUR
from fanous.model.measurement import WAYS_IN, Provenance, Role
from fanous.model.place import Access, asn_of
from fanous.refdata.countries import country_name
from fanous.refdata.networks import network_title
from fanous.wording.language import ENGLISH, ISOLATES, Language, Sentence
from fanous.wording.reasons import deliverer_title, listing
from fanous.wording.words import (
    NAMED,
    capitalised,
    in_country,
    named_title,
    percent,
    role_word,
    status_word,
    target_title,
)

ACROSS = {
    (Kind.BLOCKING, True): "{targets} blocked across {country}",
    (Kind.THROTTLING, True): "{targets} slowed down across {country}",
    (Kind.OUTAGE, True): "Internet access cut off across {country}",
    (Kind.SLOWDOWN, True): "Internet access slowed down across {country}",
    (None, True): "{targets} restricted across {country}",
    (Kind.BLOCKING, False): "{targets} may have been blocked across {country}",
    (Kind.THROTTLING, False): "{targets} may have been slowed down across {country}",
    (Kind.OUTAGE, False): "Internet access may have been cut off across {country}",
    (Kind.SLOWDOWN, False): "Internet access may have been slowed down across {country}",
    (None, False): "{targets} may have been restricted across {country}",
}
"""(kind, sure) -> headline of nation scope; no kind = several kinds together."""

ON_SOME = {
    (Kind.BLOCKING, True): "{targets} blocked on {networks} in {country}",
    (Kind.THROTTLING, True): "{targets} slowed down on {networks} in {country}",
    (Kind.OUTAGE, True): "Internet access cut off on {networks} in {country}",
    (Kind.SLOWDOWN, True): "Internet access slowed down on {networks} in {country}",
    (None, True): "{targets} restricted on {networks} in {country}",
    (Kind.BLOCKING, False): "{targets} may have been blocked on {networks} in {country}",
    (Kind.THROTTLING, False): "{targets} may have been slowed down on {networks} in {country}",
    (Kind.OUTAGE, False): "Internet access may have been cut off on {networks} in {country}",
    (Kind.SLOWDOWN, False): "Internet access may have been slowed down on {networks} in {country}",
    (None, False): "{targets} may have been restricted on {networks} in {country}",
}
"""Headlines below nation scope."""

IN_PARTS: dict[tuple[Kind | None, bool], str] = {
    (Kind.OUTAGE, True): "Internet access cut off in parts of {country}",
    (Kind.SLOWDOWN, True): "Internet access slowed down in parts of {country}",
    (Kind.OUTAGE, False): "Internet access may have been cut off in parts of {country}",
    (Kind.SLOWDOWN, False): "Internet access may have been slowed down in parts of {country}",
}
"""Headlines if regions' levels show it, and no network is named."""

IN_COUNTRY_ALONE: dict[tuple[Kind | None, bool], str] = {
    (Kind.OUTAGE, True): "Internet connectivity fell in {country}",
    (Kind.SLOWDOWN, True): "Internet access slowed down in {country}",
    (Kind.OUTAGE, False): "Internet connectivity may have fallen in {country}",
    (Kind.SLOWDOWN, False): "Internet access may have been slowed down in {country}",
}
"""The same where series of the country show a loss of a part of it, and it is not known in which places."""

PARTLY: dict[tuple[Kind | None, bool], str] = {
    (Kind.OUTAGE, True): "Internet down to about {level} of normal {where}",
    (Kind.OUTAGE, False): "Internet may have fallen to about {level} of normal {where}",
}
"""The same of an outage, wherever it is, that leaves ``CUT_OFF`` of the usual level or more: a line that carries so
much is not cut off."""

CUT_OFF = 0.25

WHERE = {
    Access.ANY: "across {country}",
    Access.MOBILE: "on mobile networks across {country}",
    Access.FIXED: "on fixed lines across {country}",
}
ON_NETWORKS, IN_REGIONS, IN_COUNTRY = "on {networks} in {country}", "in parts of {country}", "in {country}"

RESTORED: dict[tuple[Kind | None, bool], str] = {
    (Kind.OUTAGE, True): "Internet back to about {level} of normal {where}",
    (Kind.OUTAGE, False): "Internet may be back to about {level} of normal {where}",
}
"""Headlines of an outage that continues at ``RESTORED_FROM`` of the usual level or more, after it was lower by at least
``RESTORED_BY``.  Usage must stay back for a day before the outage is over, so the level may be nearly all."""

RESTORED_FROM = 0.5
"""Share of the usual level from which an outage would no longer be nation-wide, as in the thresholds of
incidents."""

RESTORED_BY = 0.1
"""As for the steps of an event (``analysis.series.depth.STAGE_CHANGE``)."""

TRAFFIC: dict[tuple[Kind | None, bool], str] = {
    (Kind.OUTAGE, True): "Traffic to {targets} fell in {country}",
    (Kind.OUTAGE, False): "Traffic to {targets} may have fallen in {country}",
}
"""Headlines if a platform's traffic fell and nothing shows how: this says nothing about the country's internet."""


HEADLINE = 96
"""Most characters of a headline.  A longer one names fewer targets, then no network; then a long name is cut short, and
finally the country is named by its code."""

SYNTHETIC = "Synthetic: a staged event. It says nothing about {country}."
ORIGIN = "Where the data come from"
IMPORTED = (
    "It is based on files that were imported, and dated by their sender; where they came from is not known."
)
UNVOUCHED = "It rests on measurements that strangers sent; no one vouches for them."
NOTES = {Provenance.IMPORTED: IMPORTED, Provenance.UNVOUCHED: UNVOUCHED, Provenance.SYNTHETIC: SYNTHETIC}


def provenance_note(incident: Incident, language: Language) -> Sentence | None:
    """The necessary note about an incident's provenance; ``None`` = none."""
    text = NOTES.get(incident.provenance)
    if text is None:
        return None
    return language.sentence(text, country=place(incident.country, language))


REPORTED = {
    Basis.VOLUNTEERS: "Reported by volunteers' measurements",
    Basis.ONE_PUBLISHER: "Reported by {deliverers}",
}
"""What a suspicion begins with that rests on one side alone."""


def reported(incident: Incident, language: Language) -> str:
    """Who alone reports a suspicion; empty = no single side does, or it is confirmed or retracted."""
    text = REPORTED.get(incident.basis) if incident.basis else None
    if text is None or incident.confirmed_at is not None or incident.status is Status.RETRACTED:
        return ""
    deliverers = [deliverer_title(one, language) for one in incident.reported_by]
    return language.say(text, deliverers=listing(deliverers, language))


def provenance_mark(incident: Incident, language: Language) -> str:
    """The word that a picture has about it; empty = none."""
    if incident.provenance is Provenance.UNVOUCHED:
        return language.say("Unvouched")
    return language.say("Synthetic") if incident.provenance.is_synthetic else ""


def synthetic(incident: Incident) -> str:
    """The beginning of every English account of a staged event."""
    return ENGLISH.say(SYNTHETIC, country=place(incident.country, ENGLISH))


def led(incident: Incident, text: str, language: Language) -> str:
    """A text about an incident; if the incident was staged, it says so first."""
    return f"[{language.say('Synthetic')}] {text}" if incident.provenance.is_synthetic else text


def headline(incident: Incident, names: Mapping[int, str], language: Language) -> Sentence:
    """What and where in at most ``HEADLINE`` characters, after *Synthetic* or *Retracted* if it is."""
    before = lead(incident, language)
    claim = claimed(incident, names, language, HEADLINE - _room(before))
    return Sentence(f"{before}{claim.text}", claim.language)


def lead(incident: Incident, language: Language) -> str:
    """The required beginning of a headline, and a space; usually empty."""
    first = language.say("Retracted") if incident.status is Status.RETRACTED else reported(incident, language)
    return led(incident, f"{first}{language.colon}" if first else "", language)


def claimed(
    incident: Incident, names: Mapping[int, str], language: Language, most: int = HEADLINE
) -> Sentence:
    """What is or was claimed: a headline without its lead, in at most ``most`` characters."""
    text = _headlines(incident)[_headline_kind(incident), incident.confirmed_at is not None]
    level_left = _left(incident)
    level = "" if level_left is None else percent(level_left, language)
    country = place(incident.country, language)
    titles = titles_of(incident, language)

    def made(targets: str, known: Mapping[int, str] | None, where: str = country) -> Sentence:
        networks = networks_named(incident, known, language)
        said = where_said(incident, known, where, language)
        one = language.sentence(
            text, targets=targets, country=where, networks=networks, level=level, where=said
        )
        return Sentence(capitalised(one.text), one.language) if incident.is_unlisted else one

    def over(sentence: Sentence) -> int:
        return _room(sentence.text) - most

    shortest = made(target_names(incident, language, with_roles=True), names)
    for known in (names, None):
        for named in range(NAMED, 0, -1):
            if over(shortest) <= 0:
                return shortest
            shortest = min(shortest, made(target_names(incident, language, named), known), key=over)
    targets = target_names(incident, language, 1)
    if over(shortest) > 0 and titles and incident.named[0] == incident.targets[0]:
        targets = listing([_clipped(titles[0], over(shortest)), *titles[1:]], language, 1)
        shortest = made(targets, None)
    if over(shortest) > 0:
        shortest = made(targets, None, incident.country)
    return shortest


CLIPPED = 11
"""Fewest characters left of a clipped name: as many as in *X (Twitter)*."""


def _clipped(name: str, over: int) -> str:
    """The name, shortened by ``over`` characters and ended with an ellipsis."""
    room_left = max(CLIPPED, len(name) - over)
    return name if room_left >= len(name) else f"{name[: room_left - 1].rstrip()}…"


def _room(text: str) -> int:
    """Number of characters that a reader sees."""
    return len(text.translate(ISOLATES))


def _headline_kind(incident: Incident) -> Kind | None:
    kinds = {part.kind for part in incident.parts} or {incident.kind}
    return next(iter(kinds)) if len(kinds) == 1 else None


def _headlines(incident: Incident) -> Mapping[tuple[Kind | None, bool], str]:
    """The table of headlines that fits the incident."""
    if incident.is_of_traffic:
        return TRAFFIC
    left = _left(incident)
    partly = (
        RESTORED if _is_partly_restored(incident) else PARTLY if left is not None and left >= CUT_OFF else {}
    )
    if incident.scope is Scope.NATION:
        return ACROSS | partly
    if any(map(asn_of, incident.entities)):
        return ON_SOME | partly
    return ON_SOME | (IN_PARTS if regions_alone(incident) else IN_COUNTRY_ALONE) | partly


def _left(incident: Incident) -> float | None:
    """Share of the usual level: the one that the lede gives, or the present one of an outage that is partly back."""
    level = incident.level
    if level is None:
        return None
    return level.now if _is_partly_restored(incident) else level.mean


def where_said(incident: Incident, names: Mapping[int, str] | None, country: str, language: Language) -> str:
    """Where, inside a sentence.

    Args:
        names: see ``networks_named``.
        country: as it is to be named.
    """
    if incident.is_of_traffic:
        return language.say(IN_COUNTRY, country=country)
    if incident.scope is Scope.NATION:
        return language.say(WHERE[incident.access], country=country)
    if any(map(asn_of, incident.entities)):
        networks = networks_named(incident, names, language)
        return language.say(ON_NETWORKS, networks=networks, country=country)
    return language.say(IN_REGIONS if regions_alone(incident) else IN_COUNTRY, country=country)


def _is_partly_restored(incident: Incident) -> bool:
    level = incident.level
    is_open = incident.end is None and incident.status is not Status.RETRACTED
    if not is_open or level is None or level.now is None:
        return False
    return level.now >= max(RESTORED_FROM, level.mean + RESTORED_BY)


def regions_alone(incident: Incident) -> bool:
    places = [place for place in incident.entities if place != incident.country]
    return bool(places) and not any(map(asn_of, places))


CLAIM = "{status}: {claim}."


def claim_line(
    incident: Incident, names: Mapping[int, str], language: Language, before: str = ""
) -> Sentence:
    """The headline after its status: for anything that leaves the pages and may be read alone.

    Args:
        before: a word to put before the status, such as ``Correction``.
    """
    claim = claimed(incident, names, language)
    line = language.sentence(CLAIM, status=language.say(status_word(incident)), claim=claim.text)
    corrected = f"{language.say(before)}{language.colon}{line.text}" if before else line.text
    return Sentence(led(incident, corrected, language), line.language)


def target_names(
    incident: Incident, language: Language, named: int = NAMED, *, with_roles: bool = False
) -> str:
    titles = titles_of(incident, language, with_roles=with_roles)
    return listing(titles, language, named) or language.say("Internet access")


def titles_of(incident: Incident, language: Language, *, with_roles: bool = False) -> list[str]:
    """The names of its targets, or of the parts of them that are cut (``part_titles``)."""
    return [
        name
        for part in incident.parts
        if part.target
        for name in part_titles(part, language, with_roles=with_roles)
    ]


def title_in(incident: Incident, target: str, language: Language) -> str:
    """A target as an incident may name it: ``Telegram``, or ``Telegram's web client`` if only that is cut."""
    names = [name for part in incident.parts if part.target == target for name in part_titles(part, language)]
    return listing(list(dict.fromkeys(names)), language) or target_title(target, language)


def part_titles(part: Part, language: Language, *, with_roles: bool = False) -> list[str]:
    """``Telegram``, or if only that is (still) cut ``Telegram's web client``.

    Args:
        with_roles: ``Telegram (app and web client)``, if both are cut and people tell them apart; if not at the same
            time, ``Telegram (at times only its web client)``.
    """
    names = [named_title(name, language) for name in part.named_now]
    ways = [role for role in part.roles if role.role in part.cut and role.role in WAYS_IN]
    words = _role_words(part, ways, language)
    is_told = {Role.CLIENT, Role.MESSENGER}.intersection(way.role for way in ways) and len(words) > 1
    if not with_roles or not is_told or part.named_now != (part.target,) or part.kind is not Kind.BLOCKING:
        return names
    always = _all_the_time(ways)
    role_words = listing(words, language)
    if len(always) < len(ways):
        role_words = listing(_role_words(part, always, language), language)
        role_words = language.say(PART_OF_TIME, roles=role_words) if always else language.say(NOT_TOGETHER)
    return [f"{language.apart(names[0])} ({role_words})"]


PART_OF_TIME, NOT_TOGETHER = "at times only its {roles}", "not all of it at the same time"

APART = HOUR
"""Seconds by which roles must begin to fail, or work again, apart to have done so at different times: measurements
come every few minutes or hours."""


def _role_words(part: Part, roles: Sequence[RolePart], language: Language) -> list[str]:
    return list(dict.fromkeys(role_word(part.target, role.role, language) for role in roles))


def _all_the_time(roles: Sequence[RolePart]) -> list[RolePart]:
    """Those that failed from the first of these failures to the last."""
    first = min(role.intervals[0].start for role in roles)
    last = max(role.intervals[-1].until for role in roles)
    return [
        role
        for role in roles
        if role.intervals[0].start - first <= APART
        and (role.intervals[-1].until == last or last - role.intervals[-1].until <= APART)
    ]


def networks_named(incident: Incident, names: Mapping[int, str] | None, language: Language) -> str:
    """One network by its name (without it if ``names`` is None), several by their number."""
    asns = [asn_of(place) for place in incident.entities if asn_of(place)]
    if not asns:
        return language.say("some networks")
    if len(asns) == 1:
        return (network_title(asns[0], names) if names is not None else "") or f"AS{asns[0]}"
    return language.count("{n} network", "{n} networks", len(asns))


def place(country: str, language: Language) -> str:
    """The country inside a sentence: English needs an article before some names."""
    if language.code == "en":
        return in_country(country).removeprefix("in ")
    return country_name(country, language.code)


NTH = (
    *("", "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth"),
    *("Eleventh", "Twelfth"),
)
"""English ordinals at the start of a sentence; other languages write the number and its ending."""

RESTRICTION = "{nth} restriction of {target} in {country} recorded by this monitor since {year}."
FIRST_RESTRICTION = "First restriction of {target} in {country} recorded by this monitor."
DISRUPTION = "{nth} disruption of internet access in {country} recorded by this monitor since {year}."
FIRST_DISRUPTION = "First disruption of internet access in {country} recorded by this monitor."


def ordinal(n: int, language: Language) -> str:
    """``Seventh``, ``21st``; in other languages the number, to which the sentence adds the ending."""
    if language.code != "en":
        return language.number(n)
    if n < len(NTH):
        return NTH[n]
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{language.number(n)}{ending}"


def nth_sentence(name: str, n: int, year: int, country: str, language: Language) -> str:
    """How often this has happened, including this time.

    Args:
        name: of a target, or a part of it (``telegram/client``); empty = internet access itself.
        year: year of the first.
    """
    values = {
        "country": place(country, language),
        "year": language.in_digits(str(year)),
        "nth": ordinal(n, language),
    }
    if name:
        values["target"] = named_title(name, language)
        return language.say(RESTRICTION if n > 1 else FIRST_RESTRICTION, **values)
    return language.say(DISRUPTION if n > 1 else FIRST_DISRUPTION, **values)
