"""Connector: what a source of data is.

A source is one class: its attributes say who publishes it and under which licence, and one method reads it.  Three
kinds differ in that method: ``MeasurementSource.read`` gives records, ``SeriesFiles.read`` series, and
``LiveSource.parse`` (``sources.signals.live``) the series and claims of one answer.  A class that leaves something out
fails at import.  This module needs no numpy, so that a light probe can load it.
"""

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from fanous.model.claim import Claim
from fanous.model.measurement import ParsedMeasurement, Record
from fanous.model.place import Family

if TYPE_CHECKING:
    from fanous.analysis.rules.fingerprints import Fingerprint
    from fanous.model.series import Ints, SourceSeries

OnReject = Callable[[int, str], None]
"""Called with the 1-based number of a line, row or member that cannot be used, and the reason in words; with
``WHOLE_FILE`` for a remark about the file that rejects no line."""

WHOLE_FILE = 0

OnProgress = Callable[[int], None]
"""Called now and then with the bytes of the (compressed) file consumed so far."""

OnRepeat = Callable[[int], None]
"""Called with the 1-based number of a line that repeats an earlier one exactly."""

Get = Callable[[str], bytes]
"""Fetches one URL; raises ``FanousError``."""

ALL = range(1, sys.maxsize)
"""The 1-based numbers of a file's lines, or members; ``ALL[n::of]`` is what the ``n``-th of several processes reads."""


class Working(Protocol):
    """Notes which record is being worked on (``sources.stream``)."""

    def begin(self, line: int, data: bytes) -> None:
        """Work on a line or member begins; ends that on another.

        Raises:
            Rejected: it must not be worked on; the message is the reason.
        """
        ...

    def end(self) -> None:
        """No record is being worked on."""
        ...


class Unwatched:
    """For readers whose process may end: nothing is noted."""

    def begin(self, line: int, data: bytes) -> None:
        pass

    def end(self) -> None:
        pass


UNWATCHED = Unwatched()


class Transport(StrEnum):
    """How ``fanous pull`` and ``fanous run`` reach a source on the internet."""

    ANSWERS = "answers"
    """Pieces of time, each an answer to a request (``sources.signals.live``)."""
    STREAM = "stream"
    """Followed for as long as the command runs."""
    BUCKET = "bucket"
    """Measurements in the publisher's own bucket (``pipeline.pull_ooni``)."""
    ORDERS = "orders"
    """Measurements ordered from other people's vantage points (``pipeline.remote``)."""


class Source(ABC):
    """One source.

    Attributes:
        name: permanent: it is stored with every record and series, and names the source on the command line, in
            bundles and in the configuration's ``[sources.NAME]``.
        title: who or what it is, for people.
        help: what ``fanous ingest`` reads or ``fanous pull`` fetches, as one line of their help.
        licence: its licence, as its publisher states it.
        is_open: may its values enter the open-data export?  Never, if the licence is not free or not stated.
        credit: how it must be credited wherever its values are shown.
        page: where a reader finds it; empty = the user's own files.
        remark: what an evidence bundle says its values are; empty = "series of TITLE".
        pulled: how it is reached; ``None`` = it is not, and only files of it are read.
        every: seconds between two pulls of the newest values.
        address: where it is asked; whatever an answer says, no other host is asked.  Empty = it is not over HTTP.
        token: environment variable that holds the key; empty = none is needed.
        consent: consequences for other people, which the operator must accept (``consent = true``); empty =
            nothing beyond its terms.
        has_series: can a series in the store come from it?
        takes_columns: must the user name the columns of its files (``About.columns``)?

    Raises:
        TypeError: it lacks something.
    """

    name: str
    title: str
    help: str
    licence: str
    is_open = False
    credit = ""
    page = ""
    remark = ""
    pulled: Transport | None = None
    every = 0
    address = ""
    token = ""
    consent = ""
    has_series = True
    takes_columns = False
    needs: ClassVar[tuple[str, ...]] = ("title", "help", "licence")

    def __init__(self) -> None:
        for attribute in (*self.needs, "every") if self.pulled else self.needs:
            if not getattr(self, attribute, None):
                raise TypeError(f"the source {self.name!r} does not declare `{attribute}`")


class MeasurementSource(Source):
    """Reads raw measurements.  ``read`` is the I/O half, ``parse`` the pure half, run again when rules change.

    Attributes:
        family: counts once in a confirmation.
        is_divisible: can each line or member of a file be read without the others?
    """

    family: Family
    is_divisible = False
    has_series = False
    needs = (*Source.needs, "family")

    @abstractmethod
    def read(
        self,
        path: Path,
        on_reject: OnReject,
        on_progress: OnProgress | None = None,
        *,
        share: range = ALL,
        working: Working = UNWATCHED,
    ) -> Iterator[Record]:
        """The records of one file, in the order of the file, with flat memory.

        Unusable records are reported to ``on_reject`` and left out; if a file is cut short, what was read
        before is kept.

        Args:
            share: the lines or members that are read and whose rejection is reported, if it is divisible.
            working: notes each before the work on it begins, if it is divisible; the caller says when that ends.

        Raises:
            FanousError: the file is missing, unreadable or not of this source.
        """

    @abstractmethod
    def parse(self, record: Record) -> ParsedMeasurement:
        """The measurement in ``record.data`` with its observations; pure.

        Raises:
            Rejected: it cannot be used; the message is the reason.
        """

    @abstractmethod
    def take(self, record: Record) -> tuple[Record, ParsedMeasurement]:
        """The record as it is stored, reduced to what rules may read, and what ``parse`` makes of
        the whole record; pure.  One that says it was staged is synthetic (``sources.marks``).

        ``parse`` makes the same of the stored record, except for words that name a reader or a visit.

        Raises:
            Rejected: it cannot be used; the message is the reason.
        """

    @abstractmethod
    def redact(self, data: bytes, parsed: ParsedMeasurement, found: "Iterable[Fingerprint]" = ()) -> bytes:
        """What may leave the store of a record.

        Args:
            parsed: what ``parse`` made of it.
            found: the known pages in it.

        Raises:
            Rejected: it cannot be used.
        """


