"""Verdicts: apply the rules of its layer to each observation, and collect their conclusions.

Pure: the same measurement and the same fingerprints give the same verdicts, today and in ten years.  Rules about a
measurement as a whole come first: if one holds, nothing else may be concluded from the measurement.
"""

from dataclasses import dataclass
from math import isnan, nan

from fanous.analysis.rules.addresses import is_bogon
from fanous.analysis.rules.connection import TCP_RULES, TLS_RULES
from fanous.analysis.rules.dns import DNS_RULES, RESOLVER_RULES
from fanous.analysis.rules.evidence import RESOLVER, Controls, MeasurementEvidence
from fanous.analysis.rules.failures import SILENT_CAUSES, Cause, cause_of
from fanous.analysis.rules.fingerprints import FingerprintKind, Fingerprints
from fanous.analysis.rules.http import HTTP_RULES, page_kbps
from fanous.analysis.rules.quic import QUIC_RULES
from fanous.analysis.rules.rule import Rule, registered
from fanous.analysis.rules.transfer import TRANSFER_RULES
from fanous.model.measurement import Layer, Observation, ParsedMeasurement, is_private_name
from fanous.model.verdict import SEVERITY, State, Verdict, is_starved

RULES_VERSION = "2026.28"
"""Raised whenever a rule, a threshold or their order changes; stored with every incident."""

_NO_ROUTE = frozenset({Cause.UNREACHABLE, Cause.LOCAL})


def _is_of_private_name(_o: Observation, c: Controls) -> bool:
    """Was a name or an address of the user's own network measured?  A platform never is one.

    An address that the helper tried too is in a network of the operator who runs both.
    """
    evidence, target = c.evidence, c.evidence.parsed.measurement.target
    own = [o for o in evidence.probe if o.target == target and o.role != "redirect" and o.hostname]
    return bool(own) and all(
        is_private_name(o.hostname) or (is_bogon(o.hostname) and not evidence.helper) for o in own
    )


def _nothing_worked(_o: Observation, c: Controls) -> bool:
    """Did nothing at all answer the probe, as on a machine without a network?

    Where one target is blocked, a lookup, the helper or a reset still comes through.  If no lookup was tried,
    only an unreachable network proves it: a list of endpoints may be met with silence by a censor.
    """
    evidence = c.evidence
    if evidence.helper or evidence.is_look:
        return False
    failures = [o.failure for o in evidence.probe]
    control = evidence.parsed.control_failure
    if control is not None:
        return all(map(_offline, (*failures, control)))
    causes = {cause_of(failure) if failure else None for failure in failures}
    if any(o.layer is Layer.DNS for o in evidence.probe) and causes <= SILENT_CAUSES:
        return True
    return _NO_ROUTE & causes != set() and causes <= _NO_ROUTE | {Cause.NO_DATA}


def _offline(failure: str | None) -> bool:
    """Could a machine without a network show this?  Android then answers lookups from its empty cache, as it does
    where a resolver denies the name."""
    return failure is not None and (cause_of(failure) is Cause.NO_DATA or cause_of(failure) in SILENT_CAUSES)


PRIVATE_NAME = Rule(
    id="measurement.private_name",
    state=State.INSUFFICIENT,
    why="This name or address belongs to a home or company network, so nothing outside can show where it "
    "should lead.",
    holds=_is_of_private_name,
)

WHOLE_RULES = (
    Rule(
        id="measurement.defect",
        state=State.INSUFFICIENT,
        why="No conclusion may rest on this measurement.",
        holds=lambda _o, c: bool(c.evidence.parsed.measurement.defect),
        figures=lambda _o, c: c.evidence.parsed.measurement.defect,
    ),
    PRIVATE_NAME,
    Rule(
        id="measurement.no_network",
        state=State.INSUFFICIENT,
        why="Nothing answered the probe, not even its lookups or the helper, so it had no network.",
        holds=_nothing_worked,
    ),
)

TABLES: dict[Layer, tuple[Rule, ...]] = {
    Layer.DNS: DNS_RULES,
    Layer.TCP: TCP_RULES,
    Layer.TLS: TLS_RULES,
    Layer.QUIC: QUIC_RULES,
    Layer.HTTP: HTTP_RULES,
    Layer.TRANSFER: TRANSFER_RULES,
}
RULES_BY_ID = registered(WHOLE_RULES, TABLES | {Layer.DNS: RESOLVER_RULES + DNS_RULES})
RULES = tuple(RULES_BY_ID.values())

_ORDER = {layer: place for place, layer in enumerate(Layer)}

_Key = tuple[str, str, Layer, str, str]


@dataclass(slots=True)
class _Finding:
    """A verdict in the making: a rule, the first observation for which it held, their number, and the best rate of
    them."""

    rule: Rule
    mechanism: str
    observation: Observation
    controls: Controls
    kbps: float
    count: int = 1

    @property
    def cell(self) -> tuple[str, str, Layer]:
        o = self.observation
        return (o.target, o.role, o.layer)


