"""Reports, costs and downloads on the pages."""

from dataclasses import replace

import pytest

from tests.charts.events import ONGOING, incident
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, reader

KNOWN = replace(incident(**ONGOING), id="PK-2023-0001")
PATH = "/PK/PK-2023-0001"


class Timed(SmallStore):
    def now(self) -> float:
        return NOW


@pytest.mark.parametrize(
    ("ending", "media", "begins"),
    [("pdf", "application/pdf", b"%PDF"), ("md", "text/markdown", "# تصدیق شدہ".encode())],
)
def test_a_report_is_made_where_it_is_asked_for(ending: str, media: str, begins: bytes) -> None:
    answer = reader(Timed([KNOWN])).get(f"{PATH}/report.{ending}?lang=ur")
    assert answer.headers["content-type"].startswith(media)
    assert answer.content.replace("\u2068".encode(), b"").startswith(begins)
    assert reader(Timed([KNOWN])).get(f"/PK/PK-2023-0002/report.{ending}").status_code == 404


def test_the_page_of_an_incident_says_what_it_may_cost_and_leads_to_all_forms() -> None:
    text = reader(Timed([KNOWN])).get(PATH).text
    assert "What it may cost" in text
    assert "even a full shutdown for everyone affected would cost at most US$" in text
    assert "No study says what share of an economy depends on single services" in text
    for link in (f"{PATH}/report.pdf", f"{PATH}.cap", "/api/v1/incidents/PK-2023-0001", "/PK/feed.json"):
        assert f'href="{link}"' in text


def test_the_page_of_data_leads_to_feeds_and_api() -> None:
    text = reader(Timed([KNOWN])).get("/data").text
    for link in ("/feed.json", "/corrections/feed.atom", "/api/v1/openapi.json"):
        assert f'href="{link}"' in text
