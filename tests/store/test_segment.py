import pytest

from fanous.store.archive import Segment, parse_name, shelf
from tests.store.cases import NOON

DIGEST = "0123456789abcdef"


def test_a_segment_is_where_ooni_would_put_it() -> None:
    segment = shelf(NOON, "PK", "web_connectivity", "ooni").holding(DIGEST)
    assert str(segment.path) == (
        "raw/20231217/12/PK/webconnectivity/2023121712_PK_webconnectivity.ooni.0123456789abcdef.jsonl.zst"
    )
    assert segment.begins == NOON


@pytest.mark.parametrize(
    ("country", "test_name", "source", "name"),
    [
        ("PK", "ndt", "ooni-csv", "2023121712_PK_ndt.ooni-csv.0123456789abcdef"),
        ("", "", "", "2023121712_ZZ_unknown.unknown.0123456789abcdef"),
        ("../", "../../etc/passwd", "a/b", "2023121712_ZZ_etcpasswd.a-b.0123456789abcdef"),
        ("pk", "Web Connectivity\n", "ooni", "2023121712_ZZ_webconnectivity.ooni.0123456789abcdef"),
    ],
)
def test_what_a_probe_wrote_never_leaves_its_folder(
    country: str, test_name: str, source: str, name: str
) -> None:
    segment = shelf(NOON, country, test_name, source).holding(DIGEST)
    assert segment.name == name
    assert parse_name(name) == segment


@pytest.mark.parametrize(
    "name", ["", "notes", "2023121712_PK_ndt.ooni.xyz", "x/2023121712_PK_ndt.ooni." + DIGEST]
)
def test_other_files_are_not_segments(name: str) -> None:
    assert parse_name(name) is None


def test_segments_sort_by_the_hour_of_receipt() -> None:
    earlier, later = Segment("2023121712", "ZZ", "z", "z", "f"), Segment("2023121713", "AA", "a", "a", "0")
    assert earlier < later
