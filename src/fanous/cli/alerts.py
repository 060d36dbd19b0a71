"""``fanous alerts``: test the channels, list what was sent or given up, and retry."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import typer

from fanous.cli.common import act, ask, reaching, say, tell
from fanous.cli.options import (
    ConfigOption,
    JsonOption,
    Options,
    ReadOptions,
    StoreOptions,
    argument,
    command,
    option,
)
from fanous.errors import FanousError
from fanous.model.alert import AlertState, Delivery
from fanous.model.instant import to_iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanous.publish.alerts.channel import Attempt, Channel
    from fanous.publish.alerts.settings import Alerting
    from fanous.store.protocol import Store

T = TypeVar("T")

alerts_app = typer.Typer(help="Test, list, retry and send alerts.", no_args_is_help=True)


class AlertsTestOptions(Options):
    """Options of ``fanous alerts test``."""

    names: list[str] | None = argument(
        None, "Channels to test; default: all that are configured.", metavar="[CHANNEL]..."
    )
    config: ConfigOption = None
    as_json: JsonOption = False


@alerts_app.command("test")
@command
def alerts_test(options: AlertsTestOptions) -> None:
    """Send a test message to each channel; exit code 1 if any channel does not accept it."""
    import asyncio

    from fanous.publish.alerts.message import Sender, test_message
    from fanous.publish.alerts.senders import SENDERS

    alerting = _alerting(options.config)
    now = time.time()
    outcomes: list[tuple[Channel, Attempt]] = []
    for channel in _channels(alerting, options.names or []):
        message = test_message(str(uuid4()), now, Sender(alerting.url), channel.language)
        outcomes.append((channel, asyncio.run(SENDERS[channel.means].send(channel, message, now))))
    tests = [{"channel": c.name, "means": c.means, "taken": not o.why, "why": o.why} for c, o in outcomes]
    tell(
        options.as_json,
        {"tests": tests},
        (f"{c.name} ({c.means}): {o.why or 'accepted'}" for c, o in outcomes),
    )
    if any(outcome.why for _, outcome in outcomes):
        raise typer.Exit(1)


class AlertsListOptions(ReadOptions):
    """Options of ``fanous alerts list``."""

    state: AlertState | None = option(
        None, "Show only alerts in this state; dead: given up, needs attention."
    )


@alerts_app.command("list")
@command
def alerts_list(options: AlertsListOptions) -> None:
    """List alerts, oldest first: sent, waiting (and until when), or given up (and why).

    Alerts that were sent together have the same `message` in the JSON."""
    from fanous.questions.listings import ListDeliveries

    deliveries = ask(options, ListDeliveries(options.state))
    tell(
        options.as_json,
        {"deliveries": [delivery_document(delivery) for delivery in deliveries]},
        map(_line, deliveries),
        "no alerts",
    )


def _line(delivery: Delivery) -> str:
    when = {AlertState.SENT: delivery.sent_at, AlertState.WAITING: delivery.due_at}.get(
        delivery.state, delivery.created_at
    )
    return (
        f"{delivery.key}  {delivery.state:8}  {to_iso(when or delivery.created_at)}  {delivery.channel}: "
        f"{delivery.incident} {delivery.happening} (revision {delivery.n}, {delivery.attempts} attempts)"
        f"{f'; {delivery.why}' if delivery.why else ''}"
    )


class AlertsRetryOptions(StoreOptions):
    """Options of ``fanous alerts retry``."""

    keys: list[str] | None = argument(
        None, "Keys of alerts, as listed by `fanous alerts list`.", metavar="[KEY]..."
    )
    everything: bool = option(False, "Retry every alert that was given up.", "--all")


@alerts_app.command("retry")
@command
def alerts_retry(options: AlertsRetryOptions) -> None:
    """Queue alerts that were given up for one more attempt, unless newer ones have replaced them."""
    if bool(options.keys) == options.everything:
        raise typer.BadParameter("give the keys of the alerts, or pass --all", param_hint="KEY")
    from fanous.pipeline.actions import RetryAlerts

    count = act(options, RetryAlerts(None if options.everything else tuple(options.keys or ())))
    say(f"{count} deliveries queued again; `fanous run` or `fanous alerts send` sends them")


@alerts_app.command("send")
@command
def alerts_send(options: ReadOptions) -> None:
    """Send everything new and due, once, the most urgent first. For a timer; `fanous run` does this by itself."""
    import asyncio

    from fanous.publish.alerts.dispatch import Dispatcher
    from fanous.publish.alerts.message import Sender

    alerting = _alerting(options.config)
    with reaching(options) as reach:
        if (opened := reach.store) is None:
            raise FanousError("`fanous run` has this store open and sends alerts itself")

        async def answered(question: "Callable[[Store], T]", /) -> T:
            return question(opened)

        done = asyncio.run(Dispatcher(answered, alerting, Sender(alerting.url)).look())
    counts = f"{done.sent} sent, {done.failed} failed and waiting to be retried, {done.dead} given up"
    tell(options.as_json, {"sent": done.sent, "failed": done.failed, "dead": done.dead}, [counts])


def _alerting(config: Path | None) -> "Alerting":
    from fanous.publish.alerts.settings import read_alerting

    alerting = read_alerting(config)
    if not alerting.channels:
        raise FanousError("no channel is configured: add a table [alerts.channels.NAME] to the --config file")
    return alerting


def _channels(alerting: "Alerting", names: list[str]) -> "list[Channel]":
    channels = alerting.channels
    unknown = [name for name in names if name not in channels]
    if unknown:
        raise FanousError(f"no channel {unknown[0]!r}; the file has {', '.join(channels)}")
    return [channel for name, channel in channels.items() if not names or name in names]


def delivery_document(delivery: Delivery) -> dict[str, object]:
    return {
        "key": delivery.key,
        "channel": delivery.channel,
        "incident": delivery.incident,
        "revision": delivery.n,
        "happening": str(delivery.happening),
        "state": str(delivery.state),
        "created_at": to_iso(delivery.created_at),
        "due_at": to_iso(delivery.due_at) if delivery.state is AlertState.WAITING else None,
        "sent_at": None if delivery.sent_at is None else to_iso(delivery.sent_at),
        "attempts": delivery.attempts,
        "priority": str(delivery.group.priority),
        "message": delivery.message or None,
        "why": delivery.why or None,
    }
