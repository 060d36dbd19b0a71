"""The rules' verdicts on hand-built observations, short enough for a table."""

from typing import Any

from fanous.analysis.rules import judge
from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State, Verdict
from fanous.refdata.fingerprints import fingerprints
from tests.builders import bundle

Said = tuple[State, str, str]
"""State, rule id, mechanism."""


def verdicts(
    *observations: Observation, control_failure: str | None = None, **given: Any
) -> tuple[Verdict, ...]:
    """All verdicts; ``given`` replaces fields of the measurement."""
    return judge(bundle(*observations, control_failure=control_failure, **given), fingerprints())


def said(
    layer: Layer, *observations: Observation, control_failure: str | None = None, **given: Any
) -> list[Said]:
    """The verdicts at one layer, the most severe first."""
    found = verdicts(*observations, control_failure=control_failure, **given)
    return [(v.state, v.rule_id, v.mechanism) for v in found if v.layer is layer]
