"""Sentence: an incident in one hedged sentence that a journalist could quote.

It never says more than the incident: "confirmed" only where a rule was met, a number of networks rather than "the
country" below nation scope, both clocks, and no end that was not observed.  Of an outage or a slowdown it gives what
each family of sources says.
"""

from collections.abc import Mapping

from fanous.model.incident import Estimate, FamilyView, Incident, Kind, Says, Scope, Status
from fanous.model.place import Access, asn_of
from fanous.wording.clocks import english_clocks, span
from fanous.wording.words import (
    NAMED,
    counted,
    counts_users,
    in_country,
    listed,
    mechanism_words,
    network_title,
    target_title,
)

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


HOUR = 3600.0

ONSET_SURE = 2 * HOUR
"""Where the last good and the first failing measurement lie further apart, both are given: nobody knows."""

_DONE = {
    Kind.OUTAGE: "cut off",
    Kind.BLOCKING: "blocked",
    Kind.THROTTLING: "slowed down",
    Kind.SLOWDOWN: "slowed down",
}

_LINES = {Access.MOBILE: "mobile networks", Access.FIXED: "fixed lines"}

_LEADS = ("suspected: ", "ended without being confirmed: ", "the suspicion faded: ")
"""How a reason begins where the status says it already."""


def sentence(incident: Incident, names: Mapping[int, str] | None = None) -> str:
    """The claim, hedged as its status demands.

    Args:
        names: ASN -> the network's name as the measurements give it, where we know none ourselves.
    """
    staged = f"{synthetic(incident)} " if incident.provenance.is_synthetic else ""
    return f"{staged}{_claim(incident, names or {})}"


SYNTHETIC = "Synthetic: a staged event. It says nothing about {country}."


def synthetic(incident: Incident) -> str:
    """What every account of a staged event begins with."""
    return SYNTHETIC.format(country=in_country(incident.country).removeprefix("in "))


def _claim(incident: Incident, names: Mapping[int, str]) -> str:
    place = line_place(incident) if is_of_lines(incident) else _where(incident, names)
    claim = f"{_what(incident)} {place} {_when(incident)}"
    told = f"{claim}{_method(incident)}{_users(incident)}"
    if incident.status is Status.RETRACTED:
        claimed = "suspicion" if incident.confirmed_at is None else "claim"
        return f"Retracted: the earlier {claimed} that {told} does not stand."
    return f"{_opening(incident)} {told}."


def grounds(incident: Incident) -> str:
    """What the claim rests on, counted."""
    if is_of_lines(incident):
        return line_grounds(incident)
    seen = incident.evidence
    return (
        f"{counted(seen.measurements, 'measurement')} by {counted(seen.probes, 'probe')} on "
        f"{counted(seen.networks, 'network')} saw it; "
        f"{counted(seen.controls, 'check')} elsewhere or from outside worked at the time."
    )


def because(incident: Incident) -> str:
    """Why the status is what it is."""
    reason = incident.reason
    for lead in _LEADS:
        reason = reason.removeprefix(lead)
    if incident.status is Status.RETRACTED:
        return f"Why retracted: {reason}."
    return f"Why not confirmed: {reason}." if incident.confirmed_at is None else f"Confirmed by {reason}."


def _opening(incident: Incident) -> str:
    over = incident.status is Status.ENDED
    if incident.confirmed_at is None:
        return "Suspected, never confirmed; now ended:" if over else "Suspected, not confirmed:"
    return "Confirmed; now ended:" if over else "Confirmed:"


def _what(incident: Incident) -> str:
    """``X (Twitter) was blocked and YouTube was slowed down``."""
    of_kind: dict[Kind, list[str]] = {
        kind: [target_title(p.target) for p in incident.parts if p.kind is kind and p.target] for kind in Kind
    }
    done = [f"{listed(t)} {_verb(incident, len(t))} {_DONE[kind]}" for kind, t in of_kind.items() if t]
    if is_of_lines(incident):
        return " and ".join([line_fell(incident), *done])
    return " and ".join(done) or f"{target_title('')} {_verb(incident, 1)} {_DONE[incident.kind]}"


def _verb(incident: Incident, count: int) -> str:
    """A fact in the past, one that lasts, or a possibility."""
    if incident.confirmed_at is None and incident.status is not Status.RETRACTED:
        return "may have been"
    if incident.end is None:
        return "has been" if count == 1 else "have been"
    return "was" if count == 1 else "were"


