"""Which roles of a target failed on which networks, and when."""

from fanous.analysis.incidents.networks import roles_of
from fanous.model.incident import Interval, Kind, Part, RolePart
from fanous.model.measurement import Role
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot, votes
from tests.each import each

DAY = Interval(MONDAY, MONDAY + 24 * HOUR)


def told(*ballots: Ballot, networks: tuple[int, ...] = (1,)) -> dict[str, RolePart]:
    found = roles_of(votes(*ballots), "x", {asn: [DAY] for asn in networks})
    return {str(one.role): one for one in found}


def test_a_role_failed_for_as_long_as_its_own_measurements_say() -> None:
    found = told(
        Ballot(range(6), True, cut="client", reached="api"),
        Ballot(range(6, 12), True, cut="client api"),
        Ballot(range(12, 18), True, cut="api", reached="client"),
    )
    assert found["client"].intervals == (Interval(MONDAY, MONDAY + 11 * HOUR),)
    assert found["api"].intervals == (Interval(MONDAY + 6 * HOUR, DAY.end),)


@each(
    ("ballots", "failed"),
    [
        ([Ballot(range(8), True, cut="api")], True),
        (
            [Ballot(range(2), True, cut="api"), Ballot(range(2, 12), True, cut="web", reached="api")],
            False,
        ),  # two strays
        ([Ballot(range(8), True, cut="api", probe="one"), Ballot([9, 10, 11], True, cut="web")], False),
        ([Ballot(range(8), True, cut="api", probe="one")], True),  # the only probe that saw anything
        ([Ballot(range(6), True, cut="api"), Ballot([1.5, 3.5, 4.5], True, cut="web", reached="api")], False),
    ],
)
def test_a_role_failed_where_as_many_saw_it_as_name_a_network(ballots: list[Ballot], failed: bool) -> None:
    found = told(*ballots).get("api")
    assert bool(found and found.entities) is failed


def test_a_role_whose_measurements_do_not_agree_was_tried_and_is_what_may_be_cut() -> None:
    """Half of them fail, one by one."""
    ballots = [
        Ballot([n], True, cut="api", reached="client") if n % 2 else Ballot([n], False, reached="api client")
        for n in range(12)
    ]
    found = told(*ballots)
    assert found["api"].entities == found["api"].worked == ()
    assert Part("x", Kind.BLOCKING, (), ("AS1",), tuple(found.values())).named == ("x/api",)


def test_a_role_is_back_while_the_event_goes_on_if_it_works_for_an_hour() -> None:
    still = {1: [Interval(MONDAY, None)]}
    cut = [Ballot(range(6), True, cut="api client"), Ballot([7], True, cut="client", reached="api")]
    for last, end in ((7.2, None), (8.5, MONDAY + 5 * HOUR)):
        again = votes(*cut, Ballot([last], True, cut="client", reached="api"))
        (api,) = [one for one in roles_of(again, "x", still) if one.role is Role.API]
        assert api.intervals[-1].end == (MONDAY + 5 * HOUR if last - 5 >= 1 else end)


def test_what_several_signals_say_of_one_measurement_counts_once_and_its_failure_wins() -> None:
    found = told(
        Ballot(range(6), True, signal="blocked_dns", cut="client", of="a"),
        Ballot(range(6), False, reached="client api", of="a"),
    )
    assert found["client"].entities == found["api"].worked == ("AS1",)


def part(*roles: RolePart) -> Part:
    return Part("telegram", Kind.BLOCKING, (), ("AS1", "AS2", "AS3"), roles)


ALL, ONE = ("AS1", "AS2", "AS3"), ("AS1",)


@each(
    ("roles", "named"),
    [
        ([], ("telegram",)),
        ([(Role.API, ALL, ())], ("telegram",)),
        ([(Role.API, ALL, ()), (Role.CLIENT, (), ALL)], ("telegram/api",)),
        ([(Role.API, (), ALL), (Role.CLIENT, ALL, ())], ("telegram/client",)),
        ([(Role.API, ONE, ()), (Role.CLIENT, ALL, ())], ("telegram/client",)),  # the app on one network alone
        ([(Role.API, (), ONE), (Role.WEB, ALL, ())], ("telegram/web",)),
        ([(Role.WEB, ALL, ())], ("telegram",)),
        ([(Role.WEB, ALL, ()), (Role.MESSENGER, ALL, ())], ("telegram",)),
        ([(Role.CHAT, ALL, ()), (Role.API, (), ALL)], ("telegram",)),  # Signal without its chat server
        ([(Role.SITE, ALL, ())], ("telegram/site",)),
        ([(Role.MEDIA, ALL, ()), (Role.WEB, (), ALL)], ("telegram/media",)),
        ([(Role.CLIENT, ALL, ()), (Role.SITE, ALL, ())], ("telegram/client",)),
    ],
)
def test_a_service_is_named_if_its_app_is_cut(
    roles: list[tuple[Role, tuple[str, ...], tuple[str, ...]]], named: tuple[str, ...]
) -> None:
    assert (
        part(*(RolePart(role, cut, worked, (DAY,) if cut else ()) for role, cut, worked in roles)).named
        == named
    )
