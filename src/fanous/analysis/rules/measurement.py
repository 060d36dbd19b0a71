"""Rules for a measurement as a whole: where they hold, nothing else of it may be concluded."""

from fanous.analysis.rules.controls import Controls
from fanous.analysis.rules.rule import Rule
from fanous.model.observation import Observation
from fanous.model.verdict import State


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
