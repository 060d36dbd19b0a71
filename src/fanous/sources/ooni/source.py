"""Source: ``ooni`` and ``edge`` (our own probes, which write the same format)."""

from collections.abc import Iterator
from pathlib import Path

from fanous.model.instant import MINUTE
from fanous.model.measurement import Record
from fanous.model.place import Family
from fanous.sources.connector import (
    ALL,
    OWN_DATA,
    UNWATCHED,
    MeasurementSource,
    OnProgress,
    OnReject,
    Transport,
    Working,
)
from fanous.sources.ooni.keep import take
from fanous.sources.ooni.parse import OWN, parse
from fanous.sources.ooni.read import read
from fanous.sources.ooni.redact import redact


class OoniFormat(MeasurementSource):
    """Measurements in OONI's format, regardless of who made them."""

    is_divisible = True
    parse = staticmethod(parse)
    take = staticmethod(take)
    redact = staticmethod(redact)

    def read(
        self,
        path: Path,
        on_reject: OnReject,
        on_progress: OnProgress | None = None,
        *,
        share: range = ALL,
        working: Working = UNWATCHED,
    ) -> Iterator[Record]:
        return read(path, on_reject, on_progress, source=self.name, share=share, working=working)


LICENCE = "CC BY-NC-SA 4.0"
"""https://ooni.org/about/data-policy"""
CREDIT = "OONI, Open Observatory of Network Interference, https://ooni.org"
PAGE = "https://ooni.org"


class Ooni(OoniFormat):
    name = "ooni"
    title = "OONI"
    help = "measurements of any nettest, as .jsonl, .jsonl.gz or a .tar.gz of POST bodies"
    page = PAGE
    licence = LICENCE
    credit = CREDIT
    remark = "measurements of OONI's network"
    family = Family.OONI
    pulled = Transport.BUCKET
    every = 15 * MINUTE


class Edge(OoniFormat):
    """Our own probes are a separate family: the operator of vantage points determines what can fail together."""

    name = OWN
    title = "downloads of our own probes"
    help = "measurements of your own probes, in OONI's format"
    licence = OWN_DATA
    is_open = True
    credit = "Fanous"
    remark = "measurements of our own probes"
    family = Family.EDGE
    has_series = True
