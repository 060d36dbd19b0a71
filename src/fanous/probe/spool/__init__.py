"""Spool: a probe's measurements on its own disk until a collector has acknowledged them.

``spool`` keeps them (on disk when ``put`` returns); ``upload`` opens OONI reports for them and sends them
oldest first, with a backoff between attempts, through a proxy or to a mirror if the collector is blocked.  If
killed at any point, it resumes where it was: a measurement leaves the spool only once it is acknowledged, and
if the acknowledgement was lost, the collector recognises the measurement by its content.

Nothing of the server is imported here.
"""

from fanous.probe.spool.spool import Spool
from fanous.probe.spool.upload import Uploader

__all__ = ["Spool", "Uploader"]
