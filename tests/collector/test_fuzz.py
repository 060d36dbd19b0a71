"""Anything that a client sends is kept as one sound line or refused with a reason."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from fanous.collector.helper import asked_of, endpoints_of, ip_infos, url_of
from fanous.collector.origin import UNKNOWN
from fanous.collector.request import Refused, plain
from fanous.collector.services import check_in
from fanous.collector.submission import open_report, parse_report_id, receive
from tests.collector.probe import OPEN, REPORT_ID, measurement

NOW = 1702826000.0
WORDS = st.sampled_from(
    ["", "PK", "AS17557", "127.0.0.1", "203.0.113.77", "::1", "x" * 300, "\n", "😀", "\x00"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | WORDS, inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = st.dictionaries(st.sampled_from(sorted(measurement())), JSON, max_size=5)


@settings(max_examples=300, deadline=None)
@given(FIELDS, st.sampled_from([REPORT_ID, REPORT_ID.replace("_PK_17557_", "_ZZ_0_")]))
def test_a_submission_is_one_sound_line_or_refused(fields: dict[str, object], report: str) -> None:
    body = msgspec.json.encode({"format": "json", "content": {**measurement(), **fields}})
    try:
        one = receive(parse_report_id(report), body, "203.0.113.77", UNKNOWN, NOW)
    except Refused as refusal:
        assert str(refusal) and refusal.status == 400
        return
    kept = msgspec.json.decode(one.line)
    assert kept["measurement_uid"] == one.uid and kept["report_id"] == report
    assert b"\n" not in one.line and b"203.0.113.77" not in one.line


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | JSON.map(msgspec.json.encode), st.sampled_from(["", "gzip", "zstd", "br"]))
def test_no_body_breaks_the_door(body: bytes, encoding: str) -> None:
    for use in (
        lambda: plain(body, encoding),
        lambda: open_report(body, NOW, bytes(12)),
        lambda: receive(parse_report_id(REPORT_ID), body, "203.0.113.77", UNKNOWN, NOW),
        lambda: check_in(body, UNKNOWN, (), "", NOW, lambda: bytes(12)),
        lambda: asked_of(body),
    ):
        try:
            use()
        except Refused as refusal:
            assert str(refusal)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text("0123456789_PKn:[]/.", max_size=80).map("http://".__add__))
def test_no_name_breaks_the_door(text: str) -> None:
    for use in (
        lambda: parse_report_id(text),
        lambda: open_report(msgspec.json.encode({**OPEN, "test_name": text}), NOW, bytes(12)),
        lambda: endpoints_of(
            url_of(text), ip_infos(asked_of(b'{"http_request":""}'), [text], lambda _a: False, lambda _a: 0)
        ),
    ):
        try:
            use()
        except Refused as refusal:
            assert str(refusal)
