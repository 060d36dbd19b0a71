"""National claims that wait for a person."""

from dataclasses import replace

from fanous.analysis.incidents.revision import REVIEW, held, must_wait
from fanous.model.incident import Scope, Status
from fanous.model.reason import Reason
from tests.store.cases import incident

NATIONAL = incident(scope=Scope.NATION)


def test_only_confirmed_national_claims_wait() -> None:
    assert must_wait(NATIONAL)
    assert not must_wait(incident(scope=Scope.MULTI_ISP))
    assert not must_wait(replace(NATIONAL, confirmed_at=None, status=Status.SUSPECTED))


def test_held_means_suspected_with_the_reason_shown() -> None:
    waiting = held(NATIONAL)
    assert (waiting.status, waiting.confirmed_at, waiting.rule) == (Status.SUSPECTED, None, "")
    assert waiting.reasons == (Reason("held.review"), *NATIONAL.reasons)
    assert waiting.held_by == REVIEW
    assert not NATIONAL.held_by


def test_nothing_else_changes() -> None:
    kept = replace(
        held(NATIONAL),
        status=NATIONAL.status,
        confirmed_at=NATIONAL.confirmed_at,
        rule=NATIONAL.rule,
        reasons=NATIONAL.reasons,
        held_by="",
    )
    assert kept == NATIONAL
