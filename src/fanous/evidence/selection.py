"""Selection: the records of a store that an incident rests on, its controls among them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fanous.errors import FanousError
from fanous.incidents.confirm import CONTROL_WINDOW
from fanous.interfering import TICK
from fanous.model.incident import Incident
from fanous.model.record import Record
from fanous.model.series import Floats
from fanous.pipeline import HISTORY
from fanous.store import Location, Segment, Store

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Selection:
    """Where the records of an incident lie.

    Attributes:
        since: start of the window that is computed again, a multiple of ``TICK``; ``until`` its end.
        own: of the country: all that says yes or no of one of the targets.
        elsewhere: of other countries: those that could reach a target while it failed here.
    """

    country: str
    since: float
    until: float
    own: tuple[Location, ...]
    elsewhere: tuple[Location, ...]


def select(store: Store, incident: Incident) -> Selection:
    """All that recomputing the incident needs.

    Raises:
        FanousError: the store does not have the measurements (any more).
    """
    targets = sorted({*incident.targets, *(t for network in incident.networks for t in network.targets)})
    span = store.span(incident.country)
    if span is None or not targets:
        raise FanousError(
            f"{incident.id} rests on no measurements in this store, so there is nothing to pack"
        )
    first = incident.onset if incident.onset_earliest is None else incident.onset_earliest
    since = float((first - HISTORY) // TICK * TICK)
    until = float((max(span[1], incident.end or 0.0) // TICK + 2) * TICK)
    votes = store.votes(incident.country, since, until, targets)
    abroad = store.working_elsewhere(incident.country, since, until, targets)
    failing = votes.times[votes.seen]
    near = abroad.where(_near(abroad.times, failing, CONTROL_WINDOW + MINUTE))
    own = store.locations(dict.fromkeys(votes.uids.tolist()), since, until)
    elsewhere = store.locations(dict.fromkeys(near.uids.tolist()), since, until)
    return Selection(incident.country, since, until, tuple(own), tuple(elsewhere))


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
