"""Narrative: an incident as a headline and as whole sentences; one builder for every language, English included.

The lede is one sentence in local time; short sentences follow with the method by target, the networks, the users, who
measured, and the times in UTC.  Nothing is claimed here that the incident does not say: *confirmed* only if a rule
was met, a number of networks rather than the country below nation scope, and no end that was not observed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import floor

from fanous.analysis.explanations.base_rates import share_tested
from fanous.base.text import printable
from fanous.model.explanation import Standing, Weighed, for_readers
from fanous.model.incident import (
    LEAST_SAID,
    FamilyView,
    Incident,
    Interval,
    Kind,
    Part,
    RolePart,
    Scope,
    Status,
)
from fanous.model.instant import HOUR
from fanous.model.measurement import APP, Provenance
from fanous.model.place import Access, Family, asn_of
from fanous.refdata.countries import local, region_name
from fanous.refdata.networks import network_title
from fanous.refdata.platforms import has_app
from fanous.wording.clocks import both_clocks, date, moment
from fanous.wording.explanations import ALL_TESTED, EXPLANATIONS, STANDINGS, UNTESTED_MOSTLY, UNTESTED_RARELY
from fanous.wording.headline import APART, part_titles, place, provenance_note, where_said
from fanous.wording.language import ENGLISH, Language, Sentence
from fanous.wording.period import EXACT, LONGEST, exactly_when, period_said, sessions
from fanous.wording.reasons import listing, probes_counted, reasons_said, reasons_text, whole
from fanous.wording.words import (
    FAMILIES,
    NAMED,
    capitalised,
    counts_users,
    mechanism_words,
    percent,
    role_word,
    target_title,
)

# --- sentences ------------------------------------------------------------------------------------------


def sentences(incident: Incident, names: Mapping[int, str], language: Language) -> list[Sentence]:
    """The whole account: the lede, then what is known in detail or why it was retracted, with what must be said of its
    provenance.
    """
    retracted = incident.status is Status.RETRACTED
    more = because(incident, language) if retracted else details(incident, names, language)
    return _with_provenance(incident, [lede(incident, language), *more], language)


def summary(incident: Incident, language: Language) -> list[Sentence]:
    """What a quotation needs: the lede, how it was done or why it was retracted, and its provenance."""
    retracted = incident.status is Status.RETRACTED
    more = because(incident, language) if retracted else _how(incident, language)
    return _with_provenance(incident, [lede(incident, language), *more], language)


def sentence(incident: Incident, language: Language = ENGLISH) -> str:
    """The lede with what must be said of its provenance: for lists, JSON and logs."""
    return " ".join(one.text for one in _with_provenance(incident, [lede(incident, language)], language))


def _with_provenance(incident: Incident, account: list[Sentence], language: Language) -> list[Sentence]:
    """That it was staged comes first; that strangers measured it comes last."""
    note = provenance_note(incident, language)
    if note is None or incident.provenance is Provenance.IMPORTED:
        return account
    return [note, *account] if incident.provenance.is_synthetic else [*account, note]


def unheard_since(until: float | None, incident: Incident, language: Language) -> list[Sentence]:
    """That an incident of which no end was seen is known only up to then; nothing if its data go on.

    Args:
        until: unix seconds; ``None`` = they go on, or it is over.
    """
    if until is None:
        return []
    day = date(local(until, incident.country), language)
    return [language.sentence(DATA_END, date=day)]


DATA_END = "The data end on {date}: what has happened since is unknown."

WAS, LASTS, MAY = "was", "lasts", "may"
"""A fact of the past or up to its newest value, an ongoing one as far as is known, and a possibility."""

DONE: dict[tuple[str, str], tuple[str, str]] = {
    ("blocking", WAS): ("{targets} was blocked {where} {when}", "{targets} were blocked {where} {when}"),
    ("blocking", LASTS): (
        "{targets} has been blocked {where} {when}",
        "{targets} have been blocked {where} {when}",
    ),
    ("blocking", MAY): (
        "{targets} may have been blocked {where} {when}",
        "{targets} may have been blocked {where} {when}",
    ),
    ("throttling", WAS): ("{targets} was slowed {where} {when}", "{targets} were slowed {where} {when}"),
    ("throttling", LASTS): (
        "{targets} has been slowed {where} {when}",
        "{targets} have been slowed {where} {when}",
    ),
    ("throttling", MAY): (
        "{targets} may have been slowed {where} {when}",
        "{targets} may have been slowed {where} {when}",
    ),
    ("both", WAS): (
        "{targets} was blocked and {slowed} slowed {where} {when}",
        "{targets} were blocked and {slowed} slowed {where} {when}",
    ),
    ("both", LASTS): (
        "{targets} has been blocked and {slowed} slowed {where} {when}",
        "{targets} have been blocked and {slowed} slowed {where} {when}",
    ),
    ("both", MAY): (
        "{targets} may have been blocked and {slowed} slowed {where} {when}",
        "{targets} may have been blocked and {slowed} slowed {where} {when}",
    ),
}
"""(what was done to the targets, tense) -> clause for one target and for several."""

FELL: dict[tuple[Kind, bool, str], str] = {
    (Kind.OUTAGE, False, WAS): "internet access was cut {where} {when}",
    (Kind.OUTAGE, False, LASTS): "internet access has been cut {where} {when}",
    (Kind.OUTAGE, False, MAY): "internet access may have been cut {where} {when}",
    (Kind.OUTAGE, True, WAS): "connectivity fell to about {level} of its usual level {where} {when}",
    (Kind.OUTAGE, True, LASTS): "connectivity has fallen to about {level} of its usual level {where} {when}",
    (
        Kind.OUTAGE,
        True,
        MAY,
    ): "connectivity may have fallen to about {level} of its usual level {where} {when}",
    (Kind.SLOWDOWN, False, WAS): "internet access was slow {where} {when}",
    (Kind.SLOWDOWN, False, LASTS): "internet access has been slow {where} {when}",
    (Kind.SLOWDOWN, False, MAY): "internet access may have been slow {where} {when}",
    (Kind.SLOWDOWN, True, WAS): "connection speeds fell to about {level} of their usual level {where} {when}",
    (Kind.SLOWDOWN, True, LASTS): (
        "connection speeds have fallen to about {level} of their usual level {where} {when}"
    ),
    (Kind.SLOWDOWN, True, MAY): (
        "connection speeds may have fallen to about {level} of their usual level {where} {when}"
    ),
}
"""(kind, is the level known, tense) -> clause, if the line itself is cut or slow."""

TRAFFIC = {
    (False, WAS): "traffic to {targets} fell {where} {when}",
    (False, LASTS): "traffic to {targets} has fallen {where} {when}",
    (False, MAY): "traffic to {targets} may have fallen {where} {when}",
    (True, WAS): "traffic to {targets} fell to about {level} of its usual level {where} {when}",
    (True, LASTS): "traffic to {targets} has fallen to about {level} of its usual level {where} {when}",
    (True, MAY): "traffic to {targets} may have fallen to about {level} of its usual level {where} {when}",
}
"""(is the level known, tense) -> clause, if platforms' traffic fell."""

