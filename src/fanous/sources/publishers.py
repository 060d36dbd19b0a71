"""Publishers: every source of series and of claims, by the name that the command line knows it by."""

from fanous.sources.claims.ioda import IodaOutages
from fanous.sources.claims.radar import RadarOutages
from fanous.sources.signals.document import Documents
from fanous.sources.signals.files import SeriesFiles
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

LIVE_SOURCES: dict[str, LiveSource] = {
    "ioda": Ioda(),
    "ripestat": RipeStat(),
    "radar": Radar(),
    "tor": Tor(),
    "google": Google(),
    "ioda-outages": IodaOutages(),
    "radar-outages": RadarOutages(),
}
"""On the net: how each is asked, and how its answers are read."""

SERIES_FILES: dict[str, SeriesFiles] = {
    "ioda-csv": IodaCsv(),
    "csv": CsvTable(),
    "mrt": Mrt(),
    "ndt": Ndt(),
    **{name: Documents(source) for name, source in LIVE_SOURCES.items()},
}
"""Files of series: how each kind is read."""
