"""Connectors: public sources of measurements, one package each.

To add one: a package with a class that has ``read`` (I/O: a file -> records) and ``parse`` (pure: a record
-> measurement and observations) as ``connector.Connector`` describes them; its name and an instance in
``CONNECTORS``; its test beside the others; and a ``redact``, without which its records never leave a
store (``fanous.publish.evidence``).  ``tests/sources/test_contract.py`` holds for each.

Rules for all: memory stays flat as a file grows; what cannot be used is named with line and reason;
``Record.data`` holds no address of a probe or its user; the same bytes give the same identity for ever.
"""

from fanous.sources.connector import Connector, OnProgress, OnReject
from fanous.sources.ooni import Edge, Ooni
from fanous.sources.ooni_csv import OoniCsv

CONNECTORS: dict[str, Connector] = {
    "edge": Edge(),
    "ooni": Ooni(),
    "ooni-csv": OoniCsv(),
}
"""Name on the command line and in ``Record.source`` -> connector."""

__all__ = ["CONNECTORS", "Connector", "OnProgress", "OnReject"]
