"""Words: the names of statuses, kinds, scopes, mechanisms and targets.

``docs/glossary.md`` says what each word means and why it is translated as it is.  Names of targets and mechanisms may
come from anyone, so they are made printable: an escape sequence must not reach a terminal.
"""

from collections.abc import Mapping, Sequence

from fanous.base.text import printable
from fanous.model.incident import LEAST_SAID, UNLISTED, Basis, Incident, Kind, Scope, Status
from fanous.model.measurement import Role
from fanous.model.place import Access, Family
from fanous.model.verdict import State
from fanous.refdata.countries import country_name
from fanous.refdata.platforms import role_title, title
from fanous.wording.language import ENGLISH, Language

STATUSES = {
    Status.SUSPECTED: "Suspected",
    Status.CONFIRMED: "Confirmed",
    Status.ENDED: "Ended",
    Status.RETRACTED: "Retracted",
}
KINDS = {
    Kind.OUTAGE: "Outage",
    Kind.BLOCKING: "Blocking",
    Kind.THROTTLING: "Throttling",
    Kind.SLOWDOWN: "Slowdown",
}
TRAFFIC_LOST = "traffic"
"""Takes the place of an outage where platforms' traffic fell, and nothing says that lines did."""

KINDS_SHOWN: Mapping[str, str] = {
    **{str(kind): word for kind, word in KINDS.items()},
    TRAFFIC_LOST: "Loss of traffic",
}
"""Kinds as people are shown them and choose among them; files and the API know four."""


def kinds_shown(incident: Incident) -> list[str]:
    """Keys of ``KINDS_SHOWN``, in order: all that it does somewhere."""
    kinds = {str(kind) for kind in incident.kinds}
    if incident.is_of_traffic:
        kinds = kinds - {str(Kind.OUTAGE)} | {TRAFFIC_LOST}
    return [kind for kind in KINDS_SHOWN if kind in kinds]


STATES = {
    State.BLOCKED: "Blocked",
    State.THROTTLED: "Slowed",
    State.DOWN: "Service itself down",
    State.INSUFFICIENT: "Cannot tell",
    State.OK: "Reachable",
}
"""A rule's verdict on a target, in words."""

BASES = {
    Basis.VOUCHED: "measured by probes that an operator answers for",
    Basis.VOLUNTEERS: "measured by volunteers, for whom no one answers",
    Basis.ONE_PUBLISHER: "reported by one publisher alone",
    Basis.TWO_HANDS: "shown by sources that are independent of each other",
}
"""What an incident rests on."""

SCOPES = {
    Scope.NATION: "nation-wide",
    Scope.REGION: "regional",
    Scope.MULTI_ISP: "several operators",
    Scope.ISP: "one operator",
    Scope.INSUFFICIENT: "extent unknown",
}
ACCESSES = {
    Access.ANY: "mobile and fixed lines",
    Access.MOBILE: "mobile networks",
    Access.FIXED: "fixed lines",
}

FAMILIES = {
    Family.EDGE: "Fanous probes",
    Family.OONI: "OONI probes",
    Family.REMOTE: "shared vantage points",
    Family.ATLAS: "RIPE Atlas connections",
    Family.ROUTING: "routing",
    Family.PROBING: "active probing",
    Family.USAGE: "traffic and users",
    Family.DARKNET: "stray traffic",
    Family.REPORTS: "reports",
}


ENDED_SURE, ENDED_UNSURE = "Confirmed, ended", "Suspected, ended"


def status_word(incident: Incident) -> str:
    """The status in words; for an ended incident it says whether it was ever confirmed."""
    if incident.status is not Status.ENDED:
        return STATUSES[incident.status]
    return ENDED_UNSURE if incident.confirmed_at is None else ENDED_SURE


STAGED = "Synthetic: what follows rests on staged measurements. It says nothing about the real world."
"""First line of a command's output if that rests on staged measurements."""


def counts_users(country: str) -> bool:
    """Are shares in a country shares of users?  Without user figures, they are shares of networks."""
    from fanous.refdata.users import user_weights

    return user_weights(country) is not None


NAMED = 4
"""Most names in a row that a reader can take in; others are counted."""

_WITH_THE = frozenset(
    {
        "AE",
        "BS",
        "CC",
        "CF",
        "CK",
        "DO",
        "FK",
        "FO",
        "GB",
        "GM",
        "IM",
        "KM",
        "KY",
        "MH",
        "MP",
        "MV",
        "NL",
        "PH",
        "PS",
        "SB",
        "SC",
        "TC",
        "TF",
        "UM",
        "US",
        "VA",
        "VG",
        "VI",
    }
)
"""Countries whose English name has an article: *in the Philippines*."""


def target_title(target: str, language: Language = ENGLISH) -> str:
    """``x`` -> ``X (Twitter)``; the empty target of an outage is the internet itself."""
    if target == UNLISTED:
        return language.say("a site on no list")
    return printable(title(target)) or "Internet access"


