"""What a user sees during a rehearsal, and what is printed at the end."""

import io
import time

from rich.console import Console

from fanous.model.incident import Kind, Scope
from fanous.model.place import Access
from fanous.model.verdict import State
from fanous.probe.outcome import Outcome
from fanous.probe.settings import Settings
from fanous.probe.trace import ProbeVantage
from fanous_lab.evaluation.rehearsal.report import Picture, rehearsal_document, report_lines, watched
from fanous_lab.evaluation.rehearsal.run import Rehearsal, Watcher
from fanous_lab.evaluation.rehearsal.score import LabClock, score
from fanous_lab.evaluation.rehearsal.vantage_point import Duty, Kept
from fanous_lab.scenario import Expectation, LabNetwork, Scenario, ScenarioStep
from tests.evaluation.rehearsal.claims import sighting

LINES = (
    LabNetwork("PK", 1, "Jazz", Access.MOBILE, 0.5, 2),
    LabNetwork("PK", 2, "PTCL", Access.FIXED, 0.5, 2),
)
EVENT = ScenarioStep(10.0, 40.0, "sni_reset", ("x",), (1, 2))
WANTED = Expectation(Kind.BLOCKING, Scope.NATION, ("x",), ("tls.reset.sni",))
SCENARIO = Scenario("Virtual rally", "PK", 7, 2.0, 60.0, ("x", "youtube"), LINES, (EVENT,), (WANTED,))


def outcome(target: str, state: State) -> Outcome:
    return Outcome("", target, "web", state, "", "", False, {}, ())


def duty(asn: int) -> Duty:
    return Duty("as1-1", ProbeVantage("PK", asn), (), (), Settings())


def drawn(picture: Picture) -> str:
    screen = io.StringIO()
    Console(file=screen, width=200, force_terminal=False).print(picture.drawn())
    return screen.getvalue()


def test_a_picture_shows_networks_targets_incidents_and_what_is_done() -> None:
    picture = Picture(SCENARIO)
    assert "the lab is going up" in drawn(picture)
    picture.began(LabClock(time.monotonic() - 12.0, 1_702_814_400.0, 300.0), [duty(1), duty(2)])
    picture.happened(0, True)
    picture.saw(duty(1), outcome("x", State.BLOCKED))
    picture.saw(duty(2), outcome("x", State.OK))
    picture.found([sighting(20.0)])
    text = drawn(picture)
    assert "12 of 60 s   2023-12-17T13:00:" in text
    assert "sni_reset x on 2 networks" in text
    jazz, ptcl = (line for line in text.splitlines() if line.strip().startswith(("Jazz", "PTCL")))
    assert "blocked" in jazz
    assert "works" in ptcl
    assert "PK-2023-0001  confirmed  blocking of X (Twitter)  nation" in text
    picture.happened(0, False)
    assert "quiet" in drawn(picture)


def test_nothing_is_drawn_where_no_one_looks() -> None:
    with watched(SCENARIO, Console(file=io.StringIO())) as watcher:
        assert type(watcher) is Watcher


def rehearsal() -> Rehearsal:
    kept = {"as1-1": Kept(rounds=30, missed=1, measurements=90, acknowledged=90, slowest=2.5)}
    seen = [sighting(22.5), sighting(30.0, id="PK-2023-0002", targets=["youtube"])]
    return Rehearsal(SCENARIO, LabClock(0.0, 0.0, 300.0), seen, [("as1-1", "as2-1")], kept, 90, 70.0)


def test_the_report_says_what_was_done_found_and_false() -> None:
    done = rehearsal()
    text = "\n".join(report_lines(done, score(SCENARIO, done.sightings)))
    assert "10 - 40 s  sni_reset x on 2 networks, 2 vantage points" in text
    assert "found   PK-2023-0001 confirmed: blocking of X (Twitter), nation, tls.reset.sni" in text
    assert "confirmed 12.5 s after it began" in text
    assert "FALSE   PK-2023-0002" in text
    assert "30 rounds made and 1 left out, 90 measurements, 90 acknowledged" in text


def test_the_document_says_the_same_for_machines() -> None:
    done = rehearsal()
    document = rehearsal_document(done, score(SCENARIO, done.sightings))
    assert document["seconds_to_confirm"] == {"PK-2023-0001": 12.5}
    assert document["expected"][0]["incident"] == "PK-2023-0001"
    assert document["missed"] == []
    assert [one["incident"] for one in document["false"]] == ["PK-2023-0002"]
    assert document["events"][0]["hit"] == ["as1-1", "as2-1"]
    assert document["lab"]["rounds_missed"] == 1
    assert document["lab"]["profile"]["handshake_timeout"] == 1.5


def test_what_was_missed_is_said_with_the_reason() -> None:
    done = rehearsal()
    done.sightings = []
    lines = report_lines(done, score(SCENARIO, []))
    assert "MISSED  blocking of x, nation: nothing was found" in lines
