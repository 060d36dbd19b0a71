"""Pictures: the share card and the chart of an incident, as they are asked for."""

from fanous.charts.picture import png
from fanous.model.incident import Incident
from fanous.publish import pictures
from fanous.store.protocol import Store
from fanous.web.answers import Later
from fanous.web.reply import Reply
from fanous.web.visit import Visit

SVG, PNG = "image/svg+xml", "image/png"
CARD_WIDTH, CHART_WIDTH = 1200, 1500
"""A chart is printed: 1500 pixels are 12.7 cm at 300 dots an inch."""


def found(store: Store, visit: Visit) -> Incident | None:
    """The incident that the address names."""
    incident = store.incident(visit.asked["id"])
    return incident if incident and incident.country == visit.asked["country"] else None


def card_picture(store: Store, visit: Visit) -> Later | None:
    incident = found(store, visit)
    if incident is None:
        return None
    drawn = pictures.card_svg(store, incident, visit.edition)
    return lambda: Reply.of(png(drawn, CARD_WIDTH), PNG)


def chart_svg(store: Store, visit: Visit) -> Reply | None:
    drawn = _chart(store, visit)
    return Reply.of(drawn, SVG) if drawn else None


def chart_png(store: Store, visit: Visit) -> Later | None:
    drawn = _chart(store, visit)
    return (lambda: Reply.of(png(drawn, CHART_WIDTH), PNG)) if drawn else None


def _chart(store: Store, visit: Visit) -> str:
    """Empty = no such incident, or nothing to draw."""
    incident = found(store, visit)
    return pictures.chart_svg(store, incident, visit.edition) if incident else ""
