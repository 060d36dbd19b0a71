"""Rules for connections: blocked by address, down for everyone, or a probe without IPv6?"""

from fanous.analysis.rules import mechanisms
from fanous.analysis.rules.evidence import Controls
from fanous.analysis.rules.failures import Cause
from fanous.analysis.rules.rule import Rule
from fanous.model.measurement import Layer, Observation
from fanous.model.place import endpoint, shown_name
from fanous.model.verdict import State


def endpoint_failure(o: Observation, _c: Controls) -> str:
    where = endpoint(o.ip, o.port) if o.ip else "an unknown address"
    return f"{shown_name(o.hostname) or o.target} at {where}: {o.failure}"


def group_failures(_o: Observation, c: Controls) -> str:
    return f"{c.group.failed} of {c.group.endpoints} endpoints"


TCP_RULES = (
    Rule(
        id="tcp.ok",
        state=State.OK,
        why="The connection was established.",
        holds=lambda o, _c: o.failure is None,
    ),
    Rule(
        id="tcp.own_fault",
        state=State.INSUFFICIENT,
        why="The probe could not connect because of a fault of its own.",
        holds=lambda _o, c: c.cause is Cause.LOCAL,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.no_ipv6",
        state=State.INSUFFICIENT,
        why="The probe has no working IPv6.",
        holds=lambda _o, c: c.no_ipv6,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.after_wrong_answer",
        state=State.INSUFFICIENT,
        why="The address came from a wrong DNS answer; see the DNS layer.",
        holds=lambda _o, c: c.to_wrong_address,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.down",
        state=State.DOWN,
        why="The endpoint cannot be reached from outside either.",
        holds=lambda _o, c: c.reachable is False,
        mechanism=mechanisms.SERVER_DOWN,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.address_down",
        state=State.INSUFFICIENT,
        why="The site is up, but this one of its addresses does not respond from outside either.",
        holds=lambda _o, c: c.reachable is None and c.same_step is not None,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.other_address_works",
        state=State.OK,
        why="One attempt failed, but another address or attempt worked.",
        holds=lambda _o, c: c.has_helper and c.works_elsewhere,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.unclear_failure",
        state=State.INSUFFICIENT,
        why="The connection failed in an unknown way.",
        holds=lambda _o, c: c.cause is Cause.UNKNOWN and (c.has_helper or c.group.fails),
        mechanism="tcp",
        figures=endpoint_failure,
        symptom=True,
    ),
    Rule(
        id="tcp.failure_control_ok",
        state=State.BLOCKED,
        why="The connection failed, while the control's succeeded.",
        holds=lambda _o, c: c.reachable is True,
        mechanism=mechanisms.of_connection,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.port_not_asked",
        state=State.INSUFFICIENT,
        why="No page of this site needs this port, and nothing shows that the port is open at all.",
        holds=lambda o, c: not c.evidence.was_asked(o),
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.few_endpoints",
        state=State.OK,
        why="Most of the target's endpoints respond, and a few failures are normal.",
        holds=lambda _o, c: c.few_endpoints_fail,
        figures=group_failures,
    ),
    Rule(
        id="tcp.group_fails_elsewhere",
        state=State.INSUFFICIENT,
        why="Most of the target's endpoints fail, but at another layer.",
        holds=lambda _o, c: c.group.layer is not Layer.TCP,
        figures=group_failures,
    ),
    Rule(
        id="tcp.nothing_else_works",
        state=State.INSUFFICIENT,
        why="The connection timed out, and so did the helper and lookups over TLS and HTTPS, so the line "
        "itself was at fault.",
        holds=lambda _o, c: c.cause is Cause.TIMEOUT and c.nothing_else_works,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.no_control",
        state=State.INSUFFICIENT,
        why="The target's endpoints cannot be reached, but nothing shows whether they can be reached "
        "elsewhere.",
        holds=lambda _o, _c: True,
        mechanism=mechanisms.of_connection_group,
        figures=group_failures,
        symptom=True,
    ),
)
