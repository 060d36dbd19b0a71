"""Ready-made series: public sources that give levels, not measurements; one module each.

To add a file: a class with ``read`` as ``reading.LevelFiles`` describes it, and a line in ``LEVEL_FILES``.
To add a source on the net: a class with ``pieces`` and ``parse`` as ``live.LiveSource`` describes them, and
a line in ``LIVE_SOURCES``; its saved answers then are files too.  The terms of a source stand in
``fanous.refdata.sources``, its signals in ``fanous.analysis.series.signals``.

Two sources give what their publishers say of outages (``saying``): claims beside ours, never evidence.

Rules for all: NaN is what was not measured, never 0; what cannot be used is named with line and reason; of
what a source says twice the later word counts.
"""

from fanous.sources.claims.ioda import IodaOutages
from fanous.sources.claims.radar import RadarOutages
from fanous.sources.signals.document import Documents
from fanous.sources.signals.files import About, LevelFiles, Reading, Saying
from fanous.sources.signals.google import Google
from fanous.sources.signals.ioda import Ioda
from fanous.sources.signals.ioda_csv import IodaCsv
from fanous.sources.signals.live import Ask, LiveSource, Piece
from fanous.sources.signals.mrt import Mrt
from fanous.sources.signals.ndt import Ndt
from fanous.sources.signals.radar import Radar
from fanous.sources.signals.ripestat import RipeStat
from fanous.sources.signals.table import CsvTable
from fanous.sources.signals.tor import Tor

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
