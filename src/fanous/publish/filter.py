"""Filter: which incidents a reader asks for, on the list of incidents, in its feeds and in its files.

The parameters mean the same on the page, in the feeds and in the files.  Synthetic incidents are never listed with
others: where there is anything else about a place, they are left out.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from math import inf

from fanous.base.text import printable
from fanous.model.incident import Incident, Status
from fanous.model.instant import DAY, HOUR
from fanous.model.measurement import SERVICE, Role
from fanous.model.place import asn_of
from fanous.publish.edition import Edition, Story, stories
from fanous.refdata.countries import country_codes, country_name, region_name, region_names
from fanous.refdata.networks import network_title
from fanous.refdata.platforms import target_of
from fanous.store.protocol import Store
from fanous.wording import words
from fanous.wording.clocks import month_of
from fanous.wording.headline import claimed
from fanous.wording.language import ENGLISH, Language
from fanous.wording.words import mechanism_words, named_title, target_title

LENGTHS: Mapping[str, tuple[float, float]] = {
    "hour": (0, HOUR),
    "day": (HOUR, DAY),
    "week": (DAY, 7 * DAY),
    "longer": (7 * DAY, inf),
}
"""Name -> seconds, half-open; an open incident counts as long as it has lasted so far."""

LENGTH_WORDS = {
    "hour": "under an hour",
    "day": "an hour to a day",
    "week": "a day to a week",
    "longer": "a week or more",
}


def _stands(status: Status) -> Callable[[Incident], bool]:
    return lambda one: one.status is status


STATES: Mapping[str, Callable[[Incident], bool]] = {
    "open": lambda one: one.is_open,
    "sure": lambda one: one.confirmed_at is not None and one.status is not Status.RETRACTED,
    **{str(status): _stands(status) for status in Status},
}
"""Name -> does an incident have that state?  Besides the statuses there are *open* and *sure* (confirmed at any
time)."""

STATE_WORDS = {
    "open": "Open",
    "sure": "Confirmed at any time",
    **{str(k): v for k, v in words.STATUSES.items()},
}

LONGEST_HOST, LONGEST_WORDS = 253, 100
"""Characters; of a host name (RFC 1035), and of the words searched for."""

THE_LINE = "-"
"""As a target: internet access itself, cut or slow."""

PATTERNS: Mapping[str, str] = {
    "country": "|".join(country_codes()),
    "region": "[A-Z]{2}(?:-[A-Z0-9]{1,3}|:.{1,80})",
    "network": "AS[1-9][0-9]{0,9}",
    "target": rf"(?=.*\S).{{1,{LONGEST_HOST}}}",
    "kind": "|".join(words.KINDS_SHOWN),
    "mechanism": r"[a-z][a-z0-9_]{0,20}(?:\.[a-z0-9_]{1,20}){0,4}",
    "status": "|".join(STATES),
    "began": "(?:19|20)[0-9]{2}(?:-(?:0[1-9]|1[0-2]))?",
    "length": "|".join(LENGTHS),
    "words": rf"(?=.*\S).{{1,{LONGEST_WORDS}}}",
}
"""Parameter -> pattern of accepted values.  ``began`` is a year or a month in UTC, as the year of an id is."""


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Conditions that must all hold; an empty one always does.

    Attributes:
        region: ISO 3166-2, or the source's own name (``Place.region``).
        network: ``AS17557``.
        target: a target, part of its name as people write it, a part of the service (``telegram/client``, or
            ``telegram/service`` for all that cuts the service itself), or ``THE_LINE``.
        kind: what it does to any target on any network (``words.kinds_shown``).
        mechanism: it or one below it: ``dns`` includes ``dns.injection``.
        status: of ``STATES``. began: ``2023`` or ``2023-12``. length: of ``LENGTHS``.
        words: each must occur in the headline, the id, or a name of the place, its networks or the targets.
    """

    country: str = ""
    region: str = ""
    network: str = ""
    target: str = ""
    kind: str = ""
    mechanism: str = ""
    status: str = ""
    began: str = ""
    length: str = ""
    words: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "IncidentFilter":
        """From the parameters of a request, which fit ``PATTERNS``."""
        return cls(**{field.name: asked[field.name] for field in fields(cls) if field.name in asked})

    @property
    def query(self) -> dict[str, str]:
        """The parameters, in one order."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}

    def without(self, name: str) -> dict[str, str]:
        """The parameters but one."""
        return {key: value for key, value in self.query.items() if key != name}

    def fits(self, incident: Incident, now: float) -> bool:
        """Do all conditions hold, apart from the words?"""
        low, high = LENGTHS.get(self.length, (0, inf))
        lasted = max(0.0, (now if incident.end is None else incident.end) - incident.onset)
        return (
            (not self.country or incident.country == self.country)
            and (not self.region or self.region in incident.entities)
            and (not self.network or self.network in incident.entities)
            and (not self.target or self._is_about(incident))
            and (not self.kind or self.kind in words.kinds_shown(incident))
            and (not self.mechanism or self.mechanism in ways_of(incident))
            and (not self.status or STATES[self.status](incident))
            and month(incident.onset).startswith(self.began)
            and low <= lasted < high
        )

    def _is_about(self, incident: Incident) -> bool:
        if self.target == THE_LINE:
            return incident.is_of_line
        service, _, role = self.target.partition("/")
        if role in (*Role, SERVICE):
            name = service if role == SERVICE else self.target
            return any(part.cuts(name) for part in incident.parts)
        return any(is_called(target, self.target) for target in incident.targets)

    def title(self, language: Language) -> str:
        """``Pakistan, X (Twitter), Blocking, 2023``; empty = everything."""
        parts = [
            country_name(self.country, language.code) if self.country else "",
            printable(region_name(self.region)) if self.region else "",
            self.network,
            target_name(self.target, language) if self.target else "",
            language.say(words.KINDS_SHOWN[self.kind]) if self.kind else "",
            language.say(mechanism_words(self.mechanism)) if self.mechanism else "",
            language.say(STATE_WORDS[self.status]) if self.status else "",
            began_text(self.began, language) if self.began else "",
            language.say(LENGTH_WORDS[self.length]) if self.length else "",
            f"“{printable(self.words)}”" if self.words else "",
        ]
        return language.comma.join(language.apart(words) for words in parts if words)


def every(store: Store, wanted: IncidentFilter) -> list[Incident]:
    """All incidents that the filter chooses from, by onset; synthetic ones only if nothing else is known."""
    side = store.about(wanted.country or None)
    return side.ledger.incidents(synthetic=side.is_synthetic)


def filtered(
    store: Store, incidents: Iterable[Incident], wanted: IncidentFilter, edition: Edition
) -> list[Incident]:
    """The incidents that match, newest first."""
    fitting = [incident for incident in incidents if wanted.fits(incident, edition.now)]
    if sought := plain(wanted.words).split():
        lines = stories(store, fitting)
        fitting = [story.incident for story in lines if _has(story, sought, edition.language)]
    return sorted(fitting, key=lambda incident: (-incident.onset, incident.id))


def target_name(target: str, language: Language) -> str:
    """What readers call the target."""
    service, _, role = target.partition("/")
    if role == SERVICE:
        return language.say("{service} itself (not only parts of it)", service=target_title(service))
    return language.say("Internet access") if target == THE_LINE else named_title(target, language)


def is_called(target: str, name: str) -> bool:
    """Do people mean the target by this name: ``x``, ``twitter``, ``www.x.com``?"""
    return (
        target == name
        or target == target_of(name)
        or (len(name) > 1 and plain(name) in plain(target_title(target)))
    )


def ways_of(incident: Incident) -> set[str]:
    """Its mechanisms and those above them: ``dns.injection`` counts under ``dns`` too.

    A loss of a platform's traffic does not count as one of connectivity.
    """
    ways = set()
    for mechanism in incident.mechanisms:
        parts = mechanism.split(".")
        ways |= {".".join(parts[:n]) for n in range(1, len(parts) + 1)}
    return ways - {"outage"} if incident.is_of_traffic else ways


def _has(story: Story, sought: list[str], language: Language) -> bool:
    """Does each word occur in the incident's text, in English or in the reader's language?"""
    incident = story.incident
    texts = [incident.id, *incident.targets, *map(target_title, incident.targets), *incident.entities]
    texts += [network_title(network.asn, story.names) for network in incident.networks if network.asn]
    texts += [name for place in incident.entities if not asn_of(place) for name in region_names(place)]
    for each in {ENGLISH.code: ENGLISH, language.code: language}.values():
        texts += [country_name(incident.country, each.code), claimed(incident, story.names, each).text]
        texts += [
            each.say(words.status_word(incident)),
            *(each.say(words.KINDS_SHOWN[kind]) for kind in words.kinds_shown(incident)),
        ]
    text = plain(" ".join(texts))
    return all(word in text for word in sought)


def plain(text: str) -> str:
    """For comparing: lower case, without accents and invisible characters; punctuation becomes a space."""
    letters = unicodedata.normalize("NFKD", printable(text).casefold())
    return re.sub(r"[^\w.]+", " ", "".join(c for c in letters if not unicodedata.combining(c))).strip()


def month(instant: float) -> str:
    """``2023-12``, UTC."""
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m}"


def began_text(began: str, language: Language) -> str:
    """``2023``, ``December 2023``."""
    year, _, number = began.partition("-")
    return month_of(int(year), int(number), language) if number else language.in_digits(year)
