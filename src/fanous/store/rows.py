"""Rows: what the store's questions are answered with.

Times are unix seconds, UTC; windows half-open ``[since, until)``.  Only sound measurements count (no
``defect``) unless a row says otherwise.
"""

from dataclasses import dataclass

from fanous.model.measurement import Measurement
from fanous.model.observation import Layer
from fanous.model.verdict import State
from fanous.store.segment import Location


@dataclass(frozen=True, slots=True)
class MechanismCount:
    """How often one rule said one thing on one network, ordered from the most frequent.

    Attributes:
        symptom: see ``Verdict.symptom``.
        measurements: in which it was said.
        probes: whose measurements these are.
    """

    target: str
    asn: int
    layer: Layer
    mechanism: str
    rule_id: str
    state: State
    symptom: bool
    measurements: int
    probes: int


@dataclass(frozen=True, slots=True)
class EvidenceCounts:
    """What a claim rests on.

    Attributes:
        measurements: that saw it.
        probes: whose measurements these are.
        networks: on which it was seen.
        controlled: of ``measurements``, those with a normal control of their own.
        elsewhere: measurements of the same targets on other networks of the country at the same times
            that found them to work.
        sources: connectors that the measurements came through, sorted.
    """

    measurements: int
    probes: int
    networks: int
    controlled: int
    elsewhere: int
    sources: tuple[str, ...]

    @property
    def controls(self) -> int:
        """``Evidence.controls``: measurements that show that the target worked elsewhere."""
        return self.controlled + self.elsewhere


@dataclass(frozen=True, slots=True)
class Reason:
    """Why nothing was concluded.

    Attributes:
        rule_id: of the rule that said so; empty = the measurement itself was unsound.
        why: the rule's sentence (one of them, where they hold figures), or the measurement's defect.
    """

    rule_id: str
    why: str
    measurements: int


@dataclass(frozen=True, slots=True)
class Insufficient:
    """A target that was measured, and of which nothing can be said.

    Attributes:
        measurements: all of the target in the window, unsound ones included.
        reasons: from the most frequent; at least one.
    """

    target: str
    measurements: int
    reasons: tuple[Reason, ...]

    @property
    def why(self) -> str:
        """For a reader: the most frequent reason, and of how many measurements it holds."""
        first = self.reasons[0]
        return f"{first.why} ({first.measurements} of {self.measurements} measurements)"


@dataclass(frozen=True, slots=True)
class StoredMeasurement:
    """The header of a measurement, and where its raw record lies; for attributes see ``ParsedMeasurement``."""

    measurement: Measurement
    source: str
    received_at: float
    location: Location
    observations: int
    control_failure: str | None
    bogus: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """One network in a window.

    Attributes:
        at: its last sound measurement was made then.
        probes: independent ones.
    """

    country: str
    asn: int
    at: float
    measurements: int
    probes: int
