"""Alternatives: what else could explain that a target fails - the platform, an instrument, or the line."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Onset:
    """How targets fared in another country, at those times at which they failed here.

    Attributes:
        probes: that failed then.
        failing: measurements that failed then (blocked, throttled, down, or a symptom).
        measured: measurements then that say anything.
        failing_before: the same in the days before the first of them.
        measured_before: likewise.
    """

    country: str
    probes: int
    failing: int
    measured: int
    failing_before: int
    measured_before: int


@dataclass(frozen=True, slots=True)
class Software:
    """How one version of a probe's software fared on one network during the event, counted in probes.

    Attributes:
        failing: for which the target failed at least once.
        working: for which it only ever worked.
    """

    name: str
    asn: int
    failing: int
    working: int


@dataclass(frozen=True, slots=True)
class LineRecord:
    """How one probe that saw it fared meanwhile with all that it measured.

    Attributes:
        of_all: not one probe, but all of the network together, those that did not see it among them.
        targets: that it measured.
        others: of them, those of which nothing is claimed.
        failing: 0..``others``, how many of these failed as they do on a bad line; one that failed now and
            then counts by the share.
    """

    asn: int
    targets: int
    others: int
    failing: float
    of_all: bool = False


@dataclass(frozen=True, slots=True)
class Alternatives:
    """What is known for and against other explanations; empty = nothing."""

    onsets: tuple[Onset, ...] = ()
    software: tuple[Software, ...] = ()
    lines: tuple[LineRecord, ...] = ()


NONE_KNOWN = Alternatives()