NOW_AT = {
    ("connectivity", WAS): (
        "connectivity was low {where} {when}: typically {level} of its usual level, and {now} when last measured"
    ),
    ("connectivity", MAY): (
        "connectivity may have been low {where} {when}: typically {level} of its usual level, and {now} when last "
        "measured"
    ),
    ("speed", WAS): (
        "connection speeds were low {where} {when}: typically {level} of their usual level, and {now} when last "
        "measured"
    ),
    ("speed", MAY): (
        "connection speeds may have been low {where} {when}: typically {level} of their usual level, and {now} "
        "when last measured"
    ),
    ("traffic", WAS): (
        "traffic to {targets} was low {where} {when}: typically {level} of its usual level, and {now} when last "
        "measured"
    ),
    ("traffic", MAY): (
        "traffic to {targets} may have been low {where} {when}: typically {level} of its usual level, and {now} "
        "when last measured"
    ),
}
"""(what fell, tense) -> clause, if its newest level differs from its typical one."""

ANOTHER_LEVEL = 0.1
"""Share of the usual level by which the newest level must differ from the typical one for the lede to name it, as
for the steps of an event (``analysis.series.depth.STAGE_CHANGE``)."""

RETRACTED = "Retracted: Fanous no longer claims that {claim}."
RETRACTED_SUSPICION = "Retracted: Fanous no longer suspects that {claim}."
OPENING = {
    ("suspected", False): "Suspected, not confirmed: {claim}.",
    ("suspected", True): "Suspected, never confirmed; now ended: {claim}.",
    ("provisional", False): "Provisional: {claim}.",
    ("provisional", True): "Provisional; now ended: {claim}.",
    ("confirmed", False): "Confirmed: {claim}.",
    ("confirmed", True): "Confirmed; now ended: {claim}.",
}
"""(status, has it ended) -> sentence."""


WORDS, WORDS_ELSEWHERE = 35, 45
"""Most words of an English lede and of others: if there would be more, fewer targets are named, then hours give way
to dates, then an unknown beginning is left to the details.  Other languages need more words for the same,
above all for dates."""


