"""What explains failures better than interference (the platform, an instrument) and what does not."""

from collections.abc import Sequence

import pytest

from fanous.analysis.explanations.home import SETTLED_DAYS
from fanous.analysis.explanations.line import bad_lines
from fanous.model.explanation import Standing
from fanous.model.incident import ForeignNetwork, LineRecord, Onset, Release, Software
from fanous.model.reason import Reason
from tests.analysis.explanations.claims import answer, answer_of, claim_of, event_of, held, known_of
from tests.analysis.incidents.events import Ballot, compared, finding, votes
from tests.each import each


def fell(country: str, **given: int) -> Onset:
    """A country in which the target, fine before, failed for all three probes at the time."""
    counts = {"probes": 3, "failing": 9, "measured": 10, "failing_before": 1, "measured_before": 60}
    return Onset(country, **(counts | given))


SERVICE = {"platform.down", "platform.partly", "platform.but_helper"}


def platform_failure(onsets: Sequence[Onset], *, helped: bool = False) -> Reason | None:
    """Why the service itself may have failed; None = nothing says so."""
    claim = known_of(compared(onsets=tuple(onsets)), controlled=helped)
    found = held(claim) & SERVICE
    assert len(found) <= 1
    return answer(found.pop(), claim).because if found else None


THREE = [fell("BD"), fell("IN"), fell("LK")]


def test_a_platform_that_falls_in_three_countries_at_once_is_down() -> None:
    assert platform_failure(THREE) == Reason("platform.down", {"countries": ("BD", "IN", "LK")})


@pytest.mark.parametrize(
    "third",
    [
        fell("GN", failing_before=58),  # blocked for years
        fell("GN", measured_before=2, failing_before=0),  # no one knows how it was before
        fell("GN", probes=1),  # one bad line
        fell("GN", failing=4),  # most still reach it
    ],
)
def test_a_country_counts_only_if_the_failure_is_new_and_general(third: Onset) -> None:
    assert platform_failure([*THREE[:2], third]) is None


def works(country: str, **given: int) -> Onset:
    """A country in which the target works as before."""
    counts = {"probes": 0, "failing": 0, "measured": 10, "failing_before": 1, "measured_before": 60}
    return Onset(country, **(counts | given))


def test_a_platform_that_works_in_as_many_countries_may_have_failed_in_part() -> None:
    two = [works("DE"), works("FR")]
    unclear = [
        works("NL", measured=2),
        works("SE", failing=3),
        works("IE", measured_before=0, failing_before=0),
    ]
    assert platform_failure([*THREE, *two, *unclear]) == platform_failure(THREE)
    three = [*two, works("IT", probes=1, failing=1)]
    partly = Reason("platform.partly", {"countries": ("BD", "IN", "LK"), "working": ("DE", "FR", "IT")})
    assert platform_failure([*THREE, *three, *unclear]) == partly


FILTERED = [Software("a 1", 1, 8, 1), Software("b 1", 2, 9, 1), Software("c 1", 3, 1, 0)]
SPARED = [Software("b 1", 1, 1, 4), Software("a 1", 2, 0, 4)]


@each(
    ("what", "software", "doubt"),
    [
        ("one version on each of two networks, others reach it", [*FILTERED, *SPARED], True),
        ("all on one network", [FILTERED[0], SPARED[0]], False),
        ("two versions on each", [*FILTERED, *SPARED, Software("d 1", 1, 5, 0)], False),
        ("few others reach it", [*FILTERED, *(Software(s.name, s.asn, 0, 2) for s in SPARED)], False),
        (
            "no others measure on the network that most of it is on",
            [*FILTERED, *SPARED, Software("a 1", 4, 9, 0)],
            False,
        ),
        ("programs without a name", [Software("", asn, 9, 9) for asn in (1, 2)], False),
    ],
)
def test_a_device_on_each_network_may_sit_behind_a_filter_of_its_own(
    what: str, software: list[Software], *, doubt: bool
) -> None:
    claim = known_of(compared(software=tuple(software)))
    assert ("software.each" in held(claim)) is doubt, what


FIVE = [*THREE, fell("BR"), fell("EG")]


