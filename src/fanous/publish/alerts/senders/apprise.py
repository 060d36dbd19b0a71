"""Apprise: mail, Telegram, Slack, Matrix, Mastodon, Signal and a hundred other services, each given by one URL.

These services have no idempotency key. It is put into a header of mails and otherwise into the text, so that a
filter or a person can recognise a duplicate.
"""

import asyncio
import logging
import threading
from typing import Any

from fanous.errors import FanousError
from fanous.model.alert import Happening
from fanous.publish.alerts.channel import Channel, Form
from fanous.publish.alerts.message import Message
from fanous.publish.alerts.senders.means import SECONDS, Attempt, Means
from fanous.wording.language import ISOLATES

KEY_HEADER = "X-Fanous-Alert"

TYPES: dict[str, str] = {
    Happening.OPENED: "warning",
    Happening.CONFIRMED: "failure",
    Happening.ENDED: "success",
    Happening.CORRECTED: "warning",
}
"""Apprise's notification type, by which services colour a message."""


async def send_by_apprise(channel: Channel, message: Message, now: float) -> Attempt:  # noqa: ARG001 one shape for all senders
    try:
        async with asyncio.timeout(2 * SECONDS):  # once to connect and once to talk
            return await asyncio.to_thread(_notify, channel, message)
    except TimeoutError:
        return Attempt("the service did not answer in time")


def _notify(channel: Channel, message: Message) -> Attempt:
    import apprise  # imported here: it takes a third of a second, and only this kind of channel needs it

    service: Any = apprise.Apprise.instantiate(channel.address, suppress_exceptions=True)
    if service is None:
        return Attempt("Apprise does not know this kind of address", permanent=True)
    headers = getattr(service, "headers", None)
    is_mail = isinstance(headers, dict) and service.secure_protocol == "mailtos"
    if is_mail:
        service.headers[KEY_HEADER] = message.key
    told = apprise.Apprise()
    told.add(service)
    complaints = _Complaints()
    logging.getLogger("apprise").addHandler(complaints)
    try:
        title, body = _said(channel.form, message, in_header=is_mail)
        taken = told.notify(
            body=body,
            title=title,
            notify_type=apprise.NotifyType(TYPES.get(message.happening, "info")),
            body_format=apprise.NotifyFormat.TEXT,
        )
    finally:
        logging.getLogger("apprise").removeHandler(complaints)
    return Attempt() if taken else Attempt(complaints.last or "the service did not take it")


def _said(form: Form, message: Message, *, in_header: bool) -> tuple[str, str]:
    """Title and body; a short form has no title and no room for a key.

    Titles contain no isolate characters, because some mail programs show them as boxes.
    """
    if form is Form.SMS:
        return "", message.as_sms()
    if form is Form.POST:
        return "", message.as_post()
    body = message.body if in_header else f"{message.body}\n{message.key}"
    return message.title.translate(ISOLATES), body


class _Complaints(logging.Handler):
    """The last warning of this thread, because other channels send at the same time."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.last = record.getMessage()[:300]


def check_address(address: str) -> None:
    """Raises:
    FanousError: Apprise has no service for it; the message omits the address, which may contain a password.
    """
    import apprise

    if apprise.Apprise.instantiate(address, suppress_exceptions=True) is None:
        scheme = address.partition(":")[0]
        raise FanousError(
            f"Apprise cannot read this address ({scheme}:...); see https://appriseit.com/services/"
        )


APPRISE = Means("apprise", send_by_apprise, check_address, on_web=False, is_for_people=True)