def lede(incident: Incident, language: Language) -> Sentence:
    """What, where and when in one sentence, hedged as the status demands."""
    sure = incident.confirmed_at is not None
    if incident.status is Status.RETRACTED:
        opening = RETRACTED if sure else RETRACTED_SUSPICION
    else:
        how = "provisional" if incident.is_provisional else "confirmed" if sure else "suspected"
        opening = OPENING[how, incident.status is Status.ENDED]
    shorter = (
        language.sentence(opening, claim=_claim(incident, language, named, by_hour, with_roles=with_roles))
        for with_roles in (True, False)
        for by_hour in (True, False, None)
        for named in range(NAMED, 1, -1)
    )
    most = WORDS if language.code == "en" else WORDS_ELSEWHERE
    return next((one for one in shorter if words_of(one.text) <= most), None) or language.sentence(
        opening, claim=_claim(incident, language, 1, by_hour=None)
    )


def words_of(text: str) -> int:
    """Number of words; punctuation standing alone does not count."""
    return sum(any(map(str.isalnum, word)) for word in text.split())


def _claim(
    incident: Incident, language: Language, named: int, by_hour: bool | None, *, with_roles: bool = False
) -> str:
    """The lede without its hedge.

    Args:
        named: targets that may be named; the others are counted.
        by_hour: give times, not only dates; ``None`` = only dates, and only known ones.
        with_roles: see ``headline.part_titles``.
    """
    where, when = (
        where_said(incident, {}, place(incident.country, language), language),
        period_said(incident, language, by_hour),
    )
    tense = _tense(incident)
    newest = _newest_level(incident)
    if (
        newest is not None
        and incident.level is not None
        and abs(newest - incident.level.mean) >= ANOTHER_LEVEL
    ):
        what = (
            "speed"
            if incident.kind is Kind.SLOWDOWN
            else "traffic"
            if incident.is_of_traffic
            else "connectivity"
        )
        return language.say(
            NOW_AT[what, MAY if tense == MAY else WAS],
            targets=listing(_targets_of(incident, Kind.OUTAGE, language), language, named),
            where=where,
            when=when,
            level=percent(incident.level.mean, language),
            now=percent(newest, language),
        )
    if incident.is_of_traffic:
        is_known = incident.level is not None and incident.level.mean >= LEAST_SAID
        share = language.percent(incident.level.mean) if incident.level is not None and is_known else ""
        named_targets = listing(_targets_of(incident, Kind.OUTAGE, language), language, named)
        return language.say(
            TRAFFIC[is_known, tense], targets=named_targets, where=where, when=when, level=share
        )
    if incident.kind in (Kind.OUTAGE, Kind.SLOWDOWN):
        level = incident.level
        if level is None or level.mean < LEAST_SAID:
            return language.say(FELL[incident.kind, False, tense], where=where, when=when)
        text = FELL[incident.kind, True, tense]
        return language.say(text, where=where, when=when, level=language.percent(level.mean))
    blocked, slowed = (
        _targets_of(incident, kind, language, with_roles=with_roles)
        for kind in (Kind.BLOCKING, Kind.THROTTLING)
    )
    done = "both" if blocked and slowed else "throttling" if slowed else "blocking"
    first = blocked or slowed or [language.say("Internet access")]
    if len(blocked) + len(slowed) > NAMED and done == "both":
        named = (named + 1) // 2
    return language.count(
        *DONE[done, tense],
        len(first),
        targets=listing(first, language, named),
        slowed=listing(slowed, language, named),
        where=where,
        when=when,
    )


def _newest_level(incident: Incident) -> float | None:
    """The newest level of the series that give the incident's; None = it is over, or about something else."""
    level, is_of_level = incident.level, incident.kind in (Kind.OUTAGE, Kind.SLOWDOWN)
    if level is None or not is_of_level or incident.end is not None or incident.status is Status.RETRACTED:
        return None
    return level.now if level.last_at is None else level.last


def _targets_of(incident: Incident, kind: Kind, language: Language, *, with_roles: bool = False) -> list[str]:
    return [
        language.say(SOMETIMES, target=name) if with_roles and _is_partial(part, incident) else name
        for part in incident.parts
        if part.kind is kind and part.target
        for name in part_titles(part, language, with_roles=with_roles)
    ]


SOMETIMES = "{target} (part of the time)"
TARGETS_AT_TIMES = "Not all of these failed all the time (local time): {targets}."

MUCH_APART = 3 * HOUR
"""Seconds by which a target must begin to fail after the incident, or work again before its end, to be said to have
failed for a part of it: several targets are seldom measured at the same minutes."""


def _is_partial(part: Part, incident: Incident) -> bool:
    """Did one of several targets fail for a part of the incident's time only?"""
    if len(incident.targets) < 2 or not part.intervals:
        return False
    last = part.intervals[-1].end
    ended_early = last is not None and (incident.end is None or incident.end - last > MUCH_APART)
    return ended_early or part.intervals[0].start - incident.onset > MUCH_APART


