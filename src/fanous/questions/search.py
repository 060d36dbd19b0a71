"""Search: what a reader types in a search field, split into places, targets, dates, kinds and words.

Names are known and compared as ``wording.names`` has them.  Anything else is a word that must occur in a headline, a
label or the title of an event.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from fanous.base.text import printable
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Kind, Status
from fanous.model.place import LARGEST_ASN, asn_of
from fanous.refdata.countries import (
    country_codes,
    midnight,
    shared_names,
)
from fanous.refdata.networks import former_names, network_name, registered_name
from fanous.refdata.platforms import target_of
from fanous.store.coverage import KnownNetwork
from fanous.store.protocol import Store
from fanous.wording.headline import headline
from fanous.wording.language import ENGLISH, LANGUAGES, Language
from fanous.wording.names import (
    countries_by_name,
    folded,
    loose,
    targets_by_name,
)
from fanous.wording.words import KINDS, mechanism_words

LONGEST = 120
"""Most characters of a query."""

MOST_WORDS = 12
MOST_FOUND = 8
"""Most items of one kind in an answer."""

MOST_INCIDENTS = 20
MOST_READ = 5_000
"""Most incidents whose headlines are read, newest first."""

_STOP = frozenset(
    {"the", "a", "an", "of", "in", "on", "at", "by", "from", "to", "and", "or", "for", "is", "was"}
    | {"compare", "vs", "versus"}
    | {"le", "la", "les", "des", "du", "de", "en", "au", "aux", "et", "dans", "un", "une"}
    | {"el", "los", "las", "del", "y", "por", "con", "una"}
)
"""Words without meaning here, in the languages with Latin letters."""


@lru_cache(maxsize=1)
def _months() -> Mapping[str, int]:
    from babel.dates import get_month_names

    return {
        loose(name): number
        for language in LANGUAGES.values()
        for context in ("format", "stand-alone")
        for width in ("abbreviated", "wide")
        for number, name in get_month_names(width, context, language.locale).items()
    }


_KIND_WORDS = {
    Kind.OUTAGE: ("outages", "shutdown", "shutdowns", "blackout", "blackouts"),
    Kind.BLOCKING: ("blocked", "block", "blocks", "ban", "banned", "censorship"),
    Kind.THROTTLING: ("throttled", "throttle", "slowed"),
    Kind.SLOWDOWN: ("slow", "slowdowns"),
}
"""Other English words for kinds of incident."""


@lru_cache(maxsize=1)
def _kinds() -> Mapping[str, Kind]:
    found = {
        loose(language.say(text)): kind for language in LANGUAGES.values() for kind, text in KINDS.items()
    }
    return {word: kind for kind, words in _KIND_WORDS.items() for word in words} | found


@dataclass(frozen=True, slots=True)
class Sought:
    """A parsed query.  Each part narrows the answer.

    Attributes:
        days: the first and the last day named; ``None`` = none.
        asns: networks named by number.
        label: label of an incident (``PK-2023-0042``) or an event; empty = none.
        words: all other words, folded.
    """

    countries: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    asns: tuple[int, ...] = ()
    kinds: tuple[Kind, ...] = ()
    days: tuple[date, date] | None = None
    label: str = ""
    words: tuple[str, ...] = ()

    @property
    def parts(self) -> int:
        """Number of things it names."""
        named = (self.countries, self.targets, self.asns, self.kinds, self.days, self.label, self.words)
        return sum(bool(part) for part in named)


LABEL = re.compile(r"[A-Za-z]{2}-(?:[0-9]{4}-[0-9]{4,6}|watch-[0-9]{1,6})")
_YEAR, _DAY, _DAY_OF_MONTH = (
    re.compile(r"(?:19|20)[0-9]{2}"),
    re.compile(r"((?:19|20)[0-9]{2})-([0-9]{1,2})(?:-([0-9]{1,2}))?"),
    re.compile(r"([0-9]{1,2})(?:st|nd|rd|th|er)?"),
)


def taken_apart(text: str) -> Sought:
    """What a query names; longer names come before shorter ones (``South Sudan`` before ``Sudan``)."""
    label = next((found[0].upper() for found in LABEL.finditer(text)), "")
    if label:
        label = label.replace("WATCH", "watch")
        text = LABEL.sub(" ", text)
    # Words keep the case in which they were typed, since ``IT`` is a country and ``it`` a word.
    typed = printable(text[:LONGEST]).replace(",", " ").split()[:MOST_WORDS]
    named = _Named()
    at = 0
    while at < len(typed):
        for length in range(min(5, len(typed) - at), 0, -1):
            if named.take_name(loose(" ".join(typed[at : at + length]))):
                break
        else:
            length = 1
            named.take_word(typed[at], alone=len(typed) == 1)
        at += length
    span = named.span()
    return Sought(
        tuple(dict.fromkeys(named.countries)),
        tuple(dict.fromkeys(named.targets)),
        tuple(dict.fromkeys(named.asns)),
        tuple(dict.fromkeys(named.kinds)),
        span,
        label,
        tuple(dict.fromkeys(named.words)),
    )


@dataclass(slots=True)
class _Named:
    """What the words of a query have named so far; ``numbers`` may be days of a month."""

    countries: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    asns: list[int] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    years: list[int] = field(default_factory=list)
    months: list[int] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    days: list[tuple[date, date]] = field(default_factory=list)

    def take_name(self, phrase: str) -> bool:
        """Take the phrase, if it is the name of something."""
        if phrase in shared_names():
            self.countries += shared_names()[phrase]
        elif phrase in countries_by_name():
            self.countries.append(countries_by_name()[phrase])
        elif phrase in targets_by_name():
            self.targets.append(targets_by_name()[phrase])
        elif phrase in _kinds():
            self.kinds.append(_kinds()[phrase])
        elif phrase in _months() and len(phrase) > 2:
            self.months.append(_months()[phrase])
        else:
            return False
        return True

    def take_word(self, word: str, *, alone: bool) -> None:
        """Take a word that belongs to no name: a date, an ASN, a code, a domain, or a word to look for."""
        text = folded(word)
        if _YEAR.fullmatch(text):
            self.years.append(int(text))
        elif dated := _span_of(text):
            self.days.append(dated)
        elif _DAY_OF_MONTH.fullmatch(text):
            self.numbers.append(re.sub(r"\D", "", text))
        elif re.fullmatch(r"(?i)asn?[0-9]{1,10}", text):
            self.asns.append(int(re.sub(r"\D", "", text)))
        elif text.isdigit() and text.isascii() and 3 <= len(text) <= 10:
            self.asns.append(int(text))
        elif word in country_codes() or (alone and word.upper() in country_codes()):
            self.countries.append(word.upper())
        elif "." in text and re.fullmatch(r"[\w-]+(\.[\w-]+)+", text):
            self.targets.append(target_of(text))
        elif text and text not in _STOP:
            self.words += text.replace("-", " ").replace(".", " ").split()

    def span(self) -> tuple[date, date] | None:
        """The days from the first to the last that were named; numbers that are not days become words."""
        named = [
            dated
            for year in self.years
            for month in self.months
            for number in self.numbers
            if (dated := _span_of(f"{year}-{month}-{number}"))
        ]
        if not (self.years and self.months):
            self.words += self.numbers
        days = self.days + named
        for year in self.years if not named else ():
            months = [_month(year, month) for month in self.months]
            days += months or [(date(year, 1, 1), date(year, 12, 31))]
        return (min(first for first, _ in days), max(last for _, last in days)) if days else None


def _span_of(text: str) -> tuple[date, date] | None:
    """``2023-12`` and ``2023-12-17`` as days; ``None`` = it is no date."""
    matched = _DAY.fullmatch(text)
    if matched is None:
        return None
    try:
        year, month = int(matched[1]), int(matched[2])
        if matched[3] is None:
            return _month(year, month)
        return (day := date(year, month, int(matched[3]))), day
    except ValueError:
        return None


def _month(year: int, month: int) -> tuple[date, date]:
    following = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, 1), following - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FoundNetwork:
    """``name`` as people know it; empty = unknown."""

    country: str
    asn: int
    name: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer to a query.

    Attributes:
        asns: networks that it names, by number or by name.
        incidents: those that match everything in the query, newest first, retracted ones last.
        more: number of matching incidents left out.
        targets, networks: known to this monitor.
    """

    sought: Sought
    asns: tuple[int, ...]
    incidents: tuple[Incident, ...]
    more: int
    countries: tuple[str, ...]
    targets: tuple[str, ...]
    networks: tuple[FoundNetwork, ...]
    events: tuple[AnnouncedEvent, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.incidents or self.countries or self.targets or self.networks or self.events)


