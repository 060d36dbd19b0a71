"""The story of 17 December 2023, statement by statement, on the generated event."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fanous.model.claim import Claim, ClaimCheck, Said
from fanous.model.incident import Scope, Sight
from fanous.model.instant import from_iso
from fanous.model.place import Family
from fanous.questions.claims import check, witnesses
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.copies import copy_of

SINCE, UNTIL = from_iso("2023-12-17T14:00Z"), from_iso("2023-12-18T00:00Z")
RALLY = from_iso("2023-12-17T21:00+05:00")
FOUR = ("facebook", "instagram", "x", "youtube")


@pytest.fixture(scope="module")
def store(rally_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(copy_of(rally_folder, tmp_path_factory.mktemp("statements") / "store")) as opened:
        yield opened


def of(who: str, said: Said, **given: object) -> Claim:
    return Claim(who, said, "PK", SINCE, UNTIL, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("claim", "answer"),
    [
        (of("the story", Said.THROTTLING), ClaimCheck.SUPPORTED),
        (of("the story", Said.DISRUPTED, targets=FOUR), ClaimCheck.SUPPORTED),
        (of("the story", Said.DISRUPTED, scope=Scope.NATION), ClaimCheck.SUPPORTED),
        (of("the party", Said.DISRUPTED, began_before=RALLY), ClaimCheck.SUPPORTED),
        (of("NetBlocks", Said.DISRUPTED, hours=7), ClaimCheck.SUPPORTED),
        (of("ISOC Pulse", Said.DISRUPTED, hours=10.5), ClaimCheck.CANNOT_TELL),
        (of("the regulator", Said.NORMAL), ClaimCheck.CONTRADICTED),
        (of("nobody", Said.BLOCKING, targets=("wikipedia",)), ClaimCheck.CONTRADICTED),
        (of("nobody", Said.BLOCKING, targets=("signal",)), ClaimCheck.CANNOT_TELL),
        (of("nobody", Said.NORMAL, networks=(38264,)), ClaimCheck.CANNOT_TELL),
    ],
)
def test_the_evidence_answers_what_was_said(store: Store, claim: Claim, answer: ClaimCheck) -> None:
    assert check(store, claim).answer is answer


def test_the_day_before_was_normal(store: Store) -> None:
    claim = Claim("the regulator", Said.NORMAL, "PK", SINCE - 86_400, UNTIL - 86_400)
    assert check(store, claim).answer is ClaimCheck.SUPPORTED


def test_volunteers_saw_it_and_routing_could_not_have(store: Store) -> None:
    (incident,) = store.ledger.incidents("PK")
    seen = {one.family: one for one in witnesses(store, incident)}
    assert seen[Family.OONI].sight is Sight.SAW
    assert seen[Family.OONI].saw > 100
    assert seen[Family.ROUTING].sight is Sight.COULD_NOT_SEE
