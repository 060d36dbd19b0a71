"""Platforms cut within a confirmed outage are parts of it."""

from dataclasses import replace

from fanous.analysis.incidents.merge import absorb, match
from fanous.model.incident import Incident, Kind
from tests.analysis.incidents.events import HOUR, MONDAY
from tests.analysis.incidents.levels import claim, drop
from tests.charts.events import incident
from tests.each import each


def outage(end: float | None = 10) -> Incident:
    seen = {"last_seen": 10.0} if end is None else {}
    made = claim(drop("ping-slash24", 0, end, **seen), drop("gtr", 0, end, **seen))  # type: ignore[arg-type]
    assert made is not None
    return made


def blocking(start: float, end: float | None, **given: object) -> Incident:
    until = None if end is None else MONDAY + end * HOUR
    return incident(**{"country": "XA", "onset": MONDAY + start * HOUR, "end": until} | given)


@each(
    ("start", "end", "within"),
    [
        (2, 8, True),
        (-5, 12, True),
        (-7, 8, False),
        (-5, -1, False),  # seen to work again before the outage
        (2, 17, False),
        (2, None, False),
        (11, 12, False),
    ],
)
def test_a_blocking_that_comes_and_goes_with_the_outage_is_a_part(
    start: float, end: float | None, within: bool
) -> None:
    found = absorb([outage()], [blocking(start, end)])
    assert len(found) == (1 if within else 2)
    if within:
        assert found[0].kind is Kind.OUTAGE
        assert found[0].targets == ("x",)
        assert found[0].evidence.families == ("ooni", "probing", "usage")


def test_an_outage_that_goes_on_holds_what_goes_on() -> None:
    assert len(absorb([outage(None)], [blocking(2, None)])) == 1


def test_next_to_a_suspicion_or_in_another_country_it_stays_its_own() -> None:
    suspected = replace(outage(), confirmed_at=None)
    assert len(absorb([suspected], [blocking(2, 8)])) == 2
    assert len(absorb([outage()], [blocking(2, 8, country="XB")])) == 2


def test_an_outage_continues_the_known_one() -> None:
    known = replace(outage(None), id="XA-2023-0001")
    ((_, earlier),) = match([outage(12)], [known])
    assert earlier is known
    ((_, none),) = match([outage(12)], [blocking(0, 10)])
    assert none is None
