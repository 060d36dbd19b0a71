"""A release names what was built, from which commit and locks, by digests that anyone can compute again."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # as in test_packaging
from tools.release import IMAGES, LOCKS, SBOM, SUMS, Refused, build, image_arguments, packages

from tests.documents import ROOT

DIGEST = "sha256:" + "0f" * 32


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


def test_images_of_a_release_need_every_digest() -> None:
    text = (ROOT / IMAGES).read_text()
    names = [line.partition("=")[0] for line in text.splitlines() if "_DIGEST=" in line]
    filled = "\n".join(f"{name}={DIGEST}" for name in names)
    assert image_arguments(filled)[:2] == ["--build-arg", f"{names[0]}={DIGEST}"]
    for wrong in ("", DIGEST[:-1], "3.13-slim-trixie"):
        with pytest.raises(Refused, match=f"no digest for {names[0]}, and a release"):
            image_arguments(filled.replace(DIGEST, wrong, 1))
    with pytest.raises(Refused, match="no digest for any image"):
        image_arguments("")


def test_every_base_image_takes_its_digest() -> None:
    """Of the three files that name images, each one that is not built here."""
    named = (ROOT / IMAGES).read_text()
    froms = [
        line.split()[1]
        for line in (ROOT / "packaging/Dockerfile").read_text().splitlines()
        if ":" in line and line.startswith("FROM ")
    ]
    services = yaml.safe_load((ROOT / "packaging/compose.servers.yaml").read_text())["services"].values()
    images = [*froms, *(one["image"] for one in services if "image" in one)]
    assert len(images) == 5
    for image in images:
        tag, variable = image.split("${")[0], image.split("${")[1].partition(":")[0]
        assert f"# {tag}\n{variable}=" in named
        assert image.startswith(f"{tag}${{{variable}:+@}}${{{variable}")
