"""Prints calibration as a reliability diagram in text or SVG, or as a JSON document."""

from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanous.model.calibration import Calibration

WIDTH = 40
"""Characters of a bar: a share of one."""


def calibration_document(one: Calibration) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(one)
    return document


def print_calibration(console: Console, one: Calibration) -> None:
    """A table of the classes; a bar is what was right, its mark what was stated."""
    brier = "no claims" if one.brier is None else f"Brier score {one.brier:.4f}"
    console.print(Text.assemble("\n", (one.name, "bold"), f": n = {one.n}, {one.right} right, {brier}"))
    if one.remark:
        console.print(Text(f"({one.remark})", "dim"))
    if not one.classes:
        return
    table = Table("stated", "mean", "right", "95 %", "n", "0 to 1: # right, | stated", box=None)
    for each in one.classes:
        table.add_row(
            f"{each.low:g} to {each.high:g}",
            f"{each.stated:.3f}",
            f"{each.right:.3f}",
            f"{each.right_low:.2f} to {each.right_high:.2f}",
            str(each.n),
            _bar(each.right, each.stated),
        )
    console.print(table)


def _bar(right: float, stated: float) -> str:
    filled, mark = round(right * WIDTH), min(round(stated * WIDTH), WIDTH - 1)
    return "".join("|" if n == mark else "#" if n < filled else "." for n in range(WIDTH))
