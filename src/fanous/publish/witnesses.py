"""Witnesses: which sources saw an incident, which did not, and which could not have; one row per source.

The rows are also given as JSON and as lines for a terminal.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fanous.model.incident import Incident, Sight, Witness
from fanous.model.reason import Reason
from fanous.questions.claims import witnesses
from fanous.store.protocol import Store
from fanous.wording.reasons import reasons_text, why_document
from fanous.wording.words import FAMILIES

SIGHTS = {
    Sight.SAW: "Saw it",
    Sight.DID_NOT_SEE: "Did not see it",
    Sight.COULD_NOT_SEE: "Could not see it",
    Sight.NO_DATA: "No data",
}


@dataclass(frozen=True, slots=True)
class WitnessRow:
    """One line of the table of who saw an incident.

    Attributes:
        name: of the family, in English, as a key of the catalogues.
        source: of measurements; empty = a whole family.
        word: of ``SIGHTS``.
        saw: it saw the incident.
        reasons: what it saw, or why it saw nothing.
    """

    name: str
    source: str
    word: str
    saw: bool
    reasons: tuple[Reason, ...]


def witness_rows(store: Store, incident: Incident) -> list[WitnessRow]:
    """In the order of the families."""
    rows = []
    for witness in witnesses(store, incident):
        sight, reasons = witness.sight, witness.reasons
        if (
            sight is Sight.NO_DATA
            and not witness.source
            and str(witness.family) in incident.evidence.families
        ):
            # What a family has shown keeps counting, even if its records are not in this store.
            sight, reasons = Sight.SAW, ()
        rows.append(
            WitnessRow(FAMILIES[witness.family], witness.source, SIGHTS[sight], sight is Sight.SAW, reasons)
        )
    return rows


def witnesses_document(witnesses: Iterable[Witness]) -> dict[str, Any]:
    """``{"witnesses": [...]}``, one a source."""
    return {
        "witnesses": [
            {
                "family": str(witness.family),
                "source": witness.source or None,
                "sight": str(witness.sight),
                "saw": witness.saw,
                "contrary": witness.contrary,
            }
            | why_document(witness.reasons)
            for witness in witnesses
        ]
    }


def witness_lines(witnesses: Iterable[Witness]) -> list[str]:
    return [
        f"{witness.source or witness.family:10} {SIGHTS[witness.sight]:17} {reasons_text(witness.reasons)}"
        for witness in witnesses
    ]
