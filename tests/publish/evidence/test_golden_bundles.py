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

FORMER = {"blocks": "2026.22", "levels": "2026.17-levels"}
"""Versions of detectors that decided them."""

OTHER_RULES = {"rules_version", "sha256.fingerprints.toml", "sha256.platforms.toml"}
"""What else has changed since."""


@pytest.mark.parametrize(
    ("name", "detectors", "comes_to_the_same"),
    [
        pytest.param("demo", ["blocks"], False, marks=pytest.mark.matrix),
        ("outage", ["blocks", "levels"], False),
        pytest.param("rally", ["blocks"], False, marks=pytest.mark.matrix),
        ("silence", ["blocks"], False),  # by volunteers alone, in less than three hours
        pytest.param("slowdown", ["blocks", "levels"], False, marks=pytest.mark.matrix),
    ],
)
def test_a_bundle_of_former_detectors_is_not_comparable_and_says_whether_todays_come_to_the_same(
    name: str, detectors: list[str], comes_to_the_same: bool
) -> None:
    done = verify(FOLDER / f"{name}.fanous")
    assert done.result is Result.OTHER_VERSIONS
    versions = [(what, theirs) for what, theirs, _ in done.versions]
    assert {what for what, _ in versions} - {"detector_version"} == OTHER_RULES
    decided = [theirs for what, theirs in versions if what == "detector_version"]
    assert decided == [FORMER[one] for one in detectors]
    assert (not done.differences) is comes_to_the_same
    assert (done.label, done.claim.kind, done.claim.status) == CLAIMS[name]


def test_every_golden_bundle_is_verified() -> None:
    assert {path.stem for path in FOLDER.glob("*.fanous")} == set(CLAIMS)
