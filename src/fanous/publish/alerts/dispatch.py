"""Dispatch: turns news into deliveries, sends those that are due, and records the result.

An attempt is recorded before it is made, and its outcome afterwards. A process that is killed in between sends the same
message again under the same key, and never forgets that a channel may have received it.
"""

import asyncio
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from logging import getLogger

from fanous.analysis.incidents.revision import happenings, is_on_again, news_in
from fanous.log import logline
from fanous.model.alert import AlertState, Delivery, Happening, News, Order
from fanous.model.incident import Incident
from fanous.model.instant import DAY, HOUR
from fanous.model.reason import is_by_method
from fanous.publish.alerts.channel import MOST_ATTEMPTS, AlertRule, Attempt, Channel, wait_after
from fanous.publish.alerts.message import Message, Sender, compose
from fanous.publish.alerts.senders import SENDERS
from fanous.publish.alerts.settings import Alerting
from fanous.store.protocol import Ask, Store

NEWEST_ENDED = 7 * DAY
"""Seconds since its end after which an incident is history imported from a file, and not worth an alert."""

NEWEST_OPEN = 60 * DAY
"""Seconds since its onset after which an open incident is history too: detection looks back this far
(``pipeline.detect.HISTORY``)."""


def orders_of(
    news: News, rules: Iterable[AlertRule], now: float, exercising: Collection[str] = ()
) -> list[Order]:
    """The orders that news leads to: at most one per channel, however many rules name it.

    Args:
        exercising: channels that asked for staged events; others never receive one.

    What only another method takes back is in the notice of that change (``pipeline.claims``), and no alert of its own.
    """
    happened = happenings(news.before, news.incident)
    if is_by_method(news.reasons):
        happened = tuple(one for one in happened if one is not Happening.CORRECTED)
    channels = dict.fromkeys(news.told, happened[0]) if _concerns_the_told(news, happened) else {}
    if not is_history(news.incident, now):
        for rule in rules:
            fitting = [one for one in happened if one in rule.on and one is not Happening.CORRECTED]
            if fitting and rule.concerns(news.incident):
                channels |= dict.fromkeys(rule.channels, happened[0])
            elif _has_reached(rule, news):
                channels |= {name: Happening.WIDENED for name in rule.channels if name not in news.told}
    staged = news.incident.provenance.is_synthetic
    return [
        Order(channel, news.incident.id, news.n, happening)
        for channel, happening in sorted(channels.items())
        if not staged or channel in exercising
    ]


def _concerns_the_told(news: News, happened: tuple[Happening, ...]) -> bool:
    """A channel that was sent an incident is also sent its end or retraction, and that it is on again, even if the
    rules have changed.
    """
    again = news.before is not None and is_on_again(news.before, news.incident)
    return again or Happening.CORRECTED in happened or Happening.ENDED in happened


def _has_reached(rule: AlertRule, news: News) -> bool:
    """Did it reach what the rule is about (a network, a target) only now, long after it began elsewhere?"""
    before, now = news.before, news.incident
    if before is None or not before.stands or not now.is_open or not now.stands:
        return False
    return Happening.WIDENED in rule.on and rule.concerns(now) and not rule.concerns(before)


def is_history(incident: Incident, now: float) -> bool:
    if incident.end is not None:
        return incident.end < now - NEWEST_ENDED
    latest = max([incident.onset, *(one.start for one in incident.intervals)])
    return latest < now - NEWEST_OPEN


log = getLogger("fanous.publish.alerts")

MOST_NEWS = 200
"""Most deliveries of one pass, since pages wait for the store until it is over; the next pass takes the rest."""


@dataclass(slots=True)
class Done:
    """Counts of one pass: messages sent, failed attempts that will be repeated, deliveries given up."""

    sent: int = 0
    failed: int = 0
    dead: int = 0


