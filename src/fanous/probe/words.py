"""Words: what an outcome means for the person in front of the screen, and what to do now.

Each sentence says no more than the rules do: without an outside control, a failure only raises a question.

Notes are facts from the record, not findings: the line it was measured over, whether a browser's first
message got through, how far away a name is cut, whether a video could be watched.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from fanous.analysis.rules.verdicts import PRIVATE_NAME
from fanous.model.measurement import Role, named
from fanous.model.verdict import GEO_BLOCK, State
from fanous.probe.health import CLOCK_OFF
from fanous.probe.localise import Localised, localised
from fanous.probe.outcome import Outcome, worst
from fanous.probe.run import RunReport
from fanous.probe.stream import TEST_NAME as STREAM
from fanous.probe.stream import watchable
from fanous.probe.tls import opinion
from fanous.refdata.platforms import title
from fanous.sources.ooni import nettests
from fanous.sources.ooni.document import HealthKeys
from fanous.wording.language import ENGLISH
from fanous.wording.words import counted, named_title

HOW = (
    ("dns.nxdomain", "the resolver says that the name does not exist"),
    ("dns.injection", "the answer to the look-up is forged"),
    ("dns", "looking up the name is interfered with"),
    ("ip", "its addresses cannot be reached"),
    ("tcp", "connections to its addresses are cut or get no answer"),
    ("tls.mitm", "someone else's certificate is shown in its place"),
    ("tls.throttle", "data arrive too slowly as soon as its name is sent"),
    ("tls.freeze", "data stop for good after the first kilobytes"),
    ("tls.reset.fingerprint", "connections are cut by how their first message looks, not by the name alone"),
    (
        "tls.timeout.fingerprint",
        "connections are cut by how their first message looks, not by the name alone",
    ),
    ("tls.timeout", "the connection falls silent as soon as its name is sent"),
    ("tls", "the connection is cut as soon as its name is sent"),
    ("http.blockpage", "a block page is shown in its place"),
    ("http", "the request for the page is interfered with"),
    ("quic", "QUIC (HTTP/3) is dropped; HTTP/1.1 and HTTP/2 may still work"),
    ("server", "its own servers do not answer anyone"),
)
"""Prefix of a mechanism -> what it does; the first match applies."""

WHAT_NOW = {
    State.OK: "Nothing to do.",
    State.BLOCKED: "Keep the record (--out) and send it to a monitor. Try a second network, such as mobile "
    "data, to see whether only your provider is affected.",
    State.THROTTLED: "Measure again in ten minutes and from a second network; keep the record (--out).",
    State.DOWN: "It is not your network: wait, or check the service's own status page.",
    State.INSUFFICIENT: "Nothing can be concluded from here alone.",
}

LEAST_SLOW = 3
"""Fewest targets for saying that all are affected alike."""

SYMPTOM = "Compare with a helper outside (--helper URL), or measure from a second network."


def how(mechanism: str) -> str:
    """What a mechanism does, in words; empty = unknown."""
    return next((words for start, words in HOW if mechanism.startswith(start)), "")


def state_in_words(outcome: Outcome) -> str:
    """For a table, at most three words."""
    if outcome.state is State.INSUFFICIENT:
        return "fails, cause unknown" if outcome.symptom else "cannot tell"
    if outcome.state is State.BLOCKED and outcome.browser == "answered":
        return "partly blocked"
    if outcome.mechanism == GEO_BLOCK:
        return "refuses you"
    return {
        State.OK: "works",
        State.BLOCKED: "blocked",
        State.THROTTLED: "slowed down",
        State.DOWN: "is down",
    }[outcome.state]


def name_of(outcome: Outcome, beside: Sequence[Outcome]) -> str:
    """``Telegram``; ``Telegram's web client`` if that fails and its app works.

    Args:
        beside: all outcomes of the target.
    """
    verdicts = [verdict for one in beside for verdict in one.verdicts if verdict.role in set(Role)]
    failed = {one.role for one in verdicts if one.state is State.BLOCKED or one.symptom}
    worked = {one.role for one in verdicts if one.state is State.OK} - failed
    if outcome.state not in (State.BLOCKED, State.INSUFFICIENT):
        return title(outcome.target)
    names = named(outcome.target, {Role(one) for one in failed}, {Role(one) for one in worked})
    return " and ".join(named_title(name, ENGLISH) for name in names)


def sentence(outcome: Outcome, beside: Sequence[Outcome] = ()) -> str:
    """One sentence for a target, and what to do now.

    Args:
        beside: all outcomes of the target, which tell what of it works; empty = this one alone.
    """
    name, reason = name_of(outcome, beside or [outcome]), how(outcome.mechanism)
    because = f": {reason}" if reason else ""
    if outcome.mechanism == GEO_BLOCK:
        return f"{name} answers, but refuses visitors from here: that is its own choice, not your network's."
    if outcome.state is State.OK:
        return f"{name} works from here."
    if outcome.state is State.INSUFFICIENT:
        if any(verdict.rule_id == PRIVATE_NAME.id for verdict in outcome.verdicts):
            return f"{name}: {outcome.why} Measure a public site."
        if outcome.symptom and outcome.mechanism.split(".")[1:2] == ["throttle"]:
            unknown = "but it is unclear whether it works elsewhere"
            return f"{name} may be slowed down here{because}, {unknown}. {SYMPTOM}"
        if outcome.symptom and not reason:
            return f"{name}: {outcome.why} {SYMPTOM}"
        if outcome.symptom:
            return f"{name} could not be reached{because}; whether others can is unknown. {SYMPTOM}"
        return f"{name}: {outcome.why} {WHAT_NOW[State.INSUFFICIENT]}"
    verb = {State.BLOCKED: "is blocked here", State.THROTTLED: "is slowed down here", State.DOWN: "is down"}
    return f"{name} {verb[outcome.state]}{because}. {WHAT_NOW[outcome.state]}"


def browser_sentence(outcome: Outcome) -> str:
    """A note if a browser gets through and we do not; otherwise empty."""
    if outcome.browser != "answered" or outcome.state is State.OK:
        return ""
    return (
        f"{title(outcome.target)}: a browser's first message gets an answer where this program's is cut, so "
        "a browser may still work here, while apps may not."
    )


def place_sentence(outcome: Outcome) -> str:
    """Where it is cut; empty if not asked for, or nothing was found."""
    words = place_words(outcome.localised)
    return f"{title(outcome.target)}: {words}." if words else ""


def place_words(where: Localised | None) -> str:
    """How far away a name is cut; empty = not asked for, or not cut."""
    if where is None or where.cut_at is None:
        return ""
    site = f"; the site itself is {where.site_at} away" if where.site_at is not None else ""
    before = f"{where.cut_at - 1} or {where.cut_at} machines" if where.cut_at > 1 else "the first machine"
    return f"its name is cut {before} away from here{site}"


def health_sentence(report: RunReport) -> str:
    """What the health check found; empty if there is nothing to report."""
    health = report.health
    if health is None:
        return ""
    if not health.online:
        return (
            "There is no network here: no known-good address outside answered. This is kept as evidence of "
            "an outage; nothing can be said about individual sites."
        )
    if health.portal:
        return "A login page stands between you and the internet. Log in, then measure again."
    if health.spared:
        return (
            f"Outside the country only allow-listed sites answer ({', '.join(health.spared)}), and no other "
            f"known-good ones. This is kept as evidence of an outage; nothing can be said about individual sites."
        )
    if health.intranet_only:
        return (
            "Sites inside the country answer, but nothing outside does. This is kept as evidence of an "
            "outage; nothing can be said about individual sites."
        )
    if health.clock_offset is not None and abs(health.clock_offset) > CLOCK_OFF:
        return f"This machine's clock is {health.clock_offset:+.0f} s off: set it, then measure again."
    return ""


def is_fine(outcome: Outcome) -> bool:
    """Can the user use it?"""
    return outcome.state is State.OK and outcome.mechanism != GEO_BLOCK


def slow_line(leading: list[Outcome]) -> str:
    """A note if everything that was measured is slow; otherwise empty."""
    slow = [one for one in leading if one.mechanism.split(".")[1:2] == ["throttle"]]
    if len(slow) < LEAST_SLOW or len(slow) < len(leading):
        return ""
    return "Everything that was measured is slow: that points to the connection, not to individual sites."


INTERCEPTED = (
    "All encrypted connections from here are intercepted: every site that was measured showed someone else's "
    "certificate. A program on this device, the network you are in, or its provider does this, and can read what you "
    "send: do not log in anywhere. It says nothing about single sites."
)


def interception(mechanisms: Sequence[str]) -> str:
    """Said first and once where every target shows someone else's certificate; otherwise empty.

    Args:
        mechanisms: the leading one of each target that was measured.
    """
    all_of_them = len(mechanisms) >= LEAST_SLOW and all(map(is_foreign_certificate, mechanisms))
    return INTERCEPTED if all_of_them else ""


def is_foreign_certificate(mechanism: str) -> bool:
    return mechanism.startswith("tls.mitm")


def quic_line(report: RunReport) -> str:
    """A note if pages arrive but QUIC works nowhere; otherwise empty."""
    loaded = [one.layers for one in report.outcomes if one.layers.get("http") == "ok"]
    tried = [layers["quic"] for layers in loaded if "quic" in layers]
    if len(tried) < LEAST_SLOW or set(tried) != {"generic_timeout_error"}:
        return ""
    return "QUIC (HTTP/3) gets no answer from any site here; browsers fall back to HTTP/1.1 or HTTP/2."


FOUND = {
    State.BLOCKED: ("was blocked on your network", "were blocked on your network"),
    State.THROTTLED: ("was slowed down on your network", "were slowed down on your network"),
    State.DOWN: ("was down for everyone", "were down for everyone"),
    State.OK: ("refused visitors from where you are", "refused visitors from where you are"),
    State.INSUFFICIENT: ("could not be judged", "could not be judged"),
}
"""What is said of a site, and of several, in this order."""

MOST_NAMED = 5


def count_line(leading: Sequence[Outcome]) -> str:
    """How many sites worked, and what became of the others; empty if none was measured."""
    if not leading:
        return ""
    worked = sum(map(is_fine, leading))
    sentences = [f"{worked} of {counted(len(leading), 'site')} worked."]
    for state, (of_one, of_several) in FOUND.items():
        names = [
            title(outcome.target) for outcome in leading if outcome.state is state and not is_fine(outcome)
        ]
        if names:
            further = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            what = of_one if len(names) == 1 else of_several
            sentences.append(f"{len(names)} {what}: {', '.join(names[:MOST_NAMED])}{further}.")
    return " ".join(sentences)


def report_lines(report: RunReport) -> list[str]:
    """The summary below the table: first the line and how many sites worked, then what does not work, then what
    does."""
    lines = [one for one in [health_sentence(report)] if one]
    by_target: dict[str, list[Outcome]] = {}
    for outcome in report.outcomes:
        by_target.setdefault(outcome.target, []).append(outcome)
    leading = [worst(outcomes) for _, outcomes in sorted(by_target.items())]
    intercepted = interception([one.mechanism for one in leading])
    counts = "" if intercepted else count_line(leading)
    lines += [one for one in (intercepted, slow_line(leading), counts, quic_line(report)) if one]
    lines += [sentence(one, by_target[one.target]) for one in leading if not is_fine(one) and not intercepted]
    for one in report.outcomes:
        lines += [words for words in (browser_sentence(one), place_sentence(one)) if words]
    works = [title(one.target) for one in leading if is_fine(one)]
    if works:
        lines.append(f"Works from here: {', '.join(works)}.")
    skipped = [
        why for why in report.not_tried.values() if not (report.health and why == report.health.defect)
    ]
    if skipped:
        were = "address was" if len(skipped) == 1 else "addresses were"
        lines.append(f"{len(skipped)} {were} not tried: {skipped[0]}")
    return lines


def round_line(report: RunReport) -> str:
    """One line for each round of many."""
    if report.health is not None and report.health.defect:
        return f"{report.health.defect}: nothing was measured"
    failing = [one for one in report.outcomes if one.state is not State.OK]
    named = "; ".join(f"{title(one.target)} {state_in_words(one)}" for one in failing)
    why = next(iter(report.not_tried.values()), "")
    skipped = f"; {len(report.not_tried)} not tried: {why}" if report.not_tried else ""
    works = len(report.outcomes) - len(failing)
    return f"{works} of {len(report.outcomes)} work" + (f"; {named}" if named else "") + skipped


OURS = "fanous"
"""``software_name`` of our own probe."""

UNPLACED = (
    "the network is unknown (--country, --asn): the record can be judged, but no monitor will count it "
    "automatically"
)

BROWSER = {
    "answered": "a browser's first message with the same name was answered: browsers may get through",
    "cut": "a browser's first message with the same name was cut too",
}


class _Head(Struct):
    test_name: str = ""
    software_name: str = ""
    input: str | None = None


class _Health(Struct):
    test_keys: HealthKeys


_head = msgspec.json.Decoder(_Head)
_health = msgspec.json.Decoder(_Health)


def is_ours(line: bytes, software: str = OURS) -> bool:
    """Was the record made by our own probe, or by the software of this name?"""
    try:
        return _head.decode(line).software_name == software
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False


def notes_of(line: bytes) -> list[str]:
    """Notes on one record as it was written; empty for other probes' records, and if there is nothing to add."""
    try:
        head = _head.decode(line)
        return _notes(head, line) if head.software_name == OURS else []
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return []


def _notes(head: _Head, line: bytes) -> list[str]:
    if head.test_name == nettests.TEST_NAME:
        defect = nettests.health_defect(_health.decode(line).test_keys)
        return [f"the line: {defect}" if defect else "known-good sites answered"]
    if head.test_name == STREAM:
        return [watchable(head.input or "the stream", line).sentence]
    browser = BROWSER.get(opinion(line), "")
    return [note for note in (browser, place_words(localised(line))) if note]
