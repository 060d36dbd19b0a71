"""Explanations: how often each row of the table holds of what happened, and of what did not.

A row that holds wrongly keeps a true event from being confirmed, and sixty rows that do so once in a hundred times
would hold back every second one.  So it is counted where the truth is known: in corpora, in what the lab's probes
recorded, and where a fifth of those who measure lie.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

from fanous.model.explanation import Standing, Weighed
from fanous.model.instant import HOUR
from fanous.model.reason import Reason
from fanous.model.score import ExplanationRates, WeighedIncident, explanation_rates
from fanous_lab.evaluation.adversary import AFTER, BEFORE, FIFTHS, MAKING, UNMAKING, claims_of
from fanous_lab.evaluation.evaluate import evaluate_corpora, weighed_incident
from fanous_lab.evaluation.rehearsal.records import LabRecords, concluded
from fanous_lab.evaluation.rehearsal.score import score
from fanous_lab.evaluation.simulate.votes import START, Crowd

SEEDS = range(14_000_000, 14_000_010)
"""Runs of each crowd; nothing was tuned on them."""


def rates(folders: Sequence[Path], shared: Path | None, records: Path | None) -> Iterator[ExplanationRates]:
    """One for each kind of evidence, as it is computed.

    Args:
        folders: corpora.
        shared: data that may not be redistributed; a corpus that lacks some is left out.
        records: what the probes of the lab recorded; None = the lab is left out.
    """
    if folders:
        evaluations = evaluate_corpora(folders, shared)
        yield explanation_rates("corpora", [i for corpus in evaluations for i in corpus.weighed])
    if records is not None:
        yield explanation_rates("lab", list(of_lab(LabRecords.read(records))))
    yield explanation_rates("adversary", list(of_adversary()))


def of_lab(records: LabRecords) -> Iterator[WeighedIncident]:
    """What this program finds in the lab's records; right is what something done there explains."""
    for case, rehearsal in concluded(records, sorted(records.cases)):
        for incident in score(case.scenario, rehearsal.sightings).found:
            document = incident.sighting.document
            kept = [
                Weighed(e["code"], Standing(e["standing"]), Reason(e["because"], e["params"]))
                for e in document["explanations"]
            ]
            confirmed = bool(document["confirmed_at"])
            yield weighed_incident(case.name, kept, right=bool(incident.events), confirmed=confirmed)


def of_adversary(seeds: Sequence[int] = SEEDS) -> Iterator[WeighedIncident]:
    """What crowds with liars lead to; right is what is on during a restriction."""
    event = BEFORE, BEFORE + 12
    since, until = (START + hour * HOUR for hour in event)
    for (is_real, strategies), (honest, liars) in product(((True, UNMAKING), (False, MAKING)), FIFTHS):
        for strategy, seed in product(strategies, seeds):
            crowd = Crowd(5, honest, event[1] + AFTER, event, is_real, liars, 1, strategy)
            for incident in claims_of(crowd, seed):
                yield weighed_incident(
                    f"{strategy} {liars} of {liars + honest}",
                    incident.explanations,
                    right=is_real and incident.is_on(since, until),
                    confirmed=incident.confirmed_at is not None,
                )