def judge(parsed: ParsedMeasurement, fingerprints: Fingerprints) -> tuple[Verdict, ...]:
    """What can be concluded from one measurement, the most severe first.

    Returns:
        One verdict per target, role, layer, rule and mechanism; empty if the probe observed nothing.
    """
    evidence = MeasurementEvidence(parsed, fingerprints)
    if not evidence.probe:
        return ()
    # Connections are judged after lookups, since a forged answer explains them.
    ordered = (*evidence.of(Layer.DNS), *(o for o in evidence.probe if o.layer is not Layer.DNS))
    whole = _first(WHOLE_RULES, evidence.probe[0], Controls(evidence, evidence.probe[0]))
    findings: dict[_Key, _Finding] = {}
    for o in ordered:
        controls = Controls(evidence, o)
        rule = whole or _first(RESOLVER_RULES if o.role == RESOLVER else TABLES[o.layer], o, controls)
        if rule is None:
            raise AssertionError(f"the table of {o.layer} does not end with a rule that always holds")
        mechanism = rule.mechanism if isinstance(rule.mechanism, str) else rule.mechanism(o, controls)
        if rule.disowns:
            evidence.wrong_addresses.update(set(o.answers) - evidence.helper_answers.get(o.hostname, set()))
        key, kbps = (o.target, o.role, o.layer, rule.id, mechanism), _kbps(o, controls)
        if key in findings:
            findings[key].count += 1
            if rule.state is State.OK and (kbps > findings[key].kbps or isnan(findings[key].kbps)):
                findings[key].kbps = kbps
        else:
            findings[key] = _Finding(rule, mechanism, o, controls, kbps)
    # If the endpoints of a group fail as a whole, the few that answered get no verdict.
    failing = {one.cell for one in findings.values() if one.rule.symptom}
    kept = [one for one in findings.values() if one.rule.state is not State.OK or one.cell not in failing]
    return tuple(map(_verdict, sorted(kept, key=_place)))


def _first(table: tuple[Rule, ...], observation: Observation, controls: Controls) -> Rule | None:
    """The first rule of a table that holds."""
    for rule in table:
        if rule.holds(observation, controls):
            return rule
    return None


def _place(finding: _Finding) -> tuple[int, int, bool]:
    """Sort key: by severity, then from the lowest layer up, the target itself before redirects."""
    o = finding.observation
    return (SEVERITY[finding.rule.state], _ORDER[o.layer], o.role == "redirect")


def _verdict(finding: _Finding) -> Verdict:
    rule, o, controls = finding.rule, finding.observation, finding.controls
    controlled = _is_controlled(finding)
    figures = rule.figures(o, controls) if rule.figures else ""
    return Verdict(
        target=o.target,
        layer=o.layer,
        state=rule.state,
        rule_id=rule.id,
        mechanism=finding.mechanism,
        why=f"{rule.why} ({figures})" if figures else rule.why,
        symptom=rule.symptom,
        controlled=controlled,
        observations=finding.count,
        kbps=finding.kbps if _has_rate(finding) else nan,
        role=o.role,
    )


def _is_controlled(finding: _Finding) -> bool:
    """Is it controlled, by the helper or another name?  A symptom is not, and neither is what the site may do itself:
    that it worked outside does not exclude the other explanation.  QUIC that alone meets silence is: if all of it is
    dropped, the network does that too.  So is a page that starves here and came outside: whether its line is well is
    asked where the sender's other measurements are known (``analysis.series.line``).  So is an encrypted resolver whose
    name is denied where others are found: its services do not vanish.
    """
    rule, o, c = finding.rule, finding.observation, finding.controls
    is_alone = o.layer is not Layer.QUIC and o.role != RESOLVER and not is_starved(finding.mechanism)
    if rule.symptom and is_alone:
        return False
    if rule.may_be_site and rule.may_be_site(o, c):
        return False
    return _has_normal_control(o, c) or (rule.state is State.BLOCKED and _meets_notice(o, c))


def _has_normal_control(o: Observation, c: Controls) -> bool:
    """Did a normal control travel with the measurement: the helper's, or another name's at the same address?

    Only a rate is a control of a rate.
    """
    if o.layer is Layer.TRANSFER:
        return bool(c.evidence.helper.get(Layer.TRANSFER) or c.same_server)
    if o.role == RESOLVER:
        return c.plain_lookups_work
    return (c.has_helper and c.reachable is True) or c.innocuous_name_works


def _meets_notice(o: Observation, c: Controls) -> bool:
    """Did the probe meet the country's own notice of a block, or get the address that serves it?

    Neither a site that is down nor a bad line gives one.  The notices of vendors' filters do not count: a school's or a
    company's is not an order of the country.
    """
    if o.layer is Layer.DNS:
        return c.evidence.gives_block_address(o)
    country = c.evidence.parsed.measurement.country
    return any(match.kind is FingerprintKind.BLOCKPAGE and country in match.countries for match in c.matches)


def _has_rate(finding: _Finding) -> bool:
    """Does it say how fast data came, and no download says it better?  A page's rate includes the first burst that a
    policer lets through."""
    o, evidence = finding.observation, finding.controls.evidence
    if finding.rule.state is State.OK or o.layer is Layer.TRANSFER:
        return True
    is_slow = finding.rule.state is State.THROTTLED or (
        finding.rule.symptom and is_starved(finding.mechanism)
    )
    return is_slow and not any(
        s.target == o.target and not isnan(s.kbps) for s in evidence.of(Layer.TRANSFER)
    )


def _kbps(o: Observation, c: Controls) -> float:
    """Kilobits a second; NaN for what is too small to tell."""
    if o.layer is Layer.HTTP:
        return page_kbps(o, c)
    if o.layer is not Layer.TRANSFER or not isnan(o.kbps) or o.received < 0 or not o.seconds > 0:
        return o.kbps
    return o.received * 8 / 1000 / o.seconds
