"""A release names what was built, from which commit and locks, by digests that anyone can compute again."""

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # as in test_packaging
from tools.release import LOCKS, SBOM, SUMS, Refused, build, packages

from tests.documents import ROOT


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newest commit, without what is not committed here."""
    folder = tmp_path_factory.mktemp("release") / "checkout"
    subprocess.run(["git", "clone", "-q", "--shared", str(ROOT), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def release(checkout: Path) -> Path:
    build(checkout, checkout.parent / "one")
    return checkout.parent / "one"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bill(release: Path) -> dict[str, Any]:
    return dict(json.loads((release / SBOM).read_text()))


def test_the_bill_names_what_was_built_and_from_what(release: Path, checkout: Path) -> None:
    about = bill(release)["metadata"]["component"]
    named = {one["name"]: one["hashes"][0]["content"] for one in about["components"]}
    built = {path.name: sha256(path) for path in release.iterdir() if path.suffix in (".whl", ".gz")}
    assert len(built) == 2
    assert named == built | {name: sha256(checkout / name) for name in LOCKS}
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True)
    assert about["properties"] == [{"name": "fanous:commit", "value": commit.stdout.strip()}]


def test_the_bill_has_every_package_of_the_locks_with_its_hashes(release: Path, checkout: Path) -> None:
    listed = {
        (one["name"], one["version"]): {each["content"] for each in one["externalReferences"][0]["hashes"]}
        for one in bill(release)["components"]
    }
    locked = {
        (one.name, one.version): set(one.hashes)
        for name in LOCKS
        for one in packages((checkout / name).read_text())
    }
    lines = [line for name in LOCKS for line in (checkout / name).read_text().splitlines() if "==" in line]
    assert {f"{name}=={version}" for name, version in locked} == {line.split()[0] for line in lines}
    assert all(locked.values())
    assert listed == locked


def test_whoever_builds_it_again_gets_the_same_bytes(release: Path, checkout: Path) -> None:
    again = checkout.parent / "again"
    build(checkout, again)
    assert {path.name: sha256(path) for path in again.iterdir()} == {
        path.name: sha256(path) for path in release.iterdir()
    }


def test_a_changed_file_does_not_match_its_sum(release: Path) -> None:
    words = ["sha256sum", "--check", "--quiet", SUMS]
    assert subprocess.run(words, cwd=release).returncode == 0
    (wheel,) = release.glob("*.whl")
    whole = wheel.read_bytes()
    wheel.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert subprocess.run(words, cwd=release, capture_output=True).returncode == 1
    wheel.write_bytes(whole)


def test_what_is_not_a_commit_is_not_released(checkout: Path) -> None:
    stray = checkout / "src" / "fanous" / "stray.py"
    stray.write_text("")
    with pytest.raises(Refused, match=r"commit or remove them:\n.*stray\.py"):
        build(checkout, checkout.parent / "other")
    stray.unlink()
    (checkout.parent / "full").mkdir()
    (checkout.parent / "full" / "mine").touch()
    with pytest.raises(Refused, match="is not empty: name a new folder"):
        build(checkout, checkout.parent / "full")


def test_every_base_image_is_named_by_its_digest() -> None:
    """Of the files that name images, each one that is not built here."""
    froms = [
        line.split()[1]
        for line in (ROOT / "packaging/Dockerfile").read_text().splitlines()
        if ":" in line and line.startswith("FROM ")
    ]
    services = [
        service
        for name in ("compose.yaml", "compose.servers.yaml")
        for service in yaml.safe_load((ROOT / "packaging" / name).read_text())["services"].values()
    ]
    images = [*froms, *(service["image"] for service in services if "image" in service)]
    assert len(images) == 5 and len(set(images)) == 4
    for image in images:
        assert re.fullmatch(r"[a-z/-]+:[0-9a-z.-]+@sha256:[0-9a-f]{64}", image)
