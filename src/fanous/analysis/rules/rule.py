"""Rule: one sentence of the judgement as data - when it holds, what it concludes, and why."""

from collections.abc import Callable
from dataclasses import dataclass

from fanous.analysis.rules.controls import Controls
from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State

Condition = Callable[[Observation, Controls], bool]
Text = Callable[[Observation, Controls], str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of a layer's table; the first row that holds decides.

    Attributes:
        id: permanent, stored with every verdict and never used again for another meaning.
        layer: ``None`` = about the whole measurement, at whatever layer was observed.
        why: a sentence for the reader of a report.
        holds: is this the case of the observation, given its controls?
        mechanism: OONI's taxonomy, or a function that names it from the observation; empty = none.
        figures: the figures of the case, added to ``why`` in brackets; ``None`` = nothing to add.
        symptom: see ``Verdict.symptom``.
        disowns: for lookups: the addresses answered are not the site's, so nothing that happens there is
            about the site.
    """

    id: str
    layer: Layer | None
    state: State
    why: str
    holds: Condition
    mechanism: str | Text = ""
    figures: Text | None = None
    symptom: bool = False
    disowns: bool = False

    def mechanism_of(self, observation: Observation, controls: Controls) -> str:
        if isinstance(self.mechanism, str):
            return self.mechanism
        return self.mechanism(observation, controls)

    def sentence(self, observation: Observation, controls: Controls) -> str:
        figures = self.figures(observation, controls) if self.figures else ""
        return f"{self.why} ({figures})" if figures else self.why
