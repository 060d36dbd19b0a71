"""Ready-made series: public sources that give levels, not measurements; one module each.

To add a file: a class with ``read`` as ``reading.LevelFiles`` describes it, and a line in ``LEVEL_FILES``.
To add a source on the net: a class with ``pieces`` and ``parse`` as ``live.LiveSource`` describes them, and
a line in ``LIVE_SOURCES``; its saved answers then are files too.  The terms of a source stand in
``fanous.refdata.sources``, its signals in ``fanous.analysis.series.signals``.

Two sources give what their publishers say of outages (``saying``): claims beside ours, never evidence.

Rules for all: NaN is what was not measured, never 0; what cannot be used is named with line and reason; of
what a source says twice the later word counts.
"""

from fanous.connectors.levels.document import Documents
from fanous.connectors.levels.google import Google
from fanous.connectors.levels.ioda import Ioda
from fanous.connectors.levels.ioda_csv import IodaCsv
from fanous.connectors.levels.ioda_outages import IodaOutages
from fanous.connectors.levels.live import Ask, LiveSource, Piece
from fanous.connectors.levels.mrt import Mrt
from fanous.connectors.levels.ndt import Ndt
from fanous.connectors.levels.radar import Radar
from fanous.connectors.levels.radar_outages import RadarOutages
from fanous.connectors.levels.reading import About, LevelFiles, Reading, Saying
from fanous.connectors.levels.ripestat import RipeStat
from fanous.connectors.levels.table import CsvTable
from fanous.connectors.levels.tor import Tor

LIVE_SOURCES: dict[str, LiveSource] = {
    "ioda": Ioda(),
    "ripestat": RipeStat(),
    "radar": Radar(),
    "tor": Tor(),
    "google": Google(),
    "ioda-outages": IodaOutages(),
    "radar-outages": RadarOutages(),
}
"""Name on the command line -> how it is asked and how its answers are read."""

LEVEL_FILES: dict[str, LevelFiles] = {
    "ioda-csv": IodaCsv(),
    "csv": CsvTable(),
    "mrt": Mrt(),
    "ndt": Ndt(),
    **{name: Documents(source) for name, source in LIVE_SOURCES.items()},
}
"""Name on the command line -> how its files are read."""

__all__ = [
    "LEVEL_FILES",
    "LIVE_SOURCES",
    "About",
    "Ask",
    "LevelFiles",
    "LiveSource",
    "Piece",
    "Reading",
    "Saying",
]
