"""Compare: an incident as a document without its label, and where two of them differ.

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

PROSE = frozenset({"reason", "hints"})
"""Written for people: wording may improve between versions, and nothing is concluded from it."""


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


def differences(claimed: Any, computed: Any, *, minutes: bool = False) -> list[str]:
    """Where a computed claim is not the recorded one, as ``field: this, not that``.

    Fields that the recorded claim does not have are newer than it and do not count; nor does prose.

    Args:
        minutes: times that lie less than a minute apart count as the same (redaction cuts seconds).
    """
    return [
        f"{at}: {one!r}, not {other!r}"
        for at, one, other in _pairs(claimed, computed)
        if at not in PROSE and not _same(at, one, other, minutes)
    ]


def _pairs(claimed: Any, computed: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every leaf of the claim beside what was computed there; lists of unlike length are leaves."""
    if isinstance(claimed, dict) and isinstance(computed, dict):
        for name, each in claimed.items():
            yield from _pairs(each, computed.get(name), f"{at}.{name}" if at else str(name))
    elif isinstance(claimed, list) and isinstance(computed, list) and len(claimed) == len(computed):
        for index, (one, other) in enumerate(zip(claimed, computed, strict=True)):
            yield from _pairs(one, other, f"{at}[{index}]")
    else:
        yield at, claimed, computed


def _same(name: str, one: Any, other: Any, minutes: bool) -> bool:
    numbers = [v for v in (one, other) if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < 2:
        return one is other or bool(one == other)
    last = name.rpartition(".")[2]
    apart = abs(numbers[0] - numbers[1])
    if minutes and last in TIMES:
        return apart < MINUTE
    return float(round(apart, DIGITS)) <= float(10**-DIGITS)
