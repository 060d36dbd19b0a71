"""Which channels a piece of news goes to."""

from dataclasses import replace
from typing import Any

from fanous.model.alert import Happening, News
from fanous.model.incident import Incident, Kind, Scope, Status
from fanous.model.instant import DAY
from fanous.publish.alerts.channel import AlertRule
from fanous.publish.alerts.dispatch import orders_of
from tests.charts.events import END, NATION, ONGOING, START, SUSPECTED, incident
from tests.each import each

NOW = END + 600
OPEN = incident(**ONGOING, id="PK-2023-0001")


def news(after: Incident, before: Incident | None = None, told: tuple[str, ...] = ()) -> News:
    return News(1, 1 if before is None else 2, NOW, after, before, frozenset(told))


@each(
    ("rule", "claim", "concerned"),
    [
        ({}, {}, True),
        ({"countries": ("PK", "IR")}, {}, True),
        ({"countries": ("IR",)}, {}, False),
        ({"networks": (59257,)}, {}, True),
        ({"networks": (17557,)}, {}, False),
        ({"networks": (17557,)}, NATION, True),  # the nation is every network
        ({"targets": ("x", "youtube")}, {}, True),
        ({"targets": ("youtube",)}, {}, False),
        ({"targets": ("youtube",)}, {"targets": (), "kind": Kind.OUTAGE}, True),  # an outage cuts all
        ({"kinds": ("outage",)}, {}, False),
        ({"statuses": ("confirmed",)}, {}, True),
        ({"statuses": ("confirmed",)}, SUSPECTED, False),
        ({"statuses": ("confirmed",)}, {"status": Status.ENDED, "end": END}, True),  # it was
        ({"confidence": 0.99}, {}, False),
        ({"confidence": 0.9}, {}, True),
    ],
)
def test_a_rule_asks_for_what_it_names(rule: dict[str, Any], claim: dict[str, Any], concerned: bool) -> None:
    asked = AlertRule(("desk",), **rule)
    assert asked.concerns(incident(**(ONGOING | claim))) is concerned


def test_a_channel_that_two_rules_name_is_told_once() -> None:
    rules = [AlertRule(("desk", "noc")), AlertRule(("desk",), countries=("PK",))]
    assert [order.channel for order in orders_of(news(OPEN), rules, NOW)] == ["desk", "noc"]


def test_a_rule_can_ask_for_some_news_only() -> None:
    rules = [AlertRule(("desk",), on=(Happening.ENDED,))]
    assert orders_of(news(OPEN), rules, NOW) == []
    ended = replace(OPEN, status=Status.ENDED, end=END)
    assert len(orders_of(news(ended, OPEN), rules, NOW)) == 1


def test_everyone_who_was_alerted_gets_the_correction_whatever_the_rules_say() -> None:
    retracted = replace(OPEN, status=Status.RETRACTED)
    (order,) = orders_of(news(retracted, OPEN, told=("desk",)), [], NOW)
    assert (order.channel, order.happening) == ("desk", Happening.CORRECTED)


def test_no_one_else_hears_of_a_correction() -> None:
    retracted = replace(OPEN, status=Status.RETRACTED)
    assert orders_of(news(retracted, OPEN), [AlertRule(("desk",))], NOW) == []


def test_history_sends_no_alerts() -> None:
    ended = incident(id="PK-2023-0001")
    assert orders_of(news(ended), [AlertRule(("desk",))], END + 6 * DAY)
    assert orders_of(news(ended), [AlertRule(("desk",))], END + 8 * DAY) == []
    assert orders_of(news(OPEN), [AlertRule(("desk",))], START + 59 * DAY)
    assert orders_of(news(OPEN), [AlertRule(("desk",))], START + 61 * DAY) == []


def test_a_rule_for_a_network_hears_of_what_reaches_it_later() -> None:
    """A third network is no news to others."""
    before = replace(OPEN, entities=("AS1", "AS2"), scope=Scope.MULTI_ISP)
    after = replace(before, entities=("AS1", "AS2", "AS59257"))
    rules = [AlertRule(("desk",), networks=(59257,)), AlertRule(("noc",))]
    assert [order.channel for order in orders_of(news(after, before), rules, NOW)] == ["desk"]
    assert orders_of(news(after, before, told=("desk",)), rules, NOW) == []
