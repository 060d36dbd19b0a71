"""Votes: what each measurement says of one target and signal - it saw it, or it saw the contrary."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fanous.model.series import Floats, Ints

Names = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """One row for each (measurement, target, signal) that says yes or no; all arrays have shape (n,).

    Attributes:
        uids: str, of the measurement.
        times: float64, unix seconds, ascending.
        asns: int64.
        resolver_asns: int64, 0 but for signals of the DNS layer.
        targets: str.
        signals: str, a name in ``fanous.analysis.series.signals``.
        probes: str, what counts as one independent probe.
        seen: bool, the measurement saw it (blocked, throttled, or a symptom of it).
        controlled: bool, a normal control travelled with the measurement.
        mechanisms: str, of the most severe verdict behind a yes; empty = unknown.
        kbps: float64, NaN = not measured.
        access: str, ``any``, ``mobile`` or ``fixed``.
        sources: str, the source it came through.
    """

    uids: Names
    times: Floats
    asns: Ints
    resolver_asns: Ints
    targets: Names
    signals: Names
    probes: Names
    seen: NDArray[np.bool_]
    controlled: NDArray[np.bool_]
    mechanisms: Names
    kbps: Floats
    access: Names
    sources: Names

    def __len__(self) -> int:
        return len(self.times)

    def by_target(self) -> dict[str, Ints]:
        """Target -> its rows, ascending: so that many questions about few targets stay cheap."""
        rows: dict[str, list[int]] = {}
        for row, target in enumerate(self.targets.tolist()):
            rows.setdefault(target, []).append(row)
        return {target: np.array(own, np.int64) for target, own in rows.items()}

    def of(self, targets: Iterable[str], rows: Mapping[str, Ints]) -> "Votes":
        """The rows of some targets, by time; ``rows`` as ``by_target`` gives them."""
        own = [rows[target] for target in targets if target in rows]
        return self.where(np.sort(np.concatenate(own)) if own else np.array([], np.int64))

    def where(self, rows: NDArray[np.bool_] | Ints) -> "Votes":
        """The rows for which ``rows`` (bool, shape (n,)) is true, or the rows of these indices."""
        return Votes(*(getattr(self, name)[rows] for name in self.__slots__))