def test_where_the_helper_reached_it_nearly_all_countries_must_fail() -> None:
    """Users' path may be another than the helper's, but a block leaves it working in most countries."""
    told = Reason("platform.but_helper", {"countries": ("BD", "BR", "EG", "IN", "LK")})
    assert platform_failure(FIVE, helped=True) == told
    assert platform_failure([*FIVE, works("DE"), works("NL", measured=2)], helped=True) == told
    assert platform_failure([*FIVE, works("DE"), works("FR")], helped=True) is None
    assert platform_failure(FIVE[:4], helped=True) is None


@each(
    ("software", "is_defect"),
    [
        ([Software("new 2.0", 1, 12, 0), Software("old 1.9", 1, 0, 6)], True),
        ([Software("new 2.0", 1, 12, 0)], False),  # no one else looked
        ([Software("new 2.0", 1, 12, 0), Software("old 1.9", 1, 5, 1)], False),  # the others see it too
        ([Software("new 2.0", 1, 12, 0), Software("old 1.9", 1, 0, 2)], False),  # too few to say
        # A crowd of honest probes, and a few that say it works.
        ([Software("ooniprobe", 1, 40, 0), Software("liar", 1, 0, 10)], False),
        # Others look on one network of the two.
        (
            [Software("new", 1, 9, 0), Software("new", 2, 9, 0), Software("old", 1, 0, 9)],
            False,
        ),
        ([], False),
        ([Software("new", 1, 0, 9)], False),
    ],
)
def test_what_only_one_version_sees_is_its_own_defect(software: list[Software], is_defect: bool) -> None:
    assert ("software.defect" in held(known_of(compared(software=tuple(software))))) is is_defect


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([Ballot([10, 11, 12, 13], False, 1, probe=f"other {n}") for n in range(3)], True),
        ([Ballot([10, 11, 12, 13], False, 1, probe=f"other {n}") for n in range(2)], False),
        ([Ballot([10, 11, 12, 13], False, 2, probe=f"other {n}") for n in range(5)], False),
        ([Ballot([10, 11], True, 1, probe="other 0")], False),
    ],
)
def test_one_machine_next_to_others_that_reach_the_target_is_an_instrument(
    others: list[Ballot], said: bool
) -> None:
    every = votes(Ballot([10, 11, 12], True, 1, probe="broken"), *others)
    group = [finding(10, 13)]
    assert ("probe.defect" in held(claim_of(every, group, is_named=False))) is said
    assert "probe.defect" not in held(claim_of(every, group))


@each(
    ("lines", "bad"),
    [
        ([], set()),
        ([LineRecord(1, 10, 8, 7.0)] * 3, {1}),
        ([LineRecord(1, 10, 8, 4.0)] * 3, set()),  # half of a list of sites may be blocked
        (
            [LineRecord(1, 5, 1, 0.0)] * 3,
            set(),
        ),  # four platforms were cut by one order, and another site works
        ([LineRecord(1, 5, 0, 0.0)] * 3, {1}),  # five fail alike, and nothing shows that anything works
        ([LineRecord(1, 4, 0, 0.0)] * 3, set()),  # of so few nothing else can be asked
        (
            [LineRecord(1, 10, 8, 8.0)] * 2 + [LineRecord(1, 10, 8, 0.0)] * 3,
            set(),
        ),  # liars among honest probes
        ([LineRecord(1, 10, 8, 8.0)] * 2 + [LineRecord(1, 1, 0, 0.0)] * 3, set()),  # the others do not tell
        ([LineRecord(1, 10, 8, 8.0)] * 3 + [LineRecord(2, 10, 8, 0.0)] * 3, {1}),
        # Each measurement has its own name: all of them together decide.
        ([LineRecord(1, 1, 0, 0.0)] * 9 + [LineRecord(1, 12, 11, 9.0, of_all=True)], {1}),
        ([LineRecord(1, 1, 0, 0.0)] * 9 + [LineRecord(1, 12, 11, 3.0, of_all=True)], set()),
        (
            [LineRecord(1, 10, 8, 0.0)] * 3 + [LineRecord(1, 12, 11, 9.0, of_all=True)],
            set(),
        ),  # those that saw it know better
    ],
)
def test_where_hardly_anything_works_the_line_may_be_what_failed(
    lines: list[LineRecord], bad: set[int]
) -> None:
    assert bad_lines(lines) == bad


