"""What every source declares, and what happens to a declaration that lacks something."""

from typing import Any

import pytest

from fanous.model.place import Family
from fanous.model.registry import registered
from fanous.sources.connector import Source
from fanous.sources.measurements import FAMILY_OF, MEASUREMENT_SOURCES, MEASUREMENTS
from fanous.sources.ooni.redact import redact
from fanous.sources.ooni.source import Ooni
from fanous.sources.publishers import LIVE_SOURCES, PUBLISHERS, SERIES_FILES, SOURCES, has_series
from fanous.sources.signals.table import CsvTable
from fanous.sources.signals.tor import Tor
from tests.each import each

TERMS: dict[str, Any] = {
    "name": "harbour",
    "title": "Harbour",
    "help": "records of the harbour's probes",
    "licence": "CC0",
    "is_open": True,
    "credit": "",
}
MEASURED: dict[str, Any] = {"measurements": Ooni(), "family": Family.OONI, "redact": redact}
LIVE: dict[str, Any] = {
    "live": Tor(),
    "address": "https://harbour.example",
    "every": 600,
    "window": 3600,
}


def source(**declared: Any) -> Source:
    return Source(**TERMS | declared)


@each(
    ("declared", "missing"),
    [
        ({}, "something to read"),
        (MEASURED | {"family": None}, "family"),
        (MEASURED | {"redact": None}, "redactor"),
        (LIVE | {"every": 0}, "every"),
        (LIVE | {"window": 0}, "window"),
        (LIVE | {"address": ""}, "address"),
        ({"is_stream": True}, "every"),
        (MEASURED | {"licence": ""}, "licence"),
        (MEASURED | {"help": ""}, "help"),
        (MEASURED | {"help": "two\nlines"}, "help"),
    ],
)
def test_a_declaration_that_lacks_something_fails_as_it_is_made(
    declared: dict[str, Any], missing: str
) -> None:
    with pytest.raises(TypeError, match=rf"'harbour' does not declare .*{missing}"):
        source(**declared)


@each("field", sorted(TERMS))
def test_no_term_has_a_default(field: str) -> None:
    with pytest.raises(TypeError, match=field):
        Source(**{name: value for name, value in (TERMS | MEASURED).items() if name != field})


@pytest.mark.parametrize("declared", [MEASURED, LIVE, {"files": CsvTable()}, {"is_own": True}])
def test_a_declaration_with_all_it_needs_is_made(declared: dict[str, Any]) -> None:
    assert registered(source(**declared)) == {"harbour": source(**declared)}


def test_no_name_means_two_sources() -> None:
    with pytest.raises(ValueError, match="two are called 'harbour'"):
        registered(source(**MEASURED), source(**LIVE))


def test_what_follows_from_the_declarations() -> None:
    assert list(MEASUREMENT_SOURCES) == list(FAMILY_OF) == list(MEASUREMENTS)
    assert {
        "edge": Family.EDGE,
        "ooni": Family.OONI,
        "ooni-csv": Family.OONI,
        "globalping": Family.REMOTE,
        "atlas-measurements": Family.REMOTE,
    } == FAMILY_OF
    assert LIVE_SOURCES.keys() <= SERIES_FILES.keys() <= PUBLISHERS.keys()
    assert PUBLISHERS.keys() - SERIES_FILES.keys() == {"ris"}
    assert SOURCES.keys() - PUBLISHERS.keys() - MEASUREMENTS.keys() == {"scan"}


def test_a_series_is_of_a_source_that_gives_some() -> None:
    assert {name for name in SOURCES if not has_series(name)} == {
        "ooni",
        "ooni-csv",
        "globalping",
        "atlas-measurements",
    }
    assert not has_series("harbour")
