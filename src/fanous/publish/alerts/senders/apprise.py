"""Apprise: mail, Telegram, Slack, Matrix, Mastodon, Signal and a hundred other services, each given by one URL.

These services have no idempotency key. It is put into a header of mails and otherwise into the text, so that a
filter or a person can recognise a duplicate.

Each message is sent by a separate process.  Apprise's services limit neither the time nor the size of an answer,
and a thread that waits for one cannot be ended: a server that sends a byte a second would never let it go.
"""

import asyncio
import logging
import re
import resource
import signal
import sys
from typing import Any
from urllib.parse import unquote

import msgspec

from fanous.base.text import printable
from fanous.errors import FanousError
from fanous.model.alert import Happening
from fanous.publish.alerts.channel import ATTEMPT_SECONDS, Attempt, Channel, Form, Means
from fanous.publish.alerts.message import Message
from fanous.wording.language import ISOLATES

KEY_HEADER = "X-Fanous-Alert"

TYPES: dict[str, str] = {
    Happening.OPENED: "warning",
    Happening.CONFIRMED: "failure",
    Happening.ENDED: "success",
    Happening.CORRECTED: "warning",
    Happening.WIDENED: "failure",
    Happening.NARROWED: "info",
}
"""Apprise's notification type, by which services colour a message."""


MOST_MEMORY = 1 << 30
"""Bytes that the process may take: Apprise itself needs a tenth of it, the rest is for an answer."""

MOST_SECONDS = 2 * ATTEMPT_SECONDS
"""Seconds: once to connect and once to talk."""

LEAST_SECRET = 6
"""Characters from which on a part of an address may be a secret rather than a word."""

CHILD = "from fanous.publish.alerts.senders.apprise import deliver; deliver()"


class Letter(msgspec.Struct):
    """What the process is told.  The address may contain a password, so it is not told on its command line."""

    address: str
    happening: str
    title: str
    body: str
    key: str
    is_short: bool


async def send_by_apprise(channel: Channel, message: Message, now: float) -> Attempt:  # noqa: ARG001 one shape for all senders
    title, body = _said(channel.form, message)
    letter = Letter(
        channel.address, message.happening, title, body, message.key, channel.form is not Form.FULL
    )
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", CHILD), stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(MOST_SECONDS):
            output, _ = await process.communicate(msgspec.json.encode(letter))
        return msgspec.json.decode(output, type=Attempt)
    except TimeoutError:
        return Attempt("the service did not answer in time")
    except msgspec.DecodeError:
        return Attempt("the service's answer could not be read, or was too large")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def deliver() -> None:
    """The process: sends what it reads from stdin, and writes the result to stdout."""
    signal.alarm(int(MOST_SECONDS) + 5)  # ends it even if the monitor has been killed
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    letter = msgspec.json.decode(sys.stdin.buffer.read(), type=Letter)
    sys.stdout.buffer.write(msgspec.json.encode(_notify(letter)))


def _notify(letter: Letter) -> Attempt:
    import apprise  # imported here: it takes a third of a second, and only this kind of channel needs it

    asset = apprise.AppriseAsset(http_redirects=False, secure_logging=True)
    service: Any = apprise.Apprise.instantiate(letter.address, asset=asset, suppress_exceptions=True)
    if service is None:
        return Attempt("Apprise does not know this kind of address", permanent=True)
    headers = getattr(service, "headers", None)
    is_mail = isinstance(headers, dict) and service.secure_protocol == "mailtos"
    if is_mail:
        service.headers[KEY_HEADER] = letter.key
    notifier = apprise.Apprise(asset=asset)
    notifier.add(service)
    complaints = _Complaints()
    logging.getLogger("apprise").addHandler(complaints)
    taken = notifier.notify(
        body=letter.body if is_mail or letter.is_short else f"{letter.body}\n{letter.key}",
        title=letter.title,
        notify_type=apprise.NotifyType(TYPES.get(letter.happening, "info")),
        body_format=apprise.NotifyFormat.TEXT,
    )
    why = without_secrets(complaints.last, letter.address, str(service.host or ""))
    return Attempt() if taken else Attempt(why or "the service did not take it")


def without_secrets(text: str, address: str, host: str) -> str:
    """The text without the parts of the address, of which any but the host may be a secret."""
    for part in re.split(r"[/:@?&=#,;]+", address):
        for form in (part, unquote(part)):
            if len(form) >= LEAST_SECRET and form != host:
                text = text.replace(form, "***")
    return text


def _said(form: Form, message: Message) -> tuple[str, str]:
    """Title and body; a short form has no title and no room for a key.

    Titles contain no isolate characters, because some mail programs show them as boxes.
    """
    if form is Form.SMS:
        return "", message.as_sms()
    if form is Form.POST:
        return "", message.as_post()
    return message.title.translate(ISOLATES), message.body


class _Complaints(logging.Handler):
    """The last warning."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = printable(record.getMessage())[:300]


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
