"""Counts: measurements by what became of them, along one or two axes, counted where they are stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fanous.model.coverage import Outcomes
from fanous.store.engine import FactsPart, ticks, window
from fanous.store.vote_sql import AXES, LISTED, TALLY, TALLY_SIZE


@dataclass(frozen=True, slots=True)
class CountScope:
    """Which measurements are counted.  An empty tuple stands for all.

    Attributes:
        since, until: unix seconds, UTC, half-open.
        layers: only what verdicts of these layers say (``dns``, ``tls``); a measurement without one is left out.
    """

    since: float
    until: float
    countries: tuple[str, ...] = ()
    networks: tuple[int, ...] = ()
    targets: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    but: tuple[str, ...] = field(default=(), kw_only=True)
    """Targets that are left out where ``targets`` names none: those measured only for comparison."""


AxisValue = str | int
"""Of ``time`` a bin's beginning (unix seconds), of ``network`` an ASN, else text; an empty mechanism is unknown."""


@dataclass(frozen=True, slots=True)
class CountedMeasurement:
    """One measurement of one target, and what became of it.

    Attributes:
        micros: microseconds, unix, UTC, at which it was made.
        outcome: ``ok``, ``blocked``, ``throttled`` or ``unclear``.
        mechanism: empty = none, or unknown.
    """

    uid: str
    micros: int
    target: str
    asn: int
    country: str
    source: str
    test_name: str
    outcome: str
    mechanism: str


class CountFacts(FactsPart):
    """Measurements by what became of them."""

    def verdicts_within(self, scope: CountScope) -> int:
        """How many verdicts ``tally`` would read: what it costs."""
        filters, values = _filters(scope)
        ((count,),) = self.engine.rows(TALLY_SIZE % {"filters": filters}, **values)
        return int(count)

    def tally(
        self, scope: CountScope, axes: Sequence[str], edges: Sequence[float], most: int
    ) -> list[tuple[tuple[AxisValue, ...], Outcomes]]:
        """Values on the axes -> what became of the measurements there, in order of the values.

        Args:
            axes: names of ``vote_sql.AXES``, at least one.
            edges: unix seconds, ascending, at which bins of ``time`` begin; what is earlier counts with the first.
            most: rows; further ones are left out.
        """
        filters, values = _filters(scope)
        columns = ", ".join(AXES[axis] for axis in axes)
        rows = self.engine.rows(
            TALLY % {"columns": columns, "filters": filters},
            edges=[ticks(edge) for edge in edges],
            most=most,
            **values,
        )
        return [
            (
                tuple(
                    value // 1_000_000 if axis == "time" else value
                    for axis, value in zip(axes, row, strict=False)
                ),
                Outcomes(*row[len(axes) :]),
            )
            for row in rows
        ]

    def counted_ones(
        self, scope: CountScope, most: int, after: tuple[int, str, str] | None = None
    ) -> list[CountedMeasurement]:
        """The measurements that ``tally`` counts, the newest first.

        Args:
            after: ``micros``, uid and target of the one before; ``None`` = from the newest.
        """
        filters, values = _filters(scope)
        at, uid, of = after or (2**62, "", "")
        rows = self.engine.rows(LISTED % {"filters": filters}, at=at, uid=uid, of=of, most=most, **values)
        return [CountedMeasurement(*row) for row in rows]


def _filters(scope: CountScope) -> tuple[str, dict[str, Any]]:
    """Conditions, and the values of their parameters."""
    sql, values = "", dict[str, Any](window(scope.since, scope.until))
    for column, kind, name, wanted in (
        ("country", "String", "countries", scope.countries),
        ("asn", "UInt32", "networks", scope.networks),
        ("target", "String", "targets", scope.targets),
        ("layer", "String", "layers", scope.layers),
    ):
        if wanted:
            sql += f" AND {column} IN {{{name}:Array({kind})}}"
            values[name] = list(wanted)
    if scope.but and not scope.targets:
        sql += " AND target NOT IN {but:Array(String)}"
        values["but"] = list(scope.but)
    return sql, values
