"""World: the shapes of countries for a quiet map, as SVG paths.

``world.tsv`` is drawn by ``tools/draw_world.py``; the owner of a site may name another file of the same form.
Where borders are disputed the lines are those of the source, and carry no judgement.
"""

from functools import lru_cache
from pathlib import Path

from fanous.errors import FanousError
from fanous.refdata.tables import bytes_of

WIDTH, HEIGHT = 1000, 460
"""Pixels of the map that every file of shapes is drawn for."""

NO_CODE = "-"
"""Land without a code of ISO 3166-1."""


@lru_cache(maxsize=4)
def shapes(file: Path | None = None) -> dict[str, str]:
    """ISO 3166-1 alpha-2 (or ``NO_CODE``) -> path.

    Raises:
        FanousError: ``file`` is not such a file.
    """
    try:
        text = bytes_of("world.tsv").decode() if file is None else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FanousError(f"the map {file} cannot be read: {error}") from None
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        code, tab, path = line.partition("\t")
        if not tab or not path.startswith("M"):
            raise FanousError(f"{file}:{number}: a line of a map is a country code, a tab and an SVG path")
        found[code] = path
    return found
