"""Arrivals: measurements that came in after a claim was made, as the reason for its revision."""

from collections.abc import Sequence

from fanous.model.arrival import Arrival, SeriesArrival

NAMED = 3
"""Networks (or signals) named in one sentence; the others are counted."""

Count = tuple[int, str]
"""How many came, and from where."""


def arrival_sentence(arrivals: Sequence[Arrival], levels: Sequence[SeriesArrival] = ()) -> str:
    """``12 late measurements from AS24499``, ``3 new bins of bgp (ioda)``; empty = nothing came in."""
    by_asn = sorted(arrivals, key=lambda one: one.asn)
    late = [(one.late, f"AS{one.asn}") for one in by_asn]
    new = [(one.measurements - one.late, f"AS{one.asn}") for one in by_asn]
    late_bins = [(one.late, f"{one.signal} ({one.source})") for one in levels]
    new_bins = [(one.bins - one.late, f"{one.signal} ({one.source})") for one in levels]
    said = (
        _group(late, "late measurement", "from", "network"),
        _group(new, "new measurement", "from", "network"),
        _group(late_bins, "late bin", "of", "signal"),
        _group(new_bins, "new bin", "of", "signal"),
    )
    return ", ".join(filter(None, said))


def _group(counts: Sequence[Count], what: str, where: str, other: str) -> str:
    own = sorted((count for count in counts if count[0]), key=lambda count: -count[0])
    total = sum(n for n, _ in own)
    if not total:
        return ""
    names = [name for _, name in own[:NAMED]]
    more = len(own) - len(names)
    if more:
        names.append(f"{more} other {other}{'s' if more > 1 else ''}")
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{total:,} {what}{'s' if total > 1 else ''} {where} {listed}"
