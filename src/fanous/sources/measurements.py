"""Measurements: every source of raw measurements, by the name that the command line and the store know it by."""

from fanous.sources.connector import MeasurementSource
from fanous.sources.ooni import Edge, Ooni
from fanous.sources.ooni_csv import OoniCsv

MEASUREMENT_SOURCES: dict[str, MeasurementSource] = {
    "edge": Edge(),
    "ooni": Ooni(),
    "ooni-csv": OoniCsv(),
}
"""The name is also ``Record.source``."""
