"""Spool: a probe's measurements on its own disk until a collector has acknowledged them.

``spool`` keeps them (on the disk when ``put`` returns), ``reports`` opens OONI reports for them, ``upload``
sends them oldest first, with ``backoff`` between tries, through a proxy or to a mirror where the collector
is blocked.  Killed anywhere, it goes on where it was: a measurement leaves the spool only when it was
acknowledged, and one that was acknowledged unheard is known to the collector by its content.

Nothing of the server is imported here.
"""

from fanous.probe.spool.spool import Spool
from fanous.probe.spool.upload import Uploader

__all__ = ["Spool", "Uploader"]