OLD = ("whatsapp", "0.9.0")
NEW = ("whatsapp", "0.11.0")
ABROAD = ("BR", "DE", "FR")


@each(
    ("abroad", "is_broken"),
    [
        ([(cc, *OLD, 9, 10) for cc in ABROAD] + [(cc, *NEW, 0, 10) for cc in ABROAD], True),
        # Two countries are no world, and where nothing newer is run the platform may fail.
        ([(cc, *OLD, 9, 10) for cc in ABROAD[:2]] + [(cc, *NEW, 0, 10) for cc in ABROAD], False),
        ([(cc, *OLD, 9, 10) for cc in ABROAD], False),
        ([(cc, *OLD, 9, 10) for cc in ABROAD] + [(cc, *NEW, 3, 10) for cc in ABROAD], False),
        # Another nettest asks other hosts: an app that is blocked there, too, is no broken test.
        (
            [(cc, *OLD, 9, 10) for cc in ABROAD] + [(cc, "web_connectivity", "0.5", 0, 10) for cc in ABROAD],
            False,
        ),
        # Where it works in as many countries it is not broken.
        (
            [(cc, *OLD, 9, 10) for cc in ABROAD]
            + [(cc, *NEW, 0, 10) for cc in ABROAD]
            + [(cc, *OLD, 0, 10) for cc in ("ES", "IT", "NL")],
            False,
        ),
    ],
)
def test_a_nettest_that_fails_abroad_where_newer_ones_work_is_broken(
    abroad: list[tuple[str, str, str, int, int]], is_broken: bool
) -> None:
    here = Release("XA", *OLD, 20, 20)
    releases = tuple(Release(*one) for one in abroad)
    found = answer("software.release", known_of(compared(releases=(here, *releases))))
    told = Reason("software.release", {"release": "whatsapp 0.9.0", "countries": ABROAD})
    assert (found.standing is Standing.HOLDS) is is_broken and (found.because == told) is is_broken
    also = Release("XA", *NEW, 2, 2)
    assert "software.release" not in held(known_of(compared(releases=(here, also, *releases))))


EVENT = [400 + n / 2 for n in range(10)]


@each(
    ("what", "elsewhere", "days", "whose"),
    [
        ("a phone that roams", (), SETTLED_DAYS - 1, "IN"),
        ("a satellite, measured for weeks", (), SETTLED_DAYS, ""),
        ("it is blocked there", (("IN", 9, 10),), SETTLED_DAYS, "IN"),
        ("most of what fails is here", (("IN", 9, 9),), SETTLED_DAYS, ""),
        ("it works there, so it fails here", (("IN", 0, 10),), 0, ""),
        ("hardly anything is known there", (("IN", 0, 2),), 0, "IN"),
    ],
)
def test_a_network_that_is_at_home_elsewhere(
    what: str, elsewhere: tuple[tuple[str, int, int], ...], days: int, whose: str
) -> None:
    every = votes(Ballot([24.0 * day for day in range(days)], False), Ballot(EVENT, True))
    known = compared(foreign=(ForeignNetwork(1, "IN", elsewhere),))
    found = answer_of("network.abroad", event_of(every, [finding(400, 405)], known))
    assert found.explains == ({1} if whose else set()), what
    assert not whose or found.because.params["countries"] == (whose,)
    at_home = event_of(every, [finding(400, 405)], known, country="IN")
    assert answer_of("network.abroad", at_home).standing is Standing.EXCLUDED


def test_what_is_not_known_excludes_nothing() -> None:
    """Neither which resolver was used, nor which version, nor in which way it failed."""
    known = known_of(compared())
    known.seen.mechanisms[:] = ""
    assert answer("resolver.public_only", known).standing is Standing.UNTESTED
    assert answer("software.each", known).standing is Standing.UNTESTED
    assert answer("name.at_fault", known).standing is Standing.UNTESTED
    known.seen.resolver_asns[:] = known.seen.asns
    assert answer("resolver.public_only", known).because == Reason("own_resolvers")
