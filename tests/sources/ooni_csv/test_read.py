"""CSVs of every origin: rows are combined and counted, and none is lost silently."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.model.measurement import Record
from fanous.sources.ooni_csv import LONGEST_LINE, MOST_ROWS, read
from tests.each import each
from tests.sources.ooni_csv.rows import ACCESS_POINT, COLUMNS, csv_of, row


def read_file(path: Path, content: bytes) -> tuple[list[Record], list[tuple[int, str]]]:
    path.write_bytes(content)
    rejects: list[tuple[int, str]] = []
    return list(read(path, lambda line, why: rejects.append((line, why)))), rejects


def test_scattered_rows_become_one_record_and_repeated_ones_are_counted(tmp_path: Path) -> None:
    a1, a2 = row(ip="192.0.2.1"), row(ip="192.0.2.2")
    b1 = row(measurement_uid="b", ip="192.0.2.1")
    records, rejects = read_file(tmp_path / "a.csv", csv_of(a1, b1, a2, a1, a1, b1))
    assert [(r.items, r.duplicates, r.line) for r in records] == [(2, 2, 2), (1, 1, 3)]
    assert not rejects
    assert [r["ip"] for r in json.loads(records[0].data)["rows"]] == ["192.0.2.1", "192.0.2.2"]


def test_rows_of_a_record_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    addresses = [f"192.0.2.{n}" for n in range(50)]
    ((record,), _) = read_file(tmp_path / "a.csv", csv_of(*[row(ip=address) for address in addresses]))
    assert [r["ip"] for r in json.loads(record.data)["rows"]] == addresses


def test_every_row_is_kept_repeated_or_rejected(tmp_path: Path) -> None:
    rows = [row(measurement_uid=f"u{n % 70}", ip=f"192.0.2.{n % 90}") for n in range(5000)]
    content = csv_of(*rows) + b"short,row\n" + csv_of(row(measurement_uid="")).split(b"\n")[1] + b"\n"
    records, rejects = read_file(tmp_path / "a.csv", content)
    distinct = Counter((r["measurement_uid"], r["ip"]) for r in rows)
    assert sum(r.items for r in records) == len(distinct)
    assert sum(r.items + r.duplicates for r in records) + len(rejects) == len(rows) + 2
    assert [r.data for r in records] == sorted(
        (r.data for r in records), key=lambda d: json.loads(d)["rows"][0]["measurement_uid"]
    )


@each(
    "change",
    [
        lambda content: content,
        gzip.compress,
        lambda content: b"\xef\xbb\xbf" + content,
        lambda content: content.replace(b"\n", b"\r\n"),
        lambda content: content.replace(b"Safaricom", b"Safa\0ricom"),
        lambda content: content.replace(b"Safaricom", b'"Safa\nricom"').replace(b"Safa\nricom", b"Safaricom"),
    ],
)
def test_the_form_of_the_file_does_not_matter(tmp_path: Path, change: object) -> None:
    content = csv_of(row(ip=ACCESS_POINT))
    assert callable(change)
    records, rejects = read_file(tmp_path / "a.csv", change(content))
    expected, _ = read_file(tmp_path / "b.csv", content)
    assert [r.data for r in records] == [r.data for r in expected]
    assert not rejects


def test_quotes_commas_and_line_breaks_stay_inside_their_field(tmp_path: Path) -> None:
    name = 'A "big", slow\nnetwork'
    records, _ = read_file(tmp_path / "a.csv", csv_of(row(probe_as_org_name=name)))
    assert json.loads(records[0].data)["rows"][0]["probe_as_org_name"] == name
    assert b"\n" not in records[0].data


def test_columns_in_any_order_and_extra_ones_are_welcome(tmp_path: Path) -> None:
    columns = ("new_column", *reversed(COLUMNS))
    records, _ = read_file(tmp_path / "a.csv", csv_of(row(new_column="7"), columns=columns))
    assert json.loads(records[0].data)["rows"][0]["new_column"] == "7"


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    columns = tuple(name for name in COLUMNS if name not in ("probe_cc", "test_name"))
    with pytest.raises(FanousError, match="lacks probe_cc, test_name"):
        read_file(tmp_path / "a.csv", csv_of(row(), columns=columns))


@pytest.mark.parametrize(
    "content", [b"", b"\n", b'{"test_name": "telegram"}\n', b"\x00\x01\x02", b"a;b;c\n1;2;3\n"]
)
def test_what_is_no_such_csv_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FanousError, match=r"the first line lacks measurement_uid|is empty"):
        read_file(tmp_path / "a.csv", content)


def test_a_last_line_that_breaks_off_is_named(tmp_path: Path) -> None:
    content = csv_of(row(), row(measurement_uid="b"))
    records, rejects = read_file(tmp_path / "a.csv", content[:-60])
    assert len(records) == 1
    assert rejects[0][0] == 3
    assert "fields where the first line names" in rejects[0][1]


def test_an_open_quote_does_not_swallow_the_file_into_memory(tmp_path: Path) -> None:
    good = csv_of(row()).split(b"\n")[1]
    content = csv_of(row(), row(measurement_uid="b")) + b'"' + (b"x" * 200 + b"\n") * 2000 + good + b"\n"
    records, rejects = read_file(tmp_path / "a.csv", content)
    assert len(records) == 2
    assert rejects
    assert "not CSV" in rejects[0][1]


def test_a_line_that_no_row_has_is_skipped_and_named(tmp_path: Path) -> None:
    lines = csv_of(row(), row(measurement_uid="b")).splitlines(keepends=True)
    content = b"".join([lines[0], lines[1], b"x" * (LONGEST_LINE + 5) + b"\n", lines[2]])
    records, rejects = read_file(tmp_path / "a.csv", content)
    assert len(records) == 2
    assert [number for number, _ in rejects] == [3]


def test_a_measurement_of_endless_rows_is_cut_and_the_rest_is_rejected(tmp_path: Path) -> None:
    rows = [row(ip=f"2001:db8::{n:x}") for n in range(MOST_ROWS + 3)]
    records, rejects = read_file(tmp_path / "a.csv", csv_of(*rows, rows[0]))
    assert [(r.items, len(rejects)) for r in records] == [(MOST_ROWS, len(rejects))]
    assert records[0].items + records[0].duplicates + len(rejects) == len(rows) + 1


def test_the_address_of_a_probe_does_not_leave_the_reader(tmp_path: Path) -> None:
    columns = (*COLUMNS, "probe_ip")
    content = csv_of(row(probe_ip="198.51.100.7", http_failure="read 198.51.100.7:1"), columns=columns)
    records, _ = read_file(tmp_path / "a.csv", content)
    assert b"198.51.100.7" not in records[0].data


@pytest.mark.parametrize("column", ["dns_failure", "tcp_failure", "tls_failure"])
def test_a_table_without_its_failures_is_refused_since_all_would_look_well(
    tmp_path: Path, column: str
) -> None:
    table = csv_of(row()).replace(column.encode(), b"note")
    with pytest.raises(FanousError, match=f"lacks {column}: without it everything"):
        read_file(tmp_path / "a.csv", table)
