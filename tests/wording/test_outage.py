"""An outage in words: how much is left, where, by whom, and no more than that."""

from typing import Any

import pytest

from fanous.model.incident import Estimate, FamilyView, Incident, Interval, Kind, Says, Scope, Status
from fanous.model.place import Access
from fanous.wording.sentence import grounds, sentence
from tests.charts.events import END, START, incident, network, part

PROBING = FamilyView("probing", Says.DOWN, ("ioda ping-slash24",), ("PK",), Estimate(0.05, 0.02, 0.1), START)
ROUTING = FamilyView("routing", Says.ORDINARY, ("ioda bgp",), ("PK",))
USAGE = FamilyView("usage", Says.DOWN, ("ioda gtr",), ("PK",), Estimate(0.004, 0.0, 0.01), START)


def outage(**given: Any) -> Incident:
    """Nation-wide, confirmed by active probing and usage, now over."""
    scope, entities = given.get("scope", Scope.NATION), given.get("entities", ("PK",))
    fields: dict[str, Any] = {
        "kind": Kind.OUTAGE,
        "scope": scope,
        "parts": (part("", Kind.OUTAGE, mechanisms=("outage.national",), entities=entities),),
        "entities": entities,
        "networks": (network("PK", targets=()),),
        "level": Estimate(0.05, 0.02, 0.2),
        "users": None,
        "onset_earliest": START,
        "onset_latest": START,
        "opinions": (ROUTING, PROBING, USAGE),
        "rule": "C3",
        "reason": "C3: seen by probing and usage",
    }
    return incident(**(fields | given))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {},
            "Confirmed; now ended: connectivity fell to about 5% of ordinary levels nation-wide in",
        ),
        (
            {"end": None, "status": Status.CONFIRMED, "intervals": (Interval(START, None),)},
            "Confirmed: connectivity has fallen to about 5% of ordinary levels nation-wide in Pakistan since",
        ),
        (
            {"confirmed_at": None},
            "Suspected, never confirmed; now ended: connectivity may have fallen to",
        ),
        ({"level": Estimate(0.003, 0.0, 0.01)}, "fell to less than 1% of ordinary levels"),
        ({"level": None}, "connectivity fell nation-wide in Pakistan from"),
        ({"scope": Scope.INSUFFICIENT}, "of ordinary levels in Pakistan from"),
        (
            {"scope": Scope.REGION, "entities": ("PK-PB", "PK-SD")},
            "in parts of Pakistan (PK-PB and PK-SD)",
        ),
        (
            {"scope": Scope.MULTI_ISP, "entities": ("AS45669", "AS59257"), "access": Access.MOBILE},
            "on 2 networks (mobile) in Pakistan (",
        ),
        ({}, "as active probing and what users do show."),
        ({"opinions": (PROBING,)}, "as active probing shows."),
        (
            {"parts": (part("", Kind.OUTAGE, mechanisms=("outage.national", "outage.stealth")),)},
            "while its routes were still announced",
        ),
        ({"kind": Kind.SLOWDOWN}, "connection speed fell to about 5% of ordinary levels"),
        ({"status": Status.RETRACTED}, "Retracted: the earlier claim that connectivity fell to about 5%"),
    ],
)
def test_an_outage_is_told_as_far_as_it_is_known(given: dict[str, Any], words: str) -> None:
    assert words in sentence(outage(**given))


def test_platforms_cut_within_it_are_told_with_it() -> None:
    both = outage(parts=(part("", Kind.OUTAGE, mechanisms=("outage.national",)), part("x")))
    told = sentence(both)
    assert "connectivity fell to about 5% of ordinary levels and X (Twitter) was blocked" in told
    assert "connections reset when the name is sent" in told


def test_nights_are_counted() -> None:
    nights = tuple(Interval(START + 86_400 * n, START + 86_400 * n + 28_800) for n in range(3))
    assert "in 3 separate periods" in sentence(outage(intervals=nights, end=END + 2 * 86_400))


def test_each_family_has_its_say() -> None:
    assert grounds(outage()) == (
        "Routing: as usual (ioda bgp). "
        "Active probing: 5% of ordinary left (2% to 10%; ioda ping-slash24). "
        "What users do: less than 1% of ordinary left (0% to 1%; ioda gtr)."
    )
    lower = outage(
        opinions=(FamilyView("usage", Says.ORDINARY, ("ioda gtr",), ("PK",), Estimate(0.9, 0.86, 0.95)),)
    )
    assert grounds(lower) == (
        "What users do: below usual, within its ordinary spread: 90% of ordinary levels "
        "(86% to 95%; ioda gtr)."
    )
    silent = outage(opinions=(FamilyView("darknet", Says.SILENT, ("ioda merit-nt",), ("PK",)),))
    assert grounds(silent) == "Stray traffic: silent (ioda merit-nt)."
