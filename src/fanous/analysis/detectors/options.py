"""Options: every threshold of the level detector, with its reason."""

from dataclasses import dataclass

HOUR = 3600


@dataclass(frozen=True, slots=True)
class DropOptions:
    """The least drop of each signal stands in ``fanous.analysis.series.signals``; all else here.

    Attributes:
        slot: seconds of a slot of the day: the daily curve is straight within half an hour.
        days: of which a slot's median is taken: two weeks span a holiday and follow growth.
        weeks: of which the weekday's median is taken (Cloudflare compares with the last 28 days).
        least_days: of history before anything is said: each slot was seen twice.
        week_seen: days of history that hold a whole week.
        widen: what the least drop is multiplied by before that: a weekend that was never seen can move
            traffic by 40 %, which is 2.7 times its least drop.
        widest: widening goes no further: a cut must stay visible.
        spreads: robust standard deviations that a drop must exceed (5 were measured for slot medians;
            Chocolatine takes 3 of a validated model).
        total: where the spread is wide, a loss of so much of an hour's average or a longer one is enough: the
            spread of a sparse count says little of how rarely it is nought.
        total_spreads: if that lies at least so many deviations away: a count that is nought every other
            hour proves nothing by it.
        units: of the smallest step of its values that must be missing: of a dozen blocks one comes and goes.
        hours: over which drops are averaged, beside single bins: a sparse or noisy series shows a loss only
            over hours.
        parts: of the day with a spread of their own: nights are not like evenings.
        leave: share of the threshold below which a stretch ends (Chocolatine takes a quarter of three
            deviations; a half of five lies as far from ordinary noise).
        together: bins in a row that must be low: a single one is a gap of the source as often as of the
            country.
        sure_step: seconds; a bin this wide stands for itself.
        accept_after: days after which a partial loss is the new ordinary (IODA inpaints 7 days at most).
        severe: share of the ordinary level below which a loss is not partial.
        accept_severe_after: days after which even that is accepted: networks are closed for good and
            sources change their units, while national blackouts last days to a few weeks.
        shifted: seconds by which a day may begin or end later or earlier than those of the week before: on a
            holiday people sleep longer, and clocks are changed.
        ceiling: excess that an average may hold: a surge must not hide the loss after it.
    """

    slot: int = 1800
    days: int = 14
    weeks: int = 4
    least_days: int = 2
    week_seen: int = 7
    widen: float = 3.0
    widest: float = 0.8
    spreads: float = 5.0
    total: float = 0.9
    total_spreads: float = 3.0
    units: int = 2
    hours: tuple[float, ...] = (1.0, 3.0, 6.0)
    parts: int = 4
    leave: float = 0.5
    together: int = 2
    sure_step: int = 10800
    accept_after: int = 7
    severe: float = 0.5
    accept_severe_after: int = 30
    shifted: int = 10800
    ceiling: float = 0.5


def scales_of(step: int, options: DropOptions) -> tuple[int, ...]:
    """Bins over which drops are averaged, ascending: one, then at least as many as must be low together."""
    wide = [max(in_a_row(step, options), round(hours * HOUR / step)) for hours in options.hours]
    return tuple(dict.fromkeys([1, *wide]))


def in_a_row(step: int, options: DropOptions) -> int:
    """Bins in a row that must be low."""
    return 1 if step >= options.sure_step else options.together
