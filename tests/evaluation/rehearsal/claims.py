"""Incidents as a rehearsal sees them, for tests: only what the test is about is said."""

from typing import Any

from fanous_lab.evaluation.rehearsal.score import Sighting


def claim(**said: Any) -> dict[str, Any]:
    """A document as ``publish.document.detailed_document`` gives it, as far as a score reads it."""
    targets = said.get("targets", ["x"])
    mechanisms = said.get("mechanisms", ["tls.reset.sni"])
    kind = said.get("kind", "blocking")
    parts = [{"target": t, "kind": kind, "mechanisms": mechanisms} for t in targets]
    plain = {
        "id": "PK-2023-0001",
        "kind": kind,
        "status": "confirmed",
        "scope": "nation",
        "access": "any",
        "entities": ["PK", "AS1", "AS2"],
        "targets": [target for target in targets if target],  # an outage is about none
        "mechanisms": mechanisms,
        "parts": parts,
        "confirmed_at": "2023-12-17T15:00:00Z",
        "confidence": 0.99,
        "end": None,
        "kbps": None,
        "reason": "C2",
    }
    return plain | said


def sighting(at: float = 20.0, **said: Any) -> Sighting:
    """Claimed and, unless it says otherwise, confirmed at ``at``."""
    seen = Sighting(claim(**said), at)
    seen.see(claim(**said), at)
    return seen
