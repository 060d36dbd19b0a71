"""One lab for all tests of techniques: three networks, one of them mobile."""

from collections.abc import Iterator
from functools import lru_cache

import pytest

from fanous.model.place import Access
from fanous_lab.internet import Internet
from fanous_lab.needs import missing
from fanous_lab.plan import Plan, PlannedNetwork

PLAN = Plan(
    "PK",
    (
        PlannedNetwork(17557, "PTCL", Access.FIXED, 0.4, 2),
        PlannedNetwork(9541, "Cybernet", Access.FIXED, 0.1, 1),
        PlannedNetwork(45669, "Jazz", Access.MOBILE, 0.5, 1),
    ),
    targets=("x", "youtube"),
)


@lru_cache(maxsize=1)
def _lacks() -> str:
    return ", ".join(need.name for need in missing())


def skip_without_a_lab() -> None:
    """Says by name what this machine lacks."""
    lacks = _lacks()
    if lacks:
        pytest.skip(f"a lab lacks {lacks} on this machine (`fanous doctor` says how to mend it)")


@pytest.fixture(scope="session")
def internet() -> Iterator[Internet]:
    skip_without_a_lab()
    with Internet(PLAN) as built:
        yield built
