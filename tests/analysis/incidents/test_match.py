"""Late measurements move onsets and add networks; the event keeps its id."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from fanous.analysis.incidents.assemble import SAME_NETWORK_GAP
from fanous.analysis.incidents.merge import match
from fanous.model.incident import Incident, Kind, Part, Status
from tests.analysis.incidents.events import HOUR, MONDAY
from tests.charts.events import incident
from tests.each import each


def event(start: float, end: float | None, *asns: int, **given: Any) -> Incident:
    """X fails on the networks from hour to hour since Monday; one network unless told otherwise."""
    return incident(
        entities=tuple(f"AS{asn}" for asn in asns or (1,)),
        onset=MONDAY + start * HOUR,
        end=None if end is None else MONDAY + end * HOUR,
        **given,
    )


def ids(found: list[Incident], known: list[Incident]) -> list[str | None]:
    """The id given to each incident found; ``None`` = a new one."""
    pairs = match(found, known)
    assert [one for one, _ in pairs] == found, "there is an answer for every incident found, in order"
    return [earlier.id if earlier else None for _, earlier in pairs]


GAP = SAME_NETWORK_GAP / HOUR


@each(
    ("what", "found", "known", "same"),
    [
        ("the very same", event(0, 8), event(0, 8), True),
        ("a later onset", event(3, 8), event(0, 8), True),
        ("an earlier onset", event(-20, 8), event(0, 8), True),
        ("now with another network", event(0, 8, 1, 2), event(0, 8, 1), True),
        ("now on other networks only", event(0, 8, 2), event(0, 8, 1), True),
        ("one target more", event(0, 8, targets=("x", "youtube")), event(0, 8), True),
        ("another target", event(0, 8, targets=("youtube",)), event(0, 8), False),
        ("it went on after all", event(0, None), event(0, 8), True),
        ("its end has come in", event(0, 8), event(0, None), True),
        ("a session after a long weekend", event(8 + GAP, 8 + GAP + 4), event(0, 8), True),
        ("a fortnight later", event(8 + GAP + 0.1, 8 + GAP + 4), event(0, 8), False),
        ("a fortnight earlier", event(-GAP - 4.1, -GAP - 0.1), event(0, 8), False),
        ("long after the onset of what goes on", event(2000, 2001), event(0, None), True),
    ],
)
def test_what_continues_a_known_incident(what: str, found: Incident, known: Incident, same: bool) -> None:
    assert (ids([found], [known]) == [known.id]) is same, what


def test_nothing_known_makes_all_new() -> None:
    assert ids([event(0, 8), event(900, 908)], []) == [None, None]
    assert ids([], [event(0, 8)]) == []


def test_a_known_incident_continues_in_one_found_incident_only() -> None:
    close, far = event(0, 8), event(40, 48)
    assert ids([far, close], [event(1, 8, id="known")]) == [None, "known"]


def test_a_found_incident_continues_one_known_incident_only() -> None:
    known = [event(0, 8, id="first"), event(40, 48, id="second")]
    assert ids([event(39, 48)], known) == ["second"]


def test_two_incidents_keep_their_ids_whatever_the_order() -> None:
    found = [event(0, 8), event(60, 68), event(0, 8, targets=("youtube",))]
    known = [event(1, 8, id="a"), event(61, 68, id="b"), event(2, 8, targets=("youtube",), id="c")]
    for order in permutations(known):
        assert ids(found, list(order)) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (event(0, 8, targets=("x", "youtube")), event(0, 8)),  # more targets in common
        (event(0, 8, 1, 2), event(0, 8, 1, 3)),  # more networks
        (event(1, 8, 1, 2), event(9, 18, 1, 2)),  # nearer in time
        (event(5, 8, targets=("x", "youtube")), event(0, 8)),  # a target outweighs the hour
    ],
)
def test_the_likest_one_is_taken(better: Incident, worse: Incident) -> None:
    known = event(0, 8, 1, 2, targets=("x", "youtube"), id="known")
    assert ids([worse, better], [known]) == [None, "known"]
    assert ids([better, worse], [known]) == ["known", None]


OUTAGE = Part("", Kind.OUTAGE, ("outage.national",), ("AS1",))
CUT = Part("x", Kind.BLOCKING, ("tls.reset.sni",), ("AS1",))


def test_an_outage_keeps_its_id_when_the_platforms_that_it_held_part_from_it() -> None:
    whole = (OUTAGE, CUT, replace(CUT, target="youtube"))
    known = event(0, None, kind=Kind.OUTAGE, parts=whole, id="known")
    parted, outage = event(6, None, targets=("x", "youtube")), event(0, 6, kind=Kind.OUTAGE, parts=(OUTAGE,))
    assert ids([parted, outage], [known]) == [None, "known"]


def test_where_two_become_one_the_confirmed_id_goes_on() -> None:
    first, second = event(0, None, id="first"), event(6, None, kind=Kind.OUTAGE, parts=(OUTAGE,), id="second")
    both = event(6, None, kind=Kind.OUTAGE, parts=(OUTAGE, CUT))
    untold, told = replace(first, confirmed_at=None), replace(second, confirmed_at=MONDAY)
    assert ids([both], [replace(first, confirmed_at=MONDAY), replace(second, confirmed_at=None)]) == ["first"]
    assert ids([both], [untold, told]) == ["second"]


def test_one_that_was_retracted_comes_back_only_if_none_that_stands_fits() -> None:
    stands, gone = event(0, None, id="stands"), event(6, None, id="gone", status=Status.RETRACTED)
    assert ids([event(6, None)], [stands, gone]) == ["stands"]
    assert ids([event(6, None)], [gone]) == ["gone"]
    assert ids([event(0, 4), event(6, None)], [stands, gone]) == ["stands", "gone"]
    assert ids([event(6, None)], [stands, replace(gone, withdrawn_by="A. Person")]) == ["gone"]
