"""Parse: the rows of one measurement -> its header and its observations.  Pure."""

from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct

from fanous.errors import Rejected
from fanous.model.measurement import ParsedMeasurement
from fanous.model.observation import Observation
from fanous.model.record import Record
from fanous.refdata.platforms import target_of
from fanous.sources.ooni import messenger, tor, web
from fanous.sources.ooni.document import Annotations, Header
from fanous.sources.ooni.header import measurement_of
from fanous.sources.ooni.place import host_and_port, host_of
from fanous.sources.ooni.steps import Role
from fanous.sources.ooni_csv.facts import Fields, endpoint_facts, lookups

NO_CONTROL = "control_not_in_file"
"""``control_failure`` of a web_connectivity measurement: the export leaves out what the helper saw."""


class _Content(Struct):
    rows: list[Fields]


_content = msgspec.json.Decoder(_Content)


def parse(record: Record) -> ParsedMeasurement:
    """The measurement with its observations; raises ``Rejected``."""
    try:
        rows = _content.decode(record.data).rows
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f"not a record of rows: {error}") from error
    if not rows:
        raise Rejected("no rows")
    notes: list[str] = []
    document = _document(rows)
    target, role = _subject(document.test_name or "", rows)
    # By what they say: two facts that both lack a time are not equal, since NaN is not.
    facts = {repr(fact): fact for fact in _observations(rows, target, role)} if role else {}
    observations = tuple(facts.values())
    header = measurement_of(document, _no_uid, target, "", notes)
    control = NO_CONTROL if document.test_name == "web_connectivity" else None
    return ParsedMeasurement(header, observations, control, tuple(notes))


def _observations(rows: list[Fields], target: str, role: Role) -> Iterator[Observation]:
    yield from lookups(rows, target, role)
    for row in rows:
        yield from endpoint_facts(row, target, role)


def _subject(test_name: str, rows: list[Fields]) -> tuple[str, Role | None]:
    """What the measurement is about and the roles of its hosts; no roles = a nettest without observations."""
    if test_name in messenger.PLATFORMS:
        return messenger.PLATFORMS[test_name], messenger.role
    if test_name == "tor":
        return tor.TARGET, tor.role
    if test_name == "web_connectivity":
        target = target_of(_measured_host(rows))
        return target, web.role_for(target)
    return "", None


def _measured_host(rows: list[Fields]) -> str:
    """Host of the input; where the export lacks it, that of the first URL or name."""
    for column, host in (
        ("input", lambda value: host_and_port(value)[0]),
        ("http_request_url", lambda value: host_and_port(value)[0]),
        ("hostname", host_of),
        ("fqdn", host_of),
    ):
        found = _first(rows, column, host)
        if found:
            return found
    return ""


def _first(rows: list[Fields], column: str, host: Callable[[str], str]) -> str:
    return next((found for row in rows if (found := host(row.get(column, "")))), "")


def _document(rows: list[Fields]) -> Header:
    """The header's columns, each from the first row that has it."""

    def field(name: str) -> str | None:
        return next((row[name] for row in rows if name in row), None)

    return Header(
        test_name=field("test_name"),
        test_version=field("test_version"),
        measurement_uid=field("measurement_uid"),
        report_id=field("report_id"),
        measurement_start_time=field("measurement_start_time"),
        probe_cc=field("probe_cc"),
        probe_asn=_whole(field("probe_asn")),
        probe_network_name=field("probe_as_org_name"),
        resolver_asn=_whole(field("resolver_asn")),
        software_name=field("software_name"),
        software_version=field("software_version"),
        input=field("input"),
        annotations=Annotations(field("network_type")),
    )


def _whole(text: str | None) -> str | None:
    """``12556.0`` -> ``12556``: data frames write whole numbers so."""
    return text.removesuffix(".0") if text else text


def _no_uid() -> str:
    raise Rejected("no measurement_uid")
