"""Hostile and broken input: a short run of ``fuzz_ooni``, and what it would not find by chance."""

import gzip
import json
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanous.errors import Rejected
from fanous.model.measurement import Record
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.keep import take
from fanous.sources.ooni.parse import parse as parse_record
from fanous.sources.ooni.read import _record
from tests.each import each
from tests.sources.fuzz_ooni import DOCUMENTS, damaged_bytes, damaged_documents, parse, paths, read, replaced
from tests.sources.ooni_csv.rows import csv_of, row
from tests.sources.records import UID, document, encoded, parsed, transaction, web_keys

HUNDRED_MB = 100_000_000
quick = settings(max_examples=150, deadline=None)

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    10**400,
    1.5,
    "",
    "text",
    [],
    {},
    [[]],
    [None],
    {"a": None},
    [{"data": 1}],
]


@pytest.mark.parametrize("share", [5, pytest.param(1, marks=pytest.mark.matrix)], ids=["some", "all"])
@pytest.mark.parametrize("content", DOCUMENTS, ids=lambda content: content["test_name"])
def test_every_value_of_a_record_may_be_anything(content: dict[str, Any], share: int) -> None:
    for number, path in enumerate(paths(content)):
        for value in ODD[number % share :: share]:
            parse(encoded(replaced(content, path, value)))


@quick
@given(damaged_documents())
def test_a_damaged_document_is_taken_or_rejected(data: bytes) -> None:
    parse(data)


@quick
@given(damaged_bytes())
def test_damaged_bytes_are_taken_or_rejected(data: bytes) -> None:
    parse(data)
    read(data)


@quick
@given(st.binary(max_size=2000))
def test_any_bytes_are_a_file(content: bytes) -> None:
    for source in MEASUREMENT_SOURCES:
        read(content, source)
        read(gzip.compress(content)[: len(content)], source)


@quick
@given(st.lists(st.text(max_size=30), max_size=30), st.integers(0, 40))
def test_any_fields_are_a_csv(fields: list[str], at: int) -> None:
    read(csv_of(row()) + ",".join(fields).encode() + b"\n", "ooni-csv")
    names = list(row())
    read(csv_of(row(**{names[at % len(names)]: "".join(fields)})), "ooni-csv")


OPENINGS = (b"[", b'{"a":', b'[{"a":')
NESTED = ("test_keys", "annotations", "input", "nobody_reads_this")


def nestings() -> Iterator[Any]:
    """A million deep, which takes a second, each opening and each key once in the core."""
    for depth, (k, key), (o, opening) in product(
        (500, 5_000, 1_000_000), enumerate(NESTED), enumerate(OPENINGS)
    ):
        is_core = depth < 1_000_000 or o == k % len(OPENINGS)
        yield pytest.param(key, depth, opening, marks=() if is_core else pytest.mark.matrix)


NAMED = ("hostname", "server_name", "ip", "address", "target_address")
ODD_NAMES = (
    "[::1]:443",
    "1.2.3.4:443",
    "a.example:443",
    "http://[::1]:443/",
    "x@[::1]",
    "a b.example",
    "[a]:443",
    "::",
)


@each("name", ODD_NAMES)
def test_a_stored_record_says_the_same_of_an_odd_name_as_the_record_that_came(name: str) -> None:
    places = [(one, path) for one in DOCUMENTS for path in paths(one) if path[-1] in NAMED]
    assert len(places) > 20
    for content, path in places:
        record = _record(Path("x"), 1, encoded(replaced(content, path, name)), "ooni")
        try:
            stored, taken = take(record)
        except Rejected:
            continue
        again = parse_record(replace(stored, decoded=None))
        assert repr(again.without_pages()) == repr(taken.without_pages()), path


@pytest.mark.parametrize(("key", "depth", "opening"), list(nestings()))
def test_nesting_of_any_depth_ends(key: str, depth: int, opening: bytes) -> None:
    head = encoded({k: v for k, v in document().items() if k != key})[:-1]
    closing = opening.replace(b"[", b"]").replace(b"{", b"}").replace(b'"a":', b"")[::-1]
    parse(head + b',"' + key.encode() + b'":' + opening * depth + b"1" + closing * depth + b"}")


@each("number", [b"9" * 100_000, b"1e999999", b"-" + b"9" * 5000, b"0." + b"1" * 100_000])
@each("field", [b'"t":0.9', b'"code":200', b'"asn":64500', b'"port":443'])
def test_numbers_of_any_size_are_read_or_noted(number: bytes, field: bytes) -> None:
    data = json.dumps(document(), separators=(",", ":")).encode()
    assert field in data
    parse(data.replace(field, field.partition(b":")[0] + b":" + number))


@pytest.mark.parametrize("place", ["body", "title", "input", "failure", "header", "unread", "key"])
@pytest.mark.parametrize("size", [HUNDRED_MB // 4, pytest.param(HUNDRED_MB, marks=pytest.mark.matrix)])
def test_a_string_of_100_mb_is_no_matter(place: str, size: int) -> None:
    long = "x" * size
    response = {
        "body": f"<title>{long}" if place == "title" else long if place == "body" else "",
        "code": 200,
    }
    if place == "header":
        response["headers_list"] = [["Location", long]]
    keys = web_keys(requests=[transaction(response=response, failure=long if place == "failure" else None)])
    if place == "unread":
        keys["nobody_reads_this"] = long
    if place == "key":
        keys["control"]["tcp_connect"][long] = {"status": True}
    data = encoded(document(keys, input=long if place == "input" else "https://news.example.org/"))
    del long, response, keys
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    bundle = MEASUREMENT_SOURCES["ooni"].parse(Record("ooni", data))
    assert bundle.measurement.uid == UID
    assert bundle.observations
    assert time.monotonic() - started < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * size / 1024


FILLERS = {"objects": b"{},", "lists": b"[],", "numbers": b"1,", "strings": b'"",', "nulls": b"null,"}
FILLED = ("tcp_connect", "queries", "requests", "network_events")


@pytest.mark.parametrize(
    ("key", "filler"),
    [
        pytest.param(
            key,
            FILLERS[name],
            marks=() if key == "requests" or name == "objects" else pytest.mark.matrix,
            id=f"{key}-{name}",
        )
        for key, name in product(FILLED, FILLERS)
    ],
)
def test_millions_of_empty_values_are_rejected_before_they_take_memory(key: str, filler: bytes) -> None:
    head = encoded(document({}))
    data = head.replace(
        b'"test_keys": {}', b'"test_keys": {"%s": [' % key.encode() + filler * 5_000_000 + b"1]}"
    )
    assert len(data) > len(head)
    with pytest.raises(Rejected, match="more than"):
        MEASUREMENT_SOURCES["ooni"].parse(Record("ooni", data))


def test_a_gzip_bomb_costs_no_memory(tmp_path: Any) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(gzip.compress(b" " * 300_000_000, 9) + gzip.compress(b"\n" + encoded(document())))
    rejects: list[tuple[int, str]] = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    records = list(MEASUREMENT_SOURCES["ooni"].read(path, lambda line, why: rejects.append((line, why))))
    assert [record.line for record in records] == [2]
    assert rejects[0][0] == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000


def test_the_damage_to_one_field_leaves_the_identity() -> None:
    assert parsed(document(web_keys(requests="gone"))).measurement.uid == UID
