"""Apprise: mail, Telegram, Slack, Matrix, Mastodon, Signal and a hundred others, by one address each.

These services know no idempotency key: it stands in the text, and in a header of mails, so that a person or a
filter recognises what comes twice.
"""

import asyncio
import logging
import threading
from typing import Any

from fanous.errors import FanousError
from fanous.publish.alerts.channel import Channel, Form
from fanous.publish.alerts.message import Message
from fanous.publish.alerts.senders.means import SECONDS, Attempt, Means

KEY_HEADER = "X-Fanous-Alert"


async def send_by_apprise(channel: Channel, message: Message, now: float) -> Attempt:  # noqa: ARG001 one shape for all senders
    try:
        async with asyncio.timeout(2 * SECONDS):  # it connects, and then talks
            return await asyncio.to_thread(_notify, channel, message)
    except TimeoutError:
        return Attempt("the service did not answer in time")


def _notify(channel: Channel, message: Message) -> Attempt:
    import apprise  # here: a third of a second, and only this kind of channel needs it

    service: Any = apprise.Apprise.instantiate(channel.address, suppress_exceptions=True)
    if service is None:
        return Attempt("Apprise does not know this kind of address", permanent=True)
    headers = getattr(service, "headers", None)
    if isinstance(headers, dict) and service.secure_protocol == "mailtos":
        headers[KEY_HEADER] = message.key
    told = apprise.Apprise()
    told.add(service)
    complaints = _Complaints()
    logging.getLogger("apprise").addHandler(complaints)
    try:
        title, body = _said(channel.form, message)
        taken = told.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT)
    finally:
        logging.getLogger("apprise").removeHandler(complaints)
    return Attempt() if taken else Attempt(complaints.last or "the service did not take it")


def _said(form: Form, message: Message) -> tuple[str, str]:
    """Title and body; a short form has no title and no room for a key."""
    if form is Form.SMS:
        return "", message.as_sms()
    if form is Form.POST:
        return "", message.as_post()
    return message.title, f"{message.body}\n{message.key}"


class _Complaints(logging.Handler):
    """The last warning of this thread: other channels are told at the same time."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.last = record.getMessage()[:300]


def check_address(address: str) -> None:
    """Raises:
    FanousError: no service of Apprise reads it; the address is not repeated, since it may hold a password.
    """
    import apprise

    if apprise.Apprise.instantiate(address, suppress_exceptions=True) is None:
        scheme = address.partition(":")[0]
        raise FanousError(
            f"Apprise cannot read this address ({scheme}:...); see https://appriseit.com/services/"
        )


APPRISE = Means("apprise", send_by_apprise, check_address, on_web=False, is_for_people=True)
