"""Site: what the owner of a monitor may set about its pages."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_PORT = 8470


@dataclass(frozen=True, slots=True)
class Site:
    """Settings of the public side.

    Attributes:
        url: public address without a slash at its end, ``https://fanous.example``; empty = as the request
            names it.  Behind a reverse proxy it must be set, or permanent links name the inner address.
        notice: said on every page, in English: "Recorded event ..."; empty = nothing.
        clock: unix seconds, UTC; what the pages call *now*.
        world: file of map shapes in the format of ``refdata/world.tsv``; ``None`` = that file.
        heard: (country, ASN) -> when a probe there was last heard, where something knows better than the
            stored measurements (heartbeats).
        key: Ed25519 key that signs evidence bundles; ``None`` = the user's own, made once.
        token: what an administrator's requests must carry; empty = the pages have no such door.
    """

    url: str = ""
    notice: str = ""
    clock: Callable[[], float] = time.time
    world: Path | None = None
    heard: Callable[[], dict[tuple[str, int], float]] = field(default=dict)
    key: Path | None = None
    token: str = field(default="", repr=False)
