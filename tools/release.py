"""Release: what is handed out, and a list of everything that is in it.

    python -m tools.release FOLDER

It builds the wheel and the source distribution of the commit that is checked out, with the back end of
``packaging/build.lock`` and the commit's own time, so that anyone who builds it again gets the same bytes.  Next to
them it writes ``sbom.cdx.json`` (CycloneDX), which names the commit, the digests of both files, the locks, and every
package of a lock with its hashes; and ``SHA256SUMS``.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("packaging/server.lock", "packaging/probe.lock", "packaging/build.lock")
SBOM = "sbom.cdx.json"
SUMS = "SHA256SUMS"


class Refused(Exception):
    """No release can be made; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package of a lock; ``hashes`` are those of all files that its index has of this version."""

    name: str
    version: str
    hashes: tuple[str, ...]


def packages(lock: str) -> Iterator[Package]:
    """The packages of the text of a lock, in its order."""
    for entry in re.split(r"\n(?=[A-Za-z0-9])", lock):
        if found := re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", entry):
            yield Package(found[1], found[2], tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)))


def build(root: Path, folder: Path) -> list[Path]:
    """Build the wheel and the source distribution of the commit, and describe them; returns all files.

    Raises:
        Refused: the checkout is not exactly a commit, or the folder holds something.
    """
    if changed := _git(root, "status", "--porcelain"):
        raise Refused(f"a release is a commit, but these differ from it; commit or remove them:\n{changed}")
    if folder.exists() and any(folder.iterdir()):
        raise Refused(f"{folder} is not empty: name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    commit, at = _git(root, "log", "-1", "--format=%H %ct").split()
    words = [sys.executable, "-m", "hatchling", "build", "-d", str(folder.resolve())]
    environment = os.environ | {"SOURCE_DATE_EPOCH": at}
    subprocess.run(words, cwd=root, env=environment, check=True, stdout=sys.stderr)
    built = sorted(folder.iterdir())
    sbom = folder / SBOM
    sbom.write_text(json.dumps(bill(root, built, commit, int(at)), indent=2) + "\n", encoding="utf-8")
    sums = folder / SUMS
    sums.write_text("".join(f"{_sha256(path)}  {path.name}\n" for path in (*built, sbom)), encoding="utf-8")
    return [*built, sbom, sums]


def bill(root: Path, built: list[Path], commit: str, at: int) -> dict[str, Any]:
    """The bill of materials of what was built, in CycloneDX 1.6; the same for the same commit."""
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    locks = {name: root / name for name in LOCKS}
    found = {one: None for path in locks.values() for one in packages(path.read_text(encoding="utf-8"))}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, f'fanous:{commit}')}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": "fanous",
                "name": "fanous",
                "version": version,
                "purl": f"pkg:pypi/fanous@{version}",
                "properties": [{"name": "fanous:commit", "value": commit}],
                "components": [
                    *(_file(path.name, path) for path in built),
                    *(_file(name, path) for name, path in locks.items()),
                ],
            },
        },
        "components": [_library(one) for one in sorted(found, key=lambda one: (one.name, one.version))],
    }


def _file(name: str, path: Path) -> dict[str, Any]:
    return {"type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": _sha256(path)}]}


def _library(one: Package) -> dict[str, Any]:
    purl = f"pkg:pypi/{one.name.lower().replace('_', '-')}@{one.version}"
    files = {
        "type": "distribution",
        "url": f"https://pypi.org/project/{one.name}/{one.version}/",
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in one.hashes],
    }
    return {
        "type": "library",
        "bom-ref": purl,
        "name": one.name,
        "version": one.version,
        "purl": purl,
        "externalReferences": [files],
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _git(root: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


def main(words: list[str]) -> None:
    """See the module."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("folder", type=Path, help="a new folder for the files of the release")
    chosen = options.parse_args(words)
    try:
        print(*build(ROOT, chosen.folder), sep="\n")
    except Refused as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main(sys.argv[1:])
