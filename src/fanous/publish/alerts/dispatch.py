"""Dispatch: turns news into deliveries, sends those that are due, the most urgent first, and records the result.

An attempt is recorded before it is made, and its outcome afterwards. A process that is killed in between sends the same
message again under the same key, and never forgets that a channel may have received it.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from logging import getLogger
from uuid import NAMESPACE_URL, uuid5

from fanous.analysis.incidents.revision import happenings, is_on_again, news_in
from fanous.log import logline
from fanous.model.alert import AlertGroup, AlertState, Delivery, Happening, News, Order, Priority
from fanous.model.incident import Incident, MethodChange
from fanous.model.instant import DAY
from fanous.model.reason import is_by_method
from fanous.publish.alerts.channel import MOST_ATTEMPTS, AlertRule, Attempt, Channel, wait_after
from fanous.publish.alerts.group import METHOD_SETTLES, group_of, method_group
from fanous.publish.alerts.message import Alert, Message, Sender, compose, compose_group
from fanous.publish.alerts.senders import SENDERS
from fanous.publish.alerts.settings import Alerting
from fanous.questions.claims import method_changes
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

    What only another method takes back says nothing new about the event: it joins the one message about that change.
    """
    happened = happenings(news.before, news.incident)
    channels = dict.fromkeys(news.told, happened[0]) if _concerns_the_told(news, happened) else {}
    by_method = is_by_method(news.reasons)
    if by_method:
        happened = tuple(one for one in happened if one is not Happening.CORRECTED)
    if not is_history(news.incident, now):
        for rule in rules:
            fitting = [one for one in happened if one in rule.on and one is not Happening.CORRECTED]
            if fitting and rule.concerns(news.incident):
                channels |= dict.fromkeys(rule.channels, happened[0])
            elif _has_reached(rule, news):
                channels |= {name: Happening.WIDENED for name in rule.channels if name not in news.told}
    incident = news.incident

    def order(channel: str, happening: Happening) -> Order:
        in_notice = by_method and happening is Happening.CORRECTED
        group = method_group(incident) if in_notice else group_of(incident)
        return Order(channel, incident.id, news.n, happening, group)

    staged = incident.provenance.is_synthetic
    return [
        order(channel, happening)
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
    latest = max([incident.onset, *(interval.start for interval in incident.intervals)])
    return latest < now - NEWEST_OPEN


log = getLogger("fanous.publish.alerts")

MOST_NEWS = 200
"""Most deliveries of one pass, since pages wait for the store until it is over; the next pass takes the rest."""

MOST_TOGETHER = 100
"""Most alerts in one message, for the same reason; the next message about the group has the rest."""

MOST_GROUPS = 3
"""Most messages at once about equally urgent groups."""


@dataclass(slots=True)
class Done:
    """Counts of one pass: messages sent, those that failed and will be repeated, those given up."""

    sent: int = 0
    failed: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message, and the deliveries that it carries."""

    deliveries: Sequence[Delivery]
    message: Message


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
        """One pass over all channels that waits for nothing: everything that is new and due."""
        done = Done(dead=await self._ask(partial(route, alerting=self._alerting)))
        channels = self._alerting.channels.values()
        await asyncio.gather(*(self._send_due(channel, done, waits=False) for channel in channels))
        return done

    async def tell(self, channel: Channel) -> None:
        """One pass over one channel, which no slow one delays; the first alert of a group waits for others."""
        await self._send_due(channel, Done(), waits=True)
        await self._renew(channel)

    async def _send_due(self, channel: Channel, done: Done, *, waits: bool) -> None:
        """The most urgent message first, chosen anew after each: an attempt may take half a minute.

        After a failure the rest waits for the next pass, since the channel probably refuses it too.
        """
        while (parcel := await self._ask(partial(self._next, channel, waits, done))) is not None:
            if not await self._attempt(parcel, channel, done):
                return

    def _next(self, channel: Channel, waits: bool, done: Done, store: Store) -> Parcel | None:
        """What to send now; ``None`` = nothing."""
        done.dead += route(store, self._alerting)
        for deliveries in parcels(self._ready(channel, waits, store)):
            if (parcel := parcel_of(store, deliveries, channel, self._sender)) is not None:
                store.ledger.outbox.begin(parcel.deliveries, parcel.message.key)
                return parcel
        return None

    def _ready(self, channel: Channel, waits: bool, store: Store) -> list[Delivery]:
        """Deliveries that may be sent now; those that may not are put off."""
        now, outbox = store.now(), store.ledger.outbox
        last = outbox.last_sent(channel.name, now - channel.pace.interval)
        ready = []
        for delivery in outbox.due(channel.name, now):
            allowed = channel.pace.allowed_at(now, delivery.happening, last.get(delivery.group))
            if allowed > now:
                outbox.finish(
                    [delivery.key], AlertState.WAITING, at=now, due_at=allowed, why="quiet hours or limit"
                )
            else:
                ready.append(delivery)
        if not waits:
            return ready
        whole = _whole_groups(ready, now, channel.pace.group_wait)
        return [one for one in ready if one.group in whole]

    async def _attempt(self, parcel: Parcel, channel: Channel, done: Done) -> bool:
        """Whether the channel can take another message now."""
        outcome = await SENDERS[channel.means].send(channel, parcel.message, time.time())
        attempts = 1 + max(delivery.attempts for delivery in parcel.deliveries)
        if not outcome.why:
            await self._finish(parcel, AlertState.SENT)
            done.sent += 1
        elif outcome.permanent or attempts >= MOST_ATTEMPTS:
            await self._finish(parcel, AlertState.DEAD, why=outcome.why)
            done.dead += 1
        else:
            wait = wait_after(attempts, outcome.wait)
            await self._finish(parcel, AlertState.WAITING, why=outcome.why, wait=wait)
            done.failed += 1
        _say(parcel, channel, outcome, attempts)
        return not outcome.why or outcome.permanent

    async def _finish(
        self, parcel: Parcel, state: AlertState, *, why: str = "", wait: float | None = None
    ) -> None:
        def write(store: Store) -> None:
            now = store.now()
            due = None if wait is None else now + wait
            keys = [delivery.key for delivery in parcel.deliveries]
            store.ledger.outbox.finish(keys, state, at=now, due_at=due, why=why)

        await self._ask(write)

    async def _renew(self, channel: Channel) -> None:
        """Send open incidents again to a receiver that would take silence for their end (Alertmanager)."""
        means, now = SENDERS[channel.means], time.monotonic()
        if means.renew is None or now - self._renewed.setdefault(channel.name, now) < means.renew:
            return
        self._renewed[channel.name] = now
        for message in await self._ask(partial(standing, channel=channel, sender=self._sender)):
            if (await means.send(channel, message, time.time())).why:
                return


def route(store: Store, alerting: Alerting) -> int:
    """Queues each new revision for the channels it concerns, in order, since a later one may retract an earlier
    one.  Gives up what waits for channels that are gone, and returns how many that were."""
    for _ in range(MOST_NEWS):
        news = store.ledger.outbox.next_news()
        if news is None:
            break
        shown = news_for_readers(news, store)
        orders = orders_of(shown, alerting.rules, store.now(), alerting.exercising) if shown else []
        store.ledger.outbox.route(news, orders)
    gone = "the configuration has no such channel"
    return store.ledger.outbox.give_up_others(alerting.channels, gone, store.now())


def news_for_readers(news: News, store: Store) -> News | None:
    """The news as it looks to readers, who see only what is published; ``None`` = they must not learn of it."""
    revisions = store.for_readers().ledger.revisions(news.incident.id)
    shown = [revision for revision in revisions if revision.n <= news.n]
    if not shown or shown[-1].n != news.n:
        return None
    _, told = news_in(revision.incident for revision in shown[:-1])
    return replace(news, incident=shown[-1].incident, before=told, reasons=shown[-1].reasons)


def _whole_groups(ready: Iterable[Delivery], now: float, group_wait: float) -> set[AlertGroup]:
    """The groups for which nothing else is waited for."""
    groups: defaultdict[AlertGroup, list[Delivery]] = defaultdict(list)
    for delivery in ready:
        groups[delivery.group].append(delivery)

    def is_whole(group: AlertGroup) -> bool:
        created = [one.created_at for one in groups[group]]
        if group.priority is Priority.METHOD:
            return max(created) + METHOD_SETTLES <= now
        return min(created) + group_wait <= now

    return {group for group in groups if any(one.message for one in groups[group]) or is_whole(group)}


def parcels(ready: Iterable[Delivery]) -> list[list[Delivery]]:
    """Which deliveries share a message, the most urgent first.

    What was begun together stays together: a repeated message has the same key, so its receiver would look for nothing
    new in it.  More than ``MOST_GROUPS`` equally urgent groups make one message, or they would be a flood themselves.
    """
    groups = {delivery.group for delivery in ready if not delivery.message}
    alike = Counter((group.rank, group.is_staged) for group in groups)
    by_group: dict[Hashable, list[Delivery]] = {}
    for one in ready:
        rank = one.group.rank, one.group.is_staged
        group = rank if alike[rank] > MOST_GROUPS else one.group
        by_group.setdefault(one.message or group, []).append(one)
    return sorted(by_group.values(), key=lambda deliveries: deliveries[0].group.rank)


def parcel_of(
    store: Store, deliveries: Sequence[Delivery], channel: Channel, sender: Sender
) -> Parcel | None:
    """The message for these deliveries, corrections first; what has nothing to say is dropped, and ``None`` = all."""
    corrections_first = sorted(deliveries, key=lambda delivery: delivery.happening is not Happening.CORRECTED)
    networks = cache(lambda provenance, country: store.of(provenance).facts.networks(country))
    ledger = store.for_readers().ledger
    sent: list[Delivery] = []
    alerts: list[Alert] = []
    for one in corrections_first[:MOST_TOGETHER]:
        claims = {revision.n: revision.incident for revision in ledger.revisions(one.incident)}
        incident, claim_before = claims[one.n], claims.get(one.told_n)
        names = networks(incident.provenance, incident.country)
        message = compose(one, claim_before, incident, names, channel.language, sender)
        if message is not None:
            sent.append(one)
            alerts.append((message, incident))
        else:
            why = "nothing that was told has changed"
            store.ledger.outbox.finish([one.key], AlertState.DROPPED, at=store.now(), why=why)
    if not sent:
        return None
    change = _change_behind(sent[0], store)
    if len(sent) == 1 and change is None:
        return Parcel(sent, replace(alerts[0][0], key=sent[0].message or sent[0].key))
    key = sent[0].message or str(
        uuid5(NAMESPACE_URL, f"fanous:{','.join(sorted(delivery.key for delivery in sent))}")
    )
    return Parcel(sent, compose_group(key, alerts, networks, channel.language, sender, change))


def _change_behind(delivery: Delivery, store: Store) -> MethodChange | None:
    """The change of the method that took back what a delivery is about; ``None`` = it is about an event."""
    if delivery.group.priority is not Priority.METHOD:
        return None
    return next(iter(method_changes(store.for_readers())), None)


def standing(store: Store, channel: Channel, sender: Sender) -> list[Message]:
    """Open incidents that were sent to this channel."""
    latest = {
        one.incident: one
        for one in store.ledger.outbox.deliveries(AlertState.SENT)
        if one.channel == channel.name
    }
    still = []
    for delivery in latest.values():
        incident = store.for_readers().ledger.incident(delivery.incident)
        if incident is not None and incident.is_open:
            names = store.of(incident.provenance).facts.networks(incident.country)
            message = compose(delivery, None, incident, names, channel.language, sender)
            still += [message] if message is not None else []
    return still


def _say(parcel: Parcel, channel: Channel, outcome: Attempt, attempts: int) -> None:
    first = parcel.deliveries[0]
    words = logline(
        "alert_failed" if outcome.why else "alert_sent",
        channel=channel.name,
        incident=first.incident,
        revision=first.n,
        others=len(parcel.deliveries) - 1 or None,
        key=parcel.message.key,
        attempt=attempts,
        why=outcome.why or None,
    )
    (log.warning if outcome.why else log.info)(words)
