"""Bodies, titles and headers in the shapes that probes wrote."""

from typing import Any

import msgspec
import pytest

from fanous.model.measurement import Layer, Record
from fanous.sources.ooni.document import Response
from fanous.sources.ooni.page import LONGEST_TITLE, by_name, headers_of, page_of, title_of
from fanous.sources.ooni.parse import parse
from tests.each import each
from tests.sources.records import binary, document, encoded, web_keys

LONG = 4096 * "a" + "é😀" + 2047 * "b" + "€"
"""Runs in ASCII, and others with letters of two, three and four bytes."""


def page(**response: Any) -> tuple[str, int, list[str]]:
    notes: list[str] = []
    read = page_of(msgspec.json.decode(encoded(response), type=Response), "response", notes)
    return read.body, read.length, notes


def headers(content: Any) -> list[tuple[str, str]]:
    return headers_of(content)


@each(
    ("body", "text", "length"),
    [
        ("plain", "plain", 5),
        ("سلام", "سلام", 8),  # bytes, not characters
        (LONG, LONG, 4096 + 2 + 4 + 2047 + 3),
        ("", "", 0),
        (None, "", -1),
        (binary(b"\xffabc"), "\ufffdabc", 4),
        ({"format": "base64"}, "", -1),
    ],
)
def test_a_body_is_text_and_its_length_is_in_bytes(body: Any, text: str, length: int) -> None:
    assert page(body=body)[:2] == (text, length)


def test_bad_base64_is_noted_and_the_rest_is_used() -> None:
    assert page(body={"format": "base64", "data": "AAA"}) == ("", -1, ["response.body: not base64"])


def test_a_page_in_a_legacy_encoding_is_read_in_it() -> None:
    turkish = "Erişim engellendi"
    content_type = [["Content-Type", "text/html; charset=windows-1254"]]
    assert page(body=binary(turkish.encode("windows-1254")), headers_list=content_type)[0] == turkish


NOTICE = "Доступ ограничен"
PLAIN_TYPE = [["Content-Type", "text/html"]]


@pytest.mark.parametrize(
    "meta",
    [
        '<meta charset="windows-1251">',
        "<META CHARSET = 'windows-1251'/>",
        '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">',
    ],
)
def test_a_page_that_names_its_own_encoding_is_read_in_it(meta: str) -> None:
    text = f"<html><head>{meta}</head>{NOTICE}</html>"
    assert page(body=binary(text.encode("windows-1251")), headers_list=PLAIN_TYPE)[0] == text


def test_the_header_speaks_before_the_page_and_the_page_at_its_beginning_alone() -> None:
    text = f'<meta charset="windows-1251">{NOTICE}'
    header = [["Content-Type", "text/html; charset=utf-8"]]
    assert page(body=binary(text.encode()), headers_list=header)[0] == text
    late = (" " * 1024 + text).encode("windows-1251")
    assert page(body=binary(late), headers_list=PLAIN_TYPE)[0] == late.decode("utf-8", "replace")
    assert page(body=binary(b'<meta charset="utf-7">+AD4-'), headers_list=PLAIN_TYPE)[0].endswith("+AD4-")
    script = b'<script charset="windows-1251" src="x"></script>' + NOTICE.encode()
    assert page(body=binary(script), headers_list=PLAIN_TYPE)[0].endswith(NOTICE)


@pytest.mark.parametrize("charset", ["utf-7", "idna", "unicode_escape", "zip", "nonsense"])
def test_a_server_does_not_choose_any_codec(charset: str) -> None:
    content_type = [["Content-Type", f"text/html; charset={charset}"]]
    assert page(body=binary(b"+AD4- \\x41"), headers_list=content_type)[0] == "+AD4- \\x41"


@each(
    ("body", "title"),
    [
        ("<html><head><title>News</title>", "News"),
        ("<TITLE lang='en'>\n News \n</TITLE>", "News"),
        ("<title>never ends", "never ends"),
        ("<title", ""),
        ("no title", ""),
        ("<title>" + "x" * 10_000, "x" * LONGEST_TITLE),
    ],
)
def test_a_title_is_the_text_of_the_first(body: str, title: str) -> None:
    assert title_of(body) == title


@each(
    ("content", "pairs"),
    [
        ([["A", "1"], ["A", "2"]], [("A", "1"), ("A", "2")]),
        ({"A": "1"}, [("A", "1")]),
        ([["A", binary(b"http://block.example/")]], [("A", "http://block.example/")]),
        ({"A": binary(b"\xff")}, [("A", "\ufffd")]),
        ([["A", {"format": "base64", "data": "?"}]], [("A", "")]),
        ([["A", None]], [("A", "")]),
        (
            [["A", "1"], ["B"], "C", ["D", 4], ["E", ["5", "6"]], [7, "x"]],
            [("A", "1"), ("D", "4"), ("E", "5"), ("E", "6")],
        ),
        ({"A": 1, "B": ["2"], "C": {}}, [("A", "1"), ("B", "2")]),
        (None, []),
        ("text", []),
        (7, []),
    ],
)
def test_headers_are_pairs_whatever_shape_they_had(content: Any, pairs: list[tuple[str, str]]) -> None:
    assert headers(content) == pairs


@each(
    ("raw", "names"),
    [
        (b'[["A","\\ud800x"]]', ("a",)),
        (b'{"A":NaN,"B":"1"}', ("a", "b")),
        (b'[["A",1e999]]', ()),
    ],
)
def test_headers_that_are_not_legal_json_lose_no_more_than_they_must(
    raw: bytes, names: tuple[str, ...]
) -> None:
    one = {"request": {"url": "http://n.example/"}, "response": {"code": 200, "headers_list": []}}
    whole = encoded(document(web_keys(requests=[one], control=None)))
    seen = parse(Record("ooni", whole.replace(b'"headers_list": []', b'"headers_list": ' + raw))).observations
    assert [step.header_names for step in seen if step.layer is Layer.HTTP] == [names]


def test_a_header_is_found_by_name_in_any_case() -> None:
    pairs = [("Location", "a"), ("location", "b")]
    assert by_name(pairs).get("location") == "a"
    assert "server" not in by_name(pairs)
