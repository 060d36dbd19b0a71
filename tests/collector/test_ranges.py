"""A table of networks by address is read in the forms in which it is published."""

import gzip
import tracemalloc
from pathlib import Path

import pytest

from fanous.collector.origin import LONGEST_ROW, Origin, read_ranges
from fanous.errors import FanousError
from tests.each import each

TSV = """\
1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET
1.0.1.0\t1.0.3.255\t0\tNone\tNot routed
39.32.0.0\t39.63.255.255\t17557\tPK\tPKTELECOM-AS-PK
2400:cb00::\t2400:cb00:ffff:ffff:ffff:ffff:ffff:ffff\t13335\tUS\tCLOUDFLARENET
"""
CSV = '39.32.0.0,39.63.255.255,17557,"Pakistan Telecom, Ltd"\n'


@each(
    ("address", "origin"),
    [
        ("39.32.0.0", Origin("PK", 17557)),
        ("39.63.255.255", Origin("PK", 17557)),
        ("39.64.0.0", Origin()),
        ("1.0.2.1", Origin()),
        ("0.0.0.1", Origin()),
        ("2400:cb00:1::1", Origin("US", 13335)),
        ("2400:cb01::", Origin()),
        ("::1", Origin()),
    ],
)
def test_an_address_is_in_the_range_that_holds_it(address: str, origin: Origin, tmp_path: Path) -> None:
    (tmp_path / "table.tsv.gz").write_bytes(gzip.compress(TSV.encode()))
    assert read_ranges(tmp_path / "table.tsv.gz").of(address) == origin


def test_a_table_without_countries_gives_networks(tmp_path: Path) -> None:
    (tmp_path / "asn.csv").write_text(CSV)
    assert read_ranges(tmp_path / "asn.csv").of("39.40.1.1") == Origin("ZZ", 17557)


def test_a_table_without_networks_gives_countries(tmp_path: Path) -> None:
    (tmp_path / "country.csv").write_text("39.32.0.0,39.63.255.255,PK\n")
    assert read_ranges(tmp_path / "country.csv").of("39.40.1.1") == Origin("PK", 0)


@pytest.mark.parametrize(
    "text",
    [
        *("network,asn\n", "1.0.0.0\n", "1.0.0.0,x,7,PK\n", "1.0.0.9,1.0.0.0,7,PK\n", "1.0.0.0,::1,7,PK\n"),
        *("1.0.0.0,1.0.0.9,4294967296\n", "1.0.0.0,1.0.0.9,²\n", f"1.0.0.0,1.0.0.9,{'9' * 5000}\n"),
        f"1.0.0.0,1.0.0.9,7,PK,{'x' * LONGEST_ROW}\n",
    ],
)
def test_what_is_no_table_is_said_with_its_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(CSV + text)
    with pytest.raises(FanousError, match=r"table\.csv:2"):
        read_ranges(tmp_path / "table.csv")


@pytest.mark.parametrize("damage", ["bytes", "end", "sum", "nothing before its end"])
def test_a_damaged_table_is_said_and_takes_no_memory(damage: str, tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(TSV.encode() * 1000))
    if damage == "bytes":
        packed[40:60] = bytes(20)
    elif damage == "sum":
        packed[-8:-4] = bytes(4)
    elif damage == "end":
        del packed[-20:]
    else:
        packed[:] = gzip.compress(b"1" * (32 << 20))
    (tmp_path / "table.tsv.gz").write_bytes(packed)
    tracemalloc.start()
    with pytest.raises(
        FanousError, match=r"(damaged or breaks off at line [1-9]|table\.tsv\.gz:1: not a range)"
    ):
        read_ranges(tmp_path / "table.tsv.gz")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 16 << 20


def test_a_table_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="Cannot read"):
        read_ranges(tmp_path / "none.tsv")
