"""One lab for all tests of techniques: three networks, one of them mobile."""

import os
import shutil
from collections.abc import Iterator

import pytest

from fanous.lab.internet import Internet
from fanous.lab.plan import Plan, PlannedNetwork
from fanous.model.entity import Access

PLAN = Plan(
    "PK",
    (
        PlannedNetwork(17557, "PTCL", Access.FIXED, 0.4, 2),
        PlannedNetwork(9541, "Cybernet", Access.FIXED, 0.1, 1),
        PlannedNetwork(45669, "Jazz", Access.MOBILE, 0.5, 1),
    ),
    targets=("x", "youtube"),
)


def lacking() -> str:
    """What a lab needs and this machine lacks; empty = nothing."""
    if os.geteuid() != 0:
        return "root"
    programs = ("ip", "tc", "nginx", "iptables-legacy-restore", "ip6tables-legacy-restore")
    return ", ".join(name for name in programs if shutil.which(name) is None)


@pytest.fixture(scope="session")
def internet() -> Iterator[Internet]:
    lacks = lacking()
    if lacks:
        pytest.skip(f"the lab lacks {lacks} on this machine (`fanous doctor` says what to install)")
    with Internet(PLAN) as built:
        yield built
