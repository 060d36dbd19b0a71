"""Senders: one file for each kind of channel, which sends a message and reports the result.

To add one:

1. A file here with a coroutine that sends a message and returns an ``Attempt``, and a ``Means`` that declares it: the
   configuration key of its address, what a valid address is, and whether messages are signed, shortened or repeated.
2. Its line in ``SENDERS``.
3. Its key in ``ChannelTable`` (``settings``), since a file with an unknown key is refused; ``NAME_env`` as well
   if the address is a secret.
4. A test that sends a message, as ``tests/publish/alerts/test_senders.py`` does with a sender that it writes.
"""

from fanous.model.registry import registered
from fanous.publish.alerts.channel import Means
from fanous.publish.alerts.senders.alertmanager import ALERTMANAGER
from fanous.publish.alerts.senders.apprise import APPRISE
from fanous.publish.alerts.senders.webhook import WEBHOOK

__all__ = ["SENDERS", "Means"]

SENDERS = registered(APPRISE, WEBHOOK, ALERTMANAGER)