def _targets_at_times(incident: Incident, language: Language) -> Iterator[Sentence]:
    """When those targets failed that did not fail all the time."""
    times = [
        language.say(
            ROLE_SINCE if part.intervals[-1].end is None else ROLE_FROM,
            role=listing(part_titles(part, language), language),
            start=moment(part.intervals[0].start, incident.country, language),
            end="" if last is None else moment(last, incident.country, language),
        )
        for part in incident.parts
        if _is_partial(part, incident)
        for last in [part.intervals[-1].end]
    ]
    if times:
        yield language.sentence(TARGETS_AT_TIMES, targets=language.semicolon.join(times))


def _tense(incident: Incident) -> str:
    if incident.confirmed_at is None and incident.status is not Status.RETRACTED:
        return MAY
    return LASTS if incident.end is None and incident.seen_until is None else WAS


# --- details --------------------------------------------------------------------------------------------

FAILED = "Connections to {targets} failed."
RESET = "Connections to {targets} were reset."
NO_ANSWER = "Connections to {targets} got no answer."
LOOKS = "Connections to {targets} were cut because of how their first message looks."
BLOCK_PAGE = "Requests to {targets} were answered with a block page."
UNREACHABLE = "The addresses of {targets} could not be reached."
SLOWED = "Transfers from {targets} were slowed."
SLOWED_TO = "Transfers from {targets} were slowed to about {kbps} kbit/s."
AT_SUCH_A_SPEED = (
    (50.0, "At such a speed, even text is slow to arrive, and calls do not work."),
    (300.0, "At such a speed, text gets through, but a video call does not work."),
    (1000.0, "At such a speed, text and voice calls work, but video stutters."),
)
"""(kbit/s, what a slower rate means).  A voice call needs 30 to 100 kbit/s, a video call 300 to 600, and video in
standard definition about 1,000, as providers of these services recommend."""
OTHERWISE = "{targets}: {methods}."

CLAUSES: dict[str, str] = {
    "dns": "DNS lookups of {targets} failed.",
    "dns.injection": "DNS lookups of {targets} returned forged answers.",
    "dns.injection.blockpage": "DNS lookups of {targets} led to a block page.",
    "dns.nxdomain": "DNS answers denied that {targets} existed.",
    "dns.refused": "DNS lookups of {targets} were refused.",
    "dns.timeout": "DNS lookups of {targets} got no answer.",
    "encdns": "Resolvers over TLS or HTTPS could not be used.",
    "http": FAILED,
    "http.blockpage": BLOCK_PAGE,
    "http.blockpage.unknown": "Requests to {targets} were answered with another page.",
    "http.error": "Requests to {targets} were answered with an error page.",
    "http.redirect": BLOCK_PAGE,
    "http.reset": RESET,
    "http.throttle": SLOWED,
    "http.timeout": NO_ANSWER,
    "ip.unreachable": UNREACHABLE,
    "ip.prefix_null_route": UNREACHABLE,
    "quic": "QUIC traffic to {targets} was dropped.",
    "tcp": FAILED,
    "tcp.refused": "Connections to {targets} were refused.",
    "tcp.reset": RESET,
    "tcp.timeout": NO_ANSWER,
    "tls": FAILED,
    "tls.freeze": "Connections to {targets} froze after the first data.",
    "tls.mitm": "Connections to {targets} were shown a certificate that is not the site's.",
    "tls.reset": RESET,
    "tls.reset.fingerprint": LOOKS,
    "tls.reset.sni": "Connections to {targets} were reset when they named the site.",
    "tls.throttle": SLOWED,
    "tls.timeout": NO_ANSWER,
    "tls.timeout.fingerprint": LOOKS,
}
"""Prefix of a mechanism -> sentence; the longest match is used, as in ``words.MECHANISMS``."""

MOST_CLAUSES = 4
"""Most mechanisms put into sentences; all are listed on the page and in the JSON."""

CLASSES = {
    "outage.stealth": "Routes to the networks were still announced.",
    "outage.ipv6": "IPv6 was withdrawn from routing.",
    "outage.intranet": "Sites inside the country still answered.",
    "outage.allow_list": "A short list of sites still answered.",
}
"""Classes of outages that say more than the place does."""

HOURS = "Hours, as measured: about {hours}, local time."
AT_A_STRETCH = "For more than {hours} hours at a stretch, as far as measured, on: {networks}."
LED_UP = "A smaller fall, to about {level} of the usual level, came first, from about {since}."
REACHED = {
    "about": "It was down to about {level} of the usual level by about {at}.",
    "between": "It was down to about {level} of the usual level at some time between {earliest} and {latest}.",
}
STAGES = "The level changed along the way but never returned to normal in between."
LOW_FIRST = "Low before the rest (local time): {places}."
"""Places that fell clearly before the country did: who was cut first keeps its time."""

