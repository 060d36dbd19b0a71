"""Sentence: an incident in one hedged sentence that a journalist could quote.

It never says more than the incident: "confirmed" only where a rule was met, the number of networks rather
than "the country" below nation scope, both clocks, and what would still be missing.
"""

from fanous.model.entity import Access
from fanous.model.incident import Incident, Interval, Kind, Scope, Status
from fanous.refdata.countries import country_name, local, zone_name
from fanous.refdata.networks import network_name
from fanous.refdata.platforms import title

NAMED = 4
"""Names in a row that a reader still takes in; beyond, the rest is counted."""

_DONE = {
    Kind.OUTAGE: "cut off",
    Kind.BLOCKING: "blocked",
    Kind.THROTTLING: "slowed down",
    Kind.SLOWDOWN: "slowed down",
}

MECHANISMS = {
    "dns.bogon": "false DNS answers",
    "dns.injection": "forged DNS answers",
    "dns.nxdomain": "DNS answers that deny the name",
    "dns.refused": "refused DNS lookups",
    "dns.timeout": "unanswered DNS lookups",
    "dns": "DNS interference",
    "encdns": "blocked encrypted DNS",
    "http.blockpage": "a block page",
    "http.redirect": "redirects to a block page",
    "http.throttle": "slowed transfers",
    "http": "interference with web requests",
    "ip.unreachable": "unreachable addresses",
    "ip.prefix_null_route": "unreachable addresses",
    "quic": "dropped QUIC traffic",
    "tcp.refused": "refused connections",
    "tcp.reset": "reset connections",
    "tcp.timeout": "dropped connections",
    "tls.freeze": "connections that freeze",
    "tls.mitm": "forged certificates",
    "tls.reset": "connections reset when the name is sent",
    "tls.throttle": "slowed encrypted connections",
    "tls.timeout": "encrypted connections that get no answer",
    "tls": "interference with encrypted connections",
}
"""Mechanism prefixes in words; the longest that fits is used."""


def sentence(incident: Incident, names: dict[int, str] | None = None) -> str:
    """The claim, hedged as its status demands.

    Args:
        names: ASN -> the network's name as the measurements give it, where we know none ourselves.
    """
    what = _listed([title(target) for target in incident.targets])
    verb = "were" if len(incident.targets) > 1 else "was"
    how = _method(incident)
    users = _users(incident)
    claim = f"{what} {verb} {_DONE[incident.kind]} {_where(incident, names or {})} {_when(incident)}"
    return f"{_opening(incident)} {claim}{how}{users}. {_grounds(incident)}"


def _opening(incident: Incident) -> str:
    if incident.status is Status.RETRACTED:
        return "Not upheld:"
    if incident.confirmed_at is None:
        return "Suspected, not confirmed:"
    return "Confirmed:" if incident.status is Status.CONFIRMED else "Confirmed, and over:"


def _where(incident: Incident, names: dict[int, str]) -> str:
    country = country_name(incident.country)
    lines = {Access.MOBILE: " on mobile networks", Access.FIXED: " on fixed lines"}.get(incident.access, "")
    if incident.scope is Scope.NATION:
        return f"nation-wide in {country}{lines}"
    networks = [asn for asn in (_asn(entity) for entity in incident.entities) if asn]
    shown = _listed([_network(asn, names) for asn in networks])
    if len(networks) == 1:
        return f"on one network in {country} ({shown})"
    return f"on {len(networks)} networks in {country} ({shown})"


def _asn(entity: str) -> int:
    return int(entity[2:]) if entity.startswith("AS") and entity[2:].isdigit() else 0


def _network(asn: int, names: dict[int, str]) -> str:
    name = network_name(asn)
    if not name or name == f"AS{asn}":
        name = names.get(asn, "")
    return f"{name}, AS{asn}" if name else f"AS{asn}"


def _listed(names: list[str]) -> str:
    if len(names) > NAMED:
        names = [*names[: NAMED - 1], f"{len(names) - NAMED + 1} more"]
    if len(names) < 2:
        return "".join(names)
    joint = "; " if any("," in name for name in names) else ", "
    return f"{joint.join(names[:-1])} and {names[-1]}"


def clock(instant: float, country: str, *, day: bool = True) -> str:
    """``17 December 2023, 19:55 PKT``: the country's clock."""
    moment = local(instant, country)
    text = f"{moment:%H:%M} {zone_name(instant, country)}"
    return f"{moment.day} {moment:%B %Y}, {text}" if day else text


def _both(instant: float, country: str) -> str:
    utc = local(instant, "")
    return f"{clock(instant, country)} ({utc:%H:%M} UTC)"


def _when(incident: Incident) -> str:
    onset = _both(incident.onset, incident.country)
    since = f"since at least {onset}" if incident.onset_earliest is None else f"since about {onset}"
    if incident.end is None:
        return since
    start = "from before" if incident.onset_earliest is None else "from about"
    return f"{start} {onset} to about {_both(incident.end, incident.country)}{_sessions(incident)}"


def _sessions(incident: Incident) -> str:
    """Says so where it came in sessions, on the incident or on its networks."""
    most = max([_closed(incident.intervals), *(_closed(n.intervals) for n in incident.networks)], default=0)
    return f", in up to {most} sessions" if most > 1 else ""


def _closed(intervals: tuple[Interval, ...]) -> int:
    return sum(interval.end is not None for interval in intervals)


def mechanism_words(mechanism: str) -> str:
    """``tls.reset.sni`` -> ``connections reset when the name is sent``; an unknown one stays as it is."""
    parts = mechanism.split(".")
    for length in range(len(parts), 0, -1):
        words = MECHANISMS.get(".".join(parts[:length]))
        if words:
            return words
    return mechanism


def _method(incident: Incident) -> str:
    """How it was seen, the speed beside what was slowed."""
    words = []
    for mechanism in incident.mechanisms:
        slowed = incident.kbps is not None and "throttle" in mechanism
        speed = f" (to about {incident.kbps.mean:.0f} kbit/s)" if slowed and incident.kbps else ""
        words.append(mechanism_words(mechanism) + speed)
    return f", seen as {_listed(list(dict.fromkeys(words)))}" if words else ""


def _users(incident: Incident) -> str:
    """Shares without published user figures are not worth a journalist's sentence."""
    users = incident.users
    if users is None or incident.scope is not Scope.NATION:
        return ""
    return f"; about {users.mean:.0%} of users ({users.low:.0%} to {users.high:.0%}) are affected"


def _grounds(incident: Incident) -> str:
    seen = incident.evidence
    text = (
        f"{_count(seen.measurements, 'measurement')} by {_count(seen.probes, 'probe')} on "
        f"{_count(seen.networks, 'network')} saw it; "
        f"{_count(seen.controls, 'check')} elsewhere or from outside worked at the time."
    )
    return text if incident.confirmed_at is not None else f"{text} Why not confirmed: {incident.reason}."


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
