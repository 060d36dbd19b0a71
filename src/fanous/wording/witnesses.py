"""Witnesses: who saw an incident and who did not, as JSON and as lines for a terminal."""

from collections.abc import Iterable
from typing import Any

from fanous.model.witness import Sight, Witness

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
