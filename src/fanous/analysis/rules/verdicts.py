"""Verdicts: run each observation through the rules of its layer, and gather what they say.

Pure: the same measurement and the same fingerprints give the same verdicts, today and in ten years.

Rules for a measurement as a whole: where they hold, nothing else of it may be concluded.
"""

from dataclasses import dataclass
from math import isnan, nan

from fanous.analysis.rules.controls import Controls
from fanous.analysis.rules.dns import DNS_RULES
from fanous.analysis.rules.evidence import MeasurementEvidence
from fanous.analysis.rules.fingerprints import Fingerprints
from fanous.analysis.rules.http import HTTP_RULES
from fanous.analysis.rules.rule import Rule
from fanous.analysis.rules.tcp import TCP_RULES
from fanous.analysis.rules.tls import QUIC_RULES, TLS_RULES
from fanous.analysis.rules.transfer import TRANSFER_RULES
from fanous.model.measurement import Layer, Observation, ParsedMeasurement
from fanous.model.verdict import SLOWNESS, State, Verdict


def _defect(_o: Observation, c: Controls) -> str:
    return c.evidence.parsed.measurement.defect


PRIVATE_NAME = Rule(
    id="measurement.private_name",
    layer=None,
    state=State.INSUFFICIENT,
    why="It is a name or an address of a home or company network: nobody outside can say where it should "
    "lead.",
    holds=lambda _o, c: c.evidence.is_of_private_name,
)

WHOLE_RULES = (
    Rule(
        id="measurement.defect",
        layer=None,
        state=State.INSUFFICIENT,
        why="No conclusion may rest on this measurement.",
        holds=lambda _o, c: bool(c.evidence.parsed.measurement.defect),
        figures=_defect,
    ),
    PRIVATE_NAME,
    Rule(
        id="measurement.no_network",
        layer=None,
        state=State.INSUFFICIENT,
        why="Nothing at all answered the probe, not even its lookups or the helper: it had no network.",
        holds=lambda _o, c: c.evidence.nothing_worked,
    ),
)


RULES_VERSION = "2026.21"
"""Raised whenever a rule, a threshold or their order changes; stored with every incident."""

TABLES: dict[Layer, tuple[Rule, ...]] = {
    Layer.DNS: DNS_RULES,
    Layer.TCP: TCP_RULES,
    Layer.TLS: TLS_RULES,
    Layer.QUIC: QUIC_RULES,
    Layer.HTTP: HTTP_RULES,
    Layer.TRANSFER: TRANSFER_RULES,
}
RULES: tuple[Rule, ...] = WHOLE_RULES + tuple(rule for table in TABLES.values() for rule in table)

_BY_ID = {rule.id: rule for rule in RULES}
_SEVERITY = {state: place for place, state in enumerate(State)}
_ORDER = {layer: place for place, layer in enumerate(Layer)}

_Key = tuple[str, str, Layer, str, str]


@dataclass(slots=True)
class _Finding:
    """What becomes a verdict: a rule, the first observation it held for, and how many there are."""

    rule: Rule
    mechanism: str
    observation: Observation
    controls: Controls
    count: int = 1


def judge(parsed: ParsedMeasurement, fingerprints: Fingerprints) -> tuple[Verdict, ...]:
    """What can be concluded from one measurement, the most severe first.

    Returns:
        One verdict per target, role, layer, rule and mechanism; empty where the probe observed nothing.
    """
    evidence = MeasurementEvidence(parsed, fingerprints)
    if not evidence.probe:
        return ()
    findings: dict[_Key, _Finding] = {}
    whole = _whole_rule(evidence)
    for observation in sorted(evidence.probe, key=_lookups_first):
        controls = Controls(evidence, observation)
        rule = whole or _first(TABLES[observation.layer], observation, controls)
        mechanism = rule.mechanism_of(observation, controls) if rule.mechanism else ""
        if rule.disowns:
            _disown(evidence, observation)
        key = (observation.target, observation.role, observation.layer, rule.id, mechanism)
        finding = findings.get(key)
        if finding is None:
            findings[key] = _Finding(rule, mechanism, observation, controls)
        else:
            finding.count += 1
    kept = _without_contradicted(list(findings.values()))
    return tuple(_verdict(finding) for finding in sorted(kept, key=_place))


