"""Networks x targets: what could be reached where while an incident was on."""

from typing import Any

import pytest

from fanous.charts.reachability import LARGE, beside, matrix
from fanous.model.incident import Incident, Interval, Kind
from fanous.model.place import Access, NetworkWeight, UserWeights
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot, votes
from tests.charts.events import incident, network

ON = Interval(MONDAY + HOUR, MONDAY + 4 * HOUR)


def cut(**given: Any) -> Incident:
    """X on AS1, from one to four o'clock."""
    fields: dict[str, Any] = {"entities": ("AS1",), "intervals": (ON,)}
    return incident(**(fields | {"networks": (network("AS1", intervals=(ON,)),)} | given))


def cells(*ballots: Ballot, **given: Any) -> dict[int, str]:
    """ASN -> the word of its cell for X."""
    return {row.asn: str(row.cells[0]) for row in matrix(cut(**given), votes(*ballots), ["x"], None).rows}


@pytest.mark.parametrize(
    ("signal", "given", "word"),
    [
        ("blocked_path", {}, "blocked"),
        ("throttled", {}, "slowed"),
        ("blocked_path", {"kind": Kind.OUTAGE}, "offline"),
        ("blocked_path", {"kind": Kind.SLOWDOWN}, "slowed"),
    ],
)
def test_a_named_network_shows_what_most_of_its_failures_show(
    signal: str, given: dict[str, Any], word: str
) -> None:
    assert cells(Ballot([1, 2, 3], True, signal=signal), **given) == {1: word}


def test_failures_that_no_incident_names_are_no_disruption() -> None:
    assert cells(Ballot([2], True, asn=2), Ballot([2], False, asn=3)) == {
        1: "blocked",
        2: "some failed",
        3: "reachable",
    }


def test_what_was_measured_at_other_times_is_no_data_and_never_reachable() -> None:
    assert 2 not in cells(Ballot([0, 5], False, asn=2))


def test_a_large_network_that_no_one_measured_shows_as_a_hole() -> None:
    weights = UserWeights(
        "PK",
        (
            NetworkWeight(7, 0.3, Access.MOBILE, "Large"),
            NetworkWeight(1, 0.1, Access.FIXED, "Ours"),
            NetworkWeight(8, LARGE / 2, Access.FIXED, "Small"),
        ),
        0.2,
        "made up",
    )
    found = matrix(cut(), votes(Ballot([2], True)), ["x"], weights)
    assert [(row.asn, str(row.cells[0])) for row in found.rows] == [(7, "no data"), (1, "blocked")]
    assert found.unseen == 1


def test_other_targets_are_listed_next_to_it_the_most_measured_first() -> None:
    ballots = (
        Ballot([1, 2, 3], True),
        Ballot([2, 3], False, target="wikipedia"),
        Ballot([2], False, target="example.org"),
        Ballot([9], False, target="late.example"),
    )
    assert beside(cut(), votes(*ballots), 5) == ["wikipedia", "example.org"]
