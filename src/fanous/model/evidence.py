"""Evidence: one table of what was measured about an event, from which everything is concluded about it.

A row is one measurement of one target.  The table holds what was measured on the event's networks (every target), and
the event's targets on the country's other networks and in other countries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanous.model.incident import Interval, Stretches
from fanous.model.series import Floats, Ints, Names

Flags = NDArray[np.bool_]

KINDS: tuple[type, ...] = (
    *(object, object, int, object, float, object, bool, bool, bool, bool, bool, tuple, bool, float, object),
    *(object, object, object, object, int, object, bool, bool, tuple, tuple, bool, bool),
)
"""Of the columns of ``Evidence``, in order; ``counts`` comes after them."""


def column(values: Sequence[Any], kind: type) -> Any:
    """Values as a column of ``Evidence``."""
    if kind is tuple:
        return np.fromiter(map(tuple, values), object, len(values))
    return np.array(values, kind)


@dataclass(frozen=True, slots=True)
class EvidenceScope:
    """What a table of evidence is about.

    Attributes:
        targets: of the event.
        stretches: the event's networks, and when it was on there.
    """

    country: str
    targets: tuple[str, ...]
    stretches: Stretches

    @property
    def intervals(self) -> Sequence[Interval]:
        """When it was on, on any network."""
        return [interval for stretch in self.stretches.values() for interval in stretch]


class LookupOutcome(StrEnum):
    """What the lookups of a measurement's target came to."""

    NONE = ""
    WORKS = "works"
    FAILS = "fails"
    UNANSWERED = "unanswered"
    """They fail: no answer came, and no control says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All arrays have shape (n,).  A row neither fails nor works if no rule could say.

    Attributes:
        scope: what it is about.
        uids: str, of the measurement.
        countries: str.
        asns: int64.
        access: str, ``any``, ``mobile`` or ``fixed``.
        times: float64, unix seconds, UTC.
        targets: str.
        claimed: bool, the target is one of the event's.
        here: bool, made on a network while the event was on there (for other countries: on the same network).
        then: bool, made while the event was on anywhere.
        fails: bool, blocked, throttled, down, or a symptom of it.
        works: bool, something worked, and nothing failed.
        mechanisms: tuple of str, how it failed; throttling is not listed, so empty = it was throttled, or did not fail.
        controlled: bool, a normal control travelled with the measurement.
        kbps: float64, the lowest rate of what failed; NaN = not measured.
        sources: str, the source it came through.
        probes: str, what counts as one independent probe.
        software: str, name and version of what measured; empty = unknown, or made before the event.
        tests, versions: str, the nettest; the version is empty as for ``software``.
        resolver_asns: int64, 0 = unknown.
        lookups: str, a ``LookupOutcome``.
        connected: bool, a step beyond the lookup worked.
        usual_page: bool, an unencrypted page was the one that the helper was shown.
        pages: tuple of int, a digest of each page shown by a measurement that got another page than the helper's.
        hosting: tuple of int, networks of the target's addresses as the helper found them; ascending.
        former: bool, every answer that is not right is an address that the helper had found in the weeks before.
        outdated: bool, the same if an answer is not right merely because it is in the hosting network of the right one.
        counts: int64, how many measurements the row stands for.
    """

    scope: EvidenceScope
    uids: Names
    countries: Names
    asns: Ints
    access: Names
    times: Floats
    targets: Names
    claimed: Flags
    here: Flags
    then: Flags
    fails: Flags
    works: Flags
    mechanisms: Names
    controlled: Flags
    kbps: Floats
    sources: Names
    probes: Names
    software: Names
    tests: Names
    versions: Names
    resolver_asns: Ints
    lookups: Names
    connected: Flags
    usual_page: Flags
    pages: Names
    hosting: Names
    former: Flags
    outdated: Flags
    counts: Ints

    @classmethod
    def nothing(cls, scope: EvidenceScope) -> "Evidence":
        """A table without rows."""
        return cls(scope, *[column([], kind) for kind in (*KINDS, int)])

    def __len__(self) -> int:
        return len(self.times)

    def where(self, rows: Flags) -> "Evidence":
        """The rows for which ``rows``, shape (n,), is true."""
        scope, *columns = (getattr(self, name) for name in self.__slots__)
        return Evidence(scope, *(column[rows] for column in columns))

    @property
    def at_home(self) -> Flags:
        """Rows of the event's country."""
        return np.asarray(self.countries == self.scope.country)

    @property
    def on_its_networks(self) -> Flags:
        """Rows of the event's networks, in its country, made while it was on anywhere."""
        return self.at_home & self.then & np.isin(self.asns, [*self.scope.stretches])

    @property
    def decided(self) -> Flags:
        """Rows that fail or work."""
        return np.asarray(self.fails | self.works)
