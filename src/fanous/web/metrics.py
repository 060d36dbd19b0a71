"""Metrics: gauges for Prometheus - open incidents, age of the latest measurements, undelivered alerts.

Each subject is a function that returns gauges. The monitor adds its own health to ``SUBJECTS``.
"""

from collections import Counter
from collections.abc import Callable

from fanous.model.alert import AlertState
from fanous.pipeline.query import last_heard
from fanous.probe.metrics import MEDIA, Metric, render
from fanous.store.protocol import Store
from fanous.web.answers import Reply, Visit


def open_incidents(store: Store, _now: float) -> list[Metric]:
    """Open incidents by country, kind and status; combinations without any are not listed."""
    known = store.ledger.incidents(synthetic=store.is_synthetic)
    count = Counter((one.country, one.kind, one.status) for one in known if one.is_open)
    staged = "Synthetic, of a staged event: " if store.is_synthetic else ""
    text = f"{staged}Incidents that are open, by country, kind and status"
    return [
        Metric(
            "fanous_incidents_open",
            n,
            text,
            (("country", country), ("kind", str(kind)), ("status", str(status))),
        )
        for (country, kind, status), n in sorted(count.items())
    ]


def freshness(store: Store, now: float) -> list[Metric]:
    """Seconds since the last sound measurement from each country that was ever measured.

    A country that falls silent keeps its series, because its age is what should alarm.
    """
    heard = last_heard(store, now)
    for country in store.facts.countries():
        if country not in heard and (measured := store.facts.measured(country)) is not None:
            heard[country] = measured[1]
    text = "Seconds since the last sound measurement of a country"
    return [
        Metric("fanous_last_measurement_age_seconds", max(0.0, now - at), text, (("country", country),))
        for country, at in sorted(heard.items())
    ]


def alerts(store: Store, _now: float) -> list[Metric]:
    """Alerts that are waiting, and those that were given up."""
    count = Counter(one.state for one in store.ledger.outbox.deliveries())
    text = "Alerts by what became of them"
    states = (AlertState.WAITING, AlertState.DEAD)
    return [Metric("fanous_alerts", count[state], text, (("state", str(state)),)) for state in states]


SUBJECTS: tuple[Callable[[Store, float], list[Metric]], ...] = (open_incidents, freshness, alerts)


def metrics(store: Store, visit: Visit) -> Reply:
    """In the text format of Prometheus."""
    shown = store.about()
    found = [metric for subject in SUBJECTS for metric in subject(shown, visit.now)]
    return Reply.of(render(found), MEDIA)
