"""Starts two workers, prints the ids of their server and of both, and reads no further than the first measurement.

argv: a file of OONI's.
"""

import os
import sys
import time
from functools import partial
from pathlib import Path

from fanous.pipeline.ingest import judged_records
from fanous.pipeline.judge import Ingested
from fanous.pipeline.workers import judged_by

judged = judged_by(2, partial(judged_records, "ooni"), [Path(sys.argv[1])], Ingested(), None)
next(judged)


def children(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


(server,) = children(os.getpid())
print(server, *children(int(server)), flush=True)
time.sleep(60)
