"""Detector: what every detector declares about itself, in its own file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from fanous.analysis.series.signals import SIGNALS
from fanous.model import registry
from fanous.model.incident import Kind
from fanous.model.series import Anomaly, Series


class Reads(StrEnum):
    """The kind of series that a detector reads, and therefore which stage runs it."""

    VOTES = "votes"
    """Shares of failing measurements and of silent probes, by network and target (``pipeline.interference``)."""
    RATES = "rates"
    """Shares of probes that are slow for their line, by network (``pipeline.interference``)."""
    QUANTITIES = "quantities"
    """Series of public sources, and speeds of our own transfers (``pipeline.outages``)."""


KINDS = {
    Reads.VOTES: frozenset(Kind),
    Reads.RATES: frozenset({Kind.SLOWDOWN}),
    Reads.QUANTITIES: frozenset({Kind.OUTAGE, Kind.SLOWDOWN}),
}
"""Kinds of incident that anomalies in each kind of series can become."""


T = TypeVar("T")


def option(value: T, why: str) -> T:
    """A field of a detector's options: its value, and why it has it, for the reader of the methodology."""
    declared: T = field(default=value, metadata={"why": why})
    return declared


Options = TypeVar("Options")
Takes = TypeVar("Takes", contravariant=True)


class Find(Protocol[Takes]):
    """The function of a detector.  It may be called from several threads and must keep no state."""

    def __call__(self, series: Sequence[Series], options: Takes, /) -> list[Anomaly]:
        """Anomalies in the series of one country, or of several; series without any are left out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector(Generic[Options]):
    """One detector with its settings.

    Attributes:
        name: permanent; part of the ids of its thresholds.
        version: changes whenever the same series may give other anomalies; its incidents carry it.
        kind: kind of incident that its anomalies show.
        reads: the kind of series that it reads.
        signals: names in ``analysis.series.signals`` that it watches, in the order of that table.
        options: its thresholds, a frozen dataclass of numbers, each an ``option``.
        find: the function; detectors may share one and differ in signals and options.
        suspect_at: probability from which an anomaly is worth a suspicion.
        is_peer: True = another monitor's rule, run for comparison in evaluations; nothing is concluded from it.
    """

    name: str
    version: str
    kind: Kind
    reads: Reads
    signals: tuple[str, ...]
    options: Options
    find: Find[Options]
    suspect_at: float = 0.0
    is_peer: bool = False

    def found(self, series: Iterable[Series]) -> list[Anomaly]:
        """Its anomalies in the series that it watches."""
        return self.find([one for one in series if one.key.signal in self.signals], self.options)


def registered(*detectors: Detector[Any]) -> dict[str, Detector[Any]]:
    """The detectors by name, in this order.

    Raises:
        ValueError: a declaration is empty, contradicts itself or repeats the name of another.
    """
    for one in detectors:
        empty = [field for field in ("name", "version", "signals") if not getattr(one, field)]
        if empty:
            raise ValueError(f"the detector {one.name!r} declares no {' and no '.join(empty)}")
        unexplained = [own.name for own in fields(one.options) if "why" not in own.metadata]
        if unexplained:
            raise ValueError(
                f"{one.name} gives no reason for {', '.join(unexplained)}: declare it with option(value, why)"
            )
        if one.kind not in KINDS[one.reads]:
            raise ValueError(
                f"{one.name} reads {one.reads}, from which no incident of kind {one.kind} is made"
            )
        unknown = [name for name in one.signals if name not in SIGNALS]
        if unknown:
            raise ValueError(
                f"{one.name} watches {', '.join(unknown)}: no such signal is in analysis.series.signals"
            )
        unfit = [name for name in one.signals if SIGNALS[name].is_quantity != (one.reads is Reads.QUANTITIES)]
        if unfit:
            raise ValueError(
                f"{one.name} reads {one.reads}, and {', '.join(unfit)} is a series of another sort"
            )
    return registry.registered(*detectors)
