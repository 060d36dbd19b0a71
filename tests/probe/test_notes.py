"""What a record of our own probe says in addition to its verdicts."""

import json
from typing import Any

from fanous.probe.words import is_ours, notes_of
from tests.each import each


def record(keys: Any, test_name: str = "web_connectivity", software: str = "fanous") -> bytes:
    document = {"software_name": software, "test_name": test_name, "input": "https://a.example/"}
    return json.dumps(document | {"test_keys": keys}).encode()


def opinion(answer: str) -> dict[str, Any]:
    return {"x_second_opinions": [{"answer": answer}]}


HOPS = {
    "control": [{"hops": 1, "came": "died"}, {"hops": 2, "came": "died"}, {"hops": 3, "came": "answered"}],
    "trigger": [{"hops": 1, "came": "died"}, {"hops": 2, "came": "connection_reset"}],
}
STREAM = {"kind": "hls", "why": "the manifest did not come in time", "media": None}


@each(
    ("line", "words"),
    [
        (record(opinion("server_hello")), ["was answered: browsers may get through"]),
        (record(opinion("")), ["was cut too"]),
        (record({"x_localisation": [HOPS]}), ["cut 1 or 2 machines away from here; the site itself is 3"]),
        (
            record({"x_health": {"online": True, "portal": False}}, "fanous_health"),
            ["known-good sites answered"],
        ),
        (record({"x_health": {"online": False}}, "fanous_health"), ["the line: no network"]),
        (record({"x_stream": STREAM}, "fanous_stream"), ["cannot tell, the manifest did not come in time"]),
        (record({}), []),
        (record(opinion("server_hello"), software="ooniprobe-cli"), []),
        (record({"x_second_opinions": "no list"}), []),
        (record([]), []),
        (b"no JSON", []),
        (b"\xff", []),
    ],
)
def test_a_note_says_what_no_verdict_does(line: bytes, words: list[str]) -> None:
    notes = notes_of(line)
    assert len(notes) == len(words)
    assert all(wanted in note for wanted, note in zip(words, notes, strict=True))


def test_our_own_records_are_known() -> None:
    assert is_ours(record({}))
    assert not is_ours(record({}, software="ooniprobe-cli"))
    assert not is_ours(b"[" * 100_000)
