"""Connectors: every source of raw measurements, by the name that the command line and the store know it by."""

from fanous.sources.connector import Connector
from fanous.sources.ooni import Edge, Ooni
from fanous.sources.ooni_csv import OoniCsv

CONNECTORS: dict[str, Connector] = {
    "edge": Edge(),
    "ooni": Ooni(),
    "ooni-csv": OoniCsv(),
}
"""The name is also ``Record.source``."""
