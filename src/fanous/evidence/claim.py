"""Claim: an incident as a document without its label, and where two of them differ.

Numbers count after rounding to 1e-6: library maths differs in the last bits between processors.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from fanous.model.incident import Incident

DIGITS = 6
"""Decimal places that count."""

TIMES = frozenset({"onset", "onset_earliest", "onset_latest", "end", "confirmed_at", "start"})
MINUTE = 60.0


def claim_of(incident: Incident) -> dict[str, Any]:
    """All fields but the id, which is a label; numbers rounded."""
    document: dict[str, Any] = msgspec.to_builtins(replace(incident, id=""))
    del document["id"]
    rounded: dict[str, Any] = _rounded(document)
    return rounded


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def differences(one: Any, other: Any, *, minutes: bool = False) -> list[str]:
    """Where two claims differ, as ``field: this, not that``.

    Args:
        minutes: times that lie less than a minute apart count as the same (redaction cuts seconds).
    """
    left, right = dict(_leaves(one)), dict(_leaves(other))
    names = [*left, *(name for name in right if name not in left)]
    return [
        f"{name}: {left.get(name)!r}, not {right.get(name)!r}"
        for name in names
        if not _same(name, left.get(name), right.get(name), minutes)
    ]


def _leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, f"{at}.{name}" if at else str(name))
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from _leaves(each, f"{at}[{index}]")
    else:
        yield at, value


def _same(name: str, one: Any, other: Any, minutes: bool) -> bool:
    numbers = [v for v in (one, other) if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < 2:
        return one is other or bool(one == other)
    last = name.rpartition(".")[2]
    apart = abs(numbers[0] - numbers[1])
    if minutes and last in TIMES:
        return apart < MINUTE
    return float(round(apart, DIGITS)) <= float(10**-DIGITS)
