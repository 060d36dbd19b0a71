"""About: where an installed set came from, when, and under which licence; a small file beside it."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from fanous.refdata.atomic import replace_file
from fanous.refdata.sets import installed_sets


@dataclass(frozen=True, slots=True)
class SetOrigin:
    """What is known of an installed set.

    Attributes:
        source: the address or the path that it was taken from.
        licence: as its makers state it.
        installed_at: RFC 3339, UTC; when it was last found current.
        sha256: hex digest of the file that this speaks of.
        usable: patterns and addresses that counted then.
    """

    source: str
    licence: str
    installed_at: str
    sha256: str
    usable: int


def about_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.about.json")


def read_about(path: Path) -> SetOrigin | None:
    """What was noted of the set at ``path``; ``None`` = nothing that can be read."""
    try:
        noted = json.loads(about_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(noted, dict) or not {f.name for f in fields(SetOrigin)} <= noted.keys():
        return None
    source, licence, at, sha256 = (
        str(noted[name]) for name in ("source", "licence", "installed_at", "sha256")
    )
    return (
        SetOrigin(source, licence, at, sha256, noted["usable"]) if isinstance(noted["usable"], int) else None
    )


def write_about(path: Path, about: SetOrigin) -> None:
    """Note it beside the set at ``path``.

    Raises:
        OSError: it cannot be written.
    """
    text = json.dumps(asdict(about), indent=2, ensure_ascii=False)
    replace_file(about_path(path), f"{text}\n".encode())


def installed(folder: Path) -> list[tuple[Path, SetOrigin | None]]:
    """Each installed set with what is noted of it; ``None`` where the file is not the one noted."""
    return [(path, _of_this_file(path)) for path in installed_sets(folder)]


def _of_this_file(path: Path) -> SetOrigin | None:
    about = read_about(path)
    if about is None or hashlib.sha256(path.read_bytes()).hexdigest() != about.sha256:
        return None
    return about
