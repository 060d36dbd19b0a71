"""Fuzzing the OONI reader: no crash, no hang, and nothing in a bundle that could not be stored.

``python -m tests.sources.fuzz_ooni 300`` fuzzes for five minutes; the tests run a short part of it.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanous.errors import FanousError, Rejected
from fanous.model.measurement import ParsedMeasurement, Record
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.keep import take
from fanous.sources.ooni.parse import parse as parse_record
from fanous.sources.ooni.read import _record
from tests.sources.records import (
    binary,
    certificate,
    connect,
    document,
    encoded,
    handshake,
    query,
    transaction,
    web_keys,
)

STEPS = {
    "queries": [query()],
    "tcp_connect": [connect()],
    "tls_handshakes": [handshake(peer_certificates=[binary(certificate("a.example", "b"))])],
    "requests": [transaction(body=binary(b"\xff<title>x</title>"))],
    "network_events": [{"operation": "read", "t": 0.5, "num_bytes": 5, "transaction_id": 1}],
}
RELAY = STEPS | {"target_protocol": "or_port", "target_address": "203.0.113.4:9001", "failure": None}

DOCUMENTS = [
    document(web_keys(**{key: STEPS[key] for key in ("tls_handshakes", "requests", "network_events")})),
    document(STEPS, test_name="telegram"),
    document(STEPS, test_name="signal", test_version="0.2.0"),
    document({"targets": {"a": RELAY}}, test_name="tor"),
    document({"targets": [RELAY]}, test_name="tor"),
    document({"summary": {"download": 5.5}, "download": [{"AppInfo": {"NumBytes": 1}}]}, test_name="ndt"),
    document({"simple": {"median_bitrate": 5}, "receiver_data": [{"received": 1}]}, test_name="dash"),
]

odd_numbers = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**400, -(10**400), 1e308, -0.0, 5e-324]),
    st.floats(),
)
odd_text = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "\x00", "x" * 100_000, "[scrubbed]", "http://[", "::", "9" * 5000, "a.b" * 200, "²"]
    ),
)
odd_values = st.recursive(
    st.one_of(st.none(), st.booleans(), odd_numbers, odd_text),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=8), inner, max_size=4),
        st.builds(lambda text: {"format": "base64", "data": text}, st.text(max_size=20)),
    ),
    max_leaves=8,
)


def paths(content: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    if here:
        yield here
    items = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    for key, value in items:
        yield from paths(value, (*here, key))


def replaced(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at ``path``."""
    if not path:
        return value
    copy = dict(content) if isinstance(content, dict) else list(content)
    copy[path[0]] = replaced(content[path[0]], path[1:], value)
    return copy


@st.composite
def damaged_documents(draw: st.DrawFn) -> bytes:
    """A valid document in which up to three values, anywhere, are something else."""
    content = draw(st.sampled_from(DOCUMENTS))
    for _ in range(draw(st.integers(1, 3))):
        content = replaced(content, draw(st.sampled_from(list(paths(content)))), draw(odd_values))
    return encoded(content)


@st.composite
def damaged_bytes(draw: st.DrawFn) -> bytes:
    """A valid document with bytes cut out, put in or overwritten."""
    data = bytearray(encoded(draw(st.sampled_from(DOCUMENTS))))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 30))] = draw(st.binary(max_size=12))
    return bytes(data)


def check(bundle: ParsedMeasurement) -> None:
    """Everything in it fits the columns of the store."""
    repr(bundle).encode()  # no half surrogates
    m = bundle.measurement
    assert m.uid
    assert m.test_name
    assert 0 <= m.asn < 2**32
    assert 0 <= m.resolver_asn < 2**32
    assert len(m.country) == 2
    assert 1e9 < m.started_at < 5e9
    for o in bundle.observations:
        assert 0 <= o.port < 65_536
        assert 0 <= o.status_code < 1000
        assert -1 <= o.received < 2**53
        assert -1 <= o.body_length < 2**53
        assert len(o.answers) == len(o.answer_asns) == len(o.ttls)
        assert all(0 <= asn < 2**32 for asn in o.answer_asns)
        assert all(-1 <= ttl < 2**31 for ttl in o.ttls)
        assert not o.seconds < 0
        assert not o.largest_gap < 0
        assert len(o.failure or "") <= 200
        assert max(map(len, (o.hostname, o.title, o.server)), default=0) <= 500


def parse(data: bytes) -> None:
    """Take it or reject it; anything else is a bug."""
    try:
        bundle = MEASUREMENT_SOURCES["ooni"].parse(Record("ooni", data))
    except Rejected:
        return
    check(bundle)
    check_shared(data)


def check_shared(data: bytes) -> None:
    """A record that was decoded when it was read says what its bytes say, and leaves the same to be stored."""
    try:
        record = _record(Path("file"), 1, data, "ooni")
    except Rejected:
        return
    plain = Record(record.source, record.data, record.file, record.line)
    assert outcome(parse_record, record) == outcome(parse_record, plain)
    assert outcome(_taken, _record(Path("file"), 1, data, "ooni")) == outcome(_taken, plain)


def _taken(record: Record) -> Any:
    stored, bundle = take(record)
    return msgspec.json.decode(stored.data), replace(stored, data=b""), bundle


def outcome(work: Callable[[Record], Any], record: Record) -> Any:
    """What came of it, or why nothing did."""
    try:
        return work(record)
    except Rejected as error:
        return str(error)


def read(content: bytes, source: str = "ooni") -> None:
    """Read a file of these bytes and parse what comes out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        try:
            for record in MEASUREMENT_SOURCES[source].read(path, lambda _line, why: check_reason(why)):
                try:
                    check(MEASUREMENT_SOURCES[source].parse(record))
                except Rejected as error:
                    check_reason(str(error))
        except FanousError as error:
            check_reason(str(error))


def check_reason(why: str) -> None:
    assert why
    assert len(why) < 1000
    why.encode()


def fuzz(seconds: float) -> int:
    """Run until the time is over; returns how many documents were tried."""
    tried = 0
    until = time.monotonic() + seconds

    @settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.one_of(damaged_documents(), damaged_bytes()))
    def round_of_documents(data: bytes) -> None:
        nonlocal tried
        tried += 1
        parse(data)
        read(data)

    while time.monotonic() < until:
        round_of_documents()
    return tried


if __name__ == "__main__":
    print(f"{fuzz(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0):,} documents, none broke the reader")
