"""A fall that several countries share: of neighbours, or of countries all over the world."""

from fanous.analysis.explanations.fall import OutageElsewhere
from fanous.model.incident import Incident, Interval
from fanous.model.series import Anomaly
from fanous.refdata.countries import distance
from tests.analysis.incidents.events import HOUR, MONDAY
from tests.analysis.incidents.levels import claim, drop
from tests.each import each

BGP, AP, GTR, DARK = "prefixes_v4", "ping-slash24", "gtr", "merit-nt"
WORLD = ("BR", "DE", "ID", "KE", "MX")
CABLE = ("CI", "BJ", "GH", "BF", "NG", "CM", "TG", "SN", "ZA")
"""Some of the countries that the cuts of 14 March 2024 took."""


def told(
    here: str, others: tuple[str, ...], *group: Anomaly, after: float = 0.1, families: str = "usage darknet"
) -> Incident:
    """An outage of ``here`` next to outages of others in which ``families`` fell ``after`` hours later."""
    at = MONDAY + after * HOUR
    elsewhere = [
        OutageElsewhere(other, Interval(at, None), dict.fromkeys(families.split(), at)) for other in others
    ]

    def apart(one: str, other: str) -> float:
        return distance(*(here if each == "XA" else each for each in (one, other)))

    incident = claim(*group, elsewhere=elsewhere, distance=apart)
    assert incident is not None
    return incident


PEOPLE = (drop(GTR, 0, 6, left=0.4), drop(DARK, 0, 6, left=0.4))
SERVERS = (drop(BGP, 0, 6, left=0.4), drop(AP, 0, 6, left=0.4))


@each(
    ("incident", "is_confirmed", "is_said"),
    [
        (told("PK", WORLD, *PEOPLE), False, True),
        (told("PK", WORLD, *SERVERS, families="routing probing"), False, True),  # an observatory's fault
        (told("PK", WORLD, *PEOPLE, *SERVERS), True, True),  # routes and answers are gone only here
        (told("PK", WORLD, *PEOPLE, after=3), True, False),
        (told("PK", WORLD[:2], *PEOPLE), True, False),
        (told("PK", WORLD, *PEOPLE, families="probing"), True, False),
        (told("TG", CABLE, *PEOPLE), True, False),
        (told("ZA", CABLE, *PEOPLE), True, False),  # at the edge of what the cable took
        (told("TG", (*CABLE, "PK"), *PEOPLE), True, False),  # which had an outage of its own
        (told("PK", ("IN", "AE", "KW", "SA", "EG"), *PEOPLE), True, False),
    ],
)
def test_what_falls_all_over_the_world_confirms_no_outage_of_one_country(
    incident: Incident, is_confirmed: bool, is_said: bool
) -> None:
    assert (incident.confirmed_at is not None) is is_confirmed
    codes = [reason.code for reason in (*incident.reasons, *incident.hints)]
    assert ("shared.worldwide" in codes) is is_said
    assert not is_said or "hint.elsewhere" not in codes, "no cable reaches so far"
    assert is_confirmed or incident.confidence <= 0.5
