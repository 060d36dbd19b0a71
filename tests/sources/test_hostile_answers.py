"""A publisher's answer in which anything is something else is taken or refused by name, in time that grows with it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from fanous.errors import FanousError, Rejected
from fanous.sources.claims.ioda import alerts
from fanous.sources.fetch import LONGEST_WAIT, _later, _retry_after
from fanous.sources.publishers import LIVE_SOURCES
from tests.sources.answers import ANSWERS, SOURCES_OF
from tests.sources.fuzz_ooni import paths, replaced
from tests.sources.test_costs import grows_linearly

ODD: list[Any] = [
    *(None, True, -1, 2**70, 10**400, 1e308, -1e308, "", "text", "\x00", "\u00b2", "9" * 5000, "1e400"),
    *([], {}, [[]], [None], {"a": None}, "9999-12-31", "0001-01-01T00:00:00Z"),
]
"""Values of any type; a JSON reader takes numbers of any size."""

NAMES = {"google_traffic.txt": "product=21", "ripestat_country_resource_stats.json": "country/PK"}
"""Of the piece that the answer is; elsewhere the name does not matter."""

each = pytest.mark.parametrize("name", sorted(ANSWERS))


def damaged(name: str) -> Iterator[bytes]:
    """The answer with something else in each place."""
    if not name.endswith(".json"):
        text = ANSWERS[name].decode()
        for found in list(re.finditer(r"[^,\n\[\]]+", text))[:40]:
            for value in ODD:
                yield (text[: found.start()] + str(value) + text[found.end() :]).encode("utf-8", "replace")
        return
    whole = shortened(json.loads(ANSWERS[name]))
    for path in list(paths(whole)):
        for value in ODD:
            yield json.dumps(replaced(whole, path, value)).encode()


def shortened(value: Any) -> Any:
    """With at most two elements in each list."""
    if isinstance(value, dict):
        return {key: shortened(one) for key, one in value.items()}
    return [shortened(one) for one in value[:2]] if isinstance(value, list) else value


@each
def test_every_value_of_an_answer_may_be_anything(name: str) -> None:
    source = SOURCES_OF[name]
    for data in damaged(name):
        try:
            LIVE_SOURCES[source].parse(data, "PK", NAMES.get(name, name))
        except (Rejected, FanousError) as reason:
            assert 0 < len(str(reason)) < 1000


@each
@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b'{"data":' + b"[" * 100_000, b'{"data":1e999}'],
    ids=["nothing", "no text", "lists", "maps", "lists in data", "infinity"],
)
def test_an_invalid_answer_is_refused_in_a_sentence(name: str, data: bytes) -> None:
    with pytest.raises((Rejected, FanousError)):
        LIVE_SOURCES[SOURCES_OF[name]].parse(data, "PK", NAMES.get(name, name))


def test_many_alerts_of_one_place_are_read_in_one_pass() -> None:
    def told(count: int) -> list[dict[str, Any]]:
        place = {"type": "country", "code": "PK"}
        levels = ("critical", "warning")
        return [
            {"datasource": "bgp", "level": levels[n % 2], "time": 1_700_000_000 + n, "entity": place}
            for n in range(count)
        ]

    assert grows_linearly(lambda entries: alerts(entries, "PK", None), told, 2_000)


@pytest.mark.parametrize(
    "text",
    ["9" * 400, "\u00b2", "Fri, 31 Dec 9999 23:59:59 GMT", f"1 Jan {10**20} 00:00:00 GMT", "x", "-1", ""],
)
def test_a_server_may_ask_for_any_time_of_waiting(text: str) -> None:
    wait = _retry_after(text, 0.0)
    assert wait is None or wait > LONGEST_WAIT
    assert wait is None or "come back after" in _later(wait)
