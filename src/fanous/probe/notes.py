"""Notes: what a record of our own probe says beside its verdicts, in words.

Facts of the record, not findings: the line that it was measured over, whether a browser's first message got
through, how far away a name is cut, whether a video could be watched.
"""

import msgspec
from msgspec import Struct

from fanous.probe.localise import localised
from fanous.probe.second_opinion import opinion
from fanous.probe.stream.nettest import TEST_NAME as STREAM
from fanous.probe.stream.watchable import watchable
from fanous.probe.words import place_words
from fanous.sources.ooni import health
from fanous.sources.ooni.document import HealthKeys

OURS = "fanous"
"""``software_name`` of our own probe."""

UNPLACED = (
    "nobody knows the network (--country, --asn): it can be judged, but no monitor will count it by itself"
)

BROWSER = {
    "answered": "a browser's first message with the same name was answered: browsers may get through",
    "cut": "a browser's first message with the same name was cut too",
}


class _Head(Struct):
    test_name: str = ""
    software_name: str = ""
    input: str | None = None


class _Health(Struct):
    test_keys: HealthKeys


_head = msgspec.json.Decoder(_Head)
_health = msgspec.json.Decoder(_Health)


def is_ours(line: bytes) -> bool:
    """Was the record made by our own probe?"""
    try:
        return _head.decode(line).software_name == OURS
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False


def notes_of(line: bytes) -> list[str]:
    """Of one record as it was written; empty for those of other probes, and where it holds nothing more."""
    try:
        head = _head.decode(line)
        return _notes(head, line) if head.software_name == OURS else []
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return []


def _notes(head: _Head, line: bytes) -> list[str]:
    if head.test_name == health.TEST_NAME:
        defect = health.defect_of(_health.decode(line).test_keys)
        return [f"the line: {defect}" if defect else "the line was sound: known-good sites answered"]
    if head.test_name == STREAM:
        return [watchable(head.input or "the stream", line).sentence]
    browser = BROWSER.get(opinion(line), "")
    return [note for note in (browser, place_words(localised(line))) if note]
