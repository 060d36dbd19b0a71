"""Columns: which columns of a table mean what, and how its lines come to the values of bins."""

from dataclasses import dataclass
from enum import StrEnum


class Gather(StrEnum):
    """How the lines of one place and bin become one value."""

    MEDIAN = "median"
    MEAN = "mean"
    SUM = "sum"
    COUNT = "count"
    DISTINCT = "distinct"


@dataclass(frozen=True, slots=True)
class TableColumns:
    """What the user says of a table of any shape.

    Attributes:
        time: column of the time: ISO 8601, ``11-Nov-2019 00:00:00``, or unix seconds.
        value: column of the value.
        signal: a name in ``fanous.analysis.series.signals``.
        place: column of the region's name or code, or of the network (``AS17557``); empty = every line is
            about the country.
        zone: of times that name none: an IANA zone or an offset (``+06:30``).  Unix seconds are taken for
            local too, where this is not UTC.
        step: bin width in seconds; 0 = the signal's own.
        gather: how lines of one bin become one value.
        empty_is_zero: a bin without lines, between the first and the last of the file, is a 0: for tables
            that list every answer, so that no line is no answer.  Only for counts.
    """

    time: str
    value: str
    signal: str
    place: str = ""
    zone: str = "UTC"
    step: int = 0
    gather: Gather = Gather.MEDIAN
    empty_is_zero: bool = False
