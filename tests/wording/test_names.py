"""What targets, networks and countries are called."""

import pytest

from fanous.base.text import printable
from fanous.model.place import asn_of
from fanous.refdata.networks import network_title
from fanous.wording.words import counted, in_country, listed, target_title


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c", "d"], "a, b, c and d"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
    ],
)
def test_a_long_list_ends_with_how_many_more(names: list[str], text: str) -> None:
    assert listed(names) == text


@pytest.mark.parametrize(("n", "text"), [(0, "0 probes"), (1, "1 probe"), (1234, "1,234 probes")])
def test_one_is_singular(n: int, text: str) -> None:
    assert counted(n, "probe") == text


@pytest.mark.parametrize(
    ("country", "text"),
    [
        ("KE", "in Kenya"),
        ("PH", "in the Philippines"),
        ("AE", "in the United Arab Emirates"),
        ("ZZ", "in an unknown country"),
        ("QX", "in QX"),
    ],
)
def test_a_country_has_its_article(country: str, text: str) -> None:
    assert in_country(country) == text


@pytest.mark.parametrize(
    ("asn", "names", "text"),
    [
        (33771, {}, "Safaricom"),
        (
            33771,
            {33771: "Safaricom Limited"},
            "Safaricom",
        ),  # what people know it by, before the records' name
        (4200000001, {}, ""),
        (4200000001, {4200000001: "Village Net"}, "Village Net"),
        (4200000001, {4200000001: "AS4200000001"}, ""),
        (
            4200000001,
            {4200000001: "@all <!here> [Net](https://a.example)"},
            "all !here Net (https a.example)",
        ),
    ],
)
def test_our_name_of_a_network_comes_before_that_of_the_records(
    asn: int, names: dict[int, str], text: str
) -> None:
    assert network_title(asn, names) == text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Safaricom", "Safaricom"),
        ("a\x1b[2Jb", "a[2Jb"),
        ("a\r\nb\t c", "a b c"),
        ("a\u202eb", "ab"),
        ("پی ٹی سی ایل", "پی ٹی سی ایل"),
    ],
)
def test_nothing_that_steers_a_terminal_comes_through(text: str, clean: str) -> None:
    assert printable(text) == clean


@pytest.mark.parametrize(
    ("target", "text"),
    [("x", "X (Twitter)"), ("example.org", "example.org"), ("", "Internet access"), ("a\x1bb.org", "ab.org")],
)
def test_a_platform_has_the_name_that_people_use(target: str, text: str) -> None:
    assert target_title(target) == text


@pytest.mark.parametrize(("entity", "asn"), [("AS17557", 17557), ("PK", 0), ("PK-PB", 0), ("AS", 0)])
def test_only_a_network_has_an_asn(entity: str, asn: int) -> None:
    assert asn_of(entity) == asn
