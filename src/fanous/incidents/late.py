"""Late: what came in since something was claimed, as the reason for its revision."""

from collections.abc import Sequence

from fanous.model.arrival import Arrival

NAMED = 3
"""Networks named in one sentence; the others are counted."""


def arrival_sentence(arrivals: Sequence[Arrival]) -> str:
    """``12 late measurements from AS24499``; empty = nothing came in."""
    late = [(one.asn, one.late) for one in arrivals]
    new = [(one.asn, one.measurements - one.late) for one in arrivals]
    return ", ".join(filter(None, (_group(late, "late"), _group(new, "new"))))


def _group(counts: list[tuple[int, int]], word: str) -> str:
    own = sorted(((n, asn) for asn, n in counts if n), key=lambda pair: (-pair[0], pair[1]))
    total = sum(n for n, _ in own)
    if not total:
        return ""
    names = [f"AS{asn}" for _, asn in own[:NAMED]]
    more = len(own) - len(names)
    if more:
        names.append(f"{more} other network{'s' if more > 1 else ''}")
    where = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{total:,} {word} measurement{'s' if total > 1 else ''} from {where}"