def search(store: Store, text: str, language: Language) -> SearchResult:
    """Everything that matches what a reader typed; reads only."""
    store = store.about()
    sought = taken_apart(text)
    measured = store.facts.known_networks()
    if not sought.parts:
        return SearchResult(sought, (), (), 0, (), (), (), ())
    incidents = fitting(store.ledger.incidents(), sought, language)
    events = [event for event in store.ledger.events() if _fits_event(event, sought)]
    events.sort(key=lambda event: -event.start)
    named = _networks_named(measured, sought)
    networks = networks_like(measured, sought) or networks_like(
        measured, Sought(sought.countries, asns=named)
    )
    return SearchResult(
        sought,
        tuple(dict.fromkeys([*sought.asns, *named])),
        tuple(incidents[:MOST_INCIDENTS]),
        max(0, len(incidents) - MOST_INCIDENTS),
        tuple([*sought.countries, *_countries_like(sought)][:MOST_FOUND]),
        tuple([*sought.targets, *_targets_like(sought, store.facts.known_targets())][:MOST_FOUND]),
        tuple(networks[:MOST_FOUND]),
        tuple(events[:MOST_FOUND]),
    )


def fitting(incidents: Iterable[Incident], sought: Sought, language: Language) -> list[Incident]:
    """Incidents that match everything sought, newest first, retracted ones last."""
    newest = sorted(incidents, key=lambda incident: (incident.status is Status.RETRACTED, -incident.onset))[
        :MOST_READ
    ]
    return [incident for incident in newest if _fits(incident, sought, language)]


