"""Axis: what stands along time - ticks of a chart, dates above a grid - on the country's clock."""

from datetime import UTC, datetime, timedelta

from fanous.charts.grid import Grid
from fanous.charts.strip import cell_width
from fanous.refdata.countries import local
from fanous.wording.language import Language

HOUR, DAY = 3600, 86_400
STEPS = (HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY)

LABEL_ROOM = 48
"""Pixels that ``17 Dec`` needs above a grid."""


def day(moment: datetime, language: Language) -> str:
    """``17 Dec``."""
    if language.code == "en":
        return f"{moment.day} {moment:%b}"
    from babel.dates import format_skeleton

    return language.in_digits(format_skeleton("MMMd", moment, locale=language.locale))


def ticks(since: float, until: float, country: str, language: Language, most: int) -> list[tuple[float, str]]:
    """Round hours of the country's clock: at midnight the day, else the hour."""
    step = next((step for step in STEPS if (until - since) / step <= most), STEPS[-1])
    offset = (local(since, country).utcoffset() or timedelta(0)).total_seconds()
    first = -(-(since + offset) // step) * step
    found = []
    while first - offset <= until:
        moment = datetime.fromtimestamp(first, UTC)
        midnight = moment.hour == 0 and moment.minute == 0
        text = day(moment, language) if midnight else language.in_digits(f"{moment:%H:%M}")
        found.append((first - offset, text))
        first += step
    return found


def levels(language: Language) -> list[tuple[float, str]]:
    """The value axis of shares."""
    return [(share, language.percent(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]


def ruler(grid: Grid, language: Language) -> list[tuple[int, str]]:
    """(pixels from the left, text) above a grid: days, or months where columns are weeks."""
    marks: list[tuple[int, str]] = []
    before, cell = "", cell_width(len(grid.columns))
    for n, column in enumerate(grid.columns):
        if grid.step >= timedelta(weeks=1):
            text = _month(column, language)
        else:
            text = day(column, language)
        room = (len(grid.columns) - n) * cell >= LABEL_ROOM
        if text != before and room and (not marks or n * cell - marks[-1][0] >= LABEL_ROOM):
            marks.append((n * cell, text))
        before = text
    if len(marks) > 1 and marks[1][0] - marks[0][0] < LABEL_ROOM:
        del marks[0]
    return marks


def _month(moment: datetime, language: Language) -> str:
    from babel.dates import format_skeleton

    return language.in_digits(format_skeleton("yMMM", moment, locale=language.locale))
