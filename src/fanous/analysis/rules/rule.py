"""Rule: one rule of judgement as data: when it holds, what it concludes, and why."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fanous.analysis.rules.evidence import Controls
from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State

Condition = Callable[[Observation, Controls], bool]
Text = Callable[[Observation, Controls], str]

NAMES_MECHANISM = frozenset({State.BLOCKED, State.THROTTLED, State.DOWN})
"""States that say nothing without a mechanism."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of a layer's table; the first row that holds decides.

    Attributes:
        id: permanent; begins with the layer, or with ``measurement`` if it is about a whole measurement; is stored with
            every verdict and never used again for another meaning.
        why: a sentence for readers; docs/ontology.md lists it.
        holds: does it apply to the observation, given its controls?
        mechanism: in OONI's taxonomy (ooni/data ontology section 12) with our additions, or a function that names it
            from the observation: the deepest node that the evidence supports, so the parent if nothing shows which
            leaf it is; empty = none.
        figures: the figures of the case, added to ``why`` in brackets; None = nothing to add.
        symptom: see ``Verdict.symptom``.
        may_be_site: when the site itself may have done so to visitors from here, which no control elsewhere excludes;
            None = never.
        disowns: for lookups: the addresses answered are not the site's, so nothing that happens there is
            about the site.
    """

    id: str
    state: State
    why: str
    holds: Condition
    mechanism: str | Text = ""
    figures: Text | None = None
    symptom: bool = False
    may_be_site: Condition | None = None
    disowns: bool = False


def registered(whole: Iterable[Rule], tables: dict[Layer, tuple[Rule, ...]]) -> dict[str, Rule]:
    """All rules by id, in the order in which they are tried.

    Args:
        whole: rules about a whole measurement.
        tables: those of each layer.

    Raises:
        ValueError: a layer has no table, or a rule is in the wrong one, repeats an id, or declares too little.
    """
    missing = [str(layer) for layer in Layer if not tables.get(layer)]
    if missing:
        raise ValueError(f"no rules judge the layer {' and '.join(missing)}")
    found: dict[str, Rule] = {}
    for prefix, table in (("measurement", whole), *tables.items()):
        for rule in table:
            if not rule.id.startswith(f"{prefix}."):
                raise ValueError(f"the rule {rule.id} is listed among those whose ids begin with {prefix}")
            if rule.id in found:
                raise ValueError(
                    f"two rules have the id {rule.id}: give the new one an id that was never used"
                )
            if not rule.why.endswith("."):
                raise ValueError(f"the rule {rule.id} gives no sentence as its reason (why)")
            if rule.state in NAMES_MECHANISM and not rule.mechanism:
                raise ValueError(f"the rule {rule.id} concludes {rule.state} but names no mechanism")
            if rule.symptom and rule.state is not State.INSUFFICIENT:
                raise ValueError(f"the rule {rule.id} concludes {rule.state}; only insufficient is a symptom")
            found[rule.id] = rule
    return found