def _fits(incident: Incident, sought: Sought, language: Language) -> bool:
    if sought.label:
        return incident.id == sought.label
    if sought.countries and incident.country not in sought.countries:
        return False
    if sought.targets and not set(sought.targets) & set(incident.targets):
        return False
    if sought.kinds and not incident.kinds & set(sought.kinds):
        return False
    if sought.asns and not any(asn_of(entity) in sought.asns for entity in incident.entities):
        return False
    if sought.days and not _overlaps(incident.onset, incident.end, sought.days, incident.country):
        return False
    if not sought.words:
        return True
    return all(word in _text_of(incident, language) for word in sought.words)


def _overlaps(start: float, end: float | None, days: tuple[date, date], country: str) -> bool:
    first, last = midnight(days[0], country), midnight(days[1] + timedelta(days=1), country)
    return start < last and (end is None or end > first)


def _text_of(incident: Incident, language: Language) -> str:
    """The text to search: the headline in English and the reader's language, label, networks, mechanisms."""
    languages = {language.code: language, "en": ENGLISH}.values()
    texts = [headline(incident, {}, language).text for language in languages]
    texts += [
        incident.id,
        str(incident.kind),
        str(incident.scope),
        *map(mechanism_words, incident.mechanisms),
    ]
    for asn in filter(None, map(asn_of, incident.entities)):
        texts += [network_name(asn), *former_names(asn)]
    return f" {loose(' '.join(texts))} "


def _fits_event(event: AnnouncedEvent, sought: Sought) -> bool:
    if sought.label:
        return event.id == sought.label
    if sought.kinds or sought.asns:
        return False
    if sought.countries and event.country not in sought.countries:
        return False
    if sought.targets and not set(sought.targets) & set(event.targets):
        return False
    if sought.days and not _overlaps(event.start, event.end, sought.days, event.country):
        return False
    title = f" {loose(event.title)} "
    return all(word in title for word in sought.words)


def _countries_like(sought: Sought) -> list[str]:
    """Countries whose name begins with the only words of the query."""
    if not sought.words or sought.countries:
        return []
    text = " ".join(sought.words)
    codes = [code for name, code in countries_by_name().items() if len(text) > 1 and name.startswith(text)]
    return list(dict.fromkeys(codes))


def _targets_like(sought: Sought, measured: Mapping[str, int]) -> list[str]:
    """Measured targets, and platforms, whose names contain the query's words."""
    if not sought.words:
        return []
    text = " ".join(sought.words)
    if len(text) < 2:
        return []
    targets = [name for title_, name in targets_by_name().items() if title_.startswith(text)]
    joined = text.replace(" ", "")
    like = [target for target in measured if joined in target.replace("-", "").replace(".", "")]
    targets += sorted(like, key=lambda target: (-measured[target], target))
    return list(dict.fromkeys(targets))


def networks_like(networks: Sequence[KnownNetwork], sought: Sought) -> list[FoundNetwork]:
    """Measured networks with these numbers, or with a name that contains all the words; most measured first.

    Names are the common ones, those in the registries and in measurements, and former ones.
    """
    if sought.asns:
        wanted = [network for network in networks if network.asn in sought.asns]
    elif sought.words:
        wanted = [network for network in networks if _named(network, sought.words)]
    else:
        return []
    wanted = [network for network in wanted if not sought.countries or network.country in sought.countries]
    wanted.sort(key=lambda network: (-network.measurements, network.country, network.asn))
    return [
        FoundNetwork(network.country, network.asn, network_name(network.asn) or network.name)
        for network in wanted
    ]


def _networks_named(networks: Sequence[KnownNetwork], sought: Sought) -> tuple[int, ...]:
    """Networks named one after the other (``ptcl telenor zong``); none if a word is of no network's name.

    Of networks with one name, all are meant.
    """
    asns: list[int] = []
    words = sought.words
    while words:
        for length in range(min(4, len(words)), 0, -1):
            like = networks_like(networks, Sought(sought.countries, words=words[:length]))
            if like:
                asns += [network.asn for network in like if network.name == like[0].name]
                words = words[length:]
                break
        else:
            return ()
    return tuple(dict.fromkeys(asns))


def _named(network: KnownNetwork, words: Sequence[str]) -> bool:
    names = (
        network_name(network.asn),
        registered_name(network.asn),
        network.name,
        *former_names(network.asn),
    )
    return any(all(word in loose(name) for word in words) for name in names if name)


def asn_named(text: str, networks: Sequence[KnownNetwork], countries: Sequence[str] = ()) -> str:
    """``AS17557``, ``17557`` or a name -> ``17557``; empty = no network has this name.

    Args:
        known: networks whose names are searched, in ``countries`` if any are given.
    """
    number = re.fullmatch(r"(?i)(?:asn?)?\s*([0-9]{1,10})", text.strip())
    if number:
        return str(int(number[1])) if 0 < int(number[1]) <= LARGEST_ASN else ""
    words = loose(text).split()
    matching = networks_like(networks, Sought(tuple(countries), words=tuple(words))) if words else []
    return str(matching[0].asn) if matching else ""
