"""Figure: one number that was measured, with what it includes; and the machine on which it was."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fanous import __version__


@dataclass(frozen=True, slots=True)
class Figure:
    """One number.

    Attributes:
        unit: ``x`` for a ratio.
        includes: what was done for it, in words.
    """

    name: str
    value: float
    unit: str
    includes: str = ""


def machine() -> dict[str, Any]:
    """The machine on which the figures depend."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        "",
    )
    return {
        "processor": cpu or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "fanous": __version__,
    }


def document(figures: Sequence[Figure], notes: Sequence[str] = ()) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {"machine": machine(), "figures": [asdict(one) for one in figures], "notes": list(notes)}


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
