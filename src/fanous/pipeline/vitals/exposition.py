"""Exposition: vitals as metrics for Prometheus.  No figure names a probe or a place below a country."""

from collections.abc import Iterator, Sequence

from fanous.pipeline.vitals.ailments import Ailment
from fanous.pipeline.vitals.vitals import Vitals
from fanous.probe.metrics import Metric


def metrics(vitals: Vitals, ailments: Sequence[Ailment]) -> list[Metric]:
    """All of them; kinds of ailments that nobody has are not listed."""
    return [*_of_sources(vitals), *_of_software(vitals), *_of_folders(vitals), *_of_work(vitals, ailments)]


def _of_sources(vitals: Vitals) -> Iterator[Metric]:
    for one in vitals.arrivals:
        labels = (("source", one.source),)
        text = "Unix time at which the last measurement came through a source"
        yield Metric("fanous_source_last_received_timestamp_seconds", one.last, text, labels)
        text = "Measurements of the last 28 days"
        yield Metric("fanous_source_measurements", one.measurements, text, labels)


def _of_software(vitals: Vitals) -> Iterator[Metric]:
    for one in vitals.soundness:
        labels = (("software", one.software),)
        yield Metric("fanous_software_measurements", one.measurements, "Measurements of the last day", labels)
        yield Metric("fanous_software_unsound", one.unsound, "Of these, what cannot be used", labels)
    text = "Measurements of the last day that were made after they were received, by their own clock"
    yield Metric("fanous_clock_ahead_measurements", vitals.clocks.ahead, text)


def _of_folders(vitals: Vitals) -> Iterator[Metric]:
    for disk in vitals.disks:
        labels = (("folder", disk.folder),)
        yield Metric("fanous_disk_free_bytes", disk.free, "Free on the disk of a folder", labels)
        yield Metric("fanous_disk_size_bytes", disk.size, "Size of the disk of a folder", labels)
    for queue in vitals.backlogs:
        labels = (("inbox", queue.folder),)
        age = 0.0 if queue.since is None else max(0.0, vitals.machine_at - queue.since)
        yield Metric("fanous_inbox_files", queue.files, "Sealed files that wait for the store", labels)
        yield Metric("fanous_inbox_bytes", queue.bytes, "Bytes of measurements in an inbox", labels)
        yield Metric("fanous_inbox_oldest_seconds", age, "Age of the oldest file that waits", labels)
        yield Metric("fanous_inbox_apart_files", queue.apart, "Files that only a person takes", labels)
        text = "Messages of a stream that cannot be used and were set aside"
        yield Metric("fanous_inbox_refused", queue.refused, text, labels)


def _of_work(vitals: Vitals, ailments: Sequence[Ailment]) -> Iterator[Metric]:
    lag = max((vitals.machine_at - since for since in vitals.undetected.values()), default=0.0)
    text = "Countries with measurements that no detection has seen"
    yield Metric("fanous_undetected_countries", len(vitals.undetected), text)
    yield Metric("fanous_detection_lag_seconds", lag, "How long the longest of them is known to wait")
    yield Metric("fanous_damaged_segments", len(vitals.damaged), "Files of the archive that cannot be read")
    yield Metric("fanous_examined_timestamp_seconds", vitals.machine_at, "When these figures were read")
    for kind in sorted({one.kind for one in ailments}):
        count = sum(one.kind == kind for one in ailments)
        yield Metric("fanous_ailments", count, "What is wrong with the monitor itself", (("kind", kind),))