LAST_MEASURED = "It was last measured on {date}: {level} of the usual level."
MEASURED_SINCE = "{family}, measured until {date}, is at {level} of the usual level."
"""Of series that have fallen silent, and of others of the country that still report."""

LOWEST = "At its lowest, {level} of the usual level was left."
RETURNS = (
    "It was partly back once in between, at about {level} of the usual level.",
    "It was partly back {n} times in between, at up to about {level} of the usual level.",
)
RETURNED = 0.5
"""Share of the loss that a step must bring back, before a further fall, to count as a return in part."""
PERIODS = ("It came in {n} period.", "It came in {n} separate periods.")
ON_THESE = "Networks: {networks}."
IN_THESE = "Regions: {regions}."
USERS = {
    Access.ANY: "An estimated {mean} of users were affected ({low} to {high}).",
    Access.MOBILE: "An estimated {mean} of users of mobile networks were affected ({low} to {high}).",
    Access.FIXED: "An estimated {mean} of users of fixed lines were affected ({low} to {high}).",
}
NETWORKS = "An estimated {mean} of networks were affected ({low} to {high}); no user figures are known."
MAYBE_USERS = {
    Access.ANY: "An estimated {mean} of users may have been affected ({low} to {high}).",
    Access.MOBILE: "An estimated {mean} of users of mobile networks may have been affected ({low} to {high}).",
    Access.FIXED: "An estimated {mean} of users of fixed lines may have been affected ({low} to {high}).",
}
MAYBE_NETWORKS = (
    "An estimated {mean} of networks may have been affected ({low} to {high}); no user figures are known."
)
"""The same of a suspicion."""

SEEN = "{measurements} by {probes} on {networks} saw it."
SEEN_BY_RUNS = "{measurements} in {probes} on {networks} saw it."
SEEN_BY_EACH_RUN = "{probes} on {networks} saw it."
WORKED = (
    "{n} measurement elsewhere or from outside worked at the time.",
    "{n} measurements elsewhere or from outside worked at the time.",
)


def details(incident: Incident, names: Mapping[int, str], language: Language) -> list[Sentence]:
    """How, where, for whom, who measured, and when in UTC: short sentences, each true by itself."""
    told = (
        _how(incident, language),
        _targets_at_times(incident, language),
        _roles(incident, names, language),
        _course(incident, names, language),
        _places(incident, names, language),
        _users(incident, language),
        grounds(incident, language),
        [exactly_when(incident, language)],
    )
    return [one for some in told for one in some]


def _how(incident: Incident, language: Language) -> Iterator[Sentence]:
    """How, by target: targets with the same methods are grouped, and listed once if these are many."""
    met: dict[str, dict[str, None]] = {}
    by_clause: dict[str, dict[str, None]] = {}
    for part in incident.parts:
        for mechanism in part.mechanisms if part.target and part.kind is not Kind.OUTAGE else ():
            met.setdefault(_clause(mechanism), {}).update(dict.fromkeys(part_titles(part, language)))
            by_clause.setdefault(_clause(mechanism), {})[mechanism] = None
    ways = sorted(met.items(), key=lambda way: -len(way[1]))[:MOST_CLAUSES]
    of_same = Counter(tuple(sorted(titles)) for _, titles in ways if len(titles) > 1)
    told: set[tuple[str, ...]] = set()
    for clause, titles in ways:
        targets, same = listing(list(titles), language), tuple(sorted(titles))
        if of_same[same] >= MUCH:
            if same not in told:
                own = [
                    name for other, named in ways if tuple(sorted(named)) == same for name in by_clause[other]
                ]
                words = listing(
                    list(dict.fromkeys(_method(incident, name, language) for name in own)),
                    language,
                    MOST_CLAUSES,
                )
                yield language.sentence(OTHERWISE, targets=targets, methods=words)
                told.add(same)
        elif clause == SLOWED and incident.kbps is not None:
            yield language.sentence(SLOWED_TO, targets=targets, kbps=language.number(incident.kbps.mean))
        elif clause in CLAUSES.values():
            yield language.sentence(clause, targets=targets)
        else:
            yield language.sentence(OTHERWISE, targets=targets, methods=language.say(clause))
        if clause == SLOWED and incident.kbps is not None:
            yield from _meaning(incident.kbps.mean, language)
    for mechanism in incident.mechanisms:
        if mechanism in CLASSES:
            yield language.sentence(CLASSES[mechanism])


