"""Edition: what everything published at one moment has in common - its language, its address, its *now*.

Also limits what pages and pictures read from a store: at most ``MOST_DRAWN`` single measurements, so that none
keeps it busy for long.  ``history`` says how often a country restricted a platform or cut the internet, according to
the incidents on record: only those confirmed and not retracted count, and an incident that names several targets
counts for each.  ``statements_of`` compares what others claimed with what was measured.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit

from fanous.analysis.claims import Checked
from fanous.model.claim import Claim, ClaimCheck, Said
from fanous.model.incident import Incident, NetworkPart, Status
from fanous.model.instant import DAY, HOUR
from fanous.model.series import Series
from fanous.questions.claims import check
from fanous.questions.country import known_until
from fanous.store.protocol import Store
from fanous.wording.language import Language


@dataclass(frozen=True, slots=True)
class Edition:
    """What all links and texts of one answer depend on: language, address and time.

    Attributes:
        base: scheme and host for permanent addresses, without a slash at the end, as the monitor's owner configured
            them; ids in feeds are made from it.  Empty = none, so these addresses are relative.
        now: unix seconds, UTC.
        named: the address contains the language, so links must contain it too.
        notice: shown before everything else (a recorded event); empty = none.
    """

    language: Language
    base: str
    now: float
    named: bool = False
    notice: str = ""

    def link(self, path: str, **query: str) -> str:
        """An address on this site that keeps the reader's language."""
        if self.named and "lang" not in query:
            query["lang"] = self.language.code
        return quote(path, safe="/:,.-") + (f"?{urlencode(query)}" if query else "")

    def permanent(self, path: str, **query: str) -> str:
        """The address for citations, without a language."""
        return self.base + quote(path, safe="/:,.-") + (f"?{urlencode(query)}" if query else "")

    def cited(self, path: str, **query: str) -> str:
        """The same as people read it, without the scheme."""
        return self.permanent(path, **query).removeprefix("https://").removeprefix("http://")


LATELY = 7 * DAY
"""How long an ended incident stays on the first page."""

MOST_LATELY = 20


@dataclass(frozen=True, slots=True)
class Story:
    """An incident with what a reader needs to name it.

    Attributes:
        names: ASN -> the network's name as the measurements give it.
    """

    incident: Incident
    names: Mapping[int, str]

    @property
    def open(self) -> bool:
        return self.incident.is_open

    @property
    def path(self) -> str:
        return incident_path(self.incident)


def incident_path(incident: Incident) -> str:
    """``/PK/PK-2023-0042``; it never changes."""
    return f"/{incident.country}/{incident.id}"


def stories(store: Store, incidents: Iterable[Incident]) -> list[Story]:
    """In the order given; each country's names are read once."""
    names: dict[str, dict[int, str]] = {}
    listed = []
    for incident in incidents:
        if incident.country not in names:
            names[incident.country] = store.about(incident.country).facts.networks(incident.country)
        listed.append(Story(incident, names[incident.country]))
    return listed


def open_ones(incidents: Iterable[Incident]) -> list[Incident]:
    """Open incidents: confirmed before suspected, newest first."""
    going = [incident for incident in incidents if incident.is_open]
    return sorted(going, key=lambda i: (i.status is not Status.CONFIRMED, -i.onset))


def lately_over(incidents: Iterable[Incident], now: float) -> list[Incident]:
    """Incidents that ended within ``LATELY``, newest first; retracted ones are listed as corrections."""
    over = [i for i in incidents if i.status is Status.ENDED and (i.end or i.onset) >= now - LATELY]
    return sorted(over, key=lambda i: -(i.end or i.onset))[:MOST_LATELY]


def spell(network: NetworkPart) -> tuple[float, float | None, int]:
    """First start, last end, number of periods."""
    intervals = network.intervals
    return intervals[0].start, intervals[-1].end, len(intervals)


MOST_DRAWN = 40_000
"""Most measurements; reading that many takes the store's only thread about half a second."""


def newest(volume: Sequence[Series], since: float) -> float:
    """The earliest time from which a page may read everything; ``since`` if that is not too much.

    Args:
        volume: the measurements of each network per hour (``facts.volume``), from ``since`` on.
    """
    total = 0
    for hour, hours in sorted(_hourly(volume).items(), reverse=True):
        total += hours
        if total > MOST_DRAWN:
            return float(hour + HOUR)
    return since


def oldest(volume: Sequence[Series], since: float, until: float) -> float:
    """The latest time up to which a page may read everything from ``since`` on, since an onset must not be cut
    off; ``volume`` as in ``newest``."""
    total = 0
    for hour, hours in sorted(_hourly(volume).items()):
        total += hours
        if total > MOST_DRAWN:
            return float(max(hour, since))
    return until


