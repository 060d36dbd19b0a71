"""Base rates: how often each explanation is behind what looks like an event, and so how much of one was tested.

They say how much weight an explanation has that could not be tested.  Confidence does not count those: a new row would
lower all of them at once, and countries where few measure would look unsure of everything.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from fanous.model.explanation import Standing, Weighed


class BaseRate(NamedTuple):
    """Of how many events whose cause is known an explanation was the cause."""

    behind: int
    events: int

    @property
    def share(self) -> float:
        """What was behind none of n events is behind fewer than 3/n, with a probability of .95 (the rule of three)."""
        return min(1.0, (self.behind or 3) / max(1, self.events))


BASE_RATES: Mapping[str, BaseRate] = {
    "addresses.given_up": BaseRate(0, 8),
    "addresses.relisted": BaseRate(0, 8),
    "host.may_fail": BaseRate(0, 196),
    "line.at_fault": BaseRate(0, 149),
    "line.chance": BaseRate(6, 196),
    "line.fault_passed": BaseRate(1, 155),
    "line.may_be_inspected": BaseRate(0, 196),
    "line.may_be_slow": BaseRate(0, 196),
    "line.often_fails": BaseRate(0, 149),
    "name.at_fault": BaseRate(0, 196),
    "name.moved": BaseRate(0, 196),
    "network.abroad": BaseRate(0, 196),
    "network.taken_over": BaseRate(0, 8),
    "platform.but_helper": BaseRate(0, 150),
    "platform.down": BaseRate(0, 150),
    "platform.partly": BaseRate(0, 150),
    "probe.defect": BaseRate(0, 174),
    "publisher.at_fault": BaseRate(2, 8),
    "publisher.shared": BaseRate(0, 8),
    "resolver.at_fault": BaseRate(0, 196),
    "resolver.denies_most": BaseRate(0, 196),
    "resolver.one_host": BaseRate(0, 196),
    "resolver.public_only": BaseRate(0, 149),
    "route.may_fail": BaseRate(0, 196),
    "routes.may_fail": BaseRate(0, 196),
    "shared.worldwide": BaseRate(0, 8),
    "site.may_refuse": BaseRate(0, 196),
    "site.own_page": BaseRate(0, 196),
    "software.defect": BaseRate(0, 149),
    "software.each": BaseRate(0, 149),
    "software.nettest": BaseRate(0, 149),
    "software.release": BaseRate(0, 150),
    "usage.as_usual": BaseRate(0, 8),
    "usage.weekly": BaseRate(0, 8),
}
"""Code of a row -> its base rate.  ``make tables`` writes it from ``docs/explanations.json``: what happened in corpora
and in the lab was caused by no row; what did not happen was caused by a row that held of it."""


def share_tested(explanations: Iterable[Weighed]) -> float | None:
    """Of events like this one, the share that no untested explanation is behind; None = none was weighed.

    The base rates are added up as if no two were behind one event, so the share is at least this.
    """
    weighed = list(explanations)
    return remaining(base_rates(weighed).values()) if weighed else None


def remaining(untested: Iterable[float]) -> float:
    """What these base rates leave."""
    return round(max(0.0, 1 - sum(untested)), 4)


def base_rates(explanations: Iterable[Weighed]) -> dict[str, float]:
    """Code of each explanation that could not be tested -> its base rate; of a row of another version, 1."""
    unknown = BaseRate(1, 1)
    untested = (one.code for one in explanations if one.standing is Standing.UNTESTED)
    return {code: round(BASE_RATES.get(code, unknown).share, 4) for code in untested}