def speeds(incident: Incident, language: Language) -> list[Sentence]:
    """To what rate its slowed targets were slowed, and what that means; nothing if the rate is unknown."""
    slowed = _targets_of(incident, Kind.THROTTLING, language)
    if not slowed or incident.kbps is None:
        return []
    targets, kbps = listing(slowed, language, NAMED), language.number(incident.kbps.mean)
    return [
        language.sentence(SLOWED_TO, targets=targets, kbps=kbps),
        *_meaning(incident.kbps.mean, language),
    ]


def _meaning(kbps: float, language: Language) -> Iterator[Sentence]:
    """What works at such a rate, and what does not."""
    meanings = (text for below, text in AT_SUCH_A_SPEED if kbps < below)
    return map(language.sentence, islice(meanings, 1))


MUCH = 3
"""From this many sentences that would each list the same targets, they become one."""


def _clause(mechanism: str) -> str:
    """The sentence of a mechanism, or its bare words if there is none."""
    steps = mechanism.split(".")
    prefixes = (".".join(steps[:length]) for length in range(len(steps), 0, -1))
    return next((CLAUSES[prefix] for prefix in prefixes if prefix in CLAUSES), mechanism_words(mechanism))


def _roles(incident: Incident, names: Mapping[int, str], language: Language) -> Iterator[Sentence]:
    """Which parts of each service still worked, failed at other times or on fewer networks, or were not tried."""
    for part in incident.parts:
        if not part.roles or part.kind is not Kind.BLOCKING:
            continue
        service = target_title(part.target, language)
        cut = [one for one in part.roles if one.entities]
        spared = [one.role for one in part.roles if one.worked and not one.entities]
        if spared:
            working = dict.fromkeys(role_word(part.target, role, language) for role in spared)
            yield language.sentence(WORKING, service=service, roles=listing(list(working), language))
        times = _at_times(part, cut, incident.country, language)
        if len(times) > 1:
            yield language.sentence(AT_TIMES, service=service, roles=language.semicolon.join(times))
        for one in cut:
            if len(part.roles) > 1 and set(one.entities) < set(part.entities):
                networks = listing([_operator(entity, names) for entity in one.entities], language)
                role = role_word(part.target, one.role, language)
                yield language.sentence(ONLY_ON, service=service, role=role, networks=networks)
    untried = [
        target_title(part.target, language)
        for part in incident.parts
        if part.roles and part.kind is Kind.BLOCKING and has_app(part.target)
        if APP.isdisjoint(one.role for one in part.roles)
    ]
    if untried:
        services = listing(untried, language)
        yield Sentence(language.count(*NOT_TRIED, len(untried), services=services), language)


WORKING = "Parts of {service} that still worked: {roles}."
NOT_TRIED = (
    "Whether the app of {services} worked was not measured.",
    "Whether the apps of {services} worked was not measured.",
)
AT_TIMES = "Not all parts of {service} failed at the same time (local time): {roles}."
ONLY_ON = "One part of {service} ({role}) is known to have failed only on {networks}."
ROLE_SINCE, ROLE_FROM = "{role} from {start}", "{role} from {start} to {end}"


def _at_times(part: Part, cut: Sequence[RolePart], country: str, language: Language) -> list[str]:
    """``app and web client from 17 Dec, 19:55``, with an end if it came earlier than the others'."""
    last = max((one.intervals[-1].until for one in cut), default=0.0)
    groups: list[tuple[Interval, dict[str, None]]] = []
    for one in sorted(cut, key=lambda one: one.intervals[0].start):
        start, end = one.intervals[0].start, one.intervals[-1].until
        when = Interval(start, end if end < last - APART else None)
        word = role_word(part.target, one.role, language)
        for known, words in groups:
            ends_alike = known.until == when.until or abs(known.until - when.until) <= APART
            if start - known.start <= APART and ends_alike:
                words[word] = None
                break
        else:
            groups.append((when, {word: None}))
    return [
        language.say(
            ROLE_SINCE if when.end is None else ROLE_FROM,
            role=listing(list(words), language),
            start=moment(when.start, country, language),
            end="" if when.end is None else moment(when.end, country, language),
        )
        for when, words in groups
    ]


def _operator(entity: str, names: Mapping[int, str]) -> str:
    """``Safaricom (AS33771)``."""
    name = network_title(asn_of(entity), names)
    return f"{name} ({entity})" if name else entity


