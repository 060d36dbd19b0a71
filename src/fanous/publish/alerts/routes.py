"""Routes: turns news into orders, one for each channel that the news concerns."""

from collections.abc import Iterable

from fanous.analysis.incidents.news import happenings
from fanous.model.alert import Happening, News, Order
from fanous.model.incident import Incident
from fanous.publish.alerts.rule import AlertRule

DAY = 86_400.0

NEWEST_ENDED = 7 * DAY
"""What ended longer ago is history, brought in from a file: nobody is woken up for it."""

NEWEST_OPEN = 60 * DAY
"""Likewise what is open since before: detection looks back so far (``pipeline.stages.HISTORY``)."""


def orders_of(news: News, rules: Iterable[AlertRule], now: float) -> list[Order]:
    """Each channel at most once, whatever number of rules names it."""
    happened = happenings(news.before, news.incident)
    if not happened:
        return []
    channels = dict.fromkeys(news.told, happened[0]) if _concerns_the_told(happened) else {}
    if not is_history(news.incident, now):
        for rule in rules:
            fitting = [one for one in happened if one in rule.on and one is not Happening.CORRECTED]
            if fitting and rule.concerns(news.incident):
                channels |= dict.fromkeys(rule.channels, happened[0])
    return [
        Order(channel, news.incident.id, news.n, happening) for channel, happening in sorted(channels.items())
    ]


def _concerns_the_told(happened: tuple[Happening, ...]) -> bool:
    """Whoever was told something is told when it is over or was wrong, whatever the rules say now."""
    return Happening.CORRECTED in happened or Happening.ENDED in happened


def is_history(incident: Incident, now: float) -> bool:
    if incident.end is not None:
        return incident.end < now - NEWEST_ENDED
    latest = max([incident.onset, *(one.start for one in incident.intervals)])
    return latest < now - NEWEST_OPEN
