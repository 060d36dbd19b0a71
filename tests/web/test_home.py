"""The first page: what is going on, what ended this week, how fresh the data are, and what cannot be seen."""

import re
from dataclasses import replace

from fanous.model.incident import Incident, Interval, Status
from fanous.model.instant import DAY
from fanous.store.coverage import Freshness, Heard
from tests.charts.events import ONGOING, incident
from tests.web.small_store import SmallStore
from tests.web.visits import NOW, reader


def ended(days: float, label: str, **given: object) -> Incident:
    """An incident that ended so many days ago."""
    end = NOW - days * DAY
    return replace(
        incident(**given), id=label, onset=end - 3600, end=end, intervals=(Interval(end - 3600, end),)
    )


def test_the_order_is_open_ended_map_freshness_unseen() -> None:
    store = SmallStore(
        [replace(incident(**ONGOING), id="PK-2023-0001"), ended(2, "PK-2023-0002"), ended(8, "PK-2023-0003")],
        heard_networks=[Heard("PK", 17557, NOW - 600, 40, 3)],
        fresh=[Freshness("ooni", NOW - 600, 40, 2)],
    )
    text = reader(store).get("/").text
    order = [
        "PK-2023-0001",
        "Ended in the last 7 days",
        "PK-2023-0002",
        'class="world"',
        'id="fresh"',
        'id="unseen"',
    ]
    places = [text.index(mark) for mark in order]
    assert places == sorted(places)
    assert "PK-2023-0003" not in text
    assert 'href="/incidents"' in text


def test_each_source_says_how_fresh_it_is() -> None:
    store = SmallStore(
        heard_networks=[Heard("PK", 17557, NOW - 600, 40, 3)],
        fresh=[
            Freshness("ooni", NOW - 600, 40, 12),
            Freshness("edge", NOW - 3 * DAY, 5, 1),
            Freshness("atlas", NOW - 90 * DAY, 5, 1),
        ],
    )
    text = reader(store).get("/").text
    table = text[text.index('id="fresh"') : text.index('id="unseen"')]
    rows = [re.sub(r"<.*?>", " ", row).split() for row in re.findall(r"<tr><th.*?</tr>", table)]
    assert [" ".join(row) for row in rows[1:]] == [
        "OONI probes ooni 10 minutes ago 12",
        "Fanous probes edge 3 days ago unusually long ago 1",
    ]


def test_a_store_whose_data_are_old_shows_its_last_incidents() -> None:
    known = [ended(400 + n, f"PK-2022-{n:04d}") for n in range(9)]
    known.append(replace(ended(399, "PK-2022-0099"), confirmed_at=None))
    known.append(replace(ended(398, "PK-2022-0098"), status=Status.RETRACTED))
    text = reader(SmallStore(known, revised_at=NOW - 398 * DAY)).get("/").text
    assert "Last on record" in text
    shown = re.findall(r"<bdi>(PK-2022-\d{4})</bdi></span></p>", text)
    assert shown == [f"PK-2022-{n:04d}" for n in range(5)]
    assert "Last on record" not in reader(SmallStore([*known, ended(1, "PK-2023-0001")])).get("/").text


def test_a_retraction_stands_on_the_first_page_for_a_month_however_old_its_incident() -> None:
    """Of an incident of 2019 that was retracted today the page said nothing: it counted by the incident's own dates."""
    gone = replace(ended(900, "PK-2021-0001"), status=Status.RETRACTED)
    text = reader(SmallStore([gone], revised_at=NOW - DAY)).get("/").text
    assert text.index("<h1>") < text.index("Retracted in the last 30 days") < text.index('class="world"')
    assert "Retracted on " in text
    assert "<s>" in text
    assert "PK-2021-0001" not in reader(SmallStore([gone], revised_at=NOW - 31 * DAY)).get("/").text