class Gather(StrEnum):
    """How the rows of one place and bin become one value."""

    MEDIAN = "median"
    MEAN = "mean"
    SUM = "sum"
    COUNT = "count"
    DISTINCT = "distinct"


class Stamp(StrEnum):
    """Which moment of its bin the time of a row marks."""

    KNOWN = "known"
    START = "start"
    END = "end"


OPEN_LICENCES = (
    "CC0 1.0",
    "CC BY 3.0",
    "CC BY 4.0",
    "CC BY-SA 3.0",
    "CC BY-SA 4.0",
    "ODC-BY 1.0",
    "ODbL 1.0",
    "OGL 3.0",
    "PDDL 1.0",
)
"""Licences under which data may be passed on and used for anything (opendefinition.org/licenses, conformant)."""


OWN_DATA = "set by the operator of the monitor"
"""Licence of what a monitor itself measures."""


def open_licence(text: str) -> str:
    """The name of an open licence, however it is spelt (``cc-by-4.0``); empty = it is not one of them."""
    plain = _LETTERS.sub("", text.lower())
    return next((one for one in OPEN_LICENCES if _LETTERS.sub("", one.lower()) == plain), "")


_LETTERS = re.compile("[^a-z0-9]")


@dataclass(frozen=True, slots=True)
class TableColumns:
    """What the user says about a table of any shape.

    Attributes:
        time: column of the time: ISO 8601, ``11-Nov-2019 00:00:00``, or Unix seconds.
        value: column of the value.
        signal: a name in ``fanous.analysis.series.signals``.
        place: column of the region's name or code, or of the network (``AS17557``); empty = every row is
            about the country.
        target: the platform or domain whose traffic it is; empty = the values are about the place itself.
        stamp: what a time marks; ``Stamp.KNOWN`` = what the signal's publisher is known to write.
        zone: time zone of times that state none: an IANA zone or an offset (``+06:30``).  Unless it is UTC, Unix
            seconds are read as local time too.
        step: bin width in seconds; 0 = the distance between the table's own times, or the signal's own step
            if they are irregular.
        gather: how the rows of one bin become one value.
        empty_is_zero: a bin without rows, between the first and the last of the file, is a 0: for tables
            that list every answer, so that no row means no answer.  Only for counts.
        licence: the table's licence, as the user states it; empty = not stated.
    """

    time: str
    value: str
    signal: str
    place: str = ""
    zone: str = "UTC"
    step: int = 0
    gather: Gather = Gather.MEDIAN
    empty_is_zero: bool = False
    target: str = ""
    stamp: Stamp = Stamp.KNOWN
    licence: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What a file of series does not say about itself.

    Attributes:
        country: ISO 3166-1 alpha-2.
        columns: for tables of any shape: which columns mean what.
    """

    country: str
    columns: TableColumns | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One series and the lines of the file that it was read from.

    Lines are what the user counts: each is stored, known already, or rejected with a reason.

    Attributes:
        levels: the series.
        lines: int64, shape (m,), 1-based lines (values, in a file without lines) that went into it; one
            line may be in several readings of a file.
        bins: int64, shape (m,), index in ``levels`` of the bin that each line went into.
    """

    levels: "SourceSeries"
    lines: "Ints"
    bins: "Ints"


@dataclass(frozen=True, slots=True)
class PublishedClaim:
    """A source's own claim about one outage; ``entry`` is its 1-based number in the file."""

    claim: Claim
    entry: int


class SeriesFiles(Source):
    """Reads files that hold series."""

    def begin(self) -> "SeriesFiles":
        """A reader for the files of one command, in order: itself, unless a file needs the one before it."""
        return self

    @abstractmethod
    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading | PublishedClaim]:
        """Every series of the file, each key and step once, and what the source says about outages.

        Raises:
            FanousError: the file is missing, unreadable or of another kind, or ``about`` lacks something.
        """


@dataclass(frozen=True, slots=True)
class Query:
    """A request to a live source.  Times are Unix seconds, UTC; half-open.

    Attributes:
        country: ISO 3166-1 alpha-2.
        networks: ASNs whose series are wanted too.
        regions: are the series of the regions wanted too?
    """

    country: str
    since: int
    until: int
    networks: tuple[int, ...] = ()
    regions: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """One document of a live source: a window of time of some places.

    The caller fetches it, passes the bytes to ``LiveSource.parse``, stores the result and remembers the
    piece, so a backfill resumes where it stopped.

    Attributes:
        name: what it is about, in the source's words, without the window.
        since: Unix seconds; the window that it describes ends at ``until``.
        also: further addresses whose answers the first needs to be meaningful; the document then is a JSON array of
            the window (``[since, until]``) and all answers, in order.
    """

    name: str
    url: str
    since: int
    until: int
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """The content of a document.

    Attributes:
        series: each key and step once.
        rejects: (1-based number of the value, series, line or entry; reason).
        claims: what the source itself says about outages; never evidence.
        is_sound: nothing is in it although the answer is as expected; the rejects say why.
    """

    series: "tuple[SourceSeries, ...]"
    rejects: tuple[tuple[int, str], ...] = ()
    claims: tuple[Claim, ...] = ()
    is_sound: bool = False

    @property
    def is_unread(self) -> bool:
        """Did the answer contain data of which nothing could be read?  Then the publisher has changed something."""
        return bool(self.rejects) and not (self.series or self.claims or self.is_sound)
