"""Witnesses: who saw an incident, who did not, who could not have - a row for each source.

The rows are also given as JSON and as lines for a terminal.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fanous.model.incident import Estimate, FamilyView, Incident, Says, Sight, Witness
from fanous.model.place import Family
from fanous.pipeline.claims import witnesses
from fanous.store.protocol import Store
from fanous.wording.words import FAMILIES

SIGHTS = {
    Sight.SAW: "Saw it",
    Sight.DID_NOT_SEE: "Did not see it",
    Sight.COULD_NOT_SEE: "Could not see it",
    Sight.NO_DATA: "No data",
}

SAID = {
    Says.DOWN: Sight.SAW,
    Says.ORDINARY: Sight.DID_NOT_SEE,
    Says.SILENT: Sight.NO_DATA,
    Says.UNKNOWN: Sight.COULD_NOT_SEE,
}
"""What a family says of the line -> whether it saw the outage."""

BLIND = {
    Family.EDGE: "Its probes measured none of the networks named while it was on.",
    Family.OONI: "Without a network volunteers' probes send nothing.",
    Family.REMOTE: "Shared vantage points show only whether sites answer.",
    Family.ATLAS: "Connections of RIPE Atlas probes show whether lines are up, not what they can reach.",
    Family.ROUTING: "Routing shows whether networks are announced, not what passes over them.",
    Family.PROBING: "Scans show whether addresses answer, not what their users can reach.",
    Family.USAGE: "Traffic falls only with what many people use.",
    Family.DARKNET: "Stray packets show whether networks are on, not what they can reach.",
    Family.REPORTS: "What people say is shown, and never counted.",
}
"""Why a family could not have seen it, as ``fanous.analysis.incidents.witnesses`` has it, for readers."""

NOTHING = "No data from this source."
NO_HISTORY = "It has no history to compare with."


@dataclass(frozen=True, slots=True)
class WitnessRow:
    """Attributes:
    name: of the family, in English as the catalogues have it.
    source: of measurements or series; empty = the family has none that speaks.
    word: of ``SIGHTS``.
    why: text of the catalogues; empty where figures say it.
    saw: measurements that saw it; with ``contrary``, 0 where none was made.
    left: share of the ordinary level, for outages.
    """

    name: str
    source: str
    word: str
    why: str = ""
    saw: int = 0
    contrary: int = 0
    left: Estimate | None = None


def witness_rows(store: Store, incident: Incident) -> list[WitnessRow]:
    """In the order of the families; those that are only heard of last."""
    opinions = {opinion.family: opinion for opinion in incident.opinions}
    rows = []
    for witness in witnesses(store, incident):
        opinion = opinions.get(str(witness.family))
        if opinion is not None and not witness.source:
            rows.append(_of_opinion(witness.family, opinion))
        elif witness.sight is Sight.NO_DATA and str(witness.family) in incident.evidence.families:
            # What a family said counts for good, even where its records are not in this store.
            rows.append(WitnessRow(FAMILIES[witness.family], "", SIGHTS[Sight.SAW], saw=0))
        else:
            rows.append(_of_witness(witness))
    return rows


def _of_witness(witness: Witness) -> WitnessRow:
    why = ""
    if witness.sight is Sight.COULD_NOT_SEE:
        why = BLIND[Family.EDGE] if witness.source else BLIND[witness.family]
    elif witness.sight is Sight.NO_DATA:
        why = NOTHING
    return WitnessRow(
        FAMILIES[witness.family], witness.source, SIGHTS[witness.sight], why, witness.saw, witness.contrary
    )


def _of_opinion(family: Family, opinion: FamilyView) -> WitnessRow:
    why = {Says.SILENT: NOTHING, Says.UNKNOWN: NO_HISTORY}.get(opinion.says, "")
    word = SIGHTS[SAID[opinion.says]]
    return WitnessRow(FAMILIES[family], ", ".join(opinion.sources), word, why, left=opinion.left)


WORDS = {
    Sight.SAW: "saw it",
    Sight.DID_NOT_SEE: "did not see it",
    Sight.COULD_NOT_SEE: "could not see it",
    Sight.NO_DATA: "no data",
}


def witnesses_document(found: Iterable[Witness]) -> dict[str, Any]:
    """``{"witnesses": [...]}``, one a source."""
    return {
        "witnesses": [
            {
                "family": str(one.family),
                "source": one.source or None,
                "sight": str(one.sight),
                "why": one.why,
                "saw": one.saw,
                "contrary": one.contrary,
            }
            for one in found
        ]
    }


def witness_lines(found: Iterable[Witness]) -> list[str]:
    return [f"{one.source or one.family:10} {WORDS[one.sight]:17} {one.why}" for one in found]
