"""Ready-made series: public sources that give levels, not measurements; one module each.

To add a file: a class with ``read`` as ``reading.LevelFiles`` describes it, and a line in ``LEVEL_FILES``.
Its terms stand in ``fanous.sources``, its signals in ``fanous.signals``.

Rules for all: NaN is what was not measured, never 0; what cannot be used is named with line and reason; what
a source said twice is told once, and the later word counts.
"""

from fanous.connectors.levels.ioda_csv import IodaCsv
from fanous.connectors.levels.reading import About, LevelFiles, Reading
from fanous.connectors.levels.table import CsvTable

LEVEL_FILES: dict[str, LevelFiles] = {
    "ioda-csv": IodaCsv(),
    "csv": CsvTable(),
}
"""Name on the command line -> how its files are read."""

__all__ = ["LEVEL_FILES", "About", "LevelFiles", "Reading"]
