"""Measurements: the registry of every source of raw measurements.  It needs no numpy: a probe reads it too."""

from fanous.model.place import Family
from fanous.model.registry import registered
from fanous.sources.connector import MeasurementSource
from fanous.sources.ooni.source import Edge, Ooni
from fanous.sources.ooni_csv import OoniCsv
from fanous.sources.remote.atlas_measurements import AtlasMeasurements
from fanous.sources.remote.globalping import Globalping

MEASUREMENT_SOURCES: dict[str, MeasurementSource] = registered(
    Edge(),
    Ooni(),
    OoniCsv(),
    Globalping(),
    AtlasMeasurements(),
)
"""Name, which is also ``Record.source`` -> source."""

FAMILY_OF: dict[str, Family] = {name: source.family for name, source in MEASUREMENT_SOURCES.items()}
"""Name -> family of its measurements."""
