"""Addresses, ports, URLs and numbers in every form."""

from math import inf, isnan, nan
from typing import Any

import pytest

from fanous.model.measurement import Record
from fanous.sources.ooni.keep import take
from fanous.sources.ooni.parse import parse
from fanous.sources.ooni.values import (
    address_of,
    asn_of,
    count_of,
    duration,
    endpoint_of,
    host_and_port,
    host_of,
    port_of,
    seconds_of,
)
from tests.each import each
from tests.sources.records import document, encoded


@each(
    ("text", "endpoint"),
    [
        ("203.0.113.1:443", ("203.0.113.1", 443)),
        ("[2001:db8::1]:80", ("2001:db8::1", 80)),
        ("[scrubbed]:443", ("", 443)),
        ("203.0.113.1:", ("203.0.113.1", 0)),
        ("203.0.113.1:99999", ("203.0.113.1", 0)),
        ("example.org:443", ("", 443)),
        ("", ("", 0)),
        (None, ("", 0)),
        ("9" * 1_000_000, ("", 0)),
        ("203.0.113.1:²", ("203.0.113.1", 0)),
    ],
)
def test_an_endpoint_is_an_address_and_a_port(text: str | None, endpoint: tuple[str, int]) -> None:
    assert endpoint_of(text) == endpoint


@each(
    ("url", "place"),
    [
        ("https://www.Example.org/a", ("www.example.org", 443)),
        ("http://example.org:8080", ("example.org", 8080)),
        ("http://203.0.113.1:443/", ("203.0.113.1", 443)),
        ("http://[2001:db8::1]/", ("2001:db8::1", 80)),
        ("https://ουτοπία.δπθ.gr/", ("xn--kxae4bafwg.xn--pxaix.gr", 443)),
        ("http://[broken", ("", 0)),
        ("http://a:99999/", ("", 0)),
        ("vpn://a.b/?c", ("a.b", 0)),
        ("not a url", ("", 0)),
        ("", ("", 0)),
        (None, ("", 0)),
    ],
)
def test_a_url_has_a_host_and_a_port(url: str | None, place: tuple[str, int]) -> None:
    assert host_and_port(url) == place


@each(
    ("value", "asn"),
    [
        ("AS17557", 17557), ("as17557", 17557), ("17557", 17557), (17557, 17557), (17557.0, 17557),
        ("AS0", 0), ("", 0), (None, 0), ("AS", 0), (-1, 0), (10**30, 0), (nan, 0), ([1], 0), ("AS٣", 0),
    ],
)  # fmt: skip
def test_an_asn_is_a_number_and_unknown_is_0(value: Any, asn: int) -> None:
    assert asn_of(value) == asn


@each(
    ("code", "number"),
    [
        ("PK", "AS17557"),
        (" pk ", " As17557 "),
        ("pk\n", "0000017557"),
        ("ß", "AS1"),
        ("ﬁ", "AS1"),
        ("P", "1e3"),
    ],
)
def test_where_a_stored_record_is_from_is_read_as_of_the_whole_one(code: str, number: str) -> None:
    stored, whole = take(Record("ooni", encoded(document(probe_cc=code, probe_asn=number))))
    again, place = parse(stored).measurement, whole.measurement
    assert (again.country, again.asn, again.defect) == (place.country, place.asn, place.defect)
    assert place.country == ("PK" if "k" in code.lower() else "ZZ")


@each(("value", "port"), [(443, 443), (443.0, 443), (0, 0), (-1, 0), (10**30, 0), (None, 0), (nan, 0)])
def test_a_port_that_cannot_be_is_unknown(value: float | None, port: int) -> None:
    assert port_of(value) == port


@each(("value", "count"), [(5, 5), (5.0, 5), (0, 0), (-1, -1), (10**30, -1), (None, -1), (nan, -1)])
def test_a_count_that_cannot_be_is_unknown(value: float | None, count: int) -> None:
    assert count_of(value) == count


@each("value", [None, nan, inf, -inf, 10**400, 1e300])
def test_seconds_that_cannot_be_are_unknown(value: float | None) -> None:
    assert isnan(seconds_of(value))


@pytest.mark.parametrize(
    ("start", "end", "lasted"), [(1, 3.5, 2.5), (0, 0, 0.0), (3, 1, nan), (None, 1, nan), (1, None, nan)]
)
def test_a_clock_that_went_backwards_measured_nothing(
    start: float | None, end: float | None, lasted: float
) -> None:
    assert duration(start, end) == pytest.approx(lasted, nan_ok=True)


def test_an_invalid_address_is_empty() -> None:
    assert address_of("203.0.113.1") == "203.0.113.1"
    assert address_of("[2001:db8::1]") == "2001:db8::1"
    assert [address_of(text) for text in ("[scrubbed]", "x.org", "192.0.2", None, "")] == [""] * 5
    assert host_of("x" * 100_000) == ""
