"""What a revision takes back."""

from dataclasses import replace

from fanous.analysis.incidents.revision import taken_back
from fanous.model.incident import Incident, Interval, NetworkPart, Part, Scope, Status
from fanous.model.reason import Reason
from tests.each import each
from tests.store.cases import NOON, incident

BEFORE = replace(
    incident(scope=Scope.MULTI_ISP),
    networks=tuple(
        NetworkPart(f"AS{asn}", ("x",), (Interval(NOON, None),), 3, 3, 0.99) for asn in (17557, 45669)
    ),
)


@each(
    ("after", "gone"),
    [
        (BEFORE, ()),
        (replace(BEFORE, scope=Scope.NATION), ()),
        (replace(BEFORE, onset=NOON - 60, end=NOON + 7200, status=Status.ENDED), ()),
        (replace(BEFORE, status=Status.RETRACTED), (Reason("gone.all"),)),
        (replace(BEFORE, status=Status.SUSPECTED, confirmed_at=None), (Reason("gone.confirmed"),)),
        (replace(BEFORE, scope=Scope.ISP), (Reason("gone.scope", {"before": "multi_isp", "after": "isp"}),)),
        (replace(BEFORE, parts=()), (Reason("gone.targets", {"targets": ("x",)}),)),
        (
            replace(BEFORE, networks=BEFORE.networks[:1]),
            (Reason("gone.networks", {"networks": ("AS45669",)}),),
        ),
        (
            replace(BEFORE, parts=(*BEFORE.parts, Part("y", BEFORE.kind, (), ())), networks=()),
            (Reason("gone.networks", {"networks": ("AS17557", "AS45669")}),),
        ),
    ],
)
def test_taking_back_is_told_from_adding(after: Incident, gone: tuple[Reason, ...]) -> None:
    assert taken_back(BEFORE, after) == gone


def test_what_is_taken_back_already_is_not_taken_back_again() -> None:
    retracted = replace(BEFORE, status=Status.RETRACTED)
    assert taken_back(retracted, retracted) == ()