def _where(incident: Incident, names: Mapping[int, str]) -> str:
    place = in_country(incident.country)
    if incident.scope is Scope.NATION:
        lines = f" on {_LINES[incident.access]}" if incident.access in _LINES else ""
        return f"nation-wide {place}{lines}"
    weight = {network.entity: -network.measurements for network in incident.networks}
    entities = sorted(incident.entities, key=lambda entity: weight.get(entity, 0))
    networks = [asn_of(entity) for entity in entities if asn_of(entity)]
    if not networks:
        regions = [entity for entity in entities if entity != incident.country]
        return f"{place} ({listed(regions)})" if regions else place
    count = "one network" if len(networks) == 1 else f"{len(networks)} networks"
    return f"on {count} {place} ({_operators(networks, names)})"


def _operators(networks: list[int], names: Mapping[int, str]) -> str:
    """``Safaricom, AS33771 and AS37061; Telkom Kenya, AS12455``: those with most evidence first."""
    of_name: dict[str, list[int]] = {}
    for asn in networks:
        of_name.setdefault(network_title(asn, names) or f"AS{asn}", []).append(asn)
    shown = list(of_name.items())
    shown = shown if len(shown) <= NAMED else shown[: NAMED - 1]
    texts = []
    for name, asns in shown:
        numbers = listed([f"AS{asn}" for asn in asns])
        texts.append(numbers if name == numbers else f"{name}, {numbers}")
    rest = len(networks) - sum(len(asns) for _, asns in shown)
    return "; ".join([*texts, *([f"and {rest} more"] if rest else [])])


def _when(incident: Incident) -> str:
    """From when to when, as far as anybody saw."""
    end, country = incident.end, incident.country
    if end is None:
        return f"since {_onset(incident)}{_periods(incident)}, with no end seen so far"
    start, until = span(incident.onset, end, country)
    if incident.onset_earliest is None or _unsure(incident):
        start, until = f"{_onset(incident)},", f"about {english_clocks(end, country)}"
    return f"from {start} to {until}{_periods(incident)}"


def _onset(incident: Incident) -> str:
    country, earliest = incident.country, incident.onset_earliest
    if earliest is None:
        before = "before " if incident.end is not None else "at least "
        return f"{before}{english_clocks(incident.onset, country)}"
    if _unsure(incident):
        first, last = span(earliest, incident.onset_latest, country, about="")
        return f"some time between {first} and {last}"
    return f"about {english_clocks(incident.onset, country)}"


def _unsure(incident: Incident) -> bool:
    earliest = incident.onset_earliest
    return earliest is not None and incident.onset_latest - earliest > ONSET_SURE


def _periods(incident: Incident) -> str:
    """Says so where it came in sessions, on all networks or on some."""
    if len(incident.intervals) > 1:
        return f", in {len(incident.intervals)} separate periods"
    if is_of_lines(incident):
        return ""
    most = max((len(network.intervals) for network in incident.networks), default=0)
    return f", with pauses on some networks (up to {most} separate periods)" if most > 1 else ""


def _method(incident: Incident) -> str:
    """How it was seen, the speed beside what was slowed."""
    words = line_seen(incident) if is_of_lines(incident) else []
    for mechanism in incident.mechanisms:
        if mechanism.startswith(("outage.", "slowdown.")) and is_of_lines(incident):
            continue
        slowed = incident.kbps is not None and "throttle" in mechanism
        speed = f" (to about {incident.kbps.mean:.0f} kbit/s)" if slowed and incident.kbps else ""
        words.append(mechanism_words(mechanism) + speed)
    if not words:
        return ""
    lead = "" if is_of_lines(incident) else "seen as "
    return f", {lead}{listed(list(dict.fromkeys(words)))}"


def _users(incident: Incident) -> str:
    """Where no user figures are known, of networks."""
    users = incident.users
    if users is None or incident.scope is not Scope.NATION:
        return ""
    whose = f"users on {_LINES[incident.access]}" if incident.access in _LINES else "users"
    if not counts_users(incident.country):
        whose = _LINES.get(incident.access, "networks")
    return f", affecting an estimated {users.mean:.0%} of {whose} ({users.low:.0%} to {users.high:.0%})"
