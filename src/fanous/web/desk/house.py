"""House: the monitor's own health, and whether its alerts arrive."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from fanous import __version__
from fanous.errors import FanousError
from fanous.model.alert import AlertState
from fanous.pipeline.actions import Action, RetryAlerts
from fanous.publish.alerts.message import Sender, test_message
from fanous.publish.alerts.senders import SENDERS
from fanous.publish.alerts.settings import Alerting
from fanous.sources.ics import EventLeftOut
from fanous.store.protocol import Store
from fanous.web.answers import Visit
from fanous.web.routes import Facts

MOST_LISTED = 100

STATES = {
    AlertState.WAITING: "Waiting",
    AlertState.SENT: "Sent",
    AlertState.DEAD: "Given up",
    AlertState.DROPPED: "Not sent: a newer message replaced it",
}


def house_facts(store: Store, visit: Visit) -> Facts:
    """The monitor's health: what is wrong, its sources, probes, collector and disks."""
    workings = visit.site.workings
    return {
        "ailments": workings.ailments(),
        "ended": [one for one in workings.feed() if one.ended_at is not None][:MOST_LISTED],
        "vitals": workings.vitals(),
        "pulls": workings.pulls(),
        "heard": sorted(workings.heard(), key=lambda one: (not one.silent, -one.last))[:MOST_LISTED],
        "collector": workings.collector,
        "lacking": [one for one in workings.needs() if not one.found],
        "undetected": store.ledger.undetected(),
        "version": __version__,
    }


def alerts_facts(store: Store, visit: Visit) -> Facts:
    """Channels, and the messages sent to them, latest first."""
    deliveries = store.ledger.outbox.deliveries()
    return {
        "channels": list((visit.site.alerting.channels or {}).values()),
        "deliveries": deliveries[::-1][:MOST_LISTED],
        "dead": sum(one.state is AlertState.DEAD for one in deliveries),
        "states": STATES,
    }


def retry_of(_form: Mapping[str, str], _path: Mapping[str, Any], _left: list[EventLeftOut]) -> Action:
    return RetryAlerts()


async def send_test(alerting: Alerting, name: str, now: float) -> None:
    """Send a test message to a channel.

    Raises:
        FanousError: there is no such channel, or it rejected the message.
    """
    channel = alerting.channel(name)
    if channel is None:
        raise FanousError(f"no channel {name!r} is configured")
    message = test_message(str(uuid4()), now, Sender(alerting.url), channel.language)
    attempt = await SENDERS[channel.means].send(channel, message, now)
    if attempt.why:
        raise FanousError(f"{name}: {attempt.why}")
