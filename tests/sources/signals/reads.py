"""Reading a file of ready-made series in a test: its series, what was rejected, what was repeated."""

from dataclasses import dataclass, field
from pathlib import Path

from fanous.sources.connector import About, PublishedClaim, Reading, TableColumns
from fanous.sources.publishers import SERIES_FILES


@dataclass(slots=True)
class Read:
    """What became of a file.

    Attributes:
        rejects: (line, reason).
        repeats: lines.
        sayings: what the source says of outages.
    """

    readings: list[Reading] = field(default_factory=list)
    rejects: list[tuple[int, str]] = field(default_factory=list)
    repeats: list[int] = field(default_factory=list)
    sayings: list[PublishedClaim] = field(default_factory=list)

    @property
    def shown(self) -> dict[tuple[str, str, str], list[float]]:
        """(place, signal, subtype) -> values."""
        keys = [reading.levels.key for reading in self.readings]
        return {
            (str(key.place), key.signal, key.subtype): reading.levels.values.tolist()
            for key, reading in zip(keys, self.readings, strict=True)
        }

    @property
    def lines(self) -> set[int]:
        return {line for reading in self.readings for line in reading.lines.tolist()}


def read(
    source: str,
    path: Path,
    data: bytes | None = None,
    country: str = "PK",
    columns: TableColumns | None = None,
) -> Read:
    """The file, after writing ``data`` to it where that is given."""
    if data is not None:
        path.write_bytes(data)
    found = Read()
    readings = SERIES_FILES[source].read(
        path,
        About(country, columns),
        lambda line, why: found.rejects.append((line, why)),
        found.repeats.append,
    )
    for one in readings:
        if isinstance(one, PublishedClaim):
            found.sayings.append(one)
        else:
            found.readings.append(one)
    return found