def _course(incident: Incident, names: Mapping[int, str], language: Language) -> Iterator[Sentence]:
    """What led up to it, then its sessions, or that it had several periods or levels, and what stayed lower."""
    yield from _reached(incident, language)
    led_up = incident.led_up_by
    if led_up is not None:
        since = both_clocks(led_up.start, incident.country, language)
        yield language.sentence(LED_UP, level=percent(led_up.left, language), since=since)
    yield from _low_first(incident, names, language)
    in_sessions = sessions(incident)
    if in_sessions is not None:
        hours = [f"{_of_day(start, language)}–{_of_day(end, language)}" for start, end in in_sessions.hours]
        yield language.sentence(HOURS, hours=listing(hours, language))
        if in_sessions.longer:
            networks = listing([_operator(entity, names) for entity in in_sessions.longer], language)
            yield language.sentence(AT_A_STRETCH, hours=language.number(LONGEST / HOUR), networks=networks)
    elif len(incident.intervals) > 1:
        periods = 1 + sum(one.end != then.start for one, then in pairwise(incident.intervals))
        returns = _returns(incident)
        if periods > 1:
            yield Sentence(language.count(*PERIODS, periods), language)
        elif returns:
            level = language.percent(max(returns))
            yield Sentence(language.count(*RETURNS, len(returns), level=level), language)
        else:
            yield language.sentence(STAGES)
    left = incident.level
    if left is not None and left.worst is not None and left.mean - left.worst >= ANOTHER_LEVEL:
        yield language.sentence(LOWEST, level=percent(left.worst, language))
    yield from _when_silent(incident, language)
    yield from reasons_said([reason for reason in incident.reasons if reason.code == STAYS_LOWER], language)


def _reached(incident: Incident, language: Language) -> Iterator[Sentence]:
    """When it was first at the level that the lede states, if that was later than its onset."""
    at, earliest, latest = incident.reached, incident.reached_earliest, incident.reached_latest
    if incident.level is None or at is None or earliest is None or latest is None:
        return
    yield language.sentence(
        REACHED["between" if latest - earliest > EXACT else "about"],
        level=percent(incident.level.mean, language),
        at=both_clocks(at, incident.country, language),
        earliest=both_clocks(earliest, incident.country, language),
        latest=both_clocks(latest, incident.country, language),
    )


def _low_first(incident: Incident, names: Mapping[int, str], language: Language) -> Iterator[Sentence]:
    """The operators or regions that fell clearly before an outage of the country, the first of them first."""
    if not incident.opinions or incident.country not in incident.entities or incident.onset_earliest is None:
        return
    before = incident.onset_earliest - EXACT
    early = [
        network
        for network in incident.networks
        if network.entity != incident.country and network.intervals and network.intervals[0].start < before
    ]
    when_low = [
        language.say(
            ROLE_SINCE,
            role=_operator(network.entity, names) if network.asn else printable(region_name(network.entity)),
            start=moment(network.intervals[0].start, incident.country, language),
        )
        for network in sorted(early, key=lambda network: network.intervals[0].start)[:NAMED]
    ]
    if when_low:
        yield language.sentence(LOW_FIRST, places=language.semicolon.join(when_low))


def _when_silent(incident: Incident, language: Language) -> Iterator[Sentence]:
    """What the series that give the level said last, and what others say since."""
    level = incident.level
    if level is None or level.last is None or level.last_at is None:
        return
    last = both_clocks(level.last_at, incident.country, language)
    yield language.sentence(LAST_MEASURED, date=last, level=percent(level.last, language))
    if level.now is not None and level.now_at is not None:
        family = capitalised(language.say(FAMILIES[Family(level.now_of)]))
        until = both_clocks(level.now_at, incident.country, language)
        yield language.sentence(MEASURED_SINCE, family=family, date=until, level=percent(level.now, language))


STAYS_LOWER = "stays_lower"


def _returns(incident: Incident) -> list[float]:
    """Shares of the usual level that were there while it was partly back, between two lower levels."""
    shares = [level.left for level in incident.levels if level.start >= incident.onset]
    return [
        here
        for before, here, after in zip(shares, shares[1:], shares[2:], strict=False)
        if min(here - before, here - after) >= RETURNED * (1 - min(before, after))
    ]


def _of_day(seconds: float, language: Language) -> str:
    return language.in_digits(f"{int(seconds // HOUR):02d}:{int(seconds % HOUR // 60):02d}")


def _places(incident: Incident, names: Mapping[int, str], language: Language) -> Iterator[Sentence]:
    """The networks by operator, those with most evidence first (for an outage: the deepest); otherwise the regions."""
    weight = {network.entity: -network.measurements for network in incident.networks}
    # those of an outage in quantity series have their own order: the deepest first
    entities = sorted(incident.entities, key=lambda entity: 0 if incident.opinions else weight.get(entity, 0))
    of_name: dict[str, list[str]] = {}
    for asn in filter(None, map(asn_of, entities)):
        of_name.setdefault(network_title(asn, names), []).append(f"AS{asn}")
    unnamed = of_name.pop("", [])
    operators = [f"{name} ({language.comma.join(numbers)})" for name, numbers in of_name.items()] + unnamed
    if operators:
        yield language.sentence(ON_THESE, networks=listing(operators, language))
    elif regions := [entity for entity in entities if entity != incident.country]:
        yield language.sentence(
            IN_THESE, regions=listing([printable(region_name(region)) for region in regions], language)
        )