def _hourly(volume: Sequence[Series]) -> Counter[int]:
    """Hour (unix seconds) -> number of sound measurements."""
    counts: Counter[int] = Counter()
    for series in volume:
        counts.update(dict(zip(series.times.tolist(), series.measurements.tolist(), strict=True)))
    return counts


ACCESS = ""
"""Instead of a target: internet access itself."""


@dataclass(frozen=True, slots=True)
class Past:
    """The past restrictions of one target, of a part of it (``telegram/client``), or of ``ACCESS``, in one country.

    Attributes:
        incidents: oldest first; never empty.
        parts_too: have there also been restrictions of nothing but other parts of it, which do not count?
    """

    name: str
    incidents: tuple[Incident, ...]
    parts_too: bool = False

    @property
    def count(self) -> int:
        return len(self.incidents)

    @property
    def since(self) -> int:
        """Year of the first, UTC, as in its id."""
        return datetime.fromtimestamp(self.incidents[0].onset, UTC).year

    @property
    def last(self) -> Incident:
        return self.incidents[-1]


def history(incidents: Iterable[Incident]) -> list[Past]:
    """By name, most often first.

    Args:
        known: the incidents of one country.
    """
    sure = sorted(filter(_counts, incidents), key=lambda incident: (incident.onset, incident.id))
    names = dict.fromkeys(name for incident in sure for name in subjects(incident))
    rows = []
    for name in names:
        counted = tuple(incident for incident in sure if _is_of(incident, name))
        rows.append(Past(name, counted, len(counted) < sum(name in incident.targets for incident in sure)))
    return sorted(rows, key=lambda row: (-row.count, -row.last.onset, row.name))


def until_now(incident: Incident, incidents: Sequence[Incident]) -> list[Past]:
    """For each subject of an incident that counts: the history that ends with it.

    Args:
        known: the incidents of its country, including itself.
    """
    if not _counts(incident):
        return []
    before = [
        earlier for earlier in incidents if (earlier.onset, earlier.id) <= (incident.onset, incident.id)
    ]
    return [row for row in history(before) if row.name in subjects(incident)]


def subjects(incident: Incident) -> tuple[str, ...]:
    """What was restricted (``Incident.named``), or ``ACCESS``; a fall of a platform's traffic restricts nothing."""
    if incident.is_of_line:
        return (ACCESS,)
    return () if incident.is_of_traffic else tuple(dict.fromkeys(incident.named))


def _is_of(incident: Incident, name: str) -> bool:
    """Was this restricted, by itself or with the service that it is a part of?"""
    if incident.is_of_line or not name:
        return incident.is_of_line and not name
    return not incident.is_of_traffic and any(part.cuts(name) for part in incident.parts)


def _counts(incident: Incident) -> bool:
    return incident.confirmed_at is not None and incident.status is not Status.RETRACTED


MOST_CLAIMS = 8
"""Most claims on a page, since each is a query to the store."""

ANSWERS = {
    ClaimCheck.SUPPORTED: "Supported",
    ClaimCheck.CONTRADICTED: "Contradicted",
    ClaimCheck.CANNOT_TELL: "Cannot tell",
}
CLAIMED = {
    Said.DISRUPTED: "Restricted",
    Said.OUTAGE: "Outage",
    Said.BLOCKING: "Blocking",
    Said.THROTTLING: "Throttling",
    Said.SLOWDOWN: "Slowdown",
    Said.NORMAL: "Nothing unusual",
}


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """What someone said, and what was measured.

    Attributes:
        link: where it was said; empty unless it is an ordinary web address.
        answer: one of ``ANSWERS``.
    """

    claim: Claim
    checked: Checked
    link: str

    @property
    def said(self) -> str:
        return CLAIMED[self.claim.said]

    @property
    def answer(self) -> str:
        return ANSWERS[self.checked.answer]


def statements_of(store: Store, claims: Iterable[Claim]) -> list[ClaimRow]:
    """Each claim checked against the evidence, in the order given."""
    return [
        ClaimRow(claim, check(store, claim), web_address(claim.link)) for claim in [*claims][:MOST_CLAIMS]
    ]


def claims_about(store: Store, incident: Incident, now: float) -> list[Claim]:
    """Claims about its country, time and targets; of an incident whose data ended, none about later times."""
    end = known_until(store, incident, now) if incident.end is None else incident.end
    return [
        claim
        for claim in store.ledger.claims(incident.country, incident.onset, end)
        if not claim.targets or not incident.targets or set(claim.targets) & set(incident.targets)
    ]


def web_address(link: str) -> str:
    """The link if readers may be sent there, otherwise empty: only http and https URLs with a host and visible
    characters.

    A link with invisible characters may lead elsewhere than it seems to.
    """
    if not link.isprintable() or " " in link:
        return ""
    try:
        parts = urlsplit(link)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return ""
    return link if fine else ""
