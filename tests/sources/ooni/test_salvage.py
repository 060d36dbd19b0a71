"""Records in which something has another type than the format says."""

from typing import Any

import pytest
from msgspec import Struct

from fanous.errors import Rejected
from fanous.sources.ooni.content import MAX_ITEMS, check_size, repair
from fanous.sources.ooni.document import MAX_NOTES, decode
from tests.each import each


class Inner(Struct):
    port: int | float | None = None
    name: str | None = None


class Outer(Struct):
    inner: Inner | None = None
    each: list[Inner] | None = None
    by_name: dict[str, Inner] | None = None
    number: float | None = None


def read(data: bytes) -> tuple[Outer | None, list[str]]:
    notes: list[str] = []
    return decode(data, Outer, "record", notes), notes


@each(
    ("data", "kept", "lost"),
    [
        (b'{"number": 1}', Outer(number=1), []),
        (b'{"number": "1.5"}', Outer(number=1.5), []),  # a number in quotes is one
        (b'{"number": [1]}', Outer(), ["record.number: Expected `float | null`, got `array`"]),
        (b'{"inner": {"port": "443"}}', Outer(inner=Inner(port=443)), []),
        (
            b'{"inner": {"port": {}, "name": "n"}}',
            Outer(inner=Inner(name="n")),
            ["record.inner.port: Expected `int | float | null`, got `object`"],
        ),
        (
            b'{"each": [{"port": 1}, 7, null, {"port": 2}]}',
            Outer(each=[Inner(port=1), Inner(port=2)]),
            ["record.each[1]: Expected `object`, got `int`", "record.each[2]: Expected `object`, got `null`"],
        ),
        (
            b'{"by_name": {"a": {"name": "x"}, "b": false}}',
            Outer(by_name={"a": Inner(name="x")}),
            ["record.by_name.b: Expected `object`, got `bool`"],
        ),
        (
            b'{"each": {"a": 1}, "number": 2}',
            Outer(number=2),
            ["record.each: Expected `array | null`, got `object`"],
        ),
        (b"[1]", None, ["record: Expected `object`, got `array`"]),
    ],
)
def test_what_makes_sense_is_kept_and_each_loss_is_noted(data: bytes, kept: Any, lost: list[str]) -> None:
    assert read(data) == (kept, lost)


def test_notes_do_not_grow_with_the_damage() -> None:
    assert len(read(b'{"each": [' + b"1," * 1000 + b"1]}")[1]) == MAX_NOTES


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b'{"number": 1', "not JSON"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested deeper"),
        (b'{"a": ' + b'{"a":' * 100_000, "nested deeper"),
    ],
)
def test_what_is_no_document_is_rejected(data: bytes, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        read(data)


@each(
    ("data", "legal"),
    [
        (b'{"a":NaN}', b'{"a":null}'),
        (b'{"a":[-Infinity,Infinity]}', b'{"a":[null,null]}'),
        (b'{"a":"NaN, Infinity"}', b'{"a":"NaN, Infinity"}'),  # text stays
        (b'{"a":"\\"NaN\\"","b":NaN}', b'{"a":"\\"NaN\\"","b":null}'),
        (b'{"a":"\\ud800"}', b'{"a":"\\ufffd"}'),
        (b'{"a":"\\udc00x"}', b'{"a":"\\ufffdx"}'),
        (b'{"a":"\\ud83d\\ude00"}', b'{"a":"\\ud83d\\ude00"}'),  # a whole pair
        (b'{"a":"\\\\ud800"}', b'{"a":"\\\\ud800"}'),  # an escaped backslash
    ],
)
def test_what_json_does_not_have_becomes_legal(data: bytes, legal: bytes) -> None:
    assert repair(data) == legal


def test_a_record_of_too_many_values_is_rejected_before_it_takes_memory() -> None:
    with pytest.raises(Rejected, match="more than"):
        check_size(b"[" + b"1," * (MAX_ITEMS + 1) + b"1]")
    check_size(b'{"body":"' + b"x" * 3_000_000 + b'"}')
