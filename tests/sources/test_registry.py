"""What every source declares, and what happens to a declaration that lacks something."""

from copy import copy
from typing import Any

import pytest

from fanous.model.place import Family
from fanous.model.registry import registered
from fanous.sources.connector import Source, Transport
from fanous.sources.measurements import FAMILY_OF, MEASUREMENT_SOURCES
from fanous.sources.ooni.source import Ooni
from fanous.sources.publishers import LIVE_SOURCES, PUBLISHERS, SERIES_FILES, SOURCES, has_series
from fanous.sources.signals.table import CsvTable
from fanous.sources.signals.tor import Tor
from tests.each import each


@each(
    ("kind", "lacks", "missing"),
    [
        (Ooni, {"family": None}, "family"),
        (Ooni, {"every": 0}, "every"),
        (Tor, {"every": 0}, "every"),
        (Tor, {"address": ""}, "address"),
        (CsvTable, {"pulled": Transport.STREAM}, "every"),
        (CsvTable, {"title": ""}, "title"),
        (CsvTable, {"licence": ""}, "licence"),
        (CsvTable, {"help": ""}, "help"),
    ],
)
def test_a_source_that_lacks_something_fails_as_it_is_made(
    kind: type[Source], lacks: dict[str, Any], missing: str
) -> None:
    with pytest.raises(TypeError, match=rf"'harbour' does not declare `{missing}`"):
        type("Harbour", (kind,), {"name": "harbour"} | lacks)()


def test_a_source_without_a_method_that_reads_it_is_none() -> None:
    with pytest.raises(TypeError, match="abstract"):
        type("Harbour", (Tor,), {"parse": Tor.__mro__[1].parse})()  # type: ignore[attr-defined]


def test_what_no_one_says_of_a_source_is_the_least() -> None:
    assert not CsvTable().is_open and CsvTable().pulled is None and CsvTable().credit == ""


def test_help_is_one_line() -> None:
    assert [name for name, source in SOURCES.items() if "\n" in source.help] == []


def test_no_name_means_two_sources() -> None:
    harbour = copy(SOURCES["tor"])
    with pytest.raises(ValueError, match="two are called 'tor'"):
        registered(harbour, SOURCES["tor"])


def test_what_follows_from_the_declarations() -> None:
    assert {
        "edge": Family.EDGE,
        "ooni": Family.OONI,
        "ooni-csv": Family.OONI,
        "globalping": Family.REMOTE,
        "atlas-measurements": Family.REMOTE,
    } == FAMILY_OF
    assert LIVE_SOURCES.keys() <= SERIES_FILES.keys() <= PUBLISHERS.keys()
    assert PUBLISHERS.keys() - SERIES_FILES.keys() == {"ris"}
    assert SOURCES.keys() - PUBLISHERS.keys() - MEASUREMENT_SOURCES.keys() == {"scan"}


def test_a_series_is_of_a_source_that_gives_some() -> None:
    assert {name for name in SOURCES if not has_series(name)} == {
        "ooni",
        "ooni-csv",
        "globalping",
        "atlas-measurements",
    }
    assert not has_series("harbour")
