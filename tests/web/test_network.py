"""The page of a network says what would have been seen there, so that *nothing was found* means something."""

import re

from fanous.model.incident import Interval
from fanous.web.answers import Site
from fanous.wording.language import LANGUAGES
from fanous.wording.sensitivity import SEEN_LATE
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot
from tests.charts.events import incident
from tests.each import each
from tests.web.small_store import SmallStore
from tests.web.visits import reader

DAYS = 6
OFTEN = [n / 6 for n in range(DAYS * 24 * 6)]
RARELY = [n * 50.0 for n in range(3)]


@each("code", LANGUAGES)
def test_it_says_from_which_length_on_a_cut_would_have_been_seen(code: str) -> None:
    language = LANGUAGES[code]
    ballots = (Ballot(OFTEN, False, asn=45669), Ballot(RARELY, False, asn=45669, target="telegram"))
    store = SmallStore(names={45669: "Jazz"}, ballots=ballots)
    text = (
        reader(store, Site(clock=lambda: MONDAY + DAYS * 24 * HOUR))
        .get(f"/PK/AS45669?days=7&lang={code}")
        .text
    )
    section = text[text.index('<h2 id="sensitivity">') :].partition("</ul>")[0]
    often, rarely = [line for line in section.splitlines() if line.startswith("<li>")]
    assert language.say(SEEN_LATE) in rarely
    assert language.say(SEEN_LATE) not in often
    if code == "en":
        assert re.search(
            r"X \(Twitter\).*: A cut of [0-9]+ hours or longer would have been seen here\.", often
        )


def test_a_network_on_which_nothing_was_measured_promises_nothing() -> None:
    store = SmallStore(names={45669: "Jazz"})
    text = reader(store, Site(clock=lambda: MONDAY)).get("/PK/AS45669").text
    assert 'id="sensitivity"' not in text


def test_where_an_incident_was_found_it_does_not_say_what_would_have_been() -> None:
    found = incident(
        targets=("telegram",), onset=MONDAY, entities=("AS45669",), intervals=(Interval(MONDAY, None),)
    )
    ballots = (Ballot(OFTEN, False, asn=45669), Ballot(OFTEN, True, asn=45669, target="telegram"))
    store = SmallStore([found], {45669: "Jazz"}, ballots=ballots)
    text = reader(store, Site(clock=lambda: MONDAY + DAYS * 24 * HOUR)).get("/PK/AS45669?days=7").text
    section = text[text.index('<h2 id="sensitivity">') :].partition("</ul>")[0]
    assert "X (Twitter)" in section and "Telegram" not in section