def _users(incident: Incident, language: Language) -> Iterator[Sentence]:
    users = incident.users
    if users is not None and incident.scope is Scope.NATION:
        figures = {name: language.percent(getattr(users, name)) for name in ("mean", "low", "high")}
        sure, of_users = incident.confirmed_at is not None, counts_users(incident.country)
        told = (USERS if sure else MAYBE_USERS)[incident.access]
        yield language.sentence(told if of_users else NETWORKS if sure else MAYBE_NETWORKS, **figures)


def grounds(incident: Incident, language: Language) -> Iterator[Sentence]:
    """The evidence behind the claim, in numbers; for an outage, what each family of sources says."""
    for opinion in incident.opinions:
        yield _opinion(opinion, language)
    seen = incident.evidence
    if incident.opinions or not seen.probes:
        return
    by_runs = seen.probes_are == "test_runs"
    text = SEEN if not by_runs else SEEN_BY_EACH_RUN if seen.measurements == seen.probes else SEEN_BY_RUNS
    yield language.sentence(
        text,
        measurements=language.count("{n} measurement", "{n} measurements", seen.measurements),
        probes=probes_counted(seen.probes, language, seen.probes_are),
        networks=language.count("{n} network", "{n} networks", seen.networks),
    )
    if seen.controls:
        yield Sentence(language.count(*WORKED, seen.controls), language)


OF_FAMILY = "{family}: {what}"


def _opinion(opinion: FamilyView, language: Language) -> Sentence:
    """A family of sources and what it says, in the words of its row in the table of witnesses."""
    family = capitalised(language.say(FAMILIES[Family(opinion.family)]))
    what = reasons_text([opinion.reason], language)
    return language.sentence(OF_FAMILY, family=family, what=f"{what[:1].lower()}{what[1:]}")


BECAUSE = {
    "retracted": "Why it was retracted:",
    "suspected": "Why it is not confirmed:",
    "confirmed": "Why it is confirmed:",
}


AS_PUBLISHED = "As published before it was retracted"
"""Heading of figures that no longer hold."""


def because(incident: Incident, language: Language) -> list[Sentence]:
    """Why the status is what it is: its name, then each reason."""
    sure = "confirmed" if incident.confirmed_at is not None else "suspected"
    label = BECAUSE["retracted" if incident.status is Status.RETRACTED else sure]
    given_reasons = reasons_said(incident.reasons, language, incident.evidence.probes_are)
    return [language.sentence(label), *given_reasons] if given_reasons else []


@dataclass(frozen=True, slots=True)
class Explained:
    """Another explanation of an incident, in words.

    Attributes:
        says: the explanation.
        because: the figures that decided how it stands.
    """

    says: Sentence
    standing: Standing
    because: Sentence

    @property
    def word(self) -> str:
        """How it stands: a key of the catalogues."""
        return STANDINGS[self.standing]


def what_else(incident: Incident, language: Language) -> list[Explained]:
    """Every other explanation that was weighed, as readers are told of them; nothing if none was."""
    return [
        _explained(one, language, incident.evidence.probes_are) for one in for_readers(incident.explanations)
    ]


def untested_said(incident: Incident, language: Language) -> Sentence | None:
    """How often what could not be tested may be behind such events; None = no explanation was weighed."""
    tested = share_tested(incident.explanations)
    if tested is None:
        return None
    if tested == 1:
        return language.sentence(ALL_TESTED)
    if tested < 0.5:
        return language.sentence(UNTESTED_MOSTLY)
    return language.sentence(UNTESTED_RARELY, n=language.number(floor(1 / (1 - tested))))


def _explained(explanation: Weighed, language: Language, probes_are: str) -> Explained:
    text = EXPLANATIONS.get(explanation.code)
    says = (
        language.sentence(text) if text else Sentence(whole(explanation.code), ENGLISH)
    )  # of another version
    (because,) = reasons_said([explanation.because], language, probes_are)
    return Explained(says, explanation.standing, because)


# --- words within sentences -----------------------------------------------------------------------------


def methods(incident: Incident, language: Language) -> list[str]:
    """Mechanisms in words, each once, with the speed next to what was slowed."""
    return list(dict.fromkeys(_method(incident, mechanism, language) for mechanism in incident.mechanisms))


def _method(incident: Incident, mechanism: str, language: Language) -> str:
    words = language.say(mechanism_words(mechanism))
    if incident.kbps is None or "throttle" not in mechanism:
        return words
    return language.say(
        "{method} (about {kbps} kbit/s)", method=words, kbps=language.number(incident.kbps.mean)
    )