ROLES = {
    Role.CHAT: "app",
    Role.API: "app",
    Role.MESSENGER: "Messenger",
    Role.WEB: "website",
    Role.CLIENT: "web client",
    Role.REGISTRATION: "registration of new accounts",
    Role.MEDIA: "pictures and video",
    Role.SITE: "website",
}
"""Parts of a service."""

ROLES_OF = {
    Role.CHAT: "{service}'s app",
    Role.API: "{service}'s app",
    Role.MESSENGER: "{service}'s messenger",
    Role.WEB: "{service}'s website",
    Role.CLIENT: "{service}'s web client",
    Role.REGISTRATION: "{service}'s registration service",
    Role.MEDIA: "{service}'s media delivery",
    Role.SITE: "{service}'s website",
}
"""A part of a service, if it alone is cut; English names it, other languages say *only*."""


def named_title(name: str, language: Language) -> str:
    """``telegram`` -> ``Telegram``; ``telegram/client`` -> ``Telegram's web client`` (``Part.named``)."""
    target, _, role = name.rpartition("/")
    if role not in ROLES_OF:
        return target_title(name, language)
    own = role_title(target, role)
    return printable(own) if own else language.say(ROLES_OF[Role(role)], service=target_title(target))


def role_word(target: str, role: Role, language: Language) -> str:
    """``app``, ``web client``; ``Facebook Messenger`` where the part has a name of its own."""
    return printable(role_title(target, role)) or language.say(ROLES[role])


def full_status(incident: Incident) -> str:
    """The status; ``ended`` alone would not say whether it was ever confirmed."""
    if incident.status is not Status.ENDED:
        return str(incident.status)
    return f"{Status.CONFIRMED if incident.confirmed_at is not None else Status.SUSPECTED}, {Status.ENDED}"


def capitalised(text: str) -> str:
    """The text with a capital letter, if the script has capitals."""
    return text[:1].upper() + text[1:]


def in_country(country: str) -> str:
    """``in Kenya``, ``in the Philippines``."""
    article = "the " if country in _WITH_THE else ""
    return f"in {article}{country_name(country)}"


def listed(names: Sequence[str]) -> str:
    """``a, b and c``; beyond ``NAMED``, the first ones and how many more."""
    if len(names) > NAMED:
        names = [*names[: NAMED - 1], f"{len(names) - NAMED + 1} more"]
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def counted(n: int, noun: str) -> str:
    """``1 probe``, ``1,234 probes``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


LESS = "less than {share}"


def percent(share: float, language: Language) -> str:
    """``83%``; ``less than 1%``; never more than the usual level, above which days differ by themselves."""
    if share >= LEAST_SAID:
        return language.percent(min(share, 1.0))
    return language.say(LESS, share=language.percent(LEAST_SAID))


MECHANISMS = {
    "dns.injection": "forged DNS answers",
    "dns.injection.blockpage": "DNS answers that lead to a block page",
    "dns.nxdomain": "DNS answers that deny the name",
    "dns.refused": "refused DNS lookups",
    "dns.timeout": "unanswered DNS lookups",
    "dns": "DNS interference",
    "encdns": "blocked encrypted DNS",
    "http.blockpage": "a block page",
    "http.blockpage.unknown": "another page in place of the site's",
    "http.error": "error pages",
    "http.redirect": "redirects to a block page",
    "http.reset": "web requests that are reset",
    "http.throttle": "slowed transfers",
    "http.timeout": "web requests that get no answer",
    "http": "interference with web requests",
    "ip.unreachable": "unreachable addresses",
    "line": "a bad line",
    "ip.prefix_null_route": "unreachable addresses",
    "outage": "loss of connectivity",
    "outage.platform": "loss of traffic",
    "quic": "dropped QUIC traffic",
    "server.down": "the service's own failure",
    "server.geo_block": "the service's own refusal of the country",
    "slowdown": "slow connections to everything",
    "tcp": "interference with connections",
    "tcp.refused": "refused connections",
    "tcp.reset": "reset connections",
    "tcp.timeout": "connections that get no answer",
    "tls.freeze": "connections that freeze",
    "tls.mitm": "certificates that are not the site's",
    "tls.reset": "encrypted connections that are reset",
    "tls.reset.fingerprint": "connections cut by how their first message looks",
    "tls.reset.sni": "connections reset when the name is sent",
    "tls.throttle": "slowed encrypted connections",
    "tls.timeout": "encrypted connections that get no answer",
    "tls.timeout.fingerprint": "connections cut by how their first message looks",
    "tls": "interference with encrypted connections",
}
"""Prefixes in words; the longest match is used."""


def mechanism_words(mechanism: str) -> str:
    """``tls.reset.sni`` -> ``connections reset when the name is sent``; an unknown one stays as it is."""
    parts = mechanism.split(".")
    for length in range(len(parts), 0, -1):
        words = MECHANISMS.get(".".join(parts[:length]))
        if words:
            return words
    return (
        printable(mechanism).replace("{", "").replace("}", "")
    )  # ``Language.say`` would take braces for placeholders
