"""Messengers: the endpoints that the apps themselves talk to, as OONI's nettests with their documented keys.

One app a file.  To add one: a file with a ``Messenger``, and a line in ``MESSENGERS``.  The statuses that
OONI's keys ask for restate the steps beside them; nothing here or in the centre rests on them.
"""

from fanous.probe.messengers import facebook, signal, telegram, whatsapp
from fanous.probe.messengers.messenger import Messenger, record_of

MESSENGERS: dict[str, Messenger] = {
    one.test_name: one
    for one in (whatsapp.MESSENGER, telegram.MESSENGER, facebook.MESSENGER, signal.MESSENGER)
}
"""Name of the nettest -> what it tries."""

__all__ = ["MESSENGERS", "Messenger", "record_of"]
