"""The hours in corpora/kenya-2023 were set by hand from the real measurements: do these bear them out?"""

import csv
import gzip
from collections import defaultdict
from pathlib import Path

import pytest

from fanous.model.instant import from_iso
from fanous_lab.evaluation.corpus import load_corpus
from tests.shared_data import shared_file

FOLDER = Path(__file__).resolve().parents[2] / "corpora" / "kenya-2023"


def measured(path: Path) -> dict[int, list[tuple[float, bool]]]:
    """By ASN: when each measurement began, and whether at least half of its requests failed."""
    began: dict[str, tuple[int, float]] = {}
    tries: dict[str, list[bool]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            uid = row["measurement_uid"]
            began[uid] = int(row["probe_asn"]), from_iso(row["measurement_start_time"])
            if row["http_request_url"]:
                tries[uid].append(bool(row["http_failure"]))
    found: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for uid, failed in tries.items():
        asn, at = began[uid]
        found[asn].append((at, 2 * sum(failed) >= len(failed)))
    return found


@pytest.mark.shared_data
def test_measurements_fail_within_the_labelled_hours_and_hardly_ever_outside() -> None:
    (event,) = load_corpus(FOLDER).events
    every = measured(shared_file("ooni/2023-KE-telegram.csv.gz"))
    for asn, intervals in event.networks.items():
        inside = [bad for at, bad in every[asn] if any(i.start <= at < (i.end or at) for i in intervals)]
        outside = [bad for at, bad in every[asn] if not any(i.start <= at < (i.end or at) for i in intervals)]
        assert len(inside) >= 10
        assert sum(inside) / len(inside) > 0.85, f"AS{asn}: {sum(inside)} of {len(inside)}"
        assert sum(outside) / len(outside) < 0.02, f"AS{asn}: {sum(outside)} of {len(outside)}"
