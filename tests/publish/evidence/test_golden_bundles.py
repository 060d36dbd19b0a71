"""Bundles that an earlier version signed still verify; ``tests/golden/bundles`` says how they were made."""

from pathlib import Path

import pytest

from fanous.model.incident import Kind, Status
from fanous.publish.evidence.verify import Result, verify

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "bundles"

CLAIMS = {
    "demo": ("PK-2023-0001", Kind.BLOCKING, Status.ENDED),
    "outage": ("XK-2024-0001", Kind.OUTAGE, Status.ENDED),
    "rally": ("PK-2023-0001", Kind.BLOCKING, Status.ENDED),
    "silence": ("PK-2023-0001", Kind.OUTAGE, Status.ENDED),
    "slowdown": ("PK-2023-0001", Kind.SLOWDOWN, Status.SUSPECTED),
}
"""What each says, by file."""


BY_FORMER_DETECTORS = ("outage", "slowdown")


@pytest.mark.parametrize("name", sorted({*CLAIMS} - {*BY_FORMER_DETECTORS}))
def test_a_bundle_of_an_earlier_version_is_a_match(name: str) -> None:
    done = verify(FOLDER / f"{name}.fanous")
    assert (done.result, done.differences, done.versions) == (Result.MATCH, [], [])
    assert (done.label, done.claim.kind, done.claim.status) == CLAIMS[name]


@pytest.mark.parametrize("name", BY_FORMER_DETECTORS)
def test_a_bundle_whose_detectors_have_changed_since_is_not_comparable_and_says_why(name: str) -> None:
    done = verify(FOLDER / f"{name}.fanous")
    assert (done.result, done.label) == (Result.OTHER_VERSIONS, CLAIMS[name][0])
    assert [(name, theirs) for name, theirs, _ in done.versions] == [("detector_version", "2026.17-levels")]


def test_every_golden_bundle_is_verified() -> None:
    assert {path.stem for path in FOLDER.glob("*.fanous")} == set(CLAIMS)
