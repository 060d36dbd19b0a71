"""Senders: from a message to what became of it; one module a kind of channel, its line in ``SENDERS``."""

from collections.abc import Callable, Coroutine
from typing import Any

from fanous.publish.alerts.channel import Channel, Means
from fanous.publish.alerts.message import Message
from fanous.publish.alerts.senders.alertmanager import send_to_alertmanager
from fanous.publish.alerts.senders.apprise import send_by_apprise
from fanous.publish.alerts.senders.outcome import Attempt
from fanous.publish.alerts.senders.webhook import send_to_webhook

Send = Callable[[Channel, Message, float], Coroutine[Any, Any, Attempt]]
"""Channel, message, unix seconds now."""

SENDERS: dict[Means, Send] = {
    Means.APPRISE: send_by_apprise,
    Means.WEBHOOK: send_to_webhook,
    Means.ALERTMANAGER: send_to_alertmanager,
}
