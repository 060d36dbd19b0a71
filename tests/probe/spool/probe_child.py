"""A probe that measures and sends without end; the kill test starts and kills it.

argv: spool, url, the first number.  Prints ``put N`` once a measurement is in the spool, ``acknowledged UID``
once a collector has it.
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from fanous.probe import upload
from fanous.probe.spool import Spool
from fanous.probe.upload import Uploader
from tests.collector.probe import measurement

upload.FIRST_SECONDS = 0.05


def say(what: str) -> None:
    print(what, flush=True)


async def main(folder: Path, url: str, number: int) -> None:
    spool = Spool(folder)
    acknowledged = "acknowledged {}".format
    async with Uploader(spool, [url], on_sent=lambda uid: say(acknowledged(uid))) as uploader:
        while True:
            for _ in range(5):
                spool.put(msgspec.json.encode(measurement(number, input=f"https://x.com/{number:012d}")))
                say(f"put {number}")
                number += 1
            await uploader.send()
            await asyncio.sleep(0.03)


asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
