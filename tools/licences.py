"""Licences: the licence of each package that Fanous installs, and whether it is compatible.

    python -m tools.licences

prints a table and ends with 1 if a licence is unknown or incompatible with Apache-2.0 in one program.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("packaging/probe.lock", "packaging/server.lock")
"""What is installed with Fanous; development tools are not distributed."""

FREE = (
    "Apache",
    "MIT",
    "BSD",
    "ISC",
    "PSF",
    "Python Software Foundation",
    "Zlib",
    "Unlicense",
    "CC0",
    "0BSD",
)
"""Licences that require no more than a notice."""

WEAK_COPYLEFT = ("MPL", "Mozilla", "LGPL")
"""They cover changes to their own files; as a separate, unchanged package they are compatible."""

KNOWN = {"resvg_py": "MIT"}
"""Packages whose metadata name no licence, according to their licence file."""


@dataclass(frozen=True, slots=True)
class Licence:
    package: str
    version: str
    says: str

    @property
    def goes_along(self) -> bool:
        strong = re.search(r"(?<!L)GPL|Affero|SSPL|Proprietary|Commercial", self.says)
        return not strong and any(name.lower() in self.says.lower() for name in FREE + WEAK_COPYLEFT)


def packages() -> Iterator[str]:
    """The packages of the lock files, each once, in order."""
    seen = set()
    for lock in LOCKS:
        for name in re.findall(
            r"^([A-Za-z0-9._-]+)==", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE
        ):
            if name not in seen:
                seen.add(name)
                yield name


def licences() -> Iterator[Licence]:
    """The licences of all packages of the lock files that apply to this machine and Python; others are not
    installed."""
    for name in packages():
        try:
            yield licence_of(distribution(name))
        except PackageNotFoundError:
            continue


def licence_of(package: Distribution) -> Licence:
    """According to its metadata: the SPDX expression, else the classifiers, else the first line of the free text."""
    about = package.metadata.json
    name = str(about["name"])
    classifiers = [
        value.rpartition(" :: ")[2] for value in about.get("classifier", ()) if value.startswith("License ::")
    ]
    text = str(about.get("license", "")).strip().partition("\n")[0]
    says = str(about.get("license_expression", "")) or ", ".join(classifiers) or text
    return Licence(name, package.version, says or KNOWN.get(name, ""))


def main() -> int:
    """See the module."""
    found = list(licences())
    for one in found:
        print(f"{'' if one.goes_along else 'NOT '}{one.package} {one.version}: {one.says or 'unknown'}")
    return 0 if all(one.goes_along for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
