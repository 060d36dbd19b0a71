"""Selection: the records of a store that an incident rests on, its controls among them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.incidents.alternatives import LINE_TARGETS
from fanous.analysis.incidents.confirm import CONTROL_WINDOW
from fanous.analysis.series.signals import SIGNALS
from fanous.analysis.series.silence import EXPECTED_FOR
from fanous.errors import FanousError
from fanous.model.incident import Incident, Kind
from fanous.model.look import LineState, Look
from fanous.model.record import Record
from fanous.model.series import Floats, Series
from fanous.pipeline.interference import TICK
from fanous.pipeline.stages import HISTORY
from fanous.store.protocol import Store
from fanous.store.segment import Location, Segment

MINUTE = 60.0

LEVELS = tuple(
    signal.name
    for signal in SIGNALS.values()
    if signal.is_quantity and signal.proves[0] in (Kind.OUTAGE, Kind.SLOWDOWN)
)
"""Signals that outages and slow-downs are found in."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Where the records of an incident lie.

    Attributes:
        since: start of the window that is computed again, a multiple of ``TICK``; ``until`` its end.
        own: of the country: all that says yes or no of one of the targets; where the line itself is cut, its
            probes' looks at it too; where it could be the line that failed, what else was measured on it.
        elsewhere: of other countries: those that could reach a target while it failed here; of looks those
            on two networks a bin, which show that the collector was up.
        levels: ready-made series of the country, where the line itself is cut or slow.
    """

    country: str
    since: float
    until: float
    own: tuple[Location, ...]
    elsewhere: tuple[Location, ...]
    levels: tuple[Series, ...] = ()


def select(store: Store, incident: Incident, claimed_at: float) -> Selection:
    """All that recomputing the incident needs.

    Args:
        claimed_at: of its latest revision: silence counts up to the moment at which it was noticed.

    Raises:
        FanousError: the store does not have the measurements (any more).
    """
    targets = sorted({*incident.targets, *(t for network in incident.networks for t in network.targets)})
    span = store.span(incident.country)
    if span is None:
        raise FanousError(
            f"{incident.id} rests on no measurements in this store, so there is nothing to pack"
        )
    is_of_lines = any(not part.target for part in incident.parts)
    first = incident.onset if incident.onset_earliest is None else incident.onset_earliest
    since = float((first - HISTORY) // TICK * TICK)
    last = max(span[1], incident.end or 0.0)
    if is_of_lines and not incident.opinions and claimed_at - last <= EXPECTED_FOR:
        last = max(last, claimed_at - 2 * TICK)
    until = float((last // TICK + 2) * TICK)
    looks = store.looks(since, until) if is_of_lines else []
    votes = store.votes(incident.country, since, until, targets)
    abroad = store.working_elsewhere(incident.country, since, until, targets)
    failing = votes.times[votes.seen]
    near = abroad.where(_near(abroad.times, failing, CONTROL_WINDOW + MINUTE))
    home = [look.uid for look in looks if look.country == incident.country]
    beside = _beside(store, incident, until) if _may_be_the_line(incident) else []
    own = store.locations(dict.fromkeys([*votes.uids.tolist(), *home, *beside]), since, until)
    heard = [look.uid for look in _heard_elsewhere(looks, incident.country)]
    elsewhere = store.locations(dict.fromkeys([*near.uids.tolist(), *heard]), since, until)
    levels = store.levels(incident.country, since, until, LEVELS) if is_of_lines else []
    return Selection(incident.country, since, until, tuple(own), tuple(elsewhere), tuple(levels))


def _may_be_the_line(incident: Incident) -> bool:
    """Of fewer targets than tell of a line, a confirmed claim is the same without the others."""
    return incident.confirmed_at is None or len(incident.targets) >= LINE_TARGETS


def _beside(store: Store, incident: Incident, until: float) -> list[str]:
    """Measurements of anything on the networks in question, while it failed there."""
    votes = store.votes(incident.country, incident.onset - TICK, until)
    rows = np.zeros(len(votes), np.bool_)
    for network in incident.networks:
        for interval in network.intervals:
            end = np.inf if interval.end is None else interval.end
            here = votes.asns == network.asn
            rows |= here & (votes.times >= interval.start - TICK) & (votes.times < end + TICK)
    return [str(uid) for uid in votes.uids[rows]]


def _heard_elsewhere(looks: Sequence[Look], country: str) -> Iterator[Look]:
    """Of each bin the first looks from abroad on two networks: more say nothing more of the collector."""
    seen: dict[int, set[int]] = {}
    for look in looks:
        if look.country == country or look.line is not LineState.ONLINE:
            continue
        networks = seen.setdefault(int(look.at // TICK), set())
        if len(networks) < 2 and look.asn not in networks:
            networks.add(look.asn)
            yield look


def _near(times: Floats, failing: Floats, within: float) -> NDArray[np.bool_]:
    """Which of ``times`` lie within so many seconds of one of ``failing`` (ascending)."""
    before = np.searchsorted(failing, times - within, side="left")
    return np.asarray(before < np.searchsorted(failing, times + within, side="right"))


def records_at(store: Store, locations: tuple[Location, ...]) -> Iterator[Record]:
    """The raw records, segment by segment, each segment read once."""
    by_segment: dict[Segment, set[int]] = {}
    for location in locations:
        by_segment.setdefault(location.segment, set()).add(location.position + 1)
    for segment in dict.fromkeys(location.segment for location in locations):
        wanted = by_segment[segment]
        yield from (record for record in store.records(segment) if record.line in wanted)
