"""Messengers: the endpoints that the apps themselves talk to, as OONI's nettests with their documented keys.

There is one file per app.  To add one, write a file with a ``Messenger`` and add a line to ``MESSENGERS``; an app that
no nettest of OONI's has tested so far also needs its line in ``PLATFORMS`` (``sources.ooni.nettests``), and says so.
The statuses that OONI's keys require only restate the steps recorded next to them; no conclusion rests on
them.
"""

from fanous.probe.messengers import facebook, signal, telegram, whatsapp
from fanous.probe.messengers.messenger import Messenger, record_of

MESSENGERS: dict[str, Messenger] = {
    one.test_name: one
    for one in (whatsapp.MESSENGER, telegram.MESSENGER, facebook.MESSENGER, signal.MESSENGER)
}
"""Name of the nettest -> what it tries."""

__all__ = ["MESSENGERS", "Messenger", "record_of"]
