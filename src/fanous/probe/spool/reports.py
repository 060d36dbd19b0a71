"""Reports: which report each run of a probe is sent under, kept over restarts.

All measurements of one run of a nettest belong to one report, which counts as one witness; a probe that
opened a second one after a restart would testify twice.
"""

from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

FILE = "reports.json"
KEPT = 500
"""Runs; one a quarter of an hour for five days."""


class Template(Struct, frozen=True):
    """What opens a report, and what all its measurements share (ooni/probe-cli,
    internal/probeservices/collector.go, ``NewReportTemplate``)."""

    test_name: str
    test_start_time: str
    test_version: str
    software_name: str
    software_version: str
    probe_cc: str = "ZZ"
    probe_asn: str = "AS0"
    data_format_version: str = "0.2.0"

    @property
    def key(self) -> str:
        return sha256(msgspec.json.encode(self)).hexdigest()[:16]


_template = msgspec.json.Decoder(Template)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ids = msgspec.json.Decoder(dict[str, str])


def template_of(document: bytes) -> Template:
    """Raises ``ValueError`` where it is no measurement."""
    try:
        return _template.decode(document)
    except msgspec.MsgspecError as error:
        raise ValueError(f"not a measurement: {error}") from None


def request_to_open(template: Template) -> bytes:
    """Body of ``POST /report``."""
    return msgspec.json.encode(msgspec.to_builtins(template) | {"format": "json"})


def request_to_submit(document: bytes, report_id: str) -> bytes:
    """Body of ``POST /report/{id}``: the measurement as it is, under this report."""
    content = _fields.decode(document) | {"report_id": msgspec.Raw(msgspec.json.encode(report_id))}
    return msgspec.json.encode({"format": "json", "content": content})


class Reports:
    """Report ids by template, the latest ``KEPT``."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._ids = self._read()

    def of(self, template: Template) -> str | None:
        return self._ids.get(template.key)

    def ids(self) -> list[str]:
        """All that are kept, oldest first."""
        return list(self._ids.values())

    def remember(self, template: Template, report_id: str) -> None:
        self._ids[template.key] = report_id
        for key in list(self._ids)[: max(0, len(self._ids) - KEPT)]:
            del self._ids[key]
        self._write()

    def forget(self, template: Template) -> None:
        """The collector does not take it."""
        if self._ids.pop(template.key, None):
            self._write()

    def _write(self) -> None:
        temporary = self._path.with_suffix(".tmp")
        temporary.write_bytes(msgspec.json.encode(self._ids))
        temporary.rename(self._path)

    def _read(self) -> dict[str, str]:
        try:
            return _ids.decode(self._path.read_bytes())
        except (OSError, msgspec.MsgspecError):
            return {}  # none yet, or lost in a power cut: new ones are opened
