"""Store: what Fanous remembers - raw records, the facts taken from them, and incidents.

Three parts share one protocol (``store.protocol``): the *archive* keeps every raw record and is the only part
that cannot be recomputed; *facts* (ClickHouse's dialect, in-process by default) hold observations and
verdicts; the *ledger* (SQLite by default) holds incidents and their revisions.

What is acknowledged is on disk: a batch goes to the archive first, then to the facts, and is marked as
complete last.  After a crash, ``replay.recover`` judges every batch without a mark, so that nothing is lost
and nothing is stored twice.  To add a question that the store answers: a method in ``protocol``, its SQL in
the module of its subject (``votes``, ``coverage``, ``evidence`` ...), and its row in ``rows``.
"""

from fanous.store.batch import Appended, Forgotten, Judged
from fanous.store.leases import Lease, LeaseLost
from fanous.store.local import open_store
from fanous.store.location import StoreLocation
from fanous.store.lock import StoreHeld
from fanous.store.protocol import Store
from fanous.store.replay import Replayed, recover, rejudge
from fanous.store.segment import Location, Segment

__all__ = [
    "Appended",
    "Forgotten",
    "Judged",
    "Lease",
    "LeaseLost",
    "Location",
    "Replayed",
    "Segment",
    "Store",
    "StoreHeld",
    "StoreLocation",
    "open_store",
    "recover",
    "rejudge",
]
