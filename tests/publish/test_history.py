"""How often the same was restricted before: a service, and each part of it, by itself."""

from dataclasses import replace

from fanous.analysis.cost import cost_of, of_incident
from fanous.publish.edition import history
from fanous.publish.filter import IncidentFilter
from fanous.refdata.economies import economy
from fanous.web.pages.incident import past_filter
from fanous.wording.cost import cost_document, cost_lines
from fanous.wording.headline import nth_sentence
from fanous.wording.language import ENGLISH
from tests.analysis.incidents.test_news import CLIENT, WHOLE
from tests.charts.events import END, START

DAY = 86_400.0
FIRST = replace(CLIENT, id="PK-2023-0001")
SECOND = replace(WHOLE, id="PK-2023-0002", onset=START + DAY)
THIRD = replace(CLIENT, id="PK-2023-0003", onset=START + 2 * DAY)
ALL = [FIRST, SECOND, THIRD]


def test_a_web_client_counts_by_itself_and_with_its_service_but_not_as_it() -> None:
    rows = {row.name: row for row in history(ALL)}
    assert {name: [one.id for one in row.incidents] for name, row in rows.items()} == {
        "telegram/client": ["PK-2023-0001", "PK-2023-0002", "PK-2023-0003"],
        "telegram": ["PK-2023-0002"],
    }
    for row in rows.values():
        listed = [one for one in ALL if IncidentFilter.of(past_filter("PK", row)).fits(one, END)]
        assert tuple(listed) == row.incidents, "the link lists what the sentence counts"
    assert nth_sentence("telegram/client", 3, 2023, "PK", ENGLISH) == (
        "Third restriction of Telegram's web client in Pakistan recorded by this monitor since 2023."
    )


def test_a_cost_says_that_only_a_part_of_a_service_was_cut() -> None:
    estimate = cost_of(of_incident(CLIENT, END), economy("PK"))
    assert cost_document(estimate)["parts"] == ["telegram/client"]
    assert "Only a part of the service was cut: Telegram's web client." in "\n".join(cost_lines(estimate))
    whole = cost_of(of_incident(WHOLE, END), economy("PK"))
    assert cost_document(whole)["parts"] == [] and "a part of" not in "\n".join(cost_lines(whole))
