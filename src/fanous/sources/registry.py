"""Registry: every source by the name that the command line and the store know it by."""

from fanous.sources.claims.ioda import IodaOutages
from fanous.sources.claims.radar import RadarOutages
from fanous.sources.connector import Connector
from fanous.sources.ooni import Edge, Ooni
from fanous.sources.ooni_csv import OoniCsv
from fanous.sources.signals.document import Documents
from fanous.sources.signals.files import LevelFiles
from fanous.sources.signals.google import Google
from fanous.sources.signals.ioda import Ioda
from fanous.sources.signals.ioda_csv import IodaCsv
from fanous.sources.signals.live import LiveSource
from fanous.sources.signals.mrt import Mrt
from fanous.sources.signals.ndt import Ndt
from fanous.sources.signals.radar import Radar
from fanous.sources.signals.ripestat import RipeStat
from fanous.sources.signals.table import CsvTable
from fanous.sources.signals.tor import Tor

CONNECTORS: dict[str, Connector] = {
    "edge": Edge(),
    "ooni": Ooni(),
    "ooni-csv": OoniCsv(),
}
"""Raw measurements.  The name is also ``Record.source``."""

LIVE_SOURCES: dict[str, LiveSource] = {
    "ioda": Ioda(),
    "ripestat": RipeStat(),
    "radar": Radar(),
    "tor": Tor(),
    "google": Google(),
    "ioda-outages": IodaOutages(),
    "radar-outages": RadarOutages(),
}
"""Publishers on the net: how each is asked, and how its answers are read."""

LEVEL_FILES: dict[str, LevelFiles] = {
    "ioda-csv": IodaCsv(),
    "csv": CsvTable(),
    "mrt": Mrt(),
    "ndt": Ndt(),
    **{name: Documents(source) for name, source in LIVE_SOURCES.items()},
}
"""Files of series: how each kind is read."""
