"""Library: what ``import fanous`` gives - the main job as typed functions, for notebooks and programs.

The command line's own code; answers are the model's dataclasses, and Arrow tables where they are long.  Needs
the server parts (``pip install 'fanous[server]'``), as every store does.
"""

from fanous.pipeline.library.judgement import Judgement, Judgements, judge
from fanous.pipeline.library.questions import Instant, Store, confirm, incidents, series
from fanous.pipeline.library.tables import SERIES_COLUMNS, VERDICT_COLUMNS

__all__ = [
    "SERIES_COLUMNS",
    "VERDICT_COLUMNS",
    "Instant",
    "Judgement",
    "Judgements",
    "Store",
    "confirm",
    "incidents",
    "judge",
    "series",
]
