"""Picture: SVG to PNG, with fonts of our own, so that all machines draw the same and Arabic is shaped.

The fonts (Noto, SIL Open Font License 1.1) stand in ``fonts``, reduced to the Latin and Arabic characters.
"""

from functools import lru_cache
from importlib.resources import as_file, files


@lru_cache(maxsize=1)
def _fonts() -> list[str]:
    """Paths of the font files.  A wheel is unpacked, so they are ordinary files."""
    with as_file(files(__package__) / "fonts") as folder:
        return sorted(str(file) for file in folder.glob("*.ttf"))


def png(svg: str, width: int) -> bytes:
    """The picture, ``width`` pixels wide."""
    from resvg_py import svg_to_bytes

    return bytes(
        svg_to_bytes(
            svg_string=svg,
            width=width,
            skip_system_fonts=True,
            font_files=_fonts(),
            sans_serif_family="Noto Sans",
            serif_family="Noto Serif",
            font_family="Noto Sans",
        )
    )
