"""Store: what Fanous remembers - raw records, the facts taken from them, and the incidents claimed.

Three parts behind one protocol (``store.protocol``): the *archive* keeps every raw record and is the only
part that cannot be computed again; *facts* (ClickHouse's dialect, in-process by default) hold
observations and verdicts; the *ledger* (SQLite by default) holds incidents and their revisions.

What is acknowledged is on the disk: a batch goes to the archive first, then to the facts, and the marker
that says so comes last.  After a crash, ``recover`` judges what has no marker, so that nothing is lost and
nothing is there twice.  To add a question that the store answers: a method in ``protocol``, its SQL in
``reads`` or ``votes``, its row in ``rows``.
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
