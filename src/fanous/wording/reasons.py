"""Reasons: why an incident has its status and why a revision was written, as sentences in every language.

One table gives each code its sentence, another each parameter its words; there is no other text about reasons.
"""

from collections.abc import Callable, Iterable, Sequence

from fanous.model.incident import Scope
from fanous.model.place import Family
from fanous.model.reason import AS_WRITTEN, Param, Reason
from fanous.refdata.countries import country_name
from fanous.text import printable
from fanous.wording.language import ENGLISH, Language, Sentence
from fanous.wording.words import FAMILIES, NAMED, SCOPES, target_title

REASONS: dict[str, str | tuple[str, str]] = {
    "rule.c1": "Rule C1 is met: independent kinds of sources agree ({families}).",
    "rule.c2": "Rule C2 is met: {probes} on {networks} saw it. Control: {control}.",
    "rule.c3": "Rule C3 is met: independent kinds of sources agree ({families}).",
    "lacks.network": "No network has enough measurements of its own to be named.",
    "lacks.probes": "Too little evidence: {probes} saw it, and at least {needed} are needed.",
    "lacks.control": "Nothing shows that the target worked elsewhere at the time.",
    "lacks.duration": (
        "No two networks failed together for longer than a fault lasts. A single network needs {probes_needed} "
        "over {hours_needed}; {probes} over {hours} saw it."
    ),
    "lacks.family": "Only one kind of source shows it ({families}); two are needed.",
    "lacks.agreement": "Several kinds of sources show a change ({families}), but not at the same time and place.",
    "line.at_fault": "Most of what was measured on {networks} failed at the time, so the line itself may be at fault.",
    "platform.down": "The platform itself was down: it began to fail in {countries} at the same time.",
    "software.defect": (
        "Only one version of the measuring software saw it ({software}); others reached the target on the same "
        "networks ({probes})."
    ),
    "probe.defect": "Only a single probe or test run on {networks} saw it; {probes} reached the target at the time.",
    "faded": "The suspicion faded: later measurements did not support it.",
    "not_supported": "It is no longer supported by the measurements.",
    "merged": "It is now reported as part of {incident}.",
    "withdrawn": "Withdrawn by {by}: {why}",
    "held.review": "Held until a person has reviewed it, as every national claim is here. A rule is met already.",
    "one_operator": "It affects a single operator, which serves most users.",
    "place_unknown": "Which regions or networks are cut off is not known.",
    "short_history": "It is based on less than a week of history.",
    "lasting": "The lower level has lasted for more than a week; later changes are compared with it.",
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
    "forgotten": (
        "{n} measurement was withdrawn by the person who made it.",
        "{n} measurements were withdrawn by the people who made them.",
    ),
}
"""Code -> sentence; two where the number ``n`` decides."""

GONE: dict[str, str] = {
    "gone.all": "the whole claim",
    "gone.confirmed": "that it is confirmed",
    "gone.ended": "that it has ended",
    "gone.scope": "the scope ({before}; now {after})",
    "gone.targets": "the targets {targets}",
    "gone.networks": "the networks {networks}",
}
"""Code of something no longer claimed -> words that follow *Retracted:*."""

CONTROLS = {
    "helper": "the same request from outside the country",
    "helper_or_notice": "the same request from outside the country, or the block notice itself",
    "helper_or_notice_address": "the same request from outside the country, or the known address of the block notice",
    "networks_not_slow": "networks that were not slow at the time",
    "other_networks": "networks where the target worked at the time",
}

UNNAMED = "software without a name"
UNITS = {
    "probes": ("{n} independent probe", "{n} independent probes"),
    "test_runs": ("{n} test run", "{n} test runs"),
}
"""``Evidence.probes_are`` -> how its number of probes is said."""


def reasons_said(reasons: Iterable[Reason], language: Language, probes_are: str = "probes") -> list[Sentence]:
    """Each reason as a sentence.

    Args:
        probes_are: unit of the numbers of probes (``Evidence.probes_are``).
    """
    return [_said(reason, language, probes_are) for reason in reasons]


def reasons_text(reasons: Iterable[Reason], language: Language = ENGLISH, probes_are: str = "probes") -> str:
    """The reasons as one text."""
    return " ".join(one.text for one in reasons_said(reasons, language, probes_are))


