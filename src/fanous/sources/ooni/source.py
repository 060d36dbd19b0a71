"""Source: what ``ooni`` and ``edge`` (our own probes, which write the same format) declare."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fanous.model.instant import MINUTE
from fanous.model.measurement import Record
from fanous.model.place import Family
from fanous.sources.connector import ALL, OWN_DATA, UNWATCHED, OnProgress, OnReject, Source, Working
from fanous.sources.ooni.keep import take
from fanous.sources.ooni.parse import OWN, parse
from fanous.sources.ooni.read import read
from fanous.sources.ooni.redact import redact


class Ooni:
    """The source ``ooni``; see ``MeasurementSource`` and ``Divisible``."""

    read = staticmethod(read)
    read_share = staticmethod(read)
    parse = staticmethod(parse)
    take = staticmethod(take)


class Edge:
    """The source ``edge``: measurements of our own probes, which write the same format.

    They are a separate family: the operator of vantage points determines what can fail together.
    """

    parse = staticmethod(parse)
    take = staticmethod(take)

    def read_share(
        self,
        path: Path,
        on_reject: OnReject,
        on_progress: OnProgress | None = None,
        *,
        share: range = ALL,
        working: Working = UNWATCHED,
    ) -> Iterator[Record]:
        """As ``Ooni`` reads them, under this source's name."""
        records = read(path, on_reject, on_progress, own=True, share=share, working=working)
        return (replace(record, source=OWN) for record in records)

    read = read_share


LICENCE = "CC BY-NC-SA 4.0"
"""https://ooni.org/about/data-policy"""
CREDIT = "OONI, Open Observatory of Network Interference, https://ooni.org"
PAGE = "https://ooni.org"

OONI = Source(
    name="ooni",
    title="OONI",
    help="measurements of any nettest, as .jsonl, .jsonl.gz or a .tar.gz of POST bodies",
    page=PAGE,
    licence=LICENCE,
    is_open=False,
    credit=CREDIT,
    remark="measurements of OONI's network",
    measurements=Ooni(),
    family=Family.OONI,
    redact=redact,
    has_bucket=True,
    every=15 * MINUTE,
)

EDGE = Source(
    name=OWN,
    title="downloads of our own probes",
    help="measurements of your own probes, in OONI's format",
    licence=OWN_DATA,
    is_open=True,
    credit="Fanous",
    remark="measurements of our own probes",
    measurements=Edge(),
    family=Family.EDGE,
    redact=redact,
    is_own=True,
)
