"""Outage in words: an outage or a slow-down, with what each family of sources says."""

from fanous.model.incident import Estimate, FamilyView, Incident, Kind, Says, Scope, Status
from fanous.model.place import Access, asn_of
from fanous.wording.names import NAMED, counted, in_country, listed, network_title

FAMILY_WORDS = {
    "edge": "our own probes",
    "ooni": "OONI's probes",
    "routing": "routing",
    "probing": "active probing",
    "usage": "what users do",
    "darknet": "stray traffic",
    "reports": "reports",
}

CLASS_WORDS = {
    "outage.stealth": "while its routes were still announced",
    "outage.ipv6": "with IPv6 withdrawn from routing",
    "outage.intranet": "while sites inside the country still answered",
    "outage.allow_list": "but for a short list of sites",
}
"""Classes that tell more than the place does."""

_SAID = {
    Says.ORDINARY: "as usual",
    Says.SILENT: "silent",
    Says.UNKNOWN: "no history to compare with",
}


LEAST_SAID = 0.01
"""Below one in a hundred the digit is noise."""


def is_of_lines(incident: Incident) -> bool:
    """It is about the line itself, not (only) about platforms."""
    return any(not part.target for part in incident.parts)


def line_fell(incident: Incident) -> str:
    """``connectivity fell to about 5 % of ordinary levels``."""
    what = "connectivity" if incident.kind is Kind.OUTAGE else "connection speed"
    if incident.confirmed_at is None and incident.status is not Status.RETRACTED:
        verb = "may have fallen"
    else:
        verb = "has fallen" if incident.end is None else "fell"
    if incident.level is None:
        return f"{what} {verb}"
    about = "about " if incident.level.mean >= LEAST_SAID else ""
    return f"{what} {verb} to {about}{percent(incident.level)} of ordinary levels"


def percent(level: Estimate) -> str:
    return f"{level.mean:.0%}" if level.mean >= LEAST_SAID else "less than 1%"


def line_place(incident: Incident) -> str:
    """``nation-wide in Iran``, ``in parts of Myanmar (MM-02)``, ``on one network in Iran (...)``."""
    place = in_country(incident.country)
    if incident.scope is Scope.NATION:
        return f"nation-wide {place}"
    cells = [entity for entity in incident.entities if entity != incident.country]
    networks = [f"{network_title(asn_of(e), {}) or ''} {e}".strip() for e in cells if asn_of(e)]
    if networks:
        lines = " (mobile)" if incident.access is Access.MOBILE else ""
        return f"on {counted(len(networks), 'network')}{lines} {place} ({_some(networks)})"
    return f"in parts of {place.removeprefix('in ')} ({_some(cells)})" if cells else place


def _some(names: list[str]) -> str:
    shown = names if len(names) <= NAMED else [*names[: NAMED - 1], f"{len(names) - NAMED + 1} more"]
    return listed(shown)


def line_seen(incident: Incident) -> list[str]:
    """By whom, and what sort of outage that makes it."""
    down = [FAMILY_WORDS[o.family] for o in incident.opinions if o.says is Says.DOWN]
    sort = [CLASS_WORDS[m] for m in incident.mechanisms if m in CLASS_WORDS]
    seen = [f"as {listed(down)} show{'s' if len(down) == 1 else ''}"] if down else []
    return [*sort, *seen]


def line_grounds(incident: Incident) -> str:
    """What each family says."""
    return " ".join(f"{FAMILY_WORDS[o.family].capitalize()}: {_says(o)}." for o in incident.opinions)


def _says(opinion: FamilyView) -> str:
    sources = ", ".join(opinion.sources)
    if opinion.left is None:
        return f"{_SAID.get(opinion.says, 'down')} ({sources})"
    left = opinion.left
    if opinion.says is Says.ORDINARY:
        return (
            f"below usual, within its ordinary spread: {percent(left)} of ordinary levels"
            f" ({left.low:.0%} to {left.high:.0%}; {sources})"
        )
    return f"{percent(left)} of ordinary left ({left.low:.0%} to {left.high:.0%}; {sources})"
