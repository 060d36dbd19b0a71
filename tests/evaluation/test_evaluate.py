"""What is found is compared with labels: for hand-made claims, and end to end on the corpora of the project."""

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from fanous.config import Instant
from fanous.errors import FanousError
from fanous.evaluation.corpus import SHARED, Corpus, CorpusFile, LabelledEvent, QuietInterval, load_corpus
from fanous.evaluation.evaluate import evaluate_corpora, evaluate_corpus
from fanous.evaluation.simulate import pakistan
from fanous.model.incident import Interval, Kind, Scope
from fanous.model.instant import from_iso
from fanous.model.score import Evaluation
from tests.shared_data import shared_file

CORPORA = Path(__file__).resolve().parents[2] / "corpora"
SINCE, UNTIL = pakistan.SINCE, pakistan.UNTIL
EVENING = Interval(from_iso("2023-12-17T14:40Z"), from_iso("2023-12-17T22:00Z"))
RESTRICTED = tuple(pakistan.RESTRICTIONS)


def event(**given: Any) -> LabelledEvent:
    """The rally as labelled by someone who knows the evening and the networks."""
    networks = given.get("networks", dict.fromkeys(RESTRICTED, (EVENING,)))
    fields: dict[str, Any] = {
        "id": "rally",
        "country": "PK",
        "kind": Kind.BLOCKING,
        "targets": ("x", "youtube"),
        "networks": networks,
        "scope": Scope.NATION,
        "source": "a test",
        "must": tuple(networks),
    }
    return LabelledEvent(**(fields | given))


