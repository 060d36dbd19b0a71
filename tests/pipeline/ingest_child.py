"""An ingest in small batches that says what it has acknowledged; the kill test starts and kills it.

argv: store, file.  Prints ``opening``, ``opened``, ``acknowledged UID`` for each measurement once it is on
the disk, and ``done``.
"""

import sys
from pathlib import Path

from fanous.model.verdict import Judged
from fanous.pipeline import ingest
from fanous.pipeline.judge import Ingested
from fanous.store.local import open_store
from fanous.store.protocol import Store

ingest.BATCH_RECORDS = 40
append = ingest.append


def told(store: Store, batch: list[Judged], tally: Ingested, late: float, version: str) -> None:
    append(store, batch, tally, late, version)
    for judged in batch:
        print("acknowledged", judged.parsed.measurement.uid)
    sys.stdout.flush()


ingest.append = told
print("opening", flush=True)
with open_store(sys.argv[1]) as opened:
    print("opened", flush=True)
    ingest.ingest(opened, "ooni", [Path(sys.argv[2])])
print("done")
