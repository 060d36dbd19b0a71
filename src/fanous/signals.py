"""Signals: one table of every measurable kind of series - its unit, which way is bad, what it can prove.

Nothing else in Fanous knows these facts: a page, a detector or an alert that needs one asks here.
"""

from dataclasses import dataclass
from enum import StrEnum

from fanous.model.entity import Family
from fanous.model.incident import Kind
from fanous.model.observation import Layer
from fanous.model.verdict import State


class Direction(StrEnum):
    """Which way is bad."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of series.

    Attributes:
        name: stored with every series; never reused for another meaning.
        title: for people.
        unit: of the values; ``share`` = 0..1.
        bad: the direction in which a departure is a disruption.
        proves: kinds of incident that a departure can show, the likeliest first.
        family: of the sources that give it, where the source does not say otherwise.
        layers: of the verdicts it is counted from; empty = not counted from verdicts.
        states: verdicts that count as a vote for it.
        watcher: name of the detector that watches it.
        by_resolver: is it one series per resolver network too (a lie told by a resolver is its own)?
    """

    name: str
    title: str
    unit: str
    bad: Direction
    proves: tuple[Kind, ...]
    family: Family
    layers: tuple[Layer, ...]
    states: tuple[State, ...]
    watcher: str
    by_resolver: bool = False


PATH_LAYERS = (Layer.TCP, Layer.TLS, Layer.QUIC, Layer.HTTP, Layer.TRANSFER)

_TABLE = (
    Signal(
        name="blocked_dns",
        title="Names answered with a lie or not at all",
        unit="share",
        bad=Direction.UP,
        proves=(Kind.BLOCKING,),
        family=Family.OONI,
        layers=(Layer.DNS,),
        states=(State.BLOCKED,),
        watcher="blocking",
        by_resolver=True,
    ),
    Signal(
        name="blocked_path",
        title="Connections cut on the way",
        unit="share",
        bad=Direction.UP,
        proves=(Kind.BLOCKING,),
        family=Family.OONI,
        layers=PATH_LAYERS,
        states=(State.BLOCKED,),
        watcher="blocking",
    ),
    Signal(
        name="throttled",
        title="Connections slowed down on purpose",
        unit="share",
        bad=Direction.UP,
        proves=(Kind.THROTTLING,),
        family=Family.OONI,
        layers=PATH_LAYERS,
        states=(State.THROTTLED,),
        watcher="throttling",
    ),
    Signal(
        name="silence",
        title="Probes that are not heard any more",
        unit="share",
        bad=Direction.UP,
        proves=(Kind.OUTAGE,),
        family=Family.EDGE,
        layers=(),
        states=(),
        watcher="silence",
    ),
)

SIGNALS: dict[str, Signal] = {signal.name: signal for signal in _TABLE}


def signals_of(layer: Layer) -> tuple[Signal, ...]:
    """The signals that count verdicts of ``layer``."""
    return tuple(signal for signal in _TABLE if layer in signal.layers)
