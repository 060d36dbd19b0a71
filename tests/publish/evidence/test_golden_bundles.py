"""Bundles that an earlier version signed still verify; ``tests/golden/bundles`` says how they were made."""

from pathlib import Path

import pytest

from fanous.analysis.detectors.interference import DETECTOR_VERSION
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


NOW, CONFIRMED = "2026.23", "2026.22"


@pytest.mark.parametrize(
    ("name", "differences"),
    [
        ("demo", []),
        ("silence", []),
        # Runs of OONI's that one probe may have made count once: it is confirmed 20 minutes later.
        ("rally", ["confirmed_at: 1702825200.0, not 1702826400.0"]),
    ],
)
def test_a_bundle_from_before_c2_counted_probes_is_not_comparable_and_says_what_todays_come_to(
    name: str, differences: list[str]
) -> None:
    assert DETECTOR_VERSION == NOW
    done = verify(FOLDER / f"{name}.fanous")
    assert (done.result, done.differences) == (Result.OTHER_VERSIONS, differences)
    assert set(done.versions) == {("detector_version", CONFIRMED, NOW)}
    assert (done.label, done.claim.kind, done.claim.status) == CLAIMS[name]


@pytest.mark.parametrize("name", ["outage", "slowdown"])
def test_a_bundle_whose_detectors_have_changed_since_is_not_comparable_and_says_why(name: str) -> None:
    done = verify(FOLDER / f"{name}.fanous")
    assert (done.result, done.label) == (Result.OTHER_VERSIONS, CLAIMS[name][0])
    assert [(version, theirs) for version, theirs, _ in done.versions] == [
        ("detector_version", CONFIRMED),
        ("detector_version", "2026.17-levels"),
    ]


def test_every_golden_bundle_is_verified() -> None:
    assert {path.stem for path in FOLDER.glob("*.fanous")} == set(CLAIMS)
