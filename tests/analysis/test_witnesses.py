"""Who saw it, who did not, who could not have."""

from dataclasses import replace

import pytest

from fanous.analysis.coverage import who_saw_what
from fanous.model.incident import (
    Estimate,
    FamilyView,
    Incident,
    Interval,
    Kind,
    NetworkPart,
    Part,
    Says,
    Sight,
)
from fanous.model.place import Family
from fanous.model.series import Votes
from fanous.wording.reasons import reasons_text
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot, votes
from tests.store.cases import incident

FAMILY_OF = {"ooni": Family.OONI, "edge": Family.EDGE, "globalping": Family.REMOTE}


def blocked(kind: Kind = Kind.BLOCKING) -> Incident:
    """X fails on AS1 from hour 1 to 5; an outage is one of the line."""
    span = Interval(MONDAY + HOUR, MONDAY + 5 * HOUR)
    whole = replace(incident(), parts=(Part("", kind, ("outage.loss",), ("PK",)),))
    return replace(
        whole if kind is Kind.OUTAGE else incident(),
        kind=kind,
        networks=(NetworkPart("AS1", ("x",), (span,), 4, 4, 0.999),),
    )


def sights(given: Votes, kind: Kind = Kind.BLOCKING) -> dict[Family, Sight]:
    return {one.family: one.sight for one in who_saw_what(blocked(kind), given, FAMILY_OF)}


@pytest.mark.parametrize(
    ("ballot", "sight"),
    [
        (Ballot([1, 2, 3], True), Sight.SAW),
        (Ballot([1, 2, 3], False), Sight.DID_NOT_SEE),
        (Ballot([1, 2, 3], False, asn=2), Sight.COULD_NOT_SEE),
        (Ballot([0, 6], False), Sight.COULD_NOT_SEE),
        (Ballot([1, 2, 3], False, target="youtube"), Sight.COULD_NOT_SEE),
    ],
)
def test_a_source_that_measured_says_what_it_saw(ballot: Ballot, sight: Sight) -> None:
    assert sights(votes(ballot))[Family.OONI] is sight


def test_vantage_points_of_others_see_blocking_and_deny_no_cut_and_no_slowdown() -> None:
    works = votes(Ballot([1, 2, 3], False, source="globalping"))
    assert sights(works)[Family.REMOTE] is Sight.DID_NOT_SEE
    assert sights(votes(Ballot([1, 2, 3], True, source="globalping")))[Family.REMOTE] is Sight.SAW
    for kind in (Kind.OUTAGE, Kind.SLOWDOWN):
        assert sights(works, kind)[Family.REMOTE] is Sight.COULD_NOT_SEE


def test_two_families_are_told_apart() -> None:
    seen = sights(votes(Ballot([1, 2], True), Ballot([1, 2, 3], False, source="edge")))
    assert (seen[Family.OONI], seen[Family.EDGE]) == (Sight.SAW, Sight.DID_NOT_SEE)


def test_a_country_or_region_that_levels_name_was_measured_by_no_probe() -> None:
    """ASN 0 is that of a measurement whose network is not known."""
    span = Interval(MONDAY, MONDAY + 9 * HOUR)
    for entity in ("PK", "PK-PB", "IR:Ardebil"):
        told = replace(blocked(), networks=(NetworkPart(entity, ("x",), (span,), 0, 0, 0.999),))
        (witness,) = [
            one for one in who_saw_what(told, votes(Ballot([1], True, asn=0)), FAMILY_OF) if one.source
        ]
        assert witness.sight is Sight.COULD_NOT_SEE


def test_routing_could_not_see_a_blocked_platform_and_has_no_data_of_an_outage() -> None:
    assert sights(votes())[Family.ROUTING] is Sight.COULD_NOT_SEE
    assert sights(votes(), Kind.OUTAGE)[Family.ROUTING] is Sight.NO_DATA


def test_volunteers_cannot_send_during_an_outage() -> None:
    assert sights(votes(), Kind.OUTAGE)[Family.OONI] is Sight.COULD_NOT_SEE


def test_volunteers_could_have_seen_why_traffic_to_a_platform_fell_and_routing_could_not() -> None:
    """The page of YouTube in Russia said that OONI's probes send nothing while they have no network."""
    fell = Part("youtube", Kind.OUTAGE, ("outage.loss",), ("PK",))
    traffic = replace(blocked(Kind.OUTAGE), parts=(fell,))
    seen = {one.family: one.sight for one in who_saw_what(traffic, votes(), FAMILY_OF)}
    assert seen[Family.OONI] is Sight.NO_DATA
    assert seen[Family.ROUTING] is seen[Family.PROBING] is seen[Family.REMOTE] is Sight.COULD_NOT_SEE


def test_every_family_has_its_say_with_a_reason() -> None:
    found = who_saw_what(blocked(), votes(Ballot([1], True)), FAMILY_OF)
    assert [one.family for one in found] == list(Family)
    assert all(reasons_text(one.reasons) for one in found)


def test_of_an_outage_each_family_of_series_says_what_it_saw() -> None:
    left = Estimate(0.02, 0.01, 0.03)
    told = (
        FamilyView("routing", Says.ORDINARY, ("ioda bgp_visible_slash24",), ("PK",)),
        FamilyView("probing", Says.DOWN, ("ioda active_probing",), ("PK",), left, MONDAY, MONDAY),
        FamilyView("usage", Says.SILENT, ("google search",), ("PK",)),
        FamilyView("darknet", Says.UNKNOWN, ("ioda merit",), ("PK",)),
    )
    outage = replace(blocked(Kind.OUTAGE), opinions=told)
    seen = {one.family: one for one in who_saw_what(outage, votes(), FAMILY_OF)}
    assert seen[Family.ROUTING].sight is Sight.DID_NOT_SEE
    assert seen[Family.PROBING].sight is Sight.SAW
    assert reasons_text(seen[Family.PROBING].reasons) == (
        "2% of the usual level, between 1% and 3% (ioda active_probing)."
    )
    assert seen[Family.USAGE].sight is Sight.NO_DATA
    assert seen[Family.DARKNET].sight is Sight.COULD_NOT_SEE
    assert seen[Family.EDGE].sight is Sight.NO_DATA
    lower = replace(told[0], left=Estimate(0.95, 0.94, 0.96))
    found = who_saw_what(replace(outage, opinions=(lower,)), votes(), FAMILY_OF)
    (why,) = (one.reasons for one in found if one.family is Family.ROUTING)
    assert [(reason.code, reason.params.get("left")) for reason in why] == [
        ("sight.lower", 0.95),
    ]