class Dispatcher:
    """Turns news into deliveries and sends them, one pass at a time.

    Args:
        ask: reaches the store.
        sender: the monitor that sends.
    """

    def __init__(self, ask: Ask, alerting: Alerting, sender: Sender) -> None:
        self._ask, self._alerting, self._sender = ask, alerting, sender
        self._renewed: dict[str, float] = {}

    async def look(self) -> Done:
        """One pass: everything that is new and due."""
        await self._ask(partial(route, alerting=self._alerting))
        due = await self._ask(lambda store: store.ledger.outbox.due(store.now()))
        of_channel: dict[str, list[Delivery]] = {}
        for delivery in due:
            of_channel.setdefault(delivery.channel, []).append(delivery)
        done = Done()
        await asyncio.gather(*(self._tell(name, waiting, done) for name, waiting in of_channel.items()))
        await self._renew()
        return done

    async def _tell(self, name: str, waiting: Sequence[Delivery], done: Done) -> None:
        """In parallel, because a slow channel would otherwise delay all others.

        After a failure the rest waits for the next pass: each attempt may take half a minute, and until this pass is
        over no channel hears of anything newer.
        """
        channel = self._alerting.channel(name)
        for delivery in waiting:
            if channel is None:
                await self._finish(delivery, AlertState.DEAD, why="the configuration has no such channel")
                done.dead += 1
                continue
            message = await self._ask(partial(self._message, delivery, channel))
            if message is not None and not await self._attempt(delivery, channel, message, done):
                return

    def _message(self, delivery: Delivery, channel: Channel, store: Store) -> Message | None:
        """What to send now; ``None`` = the delivery has to wait, or there is no news."""
        now = store.now()
        sent = store.ledger.outbox.sent_since(channel.name, now - HOUR)
        allowed = channel.pace.allowed_at(now, delivery.happening, sent)
        if allowed > now:
            store.ledger.outbox.finish(
                delivery.key, AlertState.WAITING, at=now, due_at=allowed, why="quiet hours or limit"
            )
            return None
        message = message_of(store, delivery, channel, self._sender)
        if message is None:
            store.ledger.outbox.finish(
                delivery.key, AlertState.DROPPED, at=now, why="nothing that was told has changed"
            )
            return None
        store.ledger.outbox.begin(delivery.key)
        return message

    async def _attempt(self, delivery: Delivery, channel: Channel, message: Message, done: Done) -> bool:
        """Whether the channel can take another message now."""
        outcome = await SENDERS[channel.means].send(channel, message, time.time())
        attempts = delivery.attempts + 1
        if not outcome.why:
            await self._finish(delivery, AlertState.SENT)
            done.sent += 1
        elif outcome.permanent or attempts >= MOST_ATTEMPTS:
            await self._finish(delivery, AlertState.DEAD, why=outcome.why)
            done.dead += 1
        else:
            await self._finish(
                delivery, AlertState.WAITING, why=outcome.why, wait=wait_after(attempts, outcome.wait)
            )
            done.failed += 1
        _say(delivery, channel, outcome, attempts)
        return not outcome.why or outcome.permanent

    async def _finish(
        self, delivery: Delivery, state: AlertState, *, why: str = "", wait: float | None = None
    ) -> None:
        def write(store: Store) -> None:
            now = store.now()
            due = None if wait is None else now + wait
            store.ledger.outbox.finish(delivery.key, state, at=now, due_at=due, why=why)

        await self._ask(write)

    async def _renew(self) -> None:
        """Send open incidents again to receivers that would take silence for their end (Alertmanager)."""
        await asyncio.gather(*map(self._renew_in, self._alerting.channels.values()))

    async def _renew_in(self, channel: Channel) -> None:
        means, now = SENDERS[channel.means], time.monotonic()
        if means.renew is None or now - self._renewed.setdefault(channel.name, now) < means.renew:
            return
        self._renewed[channel.name] = now
        for message in await self._ask(partial(standing, channel=channel, sender=self._sender)):
            if (await means.send(channel, message, time.time())).why:
                return


def route(store: Store, alerting: Alerting) -> None:
    """Queues each new revision for the channels it concerns, in order, since a later one may retract an earlier
    one."""
    for _ in range(MOST_NEWS):
        news = store.ledger.outbox.next_news()
        if news is None:
            return
        shown = news_for_readers(news, store)
        orders = orders_of(shown, alerting.rules, store.now(), alerting.exercising) if shown else []
        store.ledger.outbox.route(news, orders)


def news_for_readers(news: News, store: Store) -> News | None:
    """The news as it looks to readers, who see only what is published; ``None`` = they must not learn of it."""
    revisions = store.for_readers().ledger.revisions(news.incident.id)
    shown = [one for one in revisions if one.n <= news.n]
    if not shown or shown[-1].n != news.n:
        return None
    _, told = news_in(one.incident for one in shown[:-1])
    return replace(news, before=told, reasons=shown[-1].reasons)


def message_of(store: Store, delivery: Delivery, channel: Channel, sender: Sender) -> Message | None:
    """The news for this channel, which may know an earlier revision; ``None`` = there is none."""
    claims = {one.n: one.incident for one in store.ledger.revisions(delivery.incident)}
    incident = claims[delivery.n]
    names = store.of(incident.provenance).facts.networks(incident.country)
    return compose(delivery, claims.get(delivery.told_n), incident, names, channel.language, sender)


def standing(store: Store, channel: Channel, sender: Sender) -> list[Message]:
    """Open incidents that were sent to this channel."""
    latest = {
        one.incident: one
        for one in store.ledger.outbox.deliveries(AlertState.SENT)
        if one.channel == channel.name
    }
    found = []
    for delivery in latest.values():
        incident = store.for_readers().ledger.incident(delivery.incident)
        if incident is not None and incident.is_open:
            names = store.of(incident.provenance).facts.networks(incident.country)
            message = compose(delivery, None, incident, names, channel.language, sender)
            found += [message] if message is not None else []
    return found


def _say(delivery: Delivery, channel: Channel, outcome: Attempt, attempts: int) -> None:
    words = logline(
        "alert_failed" if outcome.why else "alert_sent",
        channel=channel.name,
        incident=delivery.incident,
        revision=delivery.n,
        key=delivery.key,
        attempt=attempts,
        why=outcome.why or None,
    )
    (log.warning if outcome.why else log.info)(words)
