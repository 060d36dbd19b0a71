"""Measurements: the registry of every source of raw measurements.  It needs no numpy: a probe reads it too."""

from fanous.model.place import Family
from fanous.model.registry import registered
from fanous.sources.connector import MeasurementSource
from fanous.sources.ooni.source import EDGE, OONI
from fanous.sources.ooni_csv import OONI_CSV
from fanous.sources.remote.atlas_measurements import ATLAS_MEASUREMENTS
from fanous.sources.remote.globalping import GLOBALPING

MEASUREMENTS = registered(
    EDGE,
    OONI,
    OONI_CSV,
    GLOBALPING,
    ATLAS_MEASUREMENTS,
)
"""Name, which is also ``Record.source`` -> declaration."""

MEASUREMENT_SOURCES: dict[str, MeasurementSource] = {
    name: source.measurements for name, source in MEASUREMENTS.items() if source.measurements
}
"""Name -> reader."""

FAMILY_OF: dict[str, Family] = {name: source.family for name, source in MEASUREMENTS.items() if source.family}
"""Name -> family of its measurements."""
