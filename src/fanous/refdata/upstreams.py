"""Upstreams: the one network behind which another stands, as the operator's own routing tables show it.

Fanous ships no such table: who carries whom changes by the month.  ``fanous refdata upstreams FILE...`` makes one.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from fanous.base.files import make_folder, text_of_regular, write_durably
from fanous.config import data_folder
from fanous.errors import FanousError
from fanous.model.place import written_asn

FILE = "upstreams.tsv"
MOST_BYTES = 16 << 20
"""Every network of the world in a line of at most 24 bytes takes 3 MB."""


def install(found: Mapping[int, int], source: str, now: float, folder: Path | None = None) -> Path:
    """Replace the table.

    Args:
        found: network -> its one upstream.
        source: where it comes from, in one line.

    Raises:
        FanousError: it cannot be written.
    """
    path = (folder or data_folder() / "refdata") / FILE
    make_folder(path.parent)
    lines = [f"# {source}", *(f"AS{asn}\tAS{found[asn]}" for asn in sorted(found))]
    write_durably(path, "".join(f"{line}\n" for line in lines).encode(), ".new", now)
    return path


def outermost(asn: int, folder: Path | None = None) -> int:
    """The upstream of its upstream, and so on; the network itself if it has none, or none is known.

    Raises:
        FanousError: the table cannot be read.
    """
    upstreams = installed((folder or data_folder() / "refdata") / FILE)
    passed = {asn}
    while (beyond := upstreams.get(asn)) is not None and beyond not in passed:
        passed.add(beyond)
        asn = beyond
    return asn


@lru_cache(maxsize=1)
def installed(path: Path) -> Mapping[int, int]:
    """The table as of the process's first call."""
    if not path.exists():
        return {}
    lines = text_of_regular(path, MOST_BYTES, "the table of upstreams").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    pairs = {written_asn(row[0]): written_asn(row[-1]) for row in rows}
    if not (all(pairs) and all(pairs.values())):
        raise FanousError(f"{path} is damaged; remove it, or make it anew with `fanous refdata upstreams`")
    return pairs
