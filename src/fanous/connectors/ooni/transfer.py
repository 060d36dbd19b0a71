"""Transfer: the speed tests ndt (ts-022) and dash (ts-021) as one observation each."""

from collections.abc import Iterator
from math import nan

from fanous.connectors.ooni.document import Sample, TransferKeys
from fanous.connectors.ooni.failure import failure_of
from fanous.connectors.ooni.place import count_of, host_of, seconds_of
from fanous.model.observation import Layer, Observation

FASTEST_KBPS = 1e9
"""1 Tbit/s: more is not a rate that a probe measured."""


def observe(test_name: str, keys: TransferKeys) -> Iterator[Observation]:
    """The download; a test that failed has no rate."""
    server = (keys.server.hostname if keys.server else None) or keys.server_address
    kbps = _kbps(test_name, keys)
    received, seconds = _received(test_name, keys)
    failure = failure_of(keys.failure)
    if failure is None and kbps != kbps and received < 0:
        return  # neither a rate nor a reason: nothing was observed
    yield Observation(
        layer=Layer.TRANSFER,
        target=test_name,
        hostname=host_of(server),
        role="media",
        failure=failure,
        seconds=seconds,
        received=received,
        kbps=kbps,
    )


def _kbps(test_name: str, keys: TransferKeys) -> float:
    rates = keys.summary if test_name == "ndt" and keys.summary else keys.simple
    value = (rates.download if test_name == "ndt" else rates.median_bitrate) if rates else None
    return float(value) if value is not None and 0 < value < FASTEST_KBPS else nan


def _received(test_name: str, keys: TransferKeys) -> tuple[int, float]:
    """Bytes and seconds of the download; -1 and NaN where not told."""
    if test_name == "ndt":
        last = next((s.progress for s in reversed(keys.download or []) if s.progress), None)
        if last is None or last.microseconds is None:
            return -1, nan
        return count_of(last.num_bytes), seconds_of(last.microseconds / 1e6)
    samples = keys.receiver_data or []
    if not samples:
        return -1, nan
    return sum(_bytes(sample) for sample in samples), seconds_of(sum(_seconds(sample) for sample in samples))


def _bytes(sample: Sample) -> int:
    return count_of(sample.received, 0)


def _seconds(sample: Sample) -> float:
    elapsed = seconds_of(sample.elapsed)
    return elapsed if elapsed > 0 else 0.0
