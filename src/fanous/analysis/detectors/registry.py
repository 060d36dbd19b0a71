"""Registry: the detectors that run.

A detector runs because it is listed here; it declares everything else in its own file.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from fanous.analysis.detectors.detector import Detector, Reads, registered
from fanous.analysis.detectors.drop import DROP
from fanous.analysis.detectors.interference import BLOCKING, SILENCE, SLOWNESS, THROTTLING
from fanous.analysis.detectors.ioda import IODA
from fanous.analysis.detectors.shift import SHIFT
from fanous.analysis.detectors.slowdown import SLOWDOWN
from fanous.model.incident import Kind
from fanous.model.threshold import threshold

DETECTORS = registered(BLOCKING, THROTTLING, SILENCE, SLOWNESS, DROP, SHIFT, SLOWDOWN, IODA)

for detector in DETECTORS.values():
    for option in fields(detector.options):
        threshold(
            f"detectors.{detector.name}.{option.name}",
            getattr(detector.options, option.name),
            option.metadata["why"],
        )


def detectors_of(reads: Reads, kind: Kind | None = None) -> Iterator[Detector[Any]]:
    """Detectors (other than peers) for one kind of series; ``kind`` None = any kind of incident."""
    return (
        one
        for one in DETECTORS.values()
        if one.reads is reads and not one.is_peer and kind in (None, one.kind)
    )


def signals_read(reads: Reads, kind: Kind) -> list[str]:
    """Signals watched by at least one of them, each once."""
    return list(dict.fromkeys(name for one in detectors_of(reads, kind) for name in one.signals))


def version_of(reads: Reads) -> str:
    """Version of the detectors that read one kind of series: the parts of all their versions, each once, joined by
    ``+``."""
    return "+".join(dict.fromkeys(one.version for one in detectors_of(reads)))
