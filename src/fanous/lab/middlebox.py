"""Middlebox: the program that runs all boxes of a lab; orders over a unix socket say where to put them."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from fanous.lab.boxes import BOXES, Box, BoxPlace
from fanous.lab.programs import listen
from fanous.lab.space import allow_many_files

CONTROL = "middlebox.sock"


class Middlebox:
    """The boxes in place, by cut."""

    def __init__(self) -> None:
        self._standing: dict[str, list[Box]] = {}

    def obey(self, order: dict[str, Any]) -> None:
        """Obey ``put`` (boxes of one kind, for a cut) or ``take`` (remove a cut's boxes)."""
        if order["do"] == "put":
            make = BOXES[order["kind"]]
            standing = self._standing.setdefault(order["cut"], [])
            for one in order["places"]:
                place = BoxPlace(one["namespace"], one["uplink"], one["queue"])
                standing.append(make(place, **one["options"]))
        elif order["do"] == "take":
            for box in self._standing.pop(order["cut"], []):
                box.close()


async def serve(folder: Path) -> None:
    """Run until the process is ended."""
    server = await listen(folder / CONTROL, Middlebox().obey)
    await server.serve_forever()


if __name__ == "__main__":
    allow_many_files()
    asyncio.run(serve(Path(sys.argv[1])))