def why(rule_id: str) -> str:
    """The sentence of a rule.

    Raises:
        KeyError: there is no such rule.
    """
    return _BY_ID[rule_id].why


def _whole_rule(evidence: MeasurementEvidence) -> Rule | None:
    first = evidence.probe[0]
    controls = Controls(evidence, first)
    return next((rule for rule in WHOLE_RULES if rule.holds(first, controls)), None)


def _first(table: tuple[Rule, ...], observation: Observation, controls: Controls) -> Rule:
    for rule in table:
        if rule.holds(observation, controls):
            return rule
    raise AssertionError(f"the table of {observation.layer} does not end with a rule that always holds")


def _lookups_first(observation: Observation) -> bool:
    """Connections are judged after lookups, since a forged answer explains them."""
    return observation.layer is not Layer.DNS


def _disown(evidence: MeasurementEvidence, lookup: Observation) -> None:
    right, _ = evidence.helper_answers.get(lookup.hostname, (frozenset[str](), frozenset[int]()))
    evidence.wrong_addresses.update(set(lookup.answers) - right)


def _without_contradicted(findings: list[_Finding]) -> list[_Finding]:
    """Where a group's endpoints fail as a whole, the few that answered are no verdict of their own."""
    failing = {_cell(f) for f in findings if f.rule.symptom}
    return [f for f in findings if f.rule.state is not State.OK or _cell(f) not in failing]


def _cell(finding: _Finding) -> tuple[str, str, Layer]:
    o = finding.observation
    return (o.target, o.role, o.layer)


def _place(finding: _Finding) -> tuple[int, int, bool]:
    o = finding.observation
    return (_SEVERITY[finding.rule.state], _ORDER[o.layer], o.role == "redirect")


def _verdict(finding: _Finding) -> Verdict:
    rule, o, controls = finding.rule, finding.observation, finding.controls
    return Verdict(
        target=o.target,
        layer=o.layer,
        state=rule.state,
        rule_id=rule.id,
        mechanism=finding.mechanism,
        why=rule.sentence(o, controls),
        symptom=rule.symptom,
        controlled=_is_controlled(finding),
        observations=finding.count,
        kbps=_kbps(o) if _slows(finding) and not _is_told_better(o, controls) else nan,
        role=o.role,
    )


def _is_controlled(finding: _Finding) -> bool:
    """By the helper or another name; that a page came elsewhere is no control of how fast this line is."""
    rule, controls = finding.rule, finding.controls
    if _is_slow_symptom(finding) and finding.observation.layer is not Layer.TRANSFER:
        return False
    return controls.is_normal or (rule.state is State.BLOCKED and controls.meets_notice)


def _slows(finding: _Finding) -> bool:
    return finding.rule.state is State.THROTTLED or _is_slow_symptom(finding)


def _is_slow_symptom(finding: _Finding) -> bool:
    is_of_slowness = finding.observation.layer is Layer.TRANSFER or SLOWNESS in finding.mechanism
    return finding.rule.symptom and is_of_slowness


def _is_told_better(o: Observation, c: Controls) -> bool:
    """A page's rate holds the first burst that a policer lets through; a download's is that after it."""
    return o.layer is not Layer.TRANSFER and any(
        s.target == o.target and not isnan(s.kbps) for s in c.evidence.of(Layer.TRANSFER)
    )


def _kbps(o: Observation) -> float:
    """Kilobits a second; from bytes and seconds where no rate was recorded.  A handshake has too few."""
    if o.layer not in (Layer.HTTP, Layer.TRANSFER):
        return nan
    if not isnan(o.kbps) or o.received < 0 or not o.seconds > 0:
        return o.kbps
    return o.received * 8 / 1000 / o.seconds
