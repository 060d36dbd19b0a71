"""Reasons: every ``Reason`` as a sentence in every language.

Reasons for a status or a revision are here, all others in ``findings`` and ``explanations``.  One table gives each code
its sentence, others each parameter its words.

``rule_said`` says why a rule decided as it did.  The store keeps a rule's sentence in English, with the figures of
the case.  In another language the sentence is found by the id of its rule, and the figures are left to the observations
that the page lists below it.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from fanous.analysis.series.signals import REGISTRIES, SIGNALS
from fanous.base.text import printable
from fanous.model.incident import UNLISTED, Kind, MethodChange, Scope, Status
from fanous.model.place import Family
from fanous.model.reason import AS_WRITTEN, Param, Reason
from fanous.refdata.countries import country_name, is_country, region_name
from fanous.refdata.networks import network_title
from fanous.wording.clocks import both_clocks, date, length
from fanous.wording.explanations import EXCLUDED_BY, UNTESTED_FOR
from fanous.wording.findings import FINDINGS, Text
from fanous.wording.language import ENGLISH, Language, Sentence
from fanous.wording.words import (
    FAMILIES,
    KINDS,
    NAMED,
    SCOPES,
    STATUSES,
    counts_users,
    mechanism_words,
    named_title,
    percent,
    target_title,
)

REACH: dict[str, Text] = {
    "wider.targets": "It has widened to {targets}.",
    "wider.scope": "It has widened (before: {before}; now: {after}).",
    "wider.networks": "It has widened (networks known to be affected: {affected}; before: {fewer}).",
    "narrower.targets": "It has narrowed; still cut: {targets}.",
}
"""How far an event reaches now that readers were told of it before."""

NOT_JUDGED = "That applies to {some} of {all} measurements."
"""Follows the sentence of a rule."""

MAY_BE_OF_SITE = (
    "The site itself may show this page to visitors from the country: no other network there was seen to get the usual "
    "page at the time."
)

OF_EARLIER_VERSIONS: dict[str, Text] = {
    "disputed.deliverer": (
        "Sources disagree. All that shows it ({shown_by}) came through one source and is at zero there, but "
        "{families}, which others measure, stayed as usual. A fault of that source looks like this, so it is only "
        "suspected."
    ),
    "shares.publisher": (
        "All that shows it ({families}) has one publisher, so that one error in its table of places or its lists "
        "would be in all of it. That keeps it from being certain."
    ),
    "shares.deliverer": (
        "All that shows it ({families}) came through one source, which may have lost or delayed all of it. That keeps "
        "it from being certain."
    ),
    "lacks.others": (
        "One source shows it ({shown_by}). What others measure is not known yet for that time, so it is only suspected "
        "until their figures are in."
    ),
}
"""Reasons that nothing gives today, and that revisions in ledgers keep."""

REASONS: dict[str, Text] = {
    **OF_EARLIER_VERSIONS,
    "rule.c1": "Rule C1 is met: independent kinds of sources agree ({families}).",
    "rule.c2": "Rule C2 is met by {probes} on {networks}. Control: {control}.",
    "rule.c3": "Rule C3 is met: independent kinds of sources agree ({families}).",
    "lacks.network": "No network has enough measurements of its own to be named.",
    "lacks.probes": "Too little evidence: the rules can use only {probes}, and at least {needed} are needed.",
    "lacks.distinct": (
        "Too little evidence: the test runs that saw it may come from fewer than {needed} different probes."
    ),
    "lacks.rounds": "Seen in fewer than {needed} rounds of measurements, so it may be a passing fault.",
    "line.chance": "So few measurements failed that it may be chance.",
    "lacks.control": "Nothing shows that the target worked elsewhere at the time.",
    **dict.fromkeys(("lacks.control_here", "site.own_page"), MAY_BE_OF_SITE),
    "lacks.duration": (
        "No two networks failed together for long enough to rule out a fault. On a single network, {probes_needed} "
        "over {hours_needed} are needed; there were {probes} over {hours}."
    ),
    "basis.volunteers": (
        "Reported by volunteers' measurements: {probes} on {networks}. Anyone could have sent them, so they confirm it "
        "by themselves only on two networks in three separate hours, or on one over a day and a night."
    ),
    "basis.one_publisher": (
        "Reported by {deliverers} ({families}). All that shows it comes from one hand, whose fault or lie would look "
        "like this, so it is only suspected until another hand shows it too."
    ),
    "shares.methods": (
        "The kinds of sources that show it ({families}) share {shared}. An error there would be in all of them. That "
        "keeps it from being certain."
    ),
    "lacks.family": "Only one kind of source shows it ({families}); two are needed.",
    "lacks.agreement": "Several kinds of sources show a change ({families}), but not at the same time and place.",
    "lacks.return": (
        "Routes and answers to pings fell together by less than a fifth and are not back, and no figures of people's "
        "traffic show a loss. Addresses that are renumbered or given up look like this, so it is only suspected."
    ),
    "lacks.handover": (
        "What {entities} lost is not back, and nothing shows that the country as a whole lost it. A network whose "
        "addresses another takes over looks like this, so it is only suspected."
    ),
    "disputed": (
        "Sources disagree. What one kind of source shows ({shown_by}) would be enough to confirm it, but others "
        "({families}) reached the target on {networks} in {some} of {all} measurements. A network can let probes that "
        "it knows through, and measurements can be forged, so it is only suspected."
    ),
    "disputed.publisher": (
        "Sources disagree. One publisher shows it ({shown_by}), but {families}, which others measure, stayed as usual. "
        "A fault of that publisher looks like this, so it is only suspected."
    ),
    "disputed.usage": (
        "Sources disagree. Two kinds of sources that no one hand delivers show it ({shown_by}), but {families} stayed "
        "as usual. Lines without users, caches and other ways into the network can explain that."
    ),
    "routes_explain": "Withdrawn routes account for {share} of the addresses that stopped answering.",
    "ipv6_routes": "IPv6 routes fell to {left} of their usual number from about {at}.",
    "shared.worldwide": (
        "It fell in the same hour in {countries} too ({families}), and these are too far apart for a single cut. A "
        "fault of a publisher, or of something that the whole internet uses, looks like this, so it does not count "
        "towards confirmation."
    ),
    "disputed.networks": (
        "Sources disagree about {networks}: one kind of source shows it there too ({shown_by}), but others "
        "({families}) reached the target there in {some} of {all} measurements."
    ),
    "disputed.strangers": (
        "Sources disagree. Probes that an operator answers for show it on {networks}. Others there ({families}), for "
        "whom no one answers, reached the target in {some} of {all} measurements. Anyone could have sent those, so "
        "they take nothing back."
    ),
    "site.may_refuse": (
        "No network that was measured got through ({networks}), and all failed in the same way ({mechanisms}). Whether "
        "the networks or the other end dropped the connections is not known."
    ),
    "host.may_fail": (
        "All {sites} are served from one hosting network ({entities}), no other site of which was reached at the time. "
        "That network, or the way to it, may have failed, or be blocked as a whole."
    ),
    "route.may_fail": (
        "Only {entities} cannot connect to it, and no other site of its hosting network is known to have been reached "
        "from there. A fault on the way looks the same unless it lasts."
    ),
    "routes.may_fail": (
        "No site of these hosting networks was reached ({entities}), and hardly anything else was measured, so nothing "
        "shows that these {sites} were singled out. A fault on the way to them looks the same unless it lasts."
    ),
    "name.moved": (
        "On {networks}, lookups gave an address that the name had before: it may have moved, and caches keep the old "
        "address."
    ),
    "name.at_fault": (
        "Lookups had no answer in {countries} either: the name's own servers, or the signatures on its records, may be "
        "at fault."
    ),
    "resolver.at_fault": (
        "Only the resolvers of {resolvers} gave no answer, and too few other names were answered there to show that "
        "these were singled out. A fault of the resolvers looks the same."
    ),
    "resolver.denies_most": (
        "Only the resolvers of {resolvers} gave false answers, and they did so for most of the names that were looked "
        "up there ({some} of {all}). A fault of the resolvers looks the same unless it lasts."
    ),
    "resolver.one_host": (
        "Only the resolvers of {resolvers} gave no answer, and no other site of the same hosting network is known to "
        "have been answered there. A fault on the way to that network looks the same."
    ),
    "resolver.public_only": (
        "Only people who use the public resolver of {resolvers} saw it. It may filter names by itself, so "
        "nothing shows that the network does ({entities})."
    ),
    "resolver.own": "Wrong or missing answers came through the resolvers of {entities}.",
    "resolver.public": "On {entities}, wrong or missing answers came through public resolvers ({resolvers}).",
    "resolver.other": (
        "On {entities}, wrong or missing answers came through resolvers of other networks ({resolvers})."
    ),
    "page.shared": (
        "The same page was shown in place of {sites} that are hosted in different networks, so it is not the sites' "
        "own."
    ),
    "line.may_be_slow": "Hardly anything else was measured there at the time, so everything may have been slow.",
    "line.at_fault": "Most of what was measured on {networks} failed at the time, so the line itself may be at fault.",
    "line.may_be_inspected": (
        "Hardly anything else was reached by those who were shown another certificate, so an antivirus program, or an "
        "employer, may have inspected all of their connections."
    ),
    "network.abroad": (
        "Not counted as part of the country: {networks}. The addresses are registered in another country, so this may "
        "be a block there ({countries}), seen by a phone that roams or through a wrong table of addresses."
    ),
    "platform.down": "The platform itself was down: it began to fail in {countries} at the same time.",
    "platform.partly": (
        "It began to fail in {countries} at the same time, but went on working in {working}. Either the platform "
        "failed in some countries, or false measurements were sent from them; so it is only suspected."
    ),
    "platform.but_helper": (
        "It began to fail in {countries} at the same time and worked in hardly any other country, although the "
        "control measurements reached it. Either the platform failed for its users, or false measurements were sent "
        "from there; so it is only suspected."
    ),
    "software.defect": (
        "Only one version of the measuring software saw it ({software}); others reached the target on the same "
        "networks ({probes})."
    ),
    "software.nettest": (
        "Only one version of the test saw it ({release}); others reached the target on the same networks ({probes}). "
        "It may fail by itself, or try more than they do."
    ),
    "software.each": (
        "On each network only one version of the measuring software saw it ({networks}), while others reached the "
        "target there ({probes}). These may be a few devices behind filters of their own."
    ),
    "software.release": (
        "Only one version of the test saw it ({release}), and it fails in {countries} too, where other versions reach "
        "the target."
    ),
    "probe.defect": "Only a single probe or test run on {networks} saw it; {probes} reached the target at the time.",
    "faded": "The suspicion faded: later measurements did not support it.",
    "not_supported": "It is no longer supported by the measurements.",
    "merged": "It is now reported as part of {incident}.",
    "withdrawn": "Withdrawn by {by}: {why}",
    "held.review": "Held until a person has reviewed it, as every national incident is here. A rule is already met.",
    "held.person": "Held by {by} until it has been reviewed.",
    "held.person.note": "Held by {by} until it has been reviewed: {note}",
    "backfill": (
        "Provisional: only measurements sent since {at} are in so far, so it may grow, change or vanish."
    ),
    "backfill.rule": "With what is in, a rule of confirmation is already met.",
    "backfill.gone": "It was provisional, and the measurements that came in since do not show it.",
    "noted": "{by} added a note.",
    "named": "{by} released the name of a site that is on no list.",
    UNLISTED: (
        "A name that is on no published list is withheld, with what was measured of it, until a person releases it: "
        "anyone can measure any name."
    ),
    "joined": "{by} found that {incident} is part of the same event.",
    "runs.bound": (
        "The rules use {test_runs}, made by at least {at_least}; this is the number that counts towards confirmation."
    ),
    "runs.unclear": (
        "The rules use {test_runs}, made by at least {at_least}; the software or the resolver of some is unknown, "
        "so each run counts as one probe."
    ),
    "got_through": (
        "While it was on, {some} of {all} measurements on these networks got through: not everyone was affected there, "
        "or not all the time."
    ),
    "left_out": (
        "Networks registered abroad, or with fewer than 0.5 % of users, do not count towards a national claim "
        "({left_out}). With them, the share of users affected would be {share_with_them} and the scope: {scope}."
    ),
    "one_operator": "It affects a single operator, which serves most users.",
    "place_unknown": "Which regions or networks are cut off is not known.",
    "hindsight": (
        "The time of confirmation is hindsight: the data up to then would have sufficed, but they arrived later."
    ),
    "afterwards": "Reported afterwards: probes stored what they measured, and it was received on {at}.",
    "lasting": "The lower level has lasted for more than a week; later changes are compared with it.",
    "stays_lower": "It is over, but {shown_by} stayed lower: at {left} of the usual level.",
    "products.none": "No other product of the same source shows whether traffic fell as a whole.",
    "products.ordinary": "Traffic to other products of the same source did not fall with it ({products}).",
    "arrived.late_measurements": (
        "{n} late measurement came in from {from}.",
        "{n} late measurements came in from {from}.",
    ),
    "arrived.measurements": (
        "{n} new measurement came in from {from}.",
        "{n} new measurements came in from {from}.",
    ),
    "arrived.late_bins": ("{n} late value of {from} came in.", "{n} late values of {from} came in."),
    "arrived.bins": ("{n} new value of {from} came in.", "{n} new values of {from} came in."),
    "approved": "Approved by {by}.",
    "approved.note": "Approved by {by}: {note}",
    "versions": "Computed again with rules {rules} and detectors {detectors}.",
    "unvouched": "Measurements that strangers sent now count as unvouched, and it rests on some.",
    "forgotten": (
        "{n} measurement was withdrawn by the person who made it.",
        "{n} measurements were withdrawn by the people who made them.",
    ),
    **FINDINGS,
    **EXCLUDED_BY,
    **UNTESTED_FOR,
    **REACH,
}
"""Code -> sentence; two if the number ``n`` decides."""

GONE: dict[str, str] = {
    "gone.all": "the whole claim",
    "gone.confirmed": "that it is confirmed",
    "gone.ended": "that it has ended",
    "gone.scope": "the scope ({before}; now {after})",
    "gone.targets": "the targets {targets}",
    "gone.roles": "the blocking of {targets}",
    "gone.networks": "the networks {networks}",
}
"""Code of something no longer claimed -> words that follow *Retracted:*."""

CONTROLS = {
    "helper": "the same request from outside the country",
    "helper_or_notice": "the same request from outside the country, or the block notice itself",
    "helper_or_notice_address": "the same request from outside the country, or the known address of the block notice",
    "networks_not_slow": "networks that were not slow at the time",
    "other_names": "other names, found on the same lines without encryption",
    "other_networks": "networks where the target worked at the time",
}

UNNAMED = "software without a name"
UNITS = {
    "probes": ("{n} independent probe", "{n} independent probes"),
    "test_runs": ("{n} test run", "{n} test runs"),
}
"""``EvidenceCounts.probes_are`` -> the wording of its number of probes."""

EITHER = ("{n} probe or test run", "{n} probes or test runs")
"""Unit of counts over all sources: for some the probes are known, for others only the test runs."""

UNNAMED_INCIDENT = "an incident"


def reasons_said(reasons: Iterable[Reason], language: Language, probes_are: str = "probes") -> list[Sentence]:
    """Each reason as a sentence.

    Args:
        probes_are: unit of the numbers of probes (``EvidenceCounts.probes_are``).
    """
    return [_said(reason, language, probes_are) for reason in reasons]


def reasons_text(reasons: Iterable[Reason], language: Language = ENGLISH, probes_are: str = "probes") -> str:
    """The reasons as one text."""
    return " ".join(one.text for one in reasons_said(reasons, language, probes_are))


def reasons_document(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    """The codes, as JSON."""
    return [{"code": reason.code, "params": dict(reason.params)} for reason in reasons]


def why_document(reasons: Sequence[Reason]) -> dict[str, Any]:
    """``why`` in English next to the codes."""
    return {"why": reasons_text(reasons), "reasons": reasons_document(reasons)}


def gone_texts(gone: Iterable[Reason], language: Language = ENGLISH) -> list[str]:
    """What is no longer claimed, as phrases."""
    return [language.say(GONE[reason.code], **_values(reason, language, "probes")) for reason in gone]


NO_LONGER = "No longer claimed: {what}."


def corrected(gone: Iterable[Reason], reasons: Iterable[Reason], language: Language) -> str:
    """What a revision withdrew, and why."""
    what = language.say(NO_LONGER, what=language.semicolon.join(gone_texts(gone, language)))
    return " ".join(filter(None, (what, reasons_text(reasons, language))))


METHOD_CHANGED = "The method changed on {date}"
METHOD_SAID = (
    "This is a change of method, not news about any event. Incidents computed again: {revised}; narrowed or retracted: "
    "{corrected}; now marked as unvouched: {unvouched}."
)


def method_said(change: MethodChange, language: Language) -> tuple[str, str]:
    """The title and the text of the notice that the method changed."""
    day = date(datetime.fromtimestamp(change.at, UTC), language)
    counts = {name: language.number(getattr(change, name)) for name in ("revised", "corrected", "unvouched")}
    return language.say(METHOD_CHANGED, date=day), language.say(METHOD_SAID, **counts)


def _said(reason: Reason, language: Language, probes_are: str) -> Sentence:
    if reason.code == AS_WRITTEN:
        return Sentence(whole(str(reason.params.get("text", ""))), ENGLISH)
    if reason.code == "not_judged":
        # Why a target was not judged, and for how many of its measurements that holds.
        rule, why = str(reason.params["rule"]), str(reason.params["why"])
        said = rule_said(rule, why, language) if rule else defect_said(why, language)
        figures = {name: said.language.number(float(str(reason.params[name]))) for name in ("some", "all")}
        sentence = whole(said.text) if said.language is ENGLISH else said.text
        return Sentence(f"{sentence} {said.language.say(NOT_JUDGED, **figures)}", said.language)
    text = REASONS.get(_variant(reason))
    if text is None:
        return Sentence(whole(f"{reason.code} {dict(reason.params) or ''}"), ENGLISH)
    values: dict[str, Any] = _values(reason, language, probes_are)
    if isinstance(text, str):
        return Sentence(language.say(text, **values), language)
    n = reason.params["n"]
    return Sentence(language.count(*text, n if isinstance(n, int) else 0, **values), language)


def _variant(reason: Reason) -> str:
    """The code of the sentence, if a reason has two."""
    if reason.code in ("approved", "held.person") and reason.params.get("note"):
        return f"{reason.code}.note"
    if reason.code == "slow.few_probes" and not reason.params["probes"]:
        return f"{reason.code}.none"
    if reason.code == "claim.users" and not counts_users(str(reason.params["country"])):
        return "claim.users.networks"
    return reason.code


def _values(reason: Reason, language: Language, probes_are: str) -> dict[str, str]:
    params = reason.params
    country, others = str(params.get("country", "")), int(str(params.get("others", 0)))
    values = {}
    for name, value in params.items():
        if name in ("n", "others", "country"):
            continue
        if name == "note" or (name == "why" and reason.code == "withdrawn"):
            values[name] = _ended(str(value), language)
        elif name in TIMES:
            values[name] = both_clocks(float(str(value)), country, language)
        elif others and name in ("from", "neighbours"):
            rest = language.count("{n} more", "{n} more", others)
            values[name] = listing(
                [*map(_words_of(name, language), _names(value)), rest], language, len(_names(value)) + 1
            )
        else:
            values[name] = _value(name, value, language, probes_are)
    return values


def _ended(text: str, language: Language) -> str:
    """What a person wrote, printable and with a full stop, since another sentence may follow."""
    text = printable(text).strip()
    if not text or text.endswith((".", "!", "?", "…", "۔", "؟", ":", ")", '"', "”", "»")):
        return text
    return f"{text}{'۔' if language.code == 'ur' and not text[-1].isascii() else '.'}"


def _value(name: str, value: Param, language: Language, probes_are: str) -> str:
    if name == "probes" or name == "probes_needed":
        return probes_counted(int(str(value)), language, probes_are)
    if isinstance(value, int | float):
        return _NUMBERS.get(name, Language.number)(language, value)
    words = _words_of(name, language)
    if isinstance(value, str):
        return words(value)
    listed = [words(name) for name in _names(value)]
    if name == "sources":
        return language.semicolon.join(dict.fromkeys(listed))
    return language.comma.join(listed) if name == "families" else listing(listed, language)


def _words_of(name: str, language: Language) -> Callable[[str], str]:
    words = _NAMED.get(name)
    return printable if words is None else lambda text: words(text, language)


def _names(value: Param) -> list[str]:
    return [str(one) for one in value] if isinstance(value, tuple) else [str(value)]


def probes_counted(n: int, language: Language, probes_are: str) -> str:
    """``3 independent probes``; ``3 test runs`` where probes are not known."""
    return language.count(*UNITS[probes_are], n)


TIMES = ("at", "stated")
"""Parameters in unix seconds, worded in local time of the parameter ``country`` and in UTC."""


COUNTED = {
    "networks": ("{n} network", "{n} networks"),
    "measurements": ("{n} measurement", "{n} measurements"),
    "at_least": ("{n} different probe", "{n} different probes"),
    "hours": ("{n} hour", "{n} hours"),
    "hours_needed": ("{n} hour", "{n} hours"),
    "days": ("{n} day", "{n} days"),
    "sites": ("{n} site", "{n} sites"),
}
"""Parameters that are numbers of something: for one, and for many."""


def _counter(one: str, many: str) -> Callable[[Language, float], str]:
    return lambda language, n: language.count(one, many, round(n))


def _places(value: float) -> int:
    """Decimal places: one, unless it is a whole number."""
    return 0 if value == round(value) else 1


def _series_named(name: str, language: Language) -> str:
    """``ioda bgp`` -> ``Visible prefixes, IODA``; ``google gtr youtube`` also names YouTube.

    What is no series of a source is left as it is.
    """
    from fanous.sources.publishers import SOURCES

    source, signal, target = [*name.split(" ", 2), "", ""][:3]
    if signal not in SIGNALS:
        return printable(name)
    title = SOURCES[source].title if source in SOURCES else source
    titles = [
        language.say(SIGNALS[signal].title),
        target_title(target, language) if target else "",
        language.known(title),
    ]
    return language.comma.join(filter(None, titles))


DELIVERER_TITLES = {
    "cloudflare": "Cloudflare",
    "google": "Google",
    "m-lab": "M-Lab",
    "merit": "Merit",
    "mozilla": "Mozilla",
    "ripe": "RIPE NCC",
    "tor": "the Tor Project",
}
"""Publishers, where a source has another name or a longer title."""


def deliverer_title(name: str, language: Language) -> str:
    """Whose hand a series comes from (``analysis.series.signals.deliverer_of``)."""
    from fanous.sources.publishers import SOURCES

    title = SOURCES[name].title if name in SOURCES else printable(name)
    return DELIVERER_TITLES.get(name) or language.known(title)


SHARED = {
    "collectors": "the collection ({name})",
    "geolocation": "the geolocation ({name})",
    "lists": "the list of what is measured ({name})",
    "publisher": "the publisher ({name})",
}
"""Kind of what series share -> its words."""

OF_REGISTRIES = "regional internet registries"


def _shared_title(code: str, language: Language) -> str:
    """What series share, as ``analysis.series.signals.shared`` names it."""
    kind, _, name = code.partition(":")
    if kind not in SHARED:
        return printable(code)
    title = language.say(OF_REGISTRIES) if name == REGISTRIES else deliverer_title(name, language)
    return language.say(SHARED[kind], name=title)


def _resolvers_network(name: str) -> str:
    """``AS15169`` -> ``Google (AS15169)``, if the name of the network is known."""
    known = network_title(int(name.removeprefix("AS")), {}) if name.startswith("AS") else ""
    return f"{known} ({printable(name)})" if known else printable(name)


_NUMBERS: dict[str, Callable[[Language, float], str]] = {
    **{name: _counter(*forms) for name, forms in COUNTED.items()},
    "runs": _counter(*EITHER),
    "test_runs": _counter(*UNITS["test_runs"]),
    "ahead": lambda language, seconds: length(seconds, language),
    "window": lambda language, seconds: length(seconds, language),
    "off": lambda language, seconds: length(seconds, language),
    "lead": lambda language, seconds: length(seconds, language),
    **dict.fromkeys(
        ("best", "stated_hours"),
        lambda language, n: language.count(*COUNTED["hours"], round(n, 1), _places(n)),
    ),
    **dict.fromkeys(("least", "most", "times"), lambda language, n: language.number(n, _places(n))),
    **dict.fromkeys(("slope", "slope_low", "slope_high"), lambda language, n: language.number(n, 2)),
    **dict.fromkeys(
        ("left", "low", "high", "share", "share_with_them", "share_failing"),
        lambda language, share: percent(share, language),
    ),
    **dict.fromkeys(("lowest", "highest"), Language.rough_percent),
    # Shares of failing measurements: half a percent is usual, five percent are not.
    **dict.fromkeys(("own", "usual", "worst"), lambda language, share: language.percent(share, 1)),
}
_NAMED: dict[str, Callable[[str, Language], str]] = {
    "deliverers": lambda name, language: deliverer_title(name, language),
    "shared": _shared_title,
    "families": lambda name, language: language.say(FAMILIES[Family(name)]),
    "shown_by": lambda name, language: language.say(FAMILIES[Family(name)]),
    **dict.fromkeys(("countries", "working"), lambda code, language: country_name(code, language.code)),
    "control": lambda code, language: language.say(CONTROLS[code]) if code in CONTROLS else printable(code),
    "sources": lambda name, language: _series_named(name, language),
    "software": lambda name, language: printable(name) or language.say(UNNAMED),
    "resolvers": lambda network, _: _resolvers_network(network),
    "target": target_title,
    "targets": named_title,
    "neighbours": target_title,
    "mechanisms": lambda name, language: language.say(mechanism_words(name)),
    "kinds": lambda kind, language: language.say(KINDS[Kind(kind)]),
    "status": lambda status, language: language.say(STATUSES[Status(status)]),
    "exam": lambda exam, language: language.say(exam),
    "years": lambda year, language: language.in_digits(year),
    "scope": lambda scope, language: language.say(SCOPES[Scope(scope)]),
    "before": lambda scope, language: language.say(SCOPES[Scope(scope)]),
    "after": lambda scope, language: language.say(SCOPES[Scope(scope)]),
    "entities": lambda entity, language: (
        country_name(entity, language.code) if is_country(entity) else printable(region_name(entity))
    ),
    "incident": lambda label, language: printable(label) or language.say(UNNAMED_INCIDENT),
    "incidents": lambda label, language: printable(label) or language.say(UNNAMED_INCIDENT),
}


def listing(names: Sequence[str], language: Language, named: int = NAMED) -> str:
    """``a, b and c`` as the language writes lists; beyond ``named``, the rest is counted."""
    from babel.lists import format_list

    names = [language.apart(name) for name in names]
    if len(names) > named:
        shown = max(named - 1, 1)
        names = [*names[:shown], language.count("{n} more", "{n} more", len(names) - shown)]
    if language.code == "en" and names:
        return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return format_list(names, locale=language.locale)


DEFECTS = {
    "late": (
        "It was received more than an hour after the time that it states, and no one vouches for its sender, so it "
        "supports no conclusion."
    ),
    "vpn": "It came through a VPN, so it does not show the network it came from.",
    "clock ahead": "The probe's clock was ahead of the server's, so when it was measured is not known.",
    "no network": "The probe had no network.",
    "captive portal": "A captive portal answered in place of the sites.",
    "nothing outside the country answers": "Nothing outside the country answered the probe.",
    "outside the country only sites of a list answer": "Outside the country, only sites on a list answered.",
    "no look at the line in it": "It contains no check of the line.",
    "unknown network": "The network or the country of the probe is not known.",
    "the probe is older than Signal's certificate authority": (
        "The probe is older than Signal's certificate authority."
    ),
    "the control failed at the same probe": "The control failed on the same probe.",
    "the probe could not run the test": "The probe could not run the test.",
}
"""Defect of a measurement, as the store and the JSON name it -> sentence."""


def rule_said(rule: str, why: str, language: Language) -> Sentence:
    """Why a rule decided as it did.

    Args:
        rule: its id.
        why: its sentence in English as stored; shown where today's rules have no translation.
    """
    if language.code != "en":
        from fanous.analysis.rules import (
            RULES_BY_ID,
        )  # imported here so that `confirm`, whose reader waits, does not load it

        if rule in RULES_BY_ID and language.knows(RULES_BY_ID[rule].why):
            return Sentence(language.say(RULES_BY_ID[rule].why), language)
    return Sentence(printable(why), ENGLISH)


def defect_said(defect: str, language: Language) -> Sentence:
    """The defect of the instrument or its line because of which a measurement supports no conclusion."""
    if defect in DEFECTS:
        return language.sentence(DEFECTS[defect])
    return Sentence(whole(defect), ENGLISH)


def whole(text: str) -> str:
    """The text made printable, with a capital letter and a full stop."""
    text = printable(text).strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"
