"""What a revision is news of."""

from dataclasses import replace

from fanous.analysis.incidents.revision import happenings, what_was_wrong
from fanous.model.alert import Happening
from fanous.model.incident import Incident, Scope, Status
from fanous.model.reason import Reason
from tests.charts.events import NATION, ONGOING, SUSPECTED, incident
from tests.each import each

SUSPICION, CONFIRMED, ENDED = incident(**SUSPECTED), incident(**ONGOING), incident()
RETRACTED = replace(CONFIRMED, status=Status.RETRACTED)
FADED = incident(**SUSPECTED | {"status": Status.ENDED})
NATIONAL = incident(**ONGOING | NATION)

OPENED, SURE, OVER, WRONG = (
    Happening.OPENED,
    Happening.CONFIRMED,
    Happening.ENDED,
    Happening.CORRECTED,
)


@each(
    ("before", "after", "found"),
    [
        (None, SUSPICION, (OPENED,)),
        (None, CONFIRMED, (SURE, OPENED)),
        (None, ENDED, (OVER, SURE, OPENED)),
        (None, RETRACTED, ()),  # nobody was told of it
        (SUSPICION, CONFIRMED, (SURE,)),
        (SUSPICION, FADED, (OVER,)),
        (SUSPICION, replace(SUSPICION, confidence=0.99), ()),  # more of the same
        (CONFIRMED, ENDED, (OVER,)),
        (CONFIRMED, RETRACTED, (WRONG,)),
        (RETRACTED, RETRACTED, ()),
        (RETRACTED, CONFIRMED, (SURE, OPENED)),  # it stands again: as if it were new
        (CONFIRMED, SUSPICION, (WRONG,)),  # not confirmed after all
        (NATIONAL, replace(NATIONAL, scope=Scope.ISP), (WRONG,)),
        (CONFIRMED, NATIONAL, (WRONG,)),  # wider, but another network
        (ENDED, CONFIRMED, (WRONG,)),  # it is not over
        (SUSPICION, ENDED, (OVER, SURE)),
    ],
)
def test_a_revision_is_news_of_what_it_changes(
    before: Incident | None, after: Incident, found: tuple[Happening, ...]
) -> None:
    if before is CONFIRMED and after is NATIONAL:
        after = replace(NATIONAL, networks=(), entities=("PK",))
    assert happenings(before, after) == found


def test_what_is_on_again_was_wrongly_called_over() -> None:
    assert what_was_wrong(ENDED, CONFIRMED) == (Reason("gone.ended"),)