def gone_texts(gone: Iterable[Reason], language: Language = ENGLISH) -> list[str]:
    """What is no longer claimed, as phrases."""
    return [language.say(GONE[one.code], **_values(one, language, "probes")) for one in gone]


NO_LONGER = "No longer claimed: {what}."


def corrected(gone: Iterable[Reason], reasons: Iterable[Reason], language: Language) -> str:
    """What a revision took back, and why."""
    what = language.say(NO_LONGER, what=language.semicolon.join(gone_texts(gone, language)))
    return " ".join(filter(None, (what, reasons_text(reasons, language))))


def _said(reason: Reason, language: Language, probes_are: str) -> Sentence:
    if reason.code == AS_WRITTEN:
        return Sentence(_sentence(printable(str(reason.params.get("text", "")))), ENGLISH)
    code = "approved.note" if reason.code == "approved" and reason.params.get("note") else reason.code
    text = REASONS.get(code)
    if text is None:
        return Sentence(_sentence(printable(f"{reason.code} {dict(reason.params) or ''}")), ENGLISH)
    values = _values(reason, language, probes_are)
    if isinstance(text, str):
        return Sentence(language.say(text, **values), language)
    n = reason.params["n"]
    return Sentence(language.count(*text, n if isinstance(n, int) else 0, **values), language)


def _sentence(text: str) -> str:
    """With a capital letter and an end, as every reason has."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def _values(reason: Reason, language: Language, probes_are: str) -> dict[str, str]:
    values = {name: _value(name, value, language, probes_are) for name, value in reason.params.items()}
    if others := reason.params.get("others"):
        rest = language.count("{n} more", "{n} more", int(str(others)))
        values["from"] = listing([*_names(reason.params["from"]), rest], language)
    return {name: value for name, value in values.items() if name not in ("n", "others")}


def _value(name: str, value: Param, language: Language, probes_are: str) -> str:
    if isinstance(value, int):
        return _COUNTED[name](value, language, probes_are) if name in _COUNTED else language.number(value)
    words: Callable[[str, Language], str] = _NAMED.get(name, lambda text, _: printable(text))
    if isinstance(value, str):
        return words(value, language)
    said = [words(one, language) for one in _names(value)]
    return language.comma.join(said) if name == "families" else listing(said, language)


def _names(value: Param) -> list[str]:
    return [str(one) for one in value] if isinstance(value, tuple) else [str(value)]


def probes_counted(n: int, language: Language, probes_are: str) -> str:
    """``3 independent probes``; ``3 test runs`` where probes are not known."""
    return language.count(*UNITS[probes_are], n)


_COUNTED: dict[str, Callable[[int, Language, str], str]] = {
    "probes": probes_counted,
    "probes_needed": probes_counted,
    "networks": lambda n, language, _: language.count("{n} network", "{n} networks", n),
    "hours": lambda n, language, _: language.count("{n} hour", "{n} hours", n),
    "hours_needed": lambda n, language, _: language.count("{n} hour", "{n} hours", n),
}
_NAMED: dict[str, Callable[[str, Language], str]] = {
    "families": lambda name, language: language.say(FAMILIES[Family(name)]),
    "countries": lambda code, language: country_name(code, language.code),
    "control": lambda code, language: language.say(CONTROLS[code]) if code in CONTROLS else printable(code),
    "software": lambda name, language: printable(name) or language.say(UNNAMED),
    "targets": lambda target, _: target_title(target),
    "before": lambda scope, language: language.say(SCOPES[Scope(scope)]),
    "after": lambda scope, language: language.say(SCOPES[Scope(scope)]),
}


def listing(names: Sequence[str], language: Language, named: int = NAMED) -> str:
    """``a, b and c`` as the language writes lists; where there are more than ``named``, the rest is counted."""
    from babel.lists import format_list

    names = [language.apart(name) for name in names]
    if len(names) > named:
        shown = max(named - 1, 1)
        names = [*names[:shown], language.count("{n} more", "{n} more", len(names) - shown)]
    if language.code == "en" and names:
        return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return format_list(names, locale=language.locale)
