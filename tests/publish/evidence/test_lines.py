"""Records as packed lines."""

import sys

import pytest

from fanous.model.measurement import Record
from fanous.publish.evidence import container
from fanous.publish.evidence.container import BundleRefused, unpack_lines
from tests.publish.evidence.parts import packed_lines

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

RECORDS = [Record("ooni", b'{"a":1}'), Record("ooni-csv", b'{"rows":[]}')]


def test_records_come_back_in_order_with_their_place() -> None:
    back = list(unpack_lines(packed_lines(RECORDS), "records"))
    assert [(r.source, r.data) for r in back] == [(r.source, r.data) for r in RECORDS]
    assert [(r.file, r.line) for r in back] == [("records", 1), ("records", 2)]


def test_no_records_are_an_empty_part() -> None:
    assert list(unpack_lines(packed_lines([]), "records")) == []


@pytest.mark.parametrize(
    "content",
    [b"{}\n", b"[1]\n", b'{"source":"ooni","record":{},"more":1}\n', b'{"source":"ooni"', b"\xff\n"],
)
def test_something_else_is_refused(content: bytes) -> None:
    with pytest.raises(BundleRefused):
        list(unpack_lines(zstd.compress(content), "records"))


@pytest.mark.parametrize("packed", [b"", b"rubbish", packed_lines(RECORDS)[:-4]])
def test_what_does_not_unpack_is_refused(packed: bytes) -> None:
    with pytest.raises(BundleRefused, match="unpack"):
        list(unpack_lines(packed, "records"))


def test_a_bomb_is_refused_before_it_fills_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MOST_UNPACKED", 8 << 20)
    bomb = zstd.compress(b'{"source":"ooni","record":{}}\n' * 1_000_000)
    assert len(bomb) < 10_000
    with pytest.raises(BundleRefused, match="more than any"):
        list(unpack_lines(bomb, "records"))


def test_what_unpacks_out_of_proportion_is_refused_however_large_a_bundle_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file of a megabyte would otherwise be read for an hour."""
    monkeypatch.setattr(container, "LEAST_UNPACKED", 1 << 20)
    with pytest.raises(BundleRefused, match="more than any"):
        list(unpack_lines(zstd.compress(b'{"source":"ooni","record":{}}\n' * 200_000), "records"))


@pytest.mark.parametrize(("limit", "most"), [("MOST_SERIES", 2), ("MOST_BINS", 5)])
def test_more_series_than_fit_into_memory_are_refused(
    limit: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """33 KiB held 400,000 series, which took 870 MB."""
    line = (
        b'{"source":"ioda","signal":"bgp","subtype":"","country":"PK","region":"","asn":0,"access":"any",'
        b'"target":"","step":300,"times":[0,300],"values":[1,2]}\n'
    )
    assert len(container.unpack_series(zstd.compress(line * 2), "levels").series) == 2
    monkeypatch.setattr(container, limit, most)
    with pytest.raises(BundleRefused, match="more series or values than any bundle"):
        container.unpack_series(zstd.compress(line * 3), "levels")


def test_one_endless_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "LONGEST_LINE", 1 << 20)
    with pytest.raises(BundleRefused, match="more than any"):
        list(unpack_lines(zstd.compress(bytes(8 << 20)), "records"))
