"""What a revision is news of."""

from dataclasses import replace

from fanous.analysis.incidents.revision import happenings, news_in, reach_changed, what_was_wrong
from fanous.model.alert import Happening
from fanous.model.incident import Incident, Interval, RolePart, Scope, Status
from fanous.model.measurement import Role
from fanous.model.reason import Reason
from tests.charts.events import END, NATION, ONGOING, START, SUSPECTED, incident, part
from tests.each import each

SUSPICION, CONFIRMED, ENDED = incident(**SUSPECTED), incident(**ONGOING), incident()
RETRACTED = replace(CONFIRMED, status=Status.RETRACTED)
FADED = incident(**SUSPECTED | {"status": Status.ENDED})
NATIONAL = incident(**ONGOING | NATION)

OPENED, SURE, OVER, WRONG, WIDER, NARROWER = (
    Happening.OPENED,
    Happening.CONFIRMED,
    Happening.ENDED,
    Happening.CORRECTED,
    Happening.WIDENED,
    Happening.NARROWED,
)


def telegram(*roles: tuple[Role, float | None], known: Incident = CONFIRMED) -> Incident:
    """Args: roles: each cut role and when it worked again, unix seconds; None = it is still cut."""
    cut = tuple(RolePart(one, ("AS59257",), (), (Interval(START, end),)) for one, end in roles)
    spared = () if any(one is Role.API for one, _ in roles) else (RolePart(Role.API, (), ("AS59257",), ()),)
    return replace(known, parts=(part("telegram", roles=(*cut, *spared)),))


def on(*asns: int) -> Incident:
    names = tuple(f"AS{asn}" for asn in asns)
    scope = Scope.ISP if len(asns) == 1 else Scope.MULTI_ISP
    return incident(**ONGOING | {"entities": names, "scope": scope})


CLIENT = telegram((Role.CLIENT, None))
WHOLE = telegram((Role.CLIENT, None), (Role.API, None))
BACK = telegram((Role.CLIENT, None), (Role.API, END))


@each(
    ("before", "after", "found"),
    [
        (None, SUSPICION, (OPENED,)),
        (None, CONFIRMED, (SURE, OPENED)),
        (None, ENDED, (OVER, SURE, OPENED)),
        (None, RETRACTED, ()),  # no one was told of it
        (SUSPICION, CONFIRMED, (SURE,)),
        (SUSPICION, FADED, (OVER,)),
        (SUSPICION, replace(SUSPICION, confidence=0.99), ()),  # more of the same
        (CONFIRMED, ENDED, (OVER,)),
        (CONFIRMED, RETRACTED, (WRONG,)),
        (RETRACTED, RETRACTED, ()),
        (RETRACTED, CONFIRMED, (SURE, OPENED)),  # it stands again: as if it were new
        (CONFIRMED, SUSPICION, (WRONG,)),  # not confirmed after all
        (NATIONAL, replace(NATIONAL, scope=Scope.ISP), (WRONG,)),
        (CONFIRMED, NATIONAL, (WRONG, WIDER)),  # wider, but another network
        (ENDED, CONFIRMED, (WRONG,)),  # it is not over
        (SUSPICION, ENDED, (OVER, SURE)),
        (CLIENT, WHOLE, (WIDER,)),
        (WHOLE, BACK, (NARROWER,)),
        (BACK, BACK, ()),
        (BACK, WHOLE, (WIDER,)),
        (WHOLE, CLIENT, (WRONG,)),  # it was never the app
        (WHOLE, replace(BACK, status=Status.ENDED, end=END), (OVER,)),
        (telegram((Role.CLIENT, None), known=SUSPICION), WHOLE, (SURE, WIDER)),
        (on(1), on(1, 2), (WIDER,)),
        (on(1, 2), on(1, 2, 3), ()),
        (on(1, 2), on(1, 2, 3, 4), (WIDER,)),
    ],
)
def test_a_revision_is_news_of_what_it_changes(
    before: Incident | None, after: Incident, found: tuple[Happening, ...]
) -> None:
    if before is CONFIRMED and after is NATIONAL:
        after = replace(NATIONAL, networks=(), entities=("PK",))
    assert happenings(before, after) == found


def test_what_widens_little_by_little_and_back_is_told_once() -> None:
    known, told = news_in([on(1, 2), on(1, 2, 3), on(1, 2, 3, 4)])
    assert known is not None and told is not None
    assert [one.code for one in reach_changed(known, told)] == ["wider.networks"]
    assert news_in([CLIENT, WHOLE, replace(WHOLE, confidence=0.9)]) == (CLIENT, WHOLE)


def test_what_goes_on_was_wrongly_called_over() -> None:
    assert what_was_wrong(ENDED, CONFIRMED) == (Reason("gone.ended"),)


@each(
    ("minutes", "wrong"),
    [
        (24 * 60, False),  # the next night of a curfew
        (40, False),
        (20, True),  # it never ended
    ],
)
def test_what_ended_and_is_on_again_was_rightly_called_over(minutes: float, wrong: bool) -> None:
    again = replace(CONFIRMED, intervals=(Interval(START, END), Interval(END + 60 * minutes, None)))
    assert what_was_wrong(ENDED, again) == ((Reason("gone.ended"),) if wrong else ())
    assert happenings(ENDED, again) == ((WRONG,) if wrong else (OPENED,))
