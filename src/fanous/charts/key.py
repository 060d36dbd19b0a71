"""Key: what the areas of a picture mean, in one row, from the side where the language begins."""

from collections.abc import Sequence

from fanous.charts.letters import breadth
from fanous.charts.paint import FONT, SOFT, painted, xml


def key_row(entries: Sequence[tuple[str, str]], edge: float, y: float, size: float, *, rtl: bool) -> str:
    """For a picture that stands alone.

    Args:
        entries: (class of an area, what it means).
        edge: where the row begins: its left edge, or with ``rtl`` its right one.
        y: the foot of the words.
    """
    way, anchor = (-1, "end") if rtl else (1, "start")
    parts, at = [], edge
    for name, text in entries:
        parts.append(
            f'<path d="M{at:.0f} {y - 0.8 * size:.0f}h{way * 1.2 * size:.0f}v{0.85 * size:.0f}H{at:.0f}z" '
            f'{painted(name, alone=True)}/><text x="{at + way * 1.6 * size:.0f}" y="{y:.0f}" '
            f'text-anchor="{anchor}" font-family="{FONT}" font-size="{size:g}" fill="{SOFT}">{xml(text)}</text>'
        )
        at += way * (2.9 * size + breadth(text, size))
    return "".join(parts)
