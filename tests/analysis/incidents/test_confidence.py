"""How certain witnesses make an incident: the surest counts in full, each other by half, and none is ever certain."""

from math import exp, log

from fanous.analysis.incidents.assemble import CERTAIN, confidence_of

EACH = 0.95
ODDS = log(EACH / (1 - EACH))


def test_a_witness_states_no_more_than_its_kind_may() -> None:
    assert confidence_of([("routing", 1.0)], EACH, CERTAIN) == EACH


def test_only_the_surest_statement_of_a_witness_counts() -> None:
    assert confidence_of([("AS1", 0.6), ("AS1", 0.9), ("AS1", 0.7)], EACH, CERTAIN) == 0.9


def test_a_further_witness_counts_by_half() -> None:
    both = confidence_of([("routing", 1.0), ("usage", 1.0)], EACH, CERTAIN)
    assert both == round(1 / (1 + exp(-1.5 * ODDS)), 4)


def test_the_evidence_limits_what_its_witnesses_make_certain() -> None:
    assert confidence_of([("routing", 0.9), ("usage", 0.9)], EACH, 0.5) == 0.5
