"""Tables: what the other evaluations measured, and how any table of figures is printed."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanous.model.score import (
    Attack,
    Calibration,
    ExplanationRates,
    Fifth,
    PriceScore,
    RoundsScore,
    SlowdownScore,
    Spared,
    VolunteerPrice,
    VolunteerSpeed,
    suspended_of,
)
from fanous.wording.words import counted


def table(columns: str, rows: Iterable[Sequence[object]], *, gap: int = 1) -> Table:
    """Rows below their headings.

    Args:
        columns: the headings, with `` | `` between them.
        gap: spaces on both sides of a cell.
    """
    shown = Table(*columns.split(" | "), box=None, padding=(0, gap))
    for row in rows:
        shown.add_row(*(cell if isinstance(cell, Text) else str(cell) for cell in row))
    return shown


def minutes(value: float | None) -> str:
    return "-" if value is None else f"{value:+.0f} min"


def distance(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} min"


def share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def print_explanations(console: Console, rates: ExplanationRates) -> None:
    """How many true events the table holds back, and a row for each explanation."""
    suspended = f" ({rates.right_suspended / rates.right:.1%})" if rates.right else ""
    said = (
        f"Of {counted(rates.right, 'incident')} of known events, explanations that hold keep "
        f"{rates.right_suspended}{suspended} from being confirmed; of {counted(rates.false, 'incident')} of no event, "
        f"{rates.false_suspended}."
    )
    console.print(Text.assemble("\n", (f"What else it could be: {rates.kind}", "bold"), "\n", said))
    rows = (
        (row.code, row.held_right, row.held_false, row.untested_right, row.untested_false)
        for row in rates.rows
    )
    console.print(table("held for | of an event | of none | untested | ", rows, gap=2))


def print_together(console: Console, kinds: Sequence[ExplanationRates]) -> None:
    """How many true events the table holds back, over all kinds of evidence."""
    suspended, right = suspended_of(kinds)
    if right:
        kept = f"{suspended} ({suspended / right:.1%}) from being confirmed"
        console.print(
            f"\nTogether, of {counted(right, 'incident')} of known events, explanations keep {kept}."
        )


def print_rounds(console: Console, scores: Iterable[RoundsScore]) -> None:
    """A row for each number of probes and networks, and each interval."""

    def rounds(number: int | None, every: float) -> str:
        return "-" if number is None else f"{number} ({number * every:g} min)"

    rows = (
        (
            *(f"{score.minutes:g} min", score.networks, score.probes),
            *(rounds(number, score.minutes) for number in (score.suspected, score.confirmed, score.ended)),
            "yes" if score.is_kept else "no",
        )
        for score in scores
    )
    console.print(
        table("every | networks | probes | suspected | confirmed | ended | three rounds are kept", rows)
    )


def slowdown_document(score: SlowdownScore) -> dict[str, Any]:
    """All figures of one row; shares of the speed that was left are the keys."""
    return {
        "by": score.by,
        "number": score.number,
        "found": {f"{left:g}": share for left, share in score.found.items()},
        "confirmed": {f"{left:g}": share for left, share in score.confirmed.items()},
        "minutes_to_confirm": {f"{left:g}": minutes for left, minutes in score.minutes.items()},
        "false_suspected_a_country_month": score.false_suspected,
        "false_confirmed_a_country_month": score.false_confirmed,
        "country_months": round(score.months, 2),
    }


def print_slowdowns(console: Console, scores: Iterable[SlowdownScore]) -> None:
    """A row for each source and number, as each is computed."""
    rows: list[Sequence[object]] = []
    for score in scores:
        evenings = "; ".join(
            f"{name}: {score.false_confirmed[name]:.2f} confirmed, {suspected:.2f} suspected"
            for name, suspected in score.false_suspected.items()
        )
        for speed, found in score.found.items():
            figures = (share(found), share(score.confirmed[speed]), minutes(score.minutes[speed]))
            rows.append((score.by, f"{score.number:g}", f"{speed:.0%}", *figures, evenings))
            evenings = ""
    columns = "measured by | number | left | found | confirmed | to confirm | evenings: false, a month"
    console.print(table(columns, rows))


def attack_document(attack: Attack) -> dict[str, Any]:
    """Everything known about one attack; ``share`` is of the probes on the attacked networks."""
    return {
        "goal": attack.goal,
        "scope": str(attack.scope),
        "strategy": attack.strategy,
        "networks": attack.networks,
        "honest_probes_a_network": attack.honest,
        "days": attack.days,
        "networks_attacked": attack.spread,
        "liars": attack.liars,
        "share": None if attack.share is None else round(attack.share, 3),
    }


def print_attacks(console: Console, attacks: Iterable[Attack]) -> None:
    """One row per attack, as each is computed."""
    rows = (
        (
            *(
                attack.goal,
                attack.scope.value,
                attack.strategy.partition(":")[0],
                attack.networks,
                f"{attack.honest} each",
            ),
            f"{attack.days:g}",
            "none sufficed" if attack.liars is None else f"{attack.liars} on {attack.spread}",
            "-" if attack.share is None else f"{attack.share:.0%}",
        )
        for attack in attacks
    )
    console.print(table("goal | scope | strategy | networks | honest | days | least liars | share", rows))


def fifth_document(fifth: Fifth) -> dict[str, Any]:
    """How often a fifth of the probes on one network in five reached a goal."""
    return {
        "goal": fifth.goal,
        "strategy": fifth.strategy or "all honest",
        "honest_probes": fifth.honest,
        "liars": fifth.liars,
        "times": fifth.times,
        "worked": fifth.worked,
        "national": fifth.national,
    }


def print_fifths(console: Console, fifths: Iterable[Fifth]) -> None:
    """One row per goal and strategy."""
    goals = {"make": "make a claim of it", "unmake": "take it out of a true claim"}
    rows = (
        (
            *(goals[fifth.goal], fifth.strategy.partition(":")[0] or "all honest"),
            *(f"{fifth.liars} of {fifth.honest + fifth.liars}", fifth.times, fifth.worked, fifth.national),
        )
        for fifth in fifths
    )
    console.print(
        table("a fifth of one network's probes | strategy | probes | times | worked | nation", rows)
    )


def print_spared(console: Console, spared: Iterable[Spared]) -> None:
    """One row per number of probes."""
    rows = (
        (
            f"{score.honest} users' probes on each",
            *(score.own, score.times, score.confirmed, score.national, score.told, score.missed),
        )
        for score in spared
    )
    columns = "a national block that own probes do not meet | own on each | times | confirmed | nation"
    console.print(table(f"{columns} | disagreement told | missed", rows))


def print_prices(console: Console, scores: Iterable[PriceScore]) -> None:
    """One row per attack, price and number of honest people."""
    rows = (
        (
            f"{score.price.attack} {score.price.country}".strip(),
            *(
                score.price.by,
                score.price.lines,
                score.price.networks,
                f"{score.price.hours:g}",
                score.price.names,
            ),
            *(
                score.price.honest,
                score.counted,
                f"{score.worked}, TOO CHEAP" if score.is_too_cheap else score.worked,
            ),
            "-" if score.hours is None else f"{score.hours:g} h ({score.soonest:g})",
            *(score.changed, score.reported),
        )
        for score in scores
    )
    columns = (
        "attack | by | lines | networks | hours | names a line | honest | draws | worked | after (soonest)"
    )
    console.print(table(f"{columns} | event changed | published", rows))


def print_volunteers(
    console: Console, prices: Iterable[VolunteerPrice], speeds: Iterable[VolunteerSpeed]
) -> None:
    """What known volunteers cost a liar, and how soon they confirm what is true."""
    rows: Iterable[Sequence[object]] = (
        (
            *(price.lines, price.networks, price.names, price.days, f"{price.hours:g}"),
            *(price.draws, price.worked, price.reported),
        )
        for price in prices
    )
    console.print(
        table("lines | networks | names each | days before | hours | draws | worked | suspicion", rows)
    )
    rows = (
        (
            *(speed.volunteers, speed.networks, speed.draws),
            *("-" if taken is None else f"{taken:g}" for taken in (speed.known, speed.strangers)),
        )
        for speed in speeds
    )
    console.print(table("volunteers | networks | draws | minutes, known | minutes, strangers", rows))


WIDTH = 40
"""Characters in a bar of length 1."""


def print_calibration(console: Console, measured: Calibration) -> None:
    """A table of confidence classes; the bar shows the share that was right, the mark what was stated."""
    brier = "no claims" if measured.brier is None else f"Brier score {measured.brier:.4f}"
    counts = f": n = {measured.n}, {measured.right} right, {brier}"
    console.print(Text.assemble("\n", (measured.name, "bold"), counts))
    if measured.remark:
        console.print(Text(f"({measured.remark})", "dim"))
    rows = [
        (
            f"{likelihood.low:g} to {likelihood.high:g}",
            f"{likelihood.stated:.3f}",
            f"{likelihood.right:.3f}",
            f"{likelihood.right_low:.2f} to {likelihood.right_high:.2f}",
            likelihood.n,
            _bar(likelihood.right, likelihood.stated),
        )
        for likelihood in measured.classes
    ]
    if rows:
        console.print(table("stated | mean | right | 95 % | n | 0 to 1: # right, | stated", rows))


def _bar(right: float, stated: float) -> str:
    filled, mark = round(right * WIDTH), min(round(stated * WIDTH), WIDTH - 1)
    return "".join("|" if n == mark else "#" if n < filled else "." for n in range(WIDTH))