@pytest.fixture(scope="module")
def scratch(rally: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a corpus whose file is a quarter of the generated event, in which the same is found.

    Its reports are whole: that a site was slow shows only beside what else the same sender measured.
    """
    folder = tmp_path_factory.mktemp("corpus")
    lines = rally.read_bytes().splitlines(keepends=True)
    reports = [json.loads(line)["report_id"] for line in lines]
    kept = {*list(dict.fromkeys(reports))[::4]}
    few = (line for line, report in zip(lines, reports, strict=True) if report in kept)
    (folder / "rally.jsonl").write_bytes(b"".join(few))
    return folder


def score(folder: Path, *events: LabelledEvent, countries: tuple[str, ...] = ()) -> Evaluation:
    """Labels of any sort over the same measurements."""
    quiet = tuple(QuietInterval(country, Instant(SINCE), Instant(UNTIL), "a test") for country in countries)
    files = (CorpusFile("ooni", path="rally.jsonl"),)
    return evaluate_corpus(Corpus(folder, "a test", SINCE, UNTIL, files, "", 7, events, quiet))


@pytest.mark.matrix
def test_labels_of_another_time_place_or_target_are_other_events(scratch: Path) -> None:
    """One run of the measurements, many labels: each is matched or not by itself."""
    next_day = Interval(EVENING.end + 86_400 if EVENING.end else 0, UNTIL)
    hours_before = Interval(EVENING.start - 5 * 3600, EVENING.start - 4 * 3600)
    hours_after = Interval(EVENING.start + 11 * 3600, EVENING.start + 12 * 3600)
    labels = {
        "right": event(id="right"),
        "one network": event(id="one network", networks={59257: (EVENING,)}),
        "within the slack": event(id="within the slack", networks={59257: (hours_before,)}),
        "within the slack after": event(id="within the slack after", networks={59257: (hours_after,)}),
        "two days later": event(id="two days later", networks={59257: (next_day,)}),
        "another network": event(id="another network", networks={38264: (EVENING,)}),
        "another target": event(id="another target", targets=("wikipedia",)),
        "another country": event(id="another country", country="IN", networks={59257: (EVENING,)}),
        "another scope": event(id="another scope", scope=Scope.ISP),
        "no scope": event(id="no scope", scope=None),
        "it goes on": event(id="it goes on", networks={59257: (Interval(EVENING.start, None),)}),
        "one too many": event(id="one too many", networks={59257: (EVENING,), 38264: (EVENING,)}),
        "one spare": event(id="one spare", networks={59257: (EVENING,), 38264: (EVENING,)}, must=(59257,)),
    }
    evaluation = score(scratch, *labels.values())
    found = dict(zip(labels, evaluation.events, strict=True))
    assert {name for name, one in found.items() if one.confirmed} == {
        "right",
        "one network",
        "within the slack",
        "within the slack after",
        "another scope",
        "no scope",
        "it goes on",
        "one spare",
    }
    assert found["one too many"].incidents == 1, "found, but not on every network that must be"
    assert {n.asn: n.found for n in found["one too many"].networks} == {38264: "missed", 59257: "confirmed"}
    assert found["another network"].incidents == found["two days later"].incidents == 0
    assert [found[name].scope_right for name in ("right", "another scope", "no scope")] == [True, False, None]
    assert found["right"].extra_networks == ()
    assert found["one network"].extra_networks == tuple(sorted(set(RESTRICTED) - {59257}))
    assert found["it goes on"].end_error_minutes is None
    assert found["another target"].minutes_to_confirm is None
    assert evaluation.recall == 8 / 13
    assert evaluation.false_confirmed == 0
    delay = found["right"].minutes_to_confirm
    assert delay is not None and 0 < delay < 180, "a quarter of the measurements takes longer to convince"
    assert found["within the slack"].minutes_to_confirm == pytest.approx(delay + 300)
    assert found["right"].onset_error_minutes == pytest.approx(0, abs=90)
    assert found["right"].end_error_minutes == pytest.approx(0, abs=90)


@pytest.mark.matrix
def test_overlap_is_what_both_say_of_what_either_says_where_it_was_measured(scratch: Path) -> None:
    whole = pakistan.RESTRICTIONS[59257]
    length = whole.end - whole.start
    labels = {
        "right": Interval(whole.start, whole.end),
        "half": Interval(whole.start, whole.start + length / 2),
        "twice": Interval(whole.start - length, whole.end),
        "never measured": Interval(SINCE, SINCE + 60),
    }
    events = [event(id=name, networks={59257: (label,)}) for name, label in labels.items()]
    found = dict(zip(labels, score(scratch, *events).events, strict=True))
    overlap = {name: one.networks[0].overlap for name, one in found.items()}
    assert overlap["never measured"] is None
    right, half, twice = (overlap[name] or 0.0 for name in ("right", "half", "twice"))
    assert 0.85 < right <= 1.0
    assert half == pytest.approx(right / 2, abs=0.2), "what was found and not labelled counts against it"
    assert 0.2 < twice < 0.8, "what was labelled and not found counts against it"


@pytest.mark.matrix
def test_what_no_label_names_is_false(scratch: Path) -> None:
    evaluation = score(scratch, countries=("PK",))
    assert (evaluation.false_confirmed, evaluation.events) == (1, ())
    assert evaluation.recall is None
    assert evaluation.precision == 0.0


@pytest.mark.matrix
def test_exposure_is_the_window_times_countries(scratch: Path, tmp_path: Path) -> None:
    with (scratch / "rally.jsonl").open("rb") as whole:
        (tmp_path / "rally.jsonl").write_bytes(b"".join(islice(whole, 100)))
    scratch = tmp_path
    files = sorted(path.name for path in scratch.iterdir())
    alone = score(scratch, event())
    assert alone.country_months == pytest.approx(3 / 30.44, rel=0.01)
    more = score(scratch, event(), countries=("IN", "AE", "PK"))
    assert more.country_months == pytest.approx(3 * alone.country_months)
    assert more.series_months > alone.series_months
    assert sorted(path.name for path in scratch.iterdir()) == files, "its store was its own"
    assert more.measurements == alone.measurements == len((scratch / "rally.jsonl").read_bytes().splitlines())


@pytest.fixture(scope="module")
def virtual_rally() -> Evaluation:
    (evaluation,) = evaluate_corpora([CORPORA / "pakistan-2023"])
    return evaluation


def test_the_rally_is_found_whole_and_nothing_else(virtual_rally: Evaluation) -> None:
    assert (virtual_rally.recall, virtual_rally.precision) == (1.0, 1.0)
    assert (virtual_rally.false_confirmed, virtual_rally.false_suspected) == (0, 0)
    (one,) = virtual_rally.events
    assert (one.incidents, one.scope_right, one.extra_networks) == (1, True, ())
    assert all(network.found == "confirmed" for network in one.networks)


def test_the_rally_is_found_in_time(virtual_rally: Evaluation) -> None:
    (one,) = virtual_rally.events
    assert one.minutes_to_confirm is not None and 0 < one.minutes_to_confirm <= 90
    assert one.onset_error_minutes is not None and abs(one.onset_error_minutes) <= 60
    assert one.end_error_minutes is not None and abs(one.end_error_minutes) <= 60
    for network in one.networks:
        assert network.overlap is not None and network.overlap >= 0.8, network
        assert network.onset_error_minutes is not None and abs(network.onset_error_minutes) <= 60


@pytest.mark.matrix
def test_ordinary_days_give_nothing() -> None:
    (evaluation,) = evaluate_corpora([CORPORA / "quiet-synthetic"])
    assert (evaluation.false_confirmed, evaluation.false_suspected) == (0, 0)
    assert evaluation.measurements > 1000
    assert evaluation.country_months == pytest.approx(9 / 30.44, rel=0.01)


@pytest.mark.matrix
@pytest.mark.shared_data
def test_kenya_is_found_on_every_network_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("2023-KE-telegram.csv.gz", "2023-KE-web_connectivity-telegram.org.csv.gz"):
        folder = shared_file(f"ooni/{name}").parents[1]
    monkeypatch.setenv(SHARED, str(folder))
    (evaluation,) = evaluate_corpora([CORPORA / "kenya-2023"])
    assert (evaluation.recall, evaluation.precision) == (1.0, 1.0)
    assert (evaluation.false_confirmed, evaluation.false_suspected) == (0, 0)
    (one,) = evaluation.events
    assert one.incidents <= 3
    assert one.scope_right
    assert one.extra_networks == ()
    for network in one.networks:
        assert network.overlap is not None and network.overlap >= 0.7, network


@pytest.mark.matrix
@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("corpus", "file", "intervals"),
    [
        ("iran-2019", "monash_irn_2019-11.csv.gz", 1),
        ("venezuela-2019", "monash_ven_2019-07.csv.gz", 4),  # back in stages
        ("bago-2021", "monash_mmr_2021_bago.csv.gz", 72),
    ],
)
def test_real_outages_seen_by_one_family_are_suspected_and_not_confirmed(
    monkeypatch: pytest.MonkeyPatch, corpus: str, file: str, intervals: int
) -> None:
    monkeypatch.setenv(SHARED, str(shared_file(f"signals/{file}").parents[1]))
    (evaluation,) = evaluate_corpora([CORPORA / corpus])
    (event,) = evaluation.events
    assert (event.found, event.confirmed, event.incidents, event.scope_right) == ("suspected", False, 1, True)
    assert event.intervals == intervals
    assert event.onset_error_minutes is not None
    assert 0 <= event.onset_error_minutes < 60, (
        "within the labelled hour, also where hours begin at half past"
    )
    assert evaluation.found == 1.0 and evaluation.recall == 0.0
    assert (evaluation.false_confirmed, evaluation.false_suspected) == (0, 0)


@pytest.mark.shared_data
@pytest.mark.matrix
@pytest.mark.parametrize("times", [1, 5])
def test_losses_put_into_a_quiet_export_are_found_and_nothing_else(
    times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shared_file("signals/ioda_export_quiet_2025-12.csv.gz")
    monkeypatch.setenv(SHARED, str(file.parents[1]))
    corpus = load_corpus(CORPORA / "injected-drops")
    assert corpus.injection is not None
    evaluation = evaluate_corpus(replace(corpus, injection=structs.replace(corpus.injection, times=times)))
    assert evaluation.false_confirmed == 0
    assert evaluation.false_suspected_a_country_month <= 1
    for score in evaluation.losses:
        probing = "ping-slash24" in score.signals
        if probing or (score.loss >= 0.3 and score.hours >= 3):
            assert score.recall == score.found == 1.0, score
        if probing:
            assert score.found == 1.0, score
        if score.peer_recall is not None and score.loss <= 0.1:
            assert score.peer_recall == 0.0, "what IODA's rule does not see"
        if len(score.signals) == 2 and score.loss >= 0.3 and score.hours >= 3:
            assert score.confirmed == 1.0, score


def test_data_that_may_not_be_redistributed_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SHARED, raising=False)
    with pytest.raises(FanousError, match=f"set {SHARED} to the folder"):
        evaluate_corpus(load_corpus(CORPORA / "kenya-2023"))
