"""Detectors: find anomalies in series; pure and without state, so that replay is the live code path.

To add one: a module with a frozen ``Options`` dataclass (each threshold with its reason) and a function
``find_...(series, options) -> list[Anomaly]``, and one line in ``DETECTORS``, or in ``QUANTITY_DETECTORS`` if it
watches ready-made series.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from fanous.analysis.detectors.baseline import DropOptions
from fanous.analysis.detectors.drop import find_drops
from fanous.analysis.detectors.interference import InterferenceOptions, find_interference
from fanous.analysis.detectors.ioda import IodaOptions, find_below_median
from fanous.analysis.detectors.slowdown import SlowdownOptions, find_slowdowns
from fanous.analysis.series.signals import SIGNALS
from fanous.model.anomaly import Anomaly
from fanous.model.incident import Kind
from fanous.model.series import Series

DETECTOR_VERSION = "2026.22"
"""Changes whenever the same series may give other anomalies."""

SLOWDOWN_DETECTOR_VERSION = "2026.17-slowdowns"
"""Changes whenever the same downloads may give other slow-downs (``analysis.series.slowness``); those carry it."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A detector with its settings.

    Attributes:
        signals: names in ``fanous.analysis.series.signals`` that it watches.
        kind: what its anomalies are.
        find: the function; it gets the series of one country.
        options: its thresholds.
    """

    signals: tuple[str, ...]
    kind: Kind
    find: Callable[[Sequence[Series], InterferenceOptions], list[Anomaly]]
    options: InterferenceOptions


def _signals(detector: str) -> tuple[str, ...]:
    """The signals that name this detector in their declarations."""
    return tuple(signal.name for signal in SIGNALS.values() if signal.detector == detector)


DETECTORS: dict[str, Detector] = {
    "blocking": Detector(_signals("blocking"), Kind.BLOCKING, find_interference, InterferenceOptions()),
    # A policed flow still gives some probes a good moment (the bucket lets a burst through).
    "throttling": Detector(
        _signals("throttling"),
        Kind.THROTTLING,
        find_interference,
        replace(InterferenceOptions(), mean_on=0.75),
    ),
    # A probe's machine is restarted, its line fails by itself: more often than a platform does.
    "silence": Detector(
        _signals("silence"), Kind.OUTAGE, find_interference, replace(InterferenceOptions(), mean_off=0.03)
    ),
    # Of rates that differ by half from one to the next one in thirty is slow by chance; of those of which a
    # third is left one in four is not.
    "slowness": Detector(
        _signals("slowness"),
        Kind.SLOWDOWN,
        find_interference,
        replace(InterferenceOptions(), mean_off=0.05, mean_on=0.75),
    ),
}

QUANTITY_DETECTOR_VERSION = "2026.17-levels"
"""Changes whenever the same levels may give other anomalies; incidents made of levels carry it."""

LEVEL = DropOptions()
IODA = IodaOptions()
SLOWDOWN = SlowdownOptions()

QUANTITY_DETECTORS: dict[str, Callable[[Sequence[Series]], list[Anomaly]]] = {
    "drop": partial(find_drops, options=LEVEL),
    "slowdown": partial(find_slowdowns, options=SLOWDOWN),
    # For comparison: it confirms nothing.
    "ioda": partial(find_below_median, options=IODA),
}
"""Name -> finds the anomalies of level series: losses of the level, slow speeds, IODA's warnings."""
