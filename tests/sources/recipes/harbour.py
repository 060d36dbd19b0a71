"""Harbour: measurements of a made-up observatory that writes OONI's format."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fanous.model.measurement import Record
from fanous.model.place import Family
from fanous.sources.connector import OnProgress, OnReject, Source
from fanous.sources.ooni.keep import take
from fanous.sources.ooni.parse import parse
from fanous.sources.ooni.read import read
from fanous.sources.ooni.redact import redact

SOURCE = "harbour"


class Harbour:
    """See ``MeasurementSource``."""

    parse = staticmethod(parse)
    take = staticmethod(take)

    def read(
        self, path: Path, on_reject: OnReject, on_progress: OnProgress | None = None
    ) -> Iterator[Record]:
        return (replace(record, source=SOURCE) for record in read(path, on_reject, on_progress))


HARBOUR = Source(
    name=SOURCE,
    title="Harbour Observatory",
    help="measurements of the Harbour Observatory",
    licence="CC BY 4.0",
    is_open=True,
    credit="Harbour Observatory",
    remark="measurements of the harbour's vantage points",
    measurements=Harbour(),
    family=Family.EDGE,
    redact=redact,
)
