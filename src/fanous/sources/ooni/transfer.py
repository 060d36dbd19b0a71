"""Transfer: rates - the speed tests ndt (ts-022) and dash (ts-021), and our own probe's downloads in turn."""

from collections.abc import Iterator
from math import nan

from fanous.model.address import is_address
from fanous.model.observation import Layer, Observation
from fanous.refdata.platforms import role_of, target_of
from fanous.sources.ooni.document import DownloadRecord, Number, Sample, TransferKeys
from fanous.sources.ooni.failure import failure_of
from fanous.sources.ooni.place import LONGEST_URL, count_of, endpoint_of, host_and_port, host_of, seconds_of

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


def downloads(target: str, made: list[DownloadRecord]) -> Iterator[Observation]:
    """The downloads of ``x_transfers``; a control's stands under its own name.

    The rate is that after the first third where it is known: a policer lets a burst through.
    """
    for one in made:
        url = (one.url or "")[:LONGEST_URL]
        host, port = host_and_port(url)
        ip, _ = endpoint_of(one.address)
        late = _rate(one.kbps_late)
        yield Observation(
            layer=Layer.TRANSFER,
            target=target if one.role == "target" else target_of(host),
            hostname="" if is_address(host) else host,
            role=role_of(host) if one.role == "target" else "control",
            ip=ip,
            port=port,
            failure=failure_of(one.failure),
            at=seconds_of(one.t0),
            seconds=seconds_of(one.seconds),
            url=url,
            status_code=int(one.code) if one.code and 0 < one.code < 1000 else 0,
            received=count_of(one.bytes),
            kbps=_rate(one.kbps) if late != late else late,
            largest_gap=seconds_of(one.largest_gap),
        )


def _rate(value: Number) -> float:
    return float(value) if value is not None and 0 < value < FASTEST_KBPS else nan


def _kbps(test_name: str, keys: TransferKeys) -> float:
    rates = keys.summary if test_name == "ndt" and keys.summary else keys.simple
    return _rate((rates.download if test_name == "ndt" else rates.median_bitrate) if rates else None)


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
