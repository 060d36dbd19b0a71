"""Cost for readers: dollars with two digits, the range of each method, every input with its source."""

from math import floor, log10
from typing import Any

from fanous.model.cost import Cost, Figure, Range
from fanous.refdata.economies import WORLD_BANK

OLD_AFTER = 5
"""Years: a figure that is older than that, beside the newest in use, is named as old."""

DISCLAIMER = (
    "What published methods give, not what was lost: they disagree, and none was tested on a shutdown here."
)


def cost_document(cost: Cost) -> dict[str, Any]:
    """As the command line's ``--json`` and the API give it; US$."""
    what, whole = cost.disruption, cost.per_hour
    return {
        "country": what.country,
        "kind": str(what.kind),
        "hours": round(what.hours, 2),
        "targets": list(what.targets),
        "affected_share": _pair(what.affected, 4),
        "dependence_share": _pair(what.dependence, 4),
        "notes": list(what.notes),
        "currency": "USD",
        "per_hour": _pair(whole),
        "in_all": _pair(cost.in_all(whole)),
        "ceiling": {"share_of_gdp": cost.ceiling, "why": cost.ceiling_why},
        "methods": [
            {
                "method": one.method,
                "title": one.title,
                "per_hour": _pair(one.per_hour),
                "in_all": _pair(cost.in_all(one.per_hour)),
                "capped": one.is_capped,
                "why": one.why,
                "inputs": [_input(figure) for figure in one.inputs],
            }
            for one in cost.estimates
        ],
        "disclaimer": DISCLAIMER,
    }


def cost_lines(cost: Cost) -> list[str]:
    """For a terminal, a report, a page."""
    what, whole = cost.disruption, cost.per_hour
    lines = [cost_sentence(cost), *what.notes, f"Ceiling: {cost.ceiling_why}.", ""]
    if whole is None:
        lines = [cost_sentence(cost), *what.notes, ""]
    for one in cost.estimates:
        if one.per_hour is None:
            lines.append(f"{one.title}: cannot say it; {one.why}.")
            continue
        cap = " (capped)" if one.is_capped else ""
        total = dollars(cost.in_all(one.per_hour) or one.per_hour)
        lines.append(f"{one.title}: {dollars(one.per_hour)} an hour, {total} in all{cap}; {one.why}.")
        newest = max(figure.year for figure in one.inputs)
        for figure in one.inputs:
            old = ", old" if figure.source == WORLD_BANK and figure.year < newest - OLD_AFTER else ""
            lines.append(f"    {figure.name}: {_written(figure)} ({figure.source}, {figure.year}{old})")
    return [*lines, "", DISCLAIMER]


def cost_sentence(cost: Cost) -> str:
    """One sentence that could be quoted."""
    whole, hours = cost.per_hour, cost.disruption.hours
    if whole is None:
        return (
            "No published method says what this costs, since the figures of this country are not published."
        )
    total = dollars(cost.in_all(whole) or whole)
    return f"By published methods {dollars(whole)} an hour, and {total} in {hours:.2g} hours."


def dollars(amount: Range) -> str:
    """``US$ 3.7 million to 9.3 million``; two digits, since no method carries more."""
    if amount.high == 0:
        return "US$ 0"
    low, high = _short(amount.low), _short(amount.high)
    return f"US$ {high}" if low == high else f"US$ {low} to {high}"


def _short(value: float, digits: int = 2) -> str:
    if value <= 0:
        return "0"
    rounded = round(value, digits - 1 - floor(log10(value)))
    for name, size in (("trillion", 1e12), ("billion", 1e9), ("million", 1e6)):
        if rounded >= size:
            return f"{rounded / size:.3g} {name}"
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.2g}"


def _pair(amount: Range | None, digits: int = 0) -> dict[str, float] | None:
    if amount is None:
        return None
    return {"low": round(amount.low, digits), "high": round(amount.high, digits)}


def _input(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "year": figure.year,
        "source": figure.source,
    }


def _written(figure: Figure) -> str:
    if figure.unit == "share":
        return f"{figure.value:.1%}"
    money = figure.unit.startswith("US$")
    return f"US$ {_short(figure.value, 3)}" if money else f"{figure.value:,.0f} {figure.unit}"
