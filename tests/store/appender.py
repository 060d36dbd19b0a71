"""Appender: the process that ``test_kill`` kills - finishes what was left, then appends without end.

Usage: appender.py STORE FIRST.  Prints ``open`` when it begins, and each uid once it is acknowledged.
"""

import sys
from itertools import count

from fanous.pipeline.replay import recover
from fanous.store.local import open_store
from tests.store.cases import judge, judged

BATCH = 25
COUNTRIES = ("PK", "IR")


def main(where: str, first: int) -> None:
    with open_store(where) as store:
        print("open", flush=True)
        recover(store, judge, rules_version="1")
        for start in count(first, BATCH):
            uids = [f"m{n}" for n in range(start, start + BATCH)]
            store.append(
                [judged(uid, country=COUNTRIES[n % 2]) for n, uid in enumerate(uids)], rules_version="1"
            )
            print("\n".join(uids), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
