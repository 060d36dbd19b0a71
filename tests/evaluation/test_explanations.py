"""How often each explanation holds: what is counted, and that the table holds back few of the true incidents."""

from io import StringIO
from pathlib import Path

import msgspec
from rich.console import Console

from fanous.analysis.explanations.table import OF_NAMED_EVENT, TABLE
from fanous.model.explanation import Standing, Weighed
from fanous.model.reason import Reason
from fanous.model.score import ExplanationRates, explanation_rates, suspended_of
from fanous_lab.evaluation.evaluate import weighed_incident
from fanous_lab.evaluation.explanations import SEEDS, of_adversary, of_lab
from fanous_lab.evaluation.rehearsal.records import LabRecords
from fanous_lab.evaluation.tables import print_together
from tests.each import each

DOCS = Path(__file__).resolve().parents[2] / "docs"
MOST = 0.05
"""Share of the true incidents that all explanations together may suspend."""


def weighed(code: str, standing: Standing, because: str = "nothing_usable") -> Weighed:
    return Weighed(code, standing, Reason(because))


@each(
    ("code", "standing", "confirmed", "suspended"),
    [
        ("site.may_refuse", Standing.HOLDS, False, True),
        ("site.may_refuse", Standing.HOLDS, True, False),
        ("site.may_refuse", Standing.UNTESTED, False, False),
        ("usage.as_usual", Standing.HOLDS, False, False),  # is only said
    ],
)
def test_an_incident_is_suspended_by_what_holds_and_does_more_than_say_so(
    code: str, standing: Standing, *, confirmed: bool, suspended: bool
) -> None:
    found = weighed_incident("here", [weighed(code, standing)], right=True, confirmed=confirmed)
    assert found.suspended is suspended


def test_true_and_other_incidents_are_counted_apart_and_the_case_that_teaches_most_is_kept() -> None:
    rows = [
        weighed_incident("first", [weighed("name.moved", Standing.UNTESTED)], right=True, confirmed=True),
        weighed_incident("second", [weighed("name.moved", Standing.EXCLUDED)], right=True, confirmed=True),
        weighed_incident("third", [weighed("name.moved", Standing.HOLDS)], right=False, confirmed=False),
    ]
    found = explanation_rates("corpora", rows)
    assert (found.right, found.right_suspended, found.false, found.false_suspended) == (2, 0, 1, 1)
    (row,) = found.rows
    assert (row.held_right, row.held_false, row.untested_right, row.untested_false) == (0, 1, 1, 0)
    assert (row.weighed_right, row.weighed_false) == (2, 1)
    assert (row.case, row.standing) == ("third", Standing.HOLDS)
    (without,) = explanation_rates("corpora", rows[:2]).rows
    assert (without.case, without.standing) == ("second", Standing.EXCLUDED)


def test_liars_make_no_row_hold_of_a_true_incident() -> None:
    found = list(of_adversary(SEEDS[:1]))
    codes = {row.code for row in OF_NAMED_EVENT}
    assert {one.right for one in found} == {True, False}
    assert all(codes <= {row.code for row in one.explanations} for one in found)
    assert not [one for one in found if one.right and one.suspended]


def test_what_the_labs_probes_recorded_is_weighed_too() -> None:
    every = LabRecords.read(DOCS / "truth-table.xz")
    name = "dns_blockpage isp 1, sni_throttle_shape isp 1"
    found = list(of_lab(LabRecords(every.format, every.kinds, {name: every.cases[name]})))
    assert found
    assert {(one.case, one.right, one.suspended) for one in found} == {(name, True, False)}


def test_the_documents_say_that_few_true_incidents_are_held_back() -> None:
    (kinds,) = msgspec.json.decode(
        (DOCS / "explanations.json").read_bytes(), type=dict[str, list[ExplanationRates]]
    ).values()
    assert {kind.kind for kind in kinds} == {"corpora", "lab", "adversary"}
    suspended, right = suspended_of(kinds)
    assert suspended <= MOST * right
    known = {row.code for kind in kinds for row in kind.rows}
    assert known == {row.code for row in TABLE}, "run fanous evaluate --explanations again"


def test_the_command_says_what_all_kinds_of_evidence_hold_back_together() -> None:
    said = StringIO()
    kinds = [ExplanationRates("corpora", 10, 6, 2, 2, ()), ExplanationRates("lab", 65, 0, 1, 0, ())]
    print_together(Console(file=said, width=120), kinds)
    expected = "Together, of 75 incidents of known events, explanations keep 6 (8.0%) from being confirmed."
    assert said.getvalue().strip() == expected
    print_together(Console(file=said), [])
    assert said.getvalue().strip() == expected
